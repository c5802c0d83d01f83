"""A new order of the milestones, a milestone set aside, one taken out: what is written, and the one commit of it.

Everything that is written is read from where the milestone has its home. A milestone that somebody works on is left
alone. Source: spec auto 1.5, 2.25, 7 (queue, park, discard).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from milepost.errors import ExitCode, MilepostError
from milepost.formats import context, context_edit, parked, project_edit, queue
from milepost.formats.tree import milestone_dir, milestone_file, milestone_ids, milestone_path, read, root_file
from milepost.model.moments import iso
from milepost.model.state import RegistryEntry, Status
from milepost.rules import queue_order
from milepost.rules.derive import derive
from milepost.rules.queue_order import Kind, Problem
from milepost.store import atomic, lease, ledger
from milepost.store.snapshot import Snapshot
from milepost.worker import adding
from milepost.worker.adding import Site

ORDER = "QUEUE-ORDER.json"


class NotQueued(MilepostError):
    """The milestone cannot be moved, set aside or taken out as things are; nothing was changed."""

    exit_code = ExitCode.BLOCKED


class Reordered(NamedTuple):
    """A new order that holds. problems: what is worth knowing of it. dropped: dependencies that gave way."""

    problems: tuple[Problem, ...]
    dropped: tuple[Problem, ...]
    uncommitted: str
    """Why it was not committed; empty: it was, or is not to be."""


def reorder(order: Sequence[str], site: Site, *, drop: bool = False) -> Reordered:
    """Put the milestones in this order; those that are not named follow in the order they had.

    drop: dependencies that the order violates are struck out. Raises NotQueued with nothing written.
    """
    home = Snapshot(str(site.root), site.state_dir)
    there = milestone_ids(home)
    if unknown := [mid for mid in order if mid not in there]:
        raise NotQueued(f"there is no milestone {', '.join(unknown)}", hint="gsd queue lists them.")
    if twice := [mid for mid in dict.fromkeys(order) if order.count(mid) > 1]:
        raise NotQueued(f"{', '.join(twice)} is named more than once", hint="Name each milestone once.")
    whole = (*order, *(mid for mid in there if mid not in order))
    complete = {entry.id for entry in derive(home).registry if entry.status is Status.COMPLETE}
    needs = {mid: context.depends_on(_brief(mid, home)) for mid in whole}
    problems = queue_order.check(whole, needs, complete)
    blocked = tuple(each for each in problems if each.kind is Kind.WOULD_BLOCK)
    if blocked and not drop:
        raise NotQueued("; ".join(map(str, blocked)), hint="Another order, or --drop-dependency.")
    paths = [_drop(each, home, site) for each in blocked]
    _write(ORDER, queue.render(whole, iso(site.now_ms())), site)
    paths += [ORDER, *sync(whole, site)]
    why = adding.commit(paths, "docs: reorder queue\n", site)
    return Reordered(tuple(each for each in problems if each not in blocked), blocked, why)


def listed(order: Sequence[str], site: Site) -> list[str]:
    """Write the order down, if the project has one: a new milestone comes at its end, whatever its number."""
    if (site.state / ORDER).is_file():
        _write(ORDER, queue.render(order, iso(site.now_ms())), site)
        return [ORDER]
    return []


def sync(order: Sequence[str], site: Site) -> list[str]:
    """Bring PROJECT.md's list into the order; the paths that were written."""
    titles = {entry.id: entry.title for entry in derive(Snapshot(str(site.root), site.state_dir)).registry}
    return edited("PROJECT", lambda text: project_edit.arrange(text, order, titles), site)


def edited(name: str, change: Callable[[str], str], site: Site) -> list[str]:
    """Change a document at the top of the state directory, if it is there and changes; the paths that were written."""
    path = root_file(Snapshot(str(site.root), site.state_dir), name)
    return _edited(path, change, site) if path else []


def park(mid: str, reason: str, site: Site) -> str:
    """Set a milestone aside; why that was not committed, if so. Raises NotQueued."""
    home, entry = require_open(mid, site)
    if entry.status is Status.PARKED:
        raise NotQueued(f"{mid} is parked already", hint=f"gsd unpark {mid}")
    path = milestone_path(home, mid, "PARKED")
    text = parked.render(mid, parked.Parked(parked_at=iso(site.now_ms()), reason=" ".join(reason.split())))
    atomic.replace(Path(home.where(path)), text.encode("utf-8", "surrogateescape"))
    return "" if mid in home.homes else adding.commit([path], f"docs({mid}): parked\n", site)


def unpark(mid: str, site: Site) -> str:
    """Take a milestone up again; why that was not committed, if so. Raises NotQueued."""
    home, _ = require_open(mid, site)
    path = milestone_file(home, mid, "PARKED")
    if path is None:
        raise NotQueued(f"{mid} is not parked", hint="gsd queue lists the milestones.")
    Path(home.where(path)).unlink()
    return "" if mid in home.homes else adding.commit([path], f"docs({mid}): taken up again\n", site)


def require_open(mid: str, site: Site) -> tuple[Snapshot, RegistryEntry]:
    """A milestone that is there, not complete, and that nobody works on. Raises NotQueued."""
    home = Snapshot(str(site.root), site.state_dir)
    entry = next((entry for entry in derive(home).registry if entry.id == mid), None)
    if entry is None or milestone_dir(home, mid) is None:
        raise NotQueued(f"there is no milestone {mid}", hint="gsd queue lists them.")
    if entry.status is Status.COMPLETE:
        raise NotQueued(f"{mid} is complete", hint=f"gsd undo milestone {mid} takes a merged one back.")
    require_idle(mid, site)
    return home, entry


def require_idle(mid: str, site: Site) -> None:
    """Raise NotQueued when somebody works on the milestone now."""
    box, books = site.state / "parallel", site.state / "journal"
    if lease.holder(box / f"{mid}.lease", books / f"{mid}.jsonl"):
        raise NotQueued(f"a worker is at {mid}", hint=f"gsd parallel stop {mid}")
    at_work = ledger.read_lock(site.state)
    held = lease.holder(box / "auto.lease", books / "project.jsonl")
    if held and not held.shared and at_work is not None and at_work.unit_id.split("/")[0] in ("", mid):
        raise NotQueued(f"auto mode is at {mid}", hint="gsd pause, then again")


def _brief(mid: str, home: Snapshot) -> str:
    """What says what the milestone waits for."""
    return read(home, milestone_file(home, mid, "CONTEXT")) or read(home, milestone_file(home, mid, adding.DRAFT))


def _drop(problem: Problem, home: Snapshot, site: Site) -> str:
    """Strike a dependency out of the brief; its path. Raises NotQueued for a milestone with a worktree."""
    mid = problem.milestone
    if mid in home.homes:
        raise NotQueued(f"{mid} has been begun with {problem.other} before it", hint="Another order.")
    path = milestone_file(home, mid, "CONTEXT") or milestone_path(home, mid, adding.DRAFT)
    _edited(path, lambda text: context_edit.without_dependency(text, problem.other), site)
    return path


def _edited(path: str, change: Callable[[str], str], site: Site) -> list[str]:
    file = site.state / path
    old = file.read_bytes().decode("utf-8", "surrogateescape")
    if (new := change(old)) == old:
        return []
    _write(path, new, site)
    return [path]


def _write(path: str, text: str, site: Site) -> None:
    atomic.replace(site.state / path, text.encode("utf-8", "surrogateescape"), within=site.state)
