"""Look at everything, and with `--fix` mend what is proved to be safe to mend.

Looking changes nothing on disk. Mending holds the lease of auto mode, so that no run starts in the middle of it;
while a run is at work nothing is mended. Source: spec auto 7, 8.3, parallel 9; DESIGN rules 4 and 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from milepost.doctor import site as sites
from milepost.doctor.checks import (
    documents,
    evidence,
    given_up,
    holders,
    ignoring,
    journal,
    landed,
    layout,
    leftovers,
    machine,
    projections,
    repository,
    requirements,
    roadmaps,
    settings,
    waiting,
    worktrees,
)
from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import LEASE, Place, Site
from milepost.errors import MilepostError
from milepost.process import identity
from milepost.store.lease import Holder, Lease, LeaseHeld

CHECKS: tuple[Check, ...] = (
    *machine.CHECKS,
    *repository.CHECKS,
    *settings.CHECKS,
    *layout.CHECKS,
    *documents.CHECKS,
    *roadmaps.CHECKS,
    *waiting.CHECKS,
    *given_up.CHECKS,
    *evidence.CHECKS,
    *requirements.CHECKS,
    *journal.CHECKS,
    *holders.CHECKS,
    *landed.CHECKS,
    *worktrees.CHECKS,
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


def examine(place: Place) -> Report:
    """Look; change nothing."""
    return Report(findings=_look(sites.read(place)))


def mend(place: Place) -> Report:
    """Look, mend what can be, look again. Safe to run twice."""
    found = sites.read(place)
    wanted = tuple(check for check in CHECKS if check.fix and any(one.fixable for one in _ask(check, found)))
    if not wanted:
        return Report(findings=_look(found))
    if busy := holders.somebody_else(found):
        return _all_refused(found, wanted, NotFixed(busy))
    try:
        with Lease(found.state_path.joinpath(*LEASE), str(place.root), _holder(place)):
            mended = tuple(_mend_all(place, wanted))
    except (LeaseHeld, OSError) as error:
        return _all_refused(found, wanted, error)
    return Report(findings=_look(sites.read(place)), mended=mended)


def _all_refused(found: Site, wanted: tuple[Check, ...], error: Exception) -> Report:
    mended = tuple(_refused(one, error) for check in wanted for one in _ask(check, found) if one.fixable)
    return Report(findings=_look(found), mended=mended)


def _look(found: Site) -> tuple[Finding, ...]:
    return tuple(finding for check in CHECKS for finding in _ask(check, found))


def _ask(check: Check, found: Site) -> Iterator[Finding]:
    """What a check finds; a check that itself meets an obstacle says so and does not hide the others."""
    try:
        yield from tuple(check.look(found))
    except (MilepostError, OSError) as error:
        yield Finding(
            code="check_failed",
            severity=Severity.WARNING,
            message=f"the check {check.name} could not be made: {error}",
            hint=error.hint if isinstance(error, MilepostError) else "",
        )


def _mend_all(place: Place, wanted: tuple[Check, ...]) -> Iterator[Mended]:
    """Check by check; each sees what the ones before it have changed."""
    for check in wanted:
        # Under the lease we are the holder ourselves, which is nobody that works here.
        found = sites.read(place, alone=True)
        for finding in _ask(check, found):
            if finding.fixable:
                yield _mend(check, found, finding)


def _mend(check: Check, found: Site, finding: Finding) -> Mended:
    if check.fix is None:
        return Mended(finding=finding, done="", refused="there is no fix for it")
    try:
        return Mended(finding=finding, done=check.fix(found, finding))
    except (MilepostError, OSError) as error:
        return _refused(finding, error)


def _refused(finding: Finding, error: Exception) -> Mended:
    hint = error.hint if isinstance(error, MilepostError) else ""
    return Mended(finding=finding, done="", refused=f"{error}; {hint}" if hint else str(error))


def _holder(place: Place) -> Holder:
    own = identity.own()
    return Holder(
        pid=own.pid,
        run="doctor",
        host=own.host,
        boot_id=own.boot_id,
        start_ticks=own.start_ticks,
        started_at=int(place.now_s * 1000),
        command="doctor",
    )
