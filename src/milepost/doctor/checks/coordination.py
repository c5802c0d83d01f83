"""What a coordinator leaves when it is killed: `orchestrator.json`, a forecast, and workers that nobody coordinates.

Nothing is decided from the two files; they are put right so that no other program believes them. Source: parallel
PR-306, DV-18, DV-19, FM-11, FM-17, FM-18.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import UNSET

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.doctor.times import iso
from milepost.fleet import orchestrator_file
from milepost.fleet.look import FORECAST
from milepost.fleet.processes import Role
from milepost.formats import forecast
from milepost.formats.orchestrator import Worker
from milepost.formats.status import WorkerState
from milepost.git.worktrees import branch_name
from milepost.process import identity
from milepost.process.identity import Identity
from milepost.rules import fleet
from milepost.store import regular

_AT_WORK = (WorkerState.RUNNING, WorkerState.PAUSED)
_MOST_BYTES = 1 << 20


def look(site: Site) -> Iterator[Finding]:
    """Only where no coordinator is at work."""
    if site.crew.coordinator is not None:
        return
    yield from _unattended(site)
    yield from _orchestrator(site)
    yield from _forecast(site)


def fix(site: Site, finding: Finding) -> str:
    """Make `orchestrator.json` say what is true; remove a forecast that is about nothing any more."""
    if not any(found.code == finding.code for found in look(site)):
        raise NotFixed("it is in use now")
    path = Path(finding.subject)
    if finding.code == "stale_orchestrator" and orchestrator_file.deactivate(
        site.state_path, lambda w: _lives(site, w)
    ):
        return "says now that nothing is coordinated"
    path.unlink(missing_ok=True)
    return "removed"


def _unattended(site: Site) -> Iterator[Finding]:
    workers = [runner.named for runner in site.crew.runners if runner.role is Role.WORKER]
    if workers:
        yield Finding(
            code="fleet_unattended",
            severity=Severity.INFO,
            message=f"nobody coordinates {', '.join(workers)}: they work on, and nothing is merged after them",
            hint="gsd parallel start goes on with them.",
        )


def _orchestrator(site: Site) -> Iterator[Finding]:
    path = site.state_path / orchestrator_file.NAME
    if not path.is_file():
        return
    found = orchestrator_file.load(site.state_path)
    if found is None:
        words = "cannot be read; it counts as none"
    elif not found.active or any(_lives(site, worker) for worker in found.workers):
        return
    else:
        gone = [f"{worker.milestone_id} (pid {worker.pid})" for worker in found.workers if worker.state in _AT_WORK]
        listed = f", of {', '.join(gone)}" if gone else ""
        words = f"says that a fleet is at work{listed}, and none is"
    yield Finding(
        code="stale_orchestrator",
        severity=Severity.INFO,
        path=site.shown(path),
        message=words,
        hint="gsd doctor --fix puts it right; nothing is decided from it.",
        fixable=True,
        subject=str(path),
    )


def _lives(site: Site, worker: Worker) -> bool:
    """Whether it is at work now, by the kernel's word on that very process."""
    if worker.state not in _AT_WORK:
        return False
    found = site.crew.worker(worker.milestone_id)
    if found is not None and found.who is not None:
        return found.who.pid == worker.pid
    who = Identity(
        host=identity.host() if worker.host is UNSET else worker.host,
        boot_id="" if worker.boot_id is UNSET else worker.boot_id,
        pid=worker.pid,
        start_ticks=0 if worker.start_ticks is UNSET else worker.start_ticks,
    )
    if worker.pid <= 0 or not identity.alive(who):
        return False
    return bool(who.start_ticks) or identity.started_before(who.pid, site.state_path / orchestrator_file.NAME)


def _forecast(site: Site) -> Iterator[Finding]:
    """One that cannot be read, or is only of milestones that are merged or gone."""
    path = site.box / FORECAST
    try:
        data = regular.read(path, most=_MOST_BYTES)
    except OSError:
        return
    found = forecast.decode(data)
    if not found and data.split() in ([b"[]"], []):
        return
    told, branches = fleet.fold(site.events), site.git.branches if site.git else {}
    over = [f for f in found if told.of(f.a).landed is not None or (site.git and branch_name(f.a) not in branches)]
    if len(over) < len(found):
        return
    words = "cannot be read"
    if found:
        seen = iso(max(f.seen_at for f in found))
        words = f"tells of conflicts to come, as of {seen}, of milestones that are merged or gone"
    yield Finding(
        code="stale_forecast",
        severity=Severity.INFO,
        path=site.shown(path),
        message=words,
        hint="gsd doctor --fix removes it; the next coordinator looks anew.",
        fixable=True,
        subject=str(path),
    )


CHECKS = (Check(name="coordination", look=look, fix=fix, needs=Needs.NO_COORDINATOR),)
