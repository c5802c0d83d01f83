"""Who says to be at work here, and is not: `auto.lock`, leases, status files and orders of dead processes.

Dead means that the process with this very identity is gone, or that the kernel's lock is free. Slow, silent and on
another host are not dead. Source: spec auto 5.4, 8.4, parallel PR-150, PR-340, DESIGN rule 9.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import UNSET

from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import LEASE, Site
from milepost.errors import FormatError
from milepost.formats import lock as lock_format
from milepost.formats import orchestrator, signal, status
from milepost.formats.lock import Lock
from milepost.formats.status import Status, WorkerState
from milepost.process.identity import Identity, Liveness, host, liveness
from milepost.store import lease, ledger

_AT_WORK = (WorkerState.RUNNING, WorkerState.PAUSED)


def look_lock(site: Site) -> Iterator[Finding]:
    """`auto.lock` without anybody who holds the lease."""
    path = ledger.lock_file(site.state_path)
    if not path.is_file() or site.runner is not None:
        return
    found = lock_format.decode(path.read_bytes())
    alive = _living(found) if found else Liveness.DEAD
    who = f"pid {found.pid}, {found.unit_type} {found.unit_id}" if found else "it cannot be read"
    if alive is Liveness.DEAD:
        yield Finding(
            code="stale_crash_lock",
            severity=Severity.WARNING,
            path=site.shown(path),
            message=f"is of a run that is gone ({who})",
            hint="gsd doctor --fix removes it; gsd auto goes on from the files in any case.",
            fixable=True,
        )
    else:
        where = "on another host" if alive is Liveness.UNKNOWN else "and that process is alive, perhaps another program"
        yield Finding(
            code="foreign_lock",
            severity=Severity.WARNING,
            path=site.shown(path),
            message=f"says that somebody works here ({who}) {where}",
            hint="End that program before gsd auto, or remove the file when it is something else.",
        )


def somebody_else(site: Site) -> str:
    """Which other program works here by its `auto.lock`; empty when none is known to."""
    foreign = (found for found in look_lock(site) if found.code == "foreign_lock")
    return next((f"{found.path} {found.message}" for found in foreign), "")


def at_work(site: Site) -> frozenset[str]:
    """Milestones that a living worker is on, by a lease of ours or by a status file."""
    leased = {path.name.removesuffix(".lease") for path in _files(site, "*.lease") if lease.holder(path) is not None}
    known = (status.decode(path.read_bytes()) for path in _files(site, "*.status.json"))
    return frozenset(leased | {found.milestone_id for found in known if found and _works(found)})


def fix_lock(site: Site, finding: Finding) -> str:
    """Remove the lock, once more proved to be stale."""
    del finding
    if not any(found.fixable for found in look_lock(site)):
        raise NotFixed("somebody took the lock meanwhile")
    ledger.unlock(site.state_path)
    return "removed"


def look_leases(site: Site) -> Iterator[Finding]:
    """Records of leases that the kernel has freed: their holders were killed."""
    for path in _files(site, "*.lease"):
        if path.stat().st_size and lease.holder(path) is None:
            yield Finding(
                code="lease_left",
                severity=Severity.INFO,
                path=site.shown(path),
                message="was held by a process that was killed; it is free",
                hint="Nothing to do: the next run takes it and settles what was open.",
            )


def look_workers(site: Site) -> Iterator[Finding]:
    """Status files of parallel workers that are gone, and orders that nobody will read."""
    for path in _files(site, "*.status.json"):
        found = status.decode(path.read_bytes())
        if found is None:
            yield _worker(site, path, "cannot be read; it counts as no worker")
        elif found.state in _AT_WORK and not _works(found):
            yield _worker(site, path, f"is of a worker that is gone: {_told(found)}")
    for path in _files(site, "*.signal.json"):
        yield from _order(site, path)
    yield from _coordinator(site)


def fix_worker(site: Site, finding: Finding) -> str:
    """Remove a status file or an order, once more proved to be nobody's."""
    again = {found.subject for found in look_workers(site) if found.fixable}
    if finding.subject not in again:
        raise NotFixed("it is in use now")
    Path(finding.subject).unlink(missing_ok=True)
    return "removed"


def _worker(site: Site, path: Path, words: str) -> Finding:
    return Finding(
        code="stale_parallel_session",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=words,
        hint="gsd doctor --fix removes the file; nothing of the work is in it.",
        fixable=True,
        subject=str(path),
    )


def _told(found: Status) -> str:
    return (
        f"{found.milestone_id}, pid {found.pid}, started {_iso(found.started_at)}, "
        f"last heartbeat {_iso(found.last_heartbeat)}"
    )


def _order(site: Site, path: Path) -> Iterator[Finding]:
    mid = path.name.removesuffix(".signal.json")
    if (site.runner is not None) if mid == "auto" else mid in at_work(site):
        return
    try:
        order = signal.decode(path.read_bytes())
    except FormatError:
        words = "cannot be read, and nobody is there to obey it"
    else:
        words = f"orders {order.signal} and nobody is there to obey it" + (
            "; the next run would" if not order.run else ""
        )
    yield Finding(
        code="stale_signal",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=words,
        hint="gsd doctor --fix removes it.",
        fixable=True,
        subject=str(path),
    )


def _coordinator(site: Site) -> Iterator[Finding]:
    path = site.state_path / "orchestrator.json"
    found = orchestrator.decode(path.read_bytes()) if path.is_file() else None
    if found is None or not found.active:
        return
    if not any(_works(worker) for worker in found.workers):
        yield Finding(
            code="stale_orchestrator",
            severity=Severity.INFO,
            path=site.shown(path),
            message="says that workers run, and none of them does",
            hint="Nothing to do: nothing is decided from it.",
        )


def _works(found: Status | orchestrator.Worker) -> bool:
    at_work = found.state in _AT_WORK and found.pid > 0
    return at_work and _liveness(found.pid, found) is not Liveness.DEAD


def _living(found: Lock) -> Liveness:
    return _liveness(found.pid, found)


def _liveness(pid: int, found: Lock | Status | orchestrator.Worker) -> Liveness:
    """Files of GSD name a pid only, which is then taken for one of this host and of any start."""
    return liveness(
        Identity(
            host=host() if found.host is UNSET else found.host,
            boot_id="" if found.boot_id is UNSET else found.boot_id,
            pid=pid,
            start_ticks=0 if found.start_ticks is UNSET else found.start_ticks,
        )
    )


def _files(site: Site, pattern: str) -> list[Path]:
    directory = site.state_path / LEASE[0]
    return sorted(path for path in directory.glob(pattern) if path.is_file()) if directory.is_dir() else []


def _iso(at_ms: int) -> str:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{at_ms} ms"


CHECKS = (
    Check(name="auto-lock", look=look_lock, fix=fix_lock),
    Check(name="leases", look=look_leases),
    Check(name="workers", look=look_workers, fix=fix_worker),
)
