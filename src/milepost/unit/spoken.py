"""What a person says while a session runs (`gsd steer`) is put before the model, not only into the next prompt.

`OVERRIDES.md` in the root is the mailbox: it is there before anybody listens, and outlives who listens. What the
prompt of the session holds already is not said again. Source: spec auto 5.15, 2.23; parallel PR-244.
"""

from contextlib import suppress
from pathlib import Path

import anyio

from milepost.agents.session import Session
from milepost.formats import overrides
from milepost.formats.journal import OrderGiven, Steered
from milepost.formats.tree import read, root_file
from milepost.store import notebook
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of

_POLL_S = 0.3
"""How soon an order is heard. A look is one `stat`."""


async def relay(session: Session, attempt: str, bench: Bench) -> None:
    """Say each new order to the session, until cancelled. An unreadable file is looked at again later."""
    state, seen = bench.workspace.root_state, _stamp(bench.workspace.root_state)
    known = _known(bench)
    for entry in _new(state, known, bench):
        await _say(entry, session, attempt, bench)
    while True:
        await anyio.sleep(_POLL_S)
        if (stamp := _stamp(state)) == seen:
            continue
        seen = stamp
        for entry in _new(state, known, bench):
            await _say(entry, session, attempt, bench)


async def _say(entry: overrides.Override, session: Session, attempt: str, bench: Bench) -> None:
    await session.steer(words(entry.change))
    # It is said also where it cannot be written down.
    with suppress(OSError):
        bench.journal.append(
            Steered(at_ms=bench.now_ms(), run=bench.run, attempt=attempt, why="person", text=_line(entry))
        )
    bench.watcher.note(f"told the session: {_line(entry)}")


def _line(entry: overrides.Override) -> str:
    return entry.change.partition("\n")[0]


def words(change: str) -> str:
    """An order as the model reads it."""
    return (
        f"The person in charge says now: {change}\n\n"
        "This overrides the plan and your prompt where they differ. Heed it in what you still do in this unit; other "
        "documents are brought in line afterwards, by another session."
    )


def _known(bench: Bench) -> set[tuple[str, str]]:
    """Orders of which the session's own tree tells."""
    tree = tree_of(bench)
    return {(entry.at, entry.change) for entry in overrides.parse(read(tree, root_file(tree, "OVERRIDES")))}


def _new(state: Path, known: set[tuple[str, str]], bench: Bench) -> list[overrides.Override]:
    found = [e for e in overrides.active(_text(state)) if (e.at, e.change) not in known]
    if found and bench.workspace.isolation != "worktree":
        # The session has its hands on this very file, and would be told its own words as a person's.
        events = bench.journal.everything()
        given = {(e.order_at, e.change) for e in events if isinstance(e, OrderGiven)}
        found = [entry for entry in found if (entry.at, entry.change) in given]
    known.update((entry.at, entry.change) for entry in found)
    return found


def _text(state: Path) -> str:
    with suppress(OSError):
        return notebook.text(state, notebook.OVERRIDES)
    return ""


def _stamp(state: Path) -> tuple[int, int, int]:
    for name in ("OVERRIDES.md", "overrides.md"):
        with suppress(OSError):
            found = (state / name).stat()
            return (found.st_mtime_ns, found.st_size, found.st_ino)
    return (0, 0, 0)
