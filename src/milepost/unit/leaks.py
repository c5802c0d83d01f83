"""Credentials in what a unit would commit: those of this machine or of `.env` stop it, what looks like one is told.

In a planning file there is no use for one: what has the shape of a provider's key stops the unit there too, unless it
stood there before or is an example. Nothing is lost: the files stay as they are, uncommitted, and the next attempt is
told what to take out. Files that are left aside anyway (`.env`) may hold what they like. Source: DESIGN (security),
field-reports #44.
"""

from collections.abc import Iterator, Sequence

from milepost.git.run import git
from milepost.git.status import Change
from milepost.rules import secrets, staging
from milepost.unit.bench import Bench

_LARGEST = 1_000_000
"""Bytes of a file that is looked through; credentials stand in small files."""


def leaks(changes: Sequence[Change], bench: Bench) -> tuple[str, ...]:
    """Changed files that hold a key or token of this machine or of the project, as things the unit owes.

    changes: everything the unit would commit. Other files that only look like it are told to the watcher.
    """
    found = []
    for path, text in _texts(changes, bench):
        if fault := _fault(path, text, bench):
            found.append(f"{path}:{fault}")
        elif suspicious := secrets.find(text):
            bench.watcher.note(f"look at this: {path}:{suspicious[0].line} looks like it holds a {suspicious[0].kind}")
    return tuple(found)


def _fault(path: str, text: str, bench: Bench) -> str:
    """Where in a file the first credential stands, and what to do; empty: it may be committed.

    What the last commit of the file has already is not held back: that is out, and not the agent's doing.
    """
    place = bench.workspace
    known = [(at, value) for value in bench.secrets if (at := text.find(value)) >= 0]
    ours = path.startswith(f"{place.state_dir}/") and bench.preferences.git.commit_docs
    shaped = secrets.certain(text) if ours and not known else ()
    if not known and not shaped:
        return ""
    before = git(place.cwd, "show", f"HEAD:{path}", ok=(0, 128)).out
    if places := [at for at, value in known if value not in before]:
        return f"{text.count(chr(10), 0, min(places)) + 1}: holds a credential of this machine; take it out"
    new = next((one for one in shaped if text[one.start : one.end] not in before), None)
    return f"{new.line}: holds a credential ({new.kind}); take it out and name its variable instead" if new else ""


def _texts(changes: Sequence[Change], bench: Bench) -> Iterator[tuple[str, str]]:
    for change in changes:
        file = bench.workspace.cwd / change.path
        if staging.looks_secret(change.path):
            continue
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST:
            yield change.path, file.read_bytes().decode("utf-8", "replace")
