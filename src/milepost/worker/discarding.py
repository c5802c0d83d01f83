"""A milestone taken out of the plan, so that it can be had back, and having it back.

    pin branch and work → move the files to runtime/discarded/M002/ → order, PROJECT.md → one commit

Source: spec auto 2.25 (discard), 7; DESIGN rule 7.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from milepost.formats import context, project_edit, queue
from milepost.formats.tree import milestone_dir, milestone_file, milestone_ids, milestone_path, read
from milepost.git import discard as gone
from milepost.git.worktrees import branch_name, worktree_path
from milepost.model.moments import iso
from milepost.store import atomic
from milepost.store.snapshot import Snapshot
from milepost.worker import adding, queueing
from milepost.worker.adding import Site
from milepost.worker.queueing import NotQueued


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`runtime/discarded/M002.json`: what it takes to have it back."""

    milestone: str
    discarded_at: str
    directory: str
    """Its name below `milestones/`; empty when it had none in the root."""
    tip: str
    """Of its branch; empty when it had none."""
    work: str
    """Ref of what was not committed; empty for nothing."""
    parked: str = ""
    """Its PARKED file, which a worktree has uncommitted; empty when it was not parked."""
    before: tuple[str, ...] | None = None
    """The milestones that came before it; None: nobody wrote that down."""


class Discarded(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    record: Record
    waiting: tuple[str, ...]
    """Milestones that wait for it, and will for ever."""
    uncommitted: str
    """Why it was not committed; empty: it was, or is not to be."""


def waiting_for(mid: str, site: Site) -> tuple[str, ...]:
    """Milestones whose brief says that they wait for it."""
    home = Snapshot(str(site.root), site.state_dir)
    briefs = ((each, read(home, milestone_file(home, each, "CONTEXT"))) for each in milestone_ids(home))
    return tuple(each for each, brief in briefs if mid in context.depends_on(brief))


def discard(mid: str, site: Site) -> Discarded:
    """Take it out. Raises NotQueued or NotRemoved with nothing lost."""
    home, _ = queueing.require_open(mid, site)
    shelf, waiting = _shelf(site), waiting_for(mid, site)
    parked = read(home, milestone_file(home, mid, "PARKED"))
    if (shelf / mid).exists():
        (shelf / mid).rename(shelf / f"{mid}.{site.now_ms()}")
    place = worktree_path(site.root, mid, state_dir=site.state_dir)
    kept = gone.discard(site.root, place, branch_name(mid), state_dir=site.state_dir)
    directory = os.path.basename(milestone_dir(Snapshot(str(site.root), site.state_dir, homes={}), mid) or "")
    at = iso(site.now_ms())
    ids = milestone_ids(home)
    record = Record(
        milestone=mid,
        discarded_at=at,
        directory=directory,
        tip=kept.tip,
        work=kept.work,
        parked=parked,
        before=ids[: ids.index(mid)],
    )
    shelf.mkdir(parents=True, exist_ok=True)
    atomic.replace(shelf / f"{mid}.json", msgspec.json.encode(record) + b"\n")
    paths = _move_out(directory, shelf / mid, site)
    paths += queueing.edited("PROJECT", lambda text: project_edit.without(text, mid), site)
    paths += _unlisted(mid, home, site)
    why = adding.commit(paths, f"docs: discard {mid}\n", site)
    return Discarded(record=record, waiting=waiting, uncommitted=why)


def restore(mid: str, site: Site) -> tuple[Record, str]:
    """Have it back as it was; why that was not committed, if so. Raises NotQueued."""
    shelf = _shelf(site)
    try:
        record = msgspec.json.decode((shelf / f"{mid}.json").read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        raise NotQueued(f"{mid} was not discarded here", hint=f"ls {site.state_dir}/runtime/discarded") from None
    home = Snapshot(str(site.root), site.state_dir)
    if milestone_dir(home, mid):
        raise NotQueued(f"there is a milestone {mid}", hint="gsd queue lists them.")
    paths = _move_in(record, shelf / mid, site)
    if record.tip and not gone.bring_back(site.root, branch_name(mid), record.tip):
        raise NotQueued(f"{branch_name(mid)} could not be made again at {record.tip[:10]}", hint="gsd doctor")
    paths += _parked_again(record, site)
    (shelf / f"{mid}.json").unlink()
    order = _in_place(record, milestone_ids(Snapshot(str(site.root), site.state_dir)))
    paths += [*queueing.listed(order, site), *queueing.sync(order, site)]
    return record, adding.commit(paths, f"docs: restore {mid}\n", site)


def _in_place(record: Record, ids: Sequence[str]) -> tuple[str, ...]:
    """The order with it behind the nearest of those that came before it and are still there."""
    if record.before is None:
        return tuple(ids)
    others = [mid for mid in ids if mid != record.milestone]
    at = next((others.index(mid) + 1 for mid in reversed(record.before) if mid in others), 0)
    return (*others[:at], record.milestone, *others[at:])


def _move_out(directory: str, target: Path, site: Site) -> list[str]:
    if not directory:
        return []
    source = site.state / "milestones" / directory
    paths = [str(path.relative_to(site.state)) for path in sorted(source.rglob("*")) if path.is_file()]
    source.rename(target)
    return paths


def _move_in(record: Record, source: Path, site: Site) -> list[str]:
    if not record.directory or not source.is_dir():
        return []
    target = site.state / "milestones" / record.directory
    source.rename(target)
    return [str(path.relative_to(site.state)) for path in sorted(target.rglob("*")) if path.is_file()]


def _parked_again(record: Record, site: Site) -> list[str]:
    """A milestone that was set aside is not worked on because somebody had it back."""
    back = Snapshot(str(site.root), site.state_dir)
    if not record.parked or milestone_file(back, record.milestone, "PARKED"):
        return []
    path = milestone_path(back, record.milestone, "PARKED")
    atomic.replace(site.state / path, record.parked.encode("utf-8", "surrogateescape"), within=site.state)
    return [path]


def _unlisted(mid: str, home: Snapshot, site: Site) -> list[str]:
    order = queue.parse(home.text(queueing.ORDER) or "")
    if mid not in order:
        return []
    text = queue.render((each for each in order if each != mid), iso(site.now_ms()))
    atomic.replace(site.state / queueing.ORDER, text.encode(), within=site.state)
    return [queueing.ORDER]


def _shelf(site: Site) -> Path:
    return site.state / "runtime" / "discarded"
