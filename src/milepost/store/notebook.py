"""The project's own notebooks, `CAPTURES.md`, `OVERRIDES.md` and `KNOWLEDGE.md`: changed by many, a line lost by none.

Whoever changes one holds a lock of the kernel from reading to replacing, so that a person may write while several
workers do. They always lie in the project's root, never in a worktree. Source: spec auto 2.5, 2.7, 2.23, 5.15.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from milepost.formats import captures, knowledge, overrides
from milepost.formats.tree import root_file
from milepost.model.moments import iso
from milepost.store import atomic, flock
from milepost.store.snapshot import Snapshot

CAPTURES, OVERRIDES, KNOWLEDGE = "CAPTURES", "OVERRIDES", "KNOWLEDGE"
_HEAD = "# GSD Overrides\n"


def capture(state: Path, said: str, *, at_ms: int) -> str:
    """Append a thought to `CAPTURES.md`; its id. `state`: the project's state directory. Raises OSError."""
    identity = f"CAP-{os.urandom(4).hex()}"
    change(state, CAPTURES, lambda text: captures.append(text, id=identity, said=said, at=iso(at_ms)))
    return identity


def steer(state: Path, order: overrides.Override) -> None:
    """Append an order to `OVERRIDES.md`. Raises OSError."""
    change(state, OVERRIDES, lambda text: _ended(text or _HEAD) + "\n" + overrides.render(order))


def learn(state: Path, kind: knowledge.Kind, said: str, *, scope: str) -> str:
    """Append a row to `KNOWLEDGE.md`; its id. Raises OSError."""
    given = ""

    def add(text: str) -> str:
        nonlocal given
        given = knowledge.next_id(text, kind)
        return knowledge.append(text, kind, said, scope=scope)

    change(state, KNOWLEDGE, add)
    return given


def change(state: Path, name: str, edit: Callable[[str], str]) -> bool:
    """Replace a notebook by what `edit` makes of it, with nobody else in between; whether anything changed.

    Raises what `edit` does, and OSError, with the file as it was.
    """
    with alone(state):
        path = _path(state, name)
        old = _read(path)
        new = edit(old)
        if new == old:
            return False
        atomic.replace(path, new.encode("utf-8", "surrogateescape"), within=state)
        return True


def text(state: Path, name: str) -> str:
    """What a notebook says now; empty when there is none."""
    return _read(_path(state, name))


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Nobody else changes a notebook while the block runs. Not to be nested."""
    descriptor = flock.wait_for(state / "runtime" / "notebooks")
    try:
        yield
    finally:
        flock.release(descriptor)


def _path(state: Path, name: str) -> Path:
    tree = Snapshot(str(state.parent), state.name, homes={})
    return state / (root_file(tree, name) or f"{name}.md")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
