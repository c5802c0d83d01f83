"""Look at everything, and with `--fix` mend what is proved to be safe to mend.

Looking changes nothing on disk. Mending holds the leases of auto mode and of the coordinator, so that nothing starts
in the middle of it; while a run is at work, what concerns it is not mended. Source: spec auto 7, 8.3, parallel
PR-150 to PR-153, DV-18; DESIGN rules 4 and 7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from milepost.doctor import crew
from milepost.doctor import site as sites
from milepost.doctor.checks import (
    coordination,
    copies,
    crashed,
    documents,
    evidence,
    file_systems,
    fleet_files,
    given_up,
    ignoring,
    journal,
    landed,
    layout,
    leases,
    left_processes,
    leftovers,
    locks,
    machine,
    notes,
    projections,
    quick_tasks,
    repository,
    requirements,
    roadmaps,
    sessions,
    settings,
    signals,
    unbegun,
    unpinned,
    waiting,
    worktree_merges,
    worktrees,
)
from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.holding import Grip, hold
from milepost.doctor.site import Place, Site
from milepost.errors import MilepostError

CHECKS: tuple[Check, ...] = (
    *machine.CHECKS,
    *file_systems.CHECKS,
    *repository.CHECKS,
    *settings.CHECKS,
    *layout.CHECKS,
    *documents.CHECKS,
    *roadmaps.CHECKS,
    *unbegun.CHECKS,
    *waiting.CHECKS,
    *given_up.CHECKS,
    *evidence.CHECKS,
    *requirements.CHECKS,
    *journal.CHECKS,
    *crashed.CHECKS,
    *left_processes.CHECKS,
    *locks.CHECKS,
    *leases.CHECKS,
    *sessions.CHECKS,
    *signals.CHECKS,
    *coordination.CHECKS,
    *unpinned.CHECKS,
    *landed.CHECKS,
    *quick_tasks.CHECKS,
    *worktrees.CHECKS,
    *worktree_merges.CHECKS,
    *notes.CHECKS,
    *fleet_files.CHECKS,
    *copies.CHECKS,
    *ignoring.CHECKS,
    *leftovers.CHECKS,
    *projections.CHECKS,
)
"""In the order in which they are looked at and mended. `STATE.md` comes last: it tells what the others left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What became of one fixable finding."""

    finding: Finding
    done: str
    """What was done; empty when it was refused."""
    refused: str = ""
    """Why it was not done, with what to type next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The end of a look, or of mending."""

    findings: tuple[Finding, ...]
    """What is there now."""
    mended: tuple[Mended, ...] = ()
    """What was tried, in order; empty without `--fix`."""

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(found.severity is Severity.ERROR for found in self.findings)


def examine(place: Place, about: str = "", *, checks: Sequence[Check] | None = None) -> Report:
    """Look; change nothing. about: a milestone; empty for everything. checks: None: all of the doctor's."""
    return Report(findings=_look(sites.read(place), about, CHECKS if checks is None else checks))


def mend(place: Place, about: str = "", *, checks: Sequence[Check] | None = None) -> Report:
    """Look, mend what can be, look again. Safe to run twice."""
    checks = CHECKS if checks is None else checks
    found = sites.read(place)
    wanted = tuple(check for check in checks if check.fix and any(one.fixable for one in _ask(check, found, about)))
    if not wanted:
        return Report(findings=_look(found, about, checks))
    with hold(found, locks.somebody_else(found)) as grip:
        mended = tuple(_mend_all(place, wanted, grip, about))
    return Report(findings=_look(sites.read(place), about, checks), mended=mended)


def _look(found: Site, about: str, checks: Sequence[Check]) -> tuple[Finding, ...]:
    return tuple(finding for check in checks for finding in _ask(check, found, about))


def _ask(check: Check, found: Site, about: str) -> Iterator[Finding]:
    """What a check finds; a check that itself meets an obstacle says so and does not hide the others."""
    try:
        yield from (finding for finding in tuple(check.look(found)) if not about or finding.is_about(about))
    except (MilepostError, OSError) as error:
        yield Finding(
            code="check_failed",
            severity=Severity.WARNING,
            message=f"the check {check.name} could not be made: {error}",
            hint=error.hint if isinstance(error, MilepostError) else "",
        )


def _mend_all(place: Place, wanted: tuple[Check, ...], grip: Grip, about: str) -> Iterator[Mended]:
    """Check by check; each sees what the ones before it have changed."""
    for check in wanted:
        found = sites.read(place, ours=grip.ours)
        for finding in _ask(check, found, about):
            if finding.fixable:
                yield _mend(check, found, finding, grip)


def _mend(check: Check, found: Site, finding: Finding, grip: Grip) -> Mended:
    if check.fix is None:
        return Mended(finding=finding, done="", refused="there is no fix for it")
    try:
        with grip.permit(check.needs, finding.milestone) as ours:
            # Under these leases once more who is there: somebody may have come and gone since the look.
            now = replace(found, crew=crew.read(found.state_path, ours=ours))
            return Mended(finding=finding, done=check.fix(now, finding))
    except (MilepostError, OSError) as error:
        return _refused(finding, error)


def _refused(finding: Finding, error: Exception) -> Mended:
    hint = error.hint if isinstance(error, MilepostError) else ""
    return Mended(finding=finding, done="", refused=f"{error}; {hint}" if hint else str(error))
