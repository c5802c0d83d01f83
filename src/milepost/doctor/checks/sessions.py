"""`parallel/<MID>.status.json`: workers that say to be at work and are gone, are silent, or wait for somebody.

Stale is only what is proved to be of no living process; a heartbeat that is old proves nothing while the process
runs, and what ended with a last word is no damage. Source: parallel PR-150 to PR-153, PR-340, DV-18, DV-27, FM-05,
FM-06, FM-10, FM-12.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import UNSET

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.doctor.times import iso, span
from milepost.fleet import processes
from milepost.fleet.condition import SILENT_MS
from milepost.fleet.processes import Runner
from milepost.formats import status
from milepost.formats.status import Status, WorkerState
from milepost.process import identity, table
from milepost.store import regular

FORGOTTEN_MS = 15 * 60_000
"""A worker that waits for longer than this may have been forgotten."""
_AT_WORK = (WorkerState.RUNNING, WorkerState.PAUSED)
_SUFFIX = ".status.json"
_MOST_BYTES = 1 << 20


def look(site: Site) -> Iterator[Finding]:
    """File by file."""
    for path in site.in_box(f"*{_SUFFIX}"):
        said, worker = _read(path), site.crew.worker(path.name.removesuffix(_SUFFIX))
        if worker is not None:
            yield from _living(site, path, said, worker)
        elif said is None:
            yield _stale(site, path, "cannot be read; it counts as no worker")
        elif said.state in _AT_WORK and not processes.is_alive(said, site.box):
            yield _stale(site, path, f"is of a worker that is gone: {_told(said)}")


def fix(site: Site, finding: Finding) -> str:
    """Remove a status file, once more proved to be nobody's."""
    if not any(found.fixable and found.subject == finding.subject for found in look(site)):
        raise NotFixed("it is in use now")
    Path(finding.subject).unlink(missing_ok=True)
    return "removed"


def _read(path: Path) -> Status | None:
    try:
        found = status.decode(regular.read(path, most=_MOST_BYTES))
    except OSError:
        return None
    return found if found is not None and found.milestone_id == path.name.removesuffix(_SUFFIX) else None


def _stale(site: Site, path: Path, words: str) -> Finding:
    return Finding(
        code="stale_parallel_session",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=words,
        hint="gsd doctor --fix removes the file; nothing of the work is in it.",
        fixable=True,
        subject=str(path),
        milestone=path.name.removesuffix(_SUFFIX),
    )


def _living(site: Site, path: Path, said: Status | None, worker: Runner) -> Iterator[Finding]:
    """A file of an earlier run is written over by the worker that is there now."""
    if said is None or (worker.run and said.run not in (UNSET, worker.run)):
        return
    silent_ms = site.now_ms - said.last_heartbeat
    if silent_ms > SILENT_MS:
        yield _unresponsive(site, path, said, worker)
    elif said.state is WorkerState.PAUSED and (since := _paused_since(said)) + FORGOTTEN_MS < site.now_ms:
        yield Finding(
            code="worker_paused",
            severity=Severity.INFO,
            path=site.shown(path),
            message=f"{said.milestone_id}, pid {said.pid}, waits since {iso(since)} ({_ago(site, since)})",
            hint=f"gsd parallel resume {said.milestone_id}",
            milestone=said.milestone_id,
        )


def _unresponsive(site: Site, path: Path, said: Status, worker: Runner) -> Finding:
    silent = f"{_told(said)}, {_ago(site, said.last_heartbeat)} ago"
    who = processes.identity_of(said)
    if who.host != identity.host():
        words = f"is silent: {silent}; it ran on {who.host}, and whether it lives there cannot be told from here"
        hint = f"When it is gone: rm {site.shown(path)}"
    else:
        words = f"is of a worker that lives and does not answer: {silent}{_suspended(worker)}"
        hint = f"gsd parallel stop {said.milestone_id} ends it, by force if it must; the next start goes on from there."
    return Finding(
        code="unresponsive_worker",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=words,
        hint=hint,
        milestone=said.milestone_id,
    )


def _suspended(worker: Runner) -> str:
    """Somebody may have sent it SIGSTOP."""
    found = table.row(worker.who.pid) if worker.who else None
    return f"; it is suspended, and kill -CONT {found.pid} lets it go on" if found and found.state == "T" else ""


def _told(said: Status) -> str:
    return (
        f"{said.milestone_id}, pid {said.pid}, started {iso(said.started_at)}, "
        f"last heartbeat {iso(said.last_heartbeat)}"
    )


def _paused_since(said: Status) -> int:
    """When the order was taken; else when the agent last did something."""
    if said.last_order is not UNSET and said.last_order.signal == "pause":
        return said.last_order.taken_at
    return said.started_at if said.last_progress is UNSET else said.last_progress


def _ago(site: Site, at_ms: int) -> str:
    return span((site.now_ms - at_ms) / 1000)


CHECKS = (Check(name="sessions", look=look, fix=fix, needs=Needs.NO_COORDINATOR),)
