"""Who is at work on a project now: its coordinator, its workers and its merges, each with a proved identity.

The kernel is asked first: a lease that is held is held by somebody who lives. Where the record of a lease cannot be
read, and for workers of other programs, which hold none, the status file says who it is and the process table
whether that very process runs. Source: parallel PR-152, DV-27, FM-09, FM-10, FM-31, FM-45.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from msgspec import UNSET

from milepost.formats.status import Status, WorkerState
from milepost.model.ids import milestone_of_directory
from milepost.process import identity, table
from milepost.process.identity import Identity, Liveness
from milepost.process.kin import Kin
from milepost.store import beacons, lease
from milepost.store.lease import Holder

MERGE = "merge"
"""How the command of a lease's holder begins when the milestone is being merged: `merge M001`."""
STARTING = "start"
"""The same while the worker's place is made: the holder is its coordinator, and no process is there yet."""
_GUARDS = {"merge": "landing"}
_AT_WORK = (WorkerState.RUNNING, WorkerState.PAUSED)


class Role(StrEnum):
    """What a process does for the fleet."""

    COORDINATOR = "coordinator"
    WORKER = "worker"
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """One process that is at work."""

    role: Role
    milestone: str = ""
    """Empty for the coordinator."""
    run: str = ""
    """Its run id; empty when it is not known."""
    who: Identity | None = None
    """None: it lives by its lease, and nothing says which process it is."""

    @property
    def named(self) -> str:
        """For people: `M001 (pid 4711)`."""
        name = {Role.COORDINATOR: "the coordinator", Role.MERGE: f"the merge of {self.milestone}"}
        pid = f"pid {self.who.pid}" if self.who else "pid unknown"
        return f"{name.get(self.role, self.milestone)} ({pid})"

    @property
    def kin(self) -> Kin | None:
        """It and everything it started; None when nothing proves which process it is, or it is of another host."""
        if self.who is None or not self.who.start_ticks or self.who.host != identity.host():
            return None
        now = table.row(self.who.pid)
        if now is not None and now.start != self.who.start_ticks:
            return None
        return Kin(pid=self.who.pid, start=self.who.start_ticks, mark=f"/{self.who.pid}-{self.who.start_ticks}-")

    def row(self) -> table.Row | None:
        """The process as it is now; None when it is gone, or cannot be told from another of the same number."""
        if self.who is None or not self.who.start_ticks or identity.liveness(self.who) is not Liveness.ALIVE:
            return None
        return table.row(self.who.pid)


def runners(state: Path, only: Iterable[str] | None = None) -> tuple[Runner, ...]:
    """The coordinator first, then workers and merges by milestone. only: just these milestones, no coordinator."""
    statuses = {status.milestone_id: status for status in beacons.load(state / "parallel")}
    names = sorted(_names(state, statuses)) if only is None else tuple(only)
    found = [at_work(state, name, statuses.get(name)) for name in names]
    merging = merge(state)
    if only is None:
        found = [coordinator(state), *found, merging]
    elif merging is not None and merging.milestone in names:
        found.append(merging)
    return tuple(dict.fromkeys(runner for runner in found if runner is not None))


def coordinator(state: Path) -> Runner | None:
    """The coordinator of the project, if one lives."""
    found = held(state, "coordinator")
    return Runner(role=Role.COORDINATOR, run=found.run, who=_of_holder(found)) if found else None


def merge(state: Path) -> Runner | None:
    """Whoever has the turn in the merge queue, also for one slice of a milestone that is worked on."""
    found = held(state, "merge")
    if found is None:
        return None
    named = found.command.removeprefix(MERGE).strip()
    milestone = named if milestone_of_directory(named) == named else ""
    return Runner(role=Role.MERGE, milestone=milestone, run=found.run, who=_of_holder(found))


def at_work(state: Path, milestone: str, status: Status | None) -> Runner | None:
    """Who is at work on one milestone. status: what its status file says."""
    found = held(state, milestone)
    if found is None:
        return _by_status(state, milestone, status)
    merging = found.command.startswith(MERGE)
    known = _of_holder(found)
    if known is None and found.pid <= 0 and status is not None and is_alive(status, state / "parallel"):
        return _of_status(milestone, status)
    run = found.run if found.pid > 0 else ""
    return Runner(role=Role.MERGE if merging else Role.WORKER, milestone=milestone, run=run, who=known)


def held(state: Path, name: str) -> Holder | None:
    """Who holds the lease `name` (a milestone, `coordinator`, `merge`), by the kernel's word."""
    guard = state / "journal" / f"{_GUARDS.get(name, name)}.jsonl"
    return lease.holder(state / "parallel" / f"{name}.lease", guard)


def is_alive(status: Status, box: Path) -> bool:
    """Whether the process of a status file runs. A pid of 0, a zombie and a reused number are dead; one of another
    host, or of another user, counts as alive.
    """
    if status.pid <= 0:
        return False
    who = identity_of(status)
    if identity.liveness(who) is Liveness.DEAD:
        return _hidden(status.pid)
    if who.start_ticks:
        return True
    return identity.started_before(status.pid, box / f"{status.milestone_id}.status.json")


def identity_of(status: Status) -> Identity:
    """Who a status file says it is. Files of GSD name a pid only: one of this host, of any start."""
    return Identity(
        host=identity.host() if status.host is UNSET else status.host,
        boot_id="" if status.boot_id is UNSET else status.boot_id,
        pid=status.pid,
        start_ticks=0 if status.start_ticks is UNSET else status.start_ticks,
    )


def _names(state: Path, statuses: Iterable[str]) -> set[str]:
    """Milestones that somebody may be at work on: by a lease, a status file or a journal that may be a guard."""
    found = set(statuses)
    for directory, suffix in (("parallel", ".lease"), ("journal", ".jsonl")):
        try:
            found |= {name.removesuffix(suffix) for name in os.listdir(state / directory) if name.endswith(suffix)}
        except OSError:
            continue
    return {name for name in found if milestone_of_directory(name) == name}


def _of_holder(found: Holder) -> Identity | None:
    if found.pid <= 0 or found.command == STARTING:
        return None
    return Identity(host=found.host or identity.host(), boot_id=found.boot_id, pid=found.pid, start_ticks=found.start_ticks)  # fmt: skip # noqa: E501


def _by_status(state: Path, milestone: str, status: Status | None) -> Runner | None:
    if status is None or status.state not in _AT_WORK or not is_alive(status, state / "parallel"):
        return None
    return _of_status(milestone, status)


def _of_status(milestone: str, status: Status) -> Runner:
    who = identity_of(status)
    if not who.start_ticks and who.host == identity.host():
        who = identity.of(status.pid)
    run = "" if status.run is UNSET else status.run
    return Runner(role=Role.WORKER, milestone=milestone, run=run, who=who)


def _hidden(pid: int) -> bool:
    """Whether a process runs that this user may not see, only hear of (EPERM)."""
    if table.row(pid) is not None:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return False
