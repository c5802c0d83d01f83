"""`gsd replay FILE`: play a recording in a clone of the commit it began on, and name the first step that differs.

Nothing of the project is touched: the clone has no remote, pushes nothing and notifies nobody, and is removed
afterwards. In the project itself, `gsd auto --agent replay:FILE` does what was recorded. Source: issue "Recordings".
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from milepost.agents import cassette, compare
from milepost.agents.cassette import Recorded
from milepost.agents.compare import Difference
from milepost.errors import ExitCode, MilepostError
from milepost.git.run import HOOK_TIMEOUT_S, git
from milepost.rules.limits import SCALE
from milepost.ui.cli import arguments, context, project, settings

DIFFERS = 2
_QUIET = {"git.auto_push": False, "git.push_branches": False, "notifications.enabled": False}


class NotReplayable(MilepostError):
    """The recording does not say what is needed to play it here."""


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} replay",
        description="Play a recording in a clone of the commit it began on; exit code 2 when something differs.",
    )
    made.add_argument("file", metavar="FILE", help="what --record wrote")
    made.add_argument("--milestone", metavar="MID", default="", help="only the sessions of this milestone")
    made.add_argument("--base", metavar="COMMIT", default="", help="begin there, instead of where the recording began")
    made.add_argument("--outcomes", action="store_true", help="compare what was done and failed, not the texts")
    made.add_argument("--keep", action="store_true", help="leave the clone, to look at it")
    made.add_argument("--json", action="store_true", help="the outcome as JSON")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Play, compare, say."""
    options = parser(program).parse_args(argv)
    where = context.find(program)
    root = project.at_root(where).root
    sessions = _wanted(options, cassette.read(Path(options.file)))
    base = _base(options.base, sessions, root, where.state_dir)
    with _clone(root, base, keep=options.keep) as place:
        played, ended = _played(place, sessions, where.state_dir)
        found = compare.first(sessions, played, outcomes_only=options.outcomes)
        _say(found, sessions, ended, base, place if options.keep else None, as_json=options.json)
    return DIFFERS if found else ExitCode.DONE


def _wanted(options: argparse.Namespace, sessions: Sequence[Recorded]) -> list[Recorded]:
    found = [one for one in sessions if options.milestone in ("", one.unit.milestone)]
    if not found:
        known = ", ".join(dict.fromkeys(one.unit.milestone for one in sessions))
        raise NotReplayable(f"{options.file} has nothing of {options.milestone}", hint=f"It has {known}.")
    return found


def _base(asked: str, sessions: Sequence[Recorded], root: Path, state_dir: str) -> str:
    """The commit to begin on, which must be here and hold the plan."""
    wanted = asked or sessions[0].base
    if not wanted:
        raise NotReplayable("the recording does not say on which commit it began", hint="--base COMMIT says it.")
    found = git(root, "rev-parse", "-q", "--verify", f"{wanted}^{{commit}}", ok=(0, 1, 128)).line
    if not found:
        raise NotReplayable(
            f"{wanted} is not in this repository", hint="Fetch it, or give the commit to begin on: --base COMMIT"
        )
    if not git(root, "ls-tree", found, "--", state_dir).out:
        raise NotReplayable(
            f"{found[:12]} holds no {state_dir}/, so the plan is not in it",
            hint="Play it in the project itself: gsd auto --agent replay:FILE",
        )
    return found


@contextmanager
def _clone(root: Path, base: str, *, keep: bool) -> Iterator[Path]:
    """A checkout of `base` of its own, on a branch of the same name, without remotes."""
    branch = git(root, "symbolic-ref", "-q", "--short", "HEAD", ok=(0, 1)).line or "main"
    directory = Path(tempfile.mkdtemp(prefix="gsd-replay-"))
    place = directory / root.name
    try:
        # Shared objects: the base may be reachable from nowhere but a backup ref, which a clone does not copy.
        git(root, "clone", "--quiet", "--shared", "--no-checkout", str(root), str(place), timeout_s=HOOK_TIMEOUT_S)
        git(place, "remote", "remove", "origin")
        for name, mail in (("user.name", "replay"), ("user.email", "replay@localhost")):
            if not git(place, "config", name, ok=(0, 1)).line:
                git(place, "config", name, mail)
        git(place, "update-ref", f"refs/heads/{branch}", base)
        git(place, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
        git(place, "read-tree", "-m", "-u", "HEAD", timeout_s=HOOK_TIMEOUT_S)
        yield place
    finally:
        if not keep:
            _remove(directory)


def _remove(directory: Path) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)


def _played(place: Path, sessions: Sequence[Recorded], state_dir: str) -> tuple[Sequence[Recorded], str]:
    """What came of it, as a recording, and what the run said at its end."""
    _quieten(place, context.home(state_dir), state_dir)
    source, made = place.with_name("recorded.jsonl"), place.with_name("played.jsonl")
    cassette.write(source, sessions)
    argv = [sys.executable, "-P", "-m", "milepost", "headless", "--json", "auto", "--agent", f"replay:{source}"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GSD_", "SF_"))}
    home = {name: os.environ[name] for name in ("GSD_HOME", "SF_HOME") if name in os.environ}
    done = subprocess.run(
        [*argv, "--record", str(made)],
        cwd=place,
        env={**env, **home, SCALE: os.environ.get(SCALE) or "0.001"},  # no provider is there that could be waited for
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    said = [line for line in (done.stdout + done.stderr).decode(errors="replace").splitlines() if line.strip()]
    return (cassette.read(made) if made.exists() else ()), _ending(said)


def _quieten(place: Path, home: str, state_dir: str) -> None:
    """Nobody outside hears of a replay."""
    settings.change(dict(_QUIET), settings.Scope(str(place), home, state_dir, globally=False))
    git(place, "add", "-f", "--", state_dir)
    git(place, "commit", "--quiet", "--no-verify", "-m", "chore: replay", ok=(0, 1))


def _ending(said: Sequence[str]) -> str:
    """Why the run ended, of its last line."""
    for line in reversed(said):
        try:
            last = json.loads(line)
        except ValueError:
            continue
        if isinstance(last, dict) and last.get("reason"):
            return str(last["reason"])
    return said[-1] if said else "it said nothing"


def _say(
    found: Difference | None,
    sessions: Sequence[Recorded],
    ended: str,
    base: str,
    kept: Path | None,
    *,
    as_json: bool,
) -> None:
    if as_json:
        document = {
            "agrees": found is None,
            "sessions": len(sessions),
            "base": base,
            "ended": ended,
            "difference": found._asdict() if found else None,
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    elif found is None:
        sys.stdout.write(f"{len(sessions)} sessions were played from {base[:12]}, and everything agrees.\n")
    else:
        sys.stdout.write(f"The first difference, played from {base[:12]}: {found}\n  The run ended: {ended}\n")
    if kept is not None:
        sys.stderr.write(f"  The clone is {kept}\n")
