"""Who is at work on the project now, by the kernel's word: solo auto mode, or a coordinator, workers and merges.

A lease that is held is held by somebody who lives, whatever its record says; programs that hold none are known by
their status files and the process table. Source: DESIGN rule 9; parallel FM-09, FM-10, FM-31, FM-32, FM-45.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from milepost.fleet import processes
from milepost.fleet.processes import Role, Runner
from milepost.model.ids import milestone_of_directory
from milepost.store import lease
from milepost.store.lease import Holder

AUTO, COORDINATOR, MERGE = "auto", "coordinator", "merge"
_GUARDS = {AUTO: "project", MERGE: "landing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Everybody who is at work, apart from the doctor itself."""

    held: Mapping[str, Holder] = field(default_factory=dict)
    """Name of a lease (a milestone, `auto`, `coordinator`, `merge`) to who holds it."""
    runners: tuple[Runner, ...] = ()
    """The processes of a fleet."""

    @property
    def solo(self) -> Holder | None:
        """Whoever runs auto mode alone here."""
        found = self.held.get(AUTO)
        return None if found is None or found.shared else found

    @property
    def coordinator(self) -> Runner | None:
        """The coordinator of the fleet."""
        return next((runner for runner in self.runners if runner.role is Role.COORDINATOR), None)

    @property
    def busy(self) -> bool:
        """Whether anybody is at work."""
        return bool(self.held or self.runners)

    def on(self, milestone: str) -> bool:
        """Whether anybody works on this milestone, or merges it."""
        return milestone in self.held or any(runner.milestone == milestone for runner in self.runners)

    def worker(self, milestone: str) -> Runner | None:
        """Whoever works on this milestone."""
        found = (r for r in self.runners if r.role is Role.WORKER and r.milestone == milestone)
        return next(found, None)

    def joined(self, other: "Crew") -> "Crew":
        """Everybody who is in one of the two."""
        return Crew(held={**self.held, **other.held}, runners=tuple(dict.fromkeys((*self.runners, *other.runners))))

    @property
    def words(self) -> str:
        """For people: `the coordinator (pid 47), M001 (pid 48)`."""
        named = [runner.named for runner in self.runners]
        if self.solo is not None:
            named.insert(0, f"auto mode (pid {self.solo.pid or 'unknown'})")
        return ", ".join(named) or "parallel workers"


def read(state: Path, *, ours: frozenset[str] = frozenset()) -> Crew:
    """Ask the kernel. ours: leases that the doctor itself holds. Nobody where it cannot be asked."""
    with suppress(OSError):
        asked = {name: _holder(state, name) for name in sorted(_names(state) - ours)}
        mine = (os.getpid(), "doctor")
        runners = tuple(r for r in processes.runners(state) if ((r.who.pid if r.who else 0), r.run) != mine)
        return Crew(held={name: found for name, found in asked.items() if found is not None}, runners=runners)
    return Crew()


def lease_file(state: Path, name: str) -> Path:
    """The lease file of a milestone, `auto`, `coordinator` or `merge`."""
    return state / "parallel" / f"{name}.lease"


def guard_file(state: Path, name: str) -> Path:
    """The file whose lock stands in when the lease file is deleted."""
    return state / "journal" / f"{_GUARDS.get(name, name)}.jsonl"


def _holder(state: Path, name: str) -> Holder | None:
    return lease.holder(lease_file(state, name), guard_file(state, name))


def _names(state: Path) -> set[str]:
    found = {AUTO, COORDINATOR, MERGE}
    for directory, ending in (("parallel", ".lease"), ("journal", ".jsonl")):
        with suppress(OSError):
            names = {n.removesuffix(ending) for n in os.listdir(state / directory) if n.endswith(ending)}
            found |= {name for name in names if milestone_of_directory(name) == name}
    return found
