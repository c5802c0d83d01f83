"""`auto.lock`: who says that a run is at work, in the project and in the worktrees of parallel workers.

Dead means that the process with this very identity is gone. Slow, silent and on another host are not dead.
Source: spec auto 5.4, 8.4, DESIGN rule 9; parallel FM-09, FM-47.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import UNSET

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.formats import lock as lock_format
from milepost.formats.lock import Lock
from milepost.model.ids import milestone_of_directory
from milepost.process.identity import Identity, Liveness, host, liveness
from milepost.store import ledger


def look(site: Site) -> Iterator[Finding]:
    """Locks without anybody who holds the lease."""
    if site.crew.solo is None:
        yield from _lock(site, ledger.lock_file(site.state_path), "")
    for path in sorted(site.worktrees.glob(f"*/{site.state_dir}/auto.lock")):
        milestone = path.parents[1].name
        if milestone_of_directory(milestone) == milestone and not site.crew.on(milestone):
            yield from _lock(site, path, milestone)


def somebody_else(site: Site) -> str:
    """Which other program works here by its `auto.lock`; empty when none is known to."""
    foreign = (found for found in look(site) if found.code == "foreign_lock")
    return next((f"{found.path} {found.message}" for found in foreign), "")


def fix(site: Site, finding: Finding) -> str:
    """Remove a lock, once more proved to be stale."""
    if not any(found.fixable and found.subject == finding.subject for found in look(site)):
        raise NotFixed("somebody took the lock meanwhile")
    ledger.unlock(Path(finding.subject).parent)
    return "removed"


def _lock(site: Site, path: Path, milestone: str) -> Iterator[Finding]:
    if not path.is_file():
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
            hint="gsd doctor --fix removes it; the next run goes on from the files in any case.",
            fixable=True,
            subject=str(path),
            milestone=milestone,
        )
        return
    where = "on another host" if alive is Liveness.UNKNOWN else "and that process is alive, perhaps another program"
    yield Finding(
        code="foreign_lock",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=f"says that somebody works here ({who}) {where}",
        hint="End that program before gsd auto, or remove the file when it is something else.",
        subject=str(path),
        milestone=milestone,
    )


def _living(found: Lock) -> Liveness:
    """Files of GSD name a pid only, which is then taken for one of this host and of any start."""
    return liveness(
        Identity(
            host=host() if found.host is UNSET else found.host,
            boot_id="" if found.boot_id is UNSET else found.boot_id,
            pid=found.pid,
            start_ticks=0 if found.start_ticks is UNSET else found.start_ticks,
        )
    )


CHECKS = (Check(name="auto-lock", look=look, fix=fix, needs=Needs.NO_COORDINATOR),)
