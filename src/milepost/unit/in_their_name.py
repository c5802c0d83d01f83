"""What a session may not say in a person's name: orders in `OVERRIDES.md`, and links that lead the program elsewhere.

Orders are a person's: given by `gsd steer`, or written into the project's file while no session had its hands on it.
What a session wrote there is taken back, and what it resolved without being asked to is open again. A link below the
state directory would carry what the program writes to another place. Both are kept on a shelf.
Source: DESIGN rules 3, 5 and 7; spec auto 2.23.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from milepost.formats import overrides, skipped, validation
from milepost.formats.journal import AttemptStarted, OrderGiven
from milepost.formats.tree import Tree, read, root_file
from milepost.git import refs
from milepost.git.put_right import take_back
from milepost.git.snapshots import snapshot
from milepost.git.status import Change
from milepost.model.units import Unit, UnitKind
from milepost.rules import done
from milepost.store import atomic, notebook
from milepost.store.snapshot import Snapshot
from milepost.unit.before import Before, artifacts
from milepost.unit.bench import Bench


class Found(NamedTuple):
    """One thing that was taken back."""

    what: str
    paths: tuple[str, ...]
    backup: str
    """Ref or directory that keeps what was there."""


def links_of(state: Path) -> tuple[str, ...]:
    """Names at the top of the state directory that are symbolic links."""
    try:
        with os.scandir(state) as entries:
            return tuple(sorted(entry.name for entry in entries if entry.is_symlink()))
    except OSError:
        return ()


def links(changes: tuple[Change, ...], before: Before | None, bench: Bench) -> list[Found]:
    """Take links away that were made below the state directory; what git had in their place comes back."""
    place = bench.workspace
    if before is None:
        return []
    top = f"{place.state_dir}/"
    there = {f"{top}{name}" for name in before.links}
    # Git does not show those that it ignores.
    made = {f"{top}{name}" for name in links_of(place.state)}
    made |= {c.path for c in changes if c.path.startswith(top) and (place.cwd / c.path).is_symlink()}
    paths = tuple(sorted(made - there))
    if not paths:
        return []
    backup = refs.pin(place.root, place.milestone, "links", snapshot(place.cwd))
    for path in paths:
        (place.cwd / path).unlink(missing_ok=True)
    below = tuple(c.path for c in changes if c.path.startswith(tuple(f"{path}/" for path in paths)))
    take_back(place.cwd, (*paths, *below))
    return [Found(f"made links inside {place.state_dir}; they were taken away", paths, backup)]


def orders(unit: Unit, before: Before | None, attempt: str, bench: Bench, shelf: Path) -> list[Found]:
    """Leave in `OVERRIDES.md` what persons said, and what the unit that is for it resolved."""
    if before is None or before.orders is None:
        return []
    with notebook.alone(bench.workspace.root_state):  # A person may be giving one right now.
        return _orders(unit, before.orders, _since(attempt, bench), bench, shelf)


def _since(attempt: str, bench: Bench) -> set[tuple[str, str]]:
    """What persons ordered since the attempt began."""
    events = bench.journal.everything()
    began = next((e.at_ms for e in events if isinstance(e, AttemptStarted) and e.attempt == attempt), 0)
    return {(e.order_at, e.change) for e in events if isinstance(e, OrderGiven) and e.at_ms >= began}


def _orders(unit: Unit, then: str, given: set[tuple[str, str]], bench: Bench, shelf: Path) -> list[Found]:
    place = bench.workspace
    tree = Snapshot(str(place.cwd), place.state_dir)
    path = root_file(tree, "OVERRIDES") or "OVERRIDES.md"
    now = read(tree, path)
    wanted = _rightful(unit, now, then, given)
    if wanted.strip() == now.strip():
        return []
    if now:
        shelf.mkdir(parents=True, exist_ok=True)
        atomic.replace(shelf / path, now.encode("utf-8", "surrogateescape"))
    if wanted.strip():
        atomic.replace(place.state / path, wanted.encode("utf-8", "surrogateescape"), within=place.state)
    else:
        (place.state / path).unlink(missing_ok=True)
    what = f"changed {path}, where only a person gives orders (gsd steer); it says what they said"
    return [Found(what, (f"{place.state_dir}/{path}",), str(shelf.relative_to(place.root)) if now else "")]


def _rightful(unit: Unit, now: str, then: str, given: set[tuple[str, str]]) -> str:
    """The file without what nobody ordered; with what was open, unless this unit is to resolve it."""
    known = {(entry.at, entry.change) for entry in overrides.parse(then)}
    if unit.kind is UnitKind.REWRITE_DOCS:
        return overrides.only(now, known | given)
    new = [entry for entry in overrides.parse(now) if (entry.at, entry.change) in given - known]
    return overrides.added(then, (entry._replace(scope="active") for entry in new))


def claims(unit: Unit, before: Before | None, bench: Bench) -> Iterator[str]:
    """Why the unit's document does not count: it says that a person skipped or judged it, and the session wrote it."""
    place = bench.workspace
    tree: Tree = Snapshot(str(place.cwd), place.state_dir)
    path = done.artifact(unit, tree)
    text = read(tree, path)
    if not path or before is None or before.artifacts.get(path) == artifacts(tree, unit.milestone).get(path):
        return
    if skipped.is_skipped(text) or validation.by_person(text):
        yield f"{path}: says that a person skipped or judged it, which nobody did; say what you did yourself"
