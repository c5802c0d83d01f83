"""Leases: who holds each, by the kernel's word, since when; and records that killed holders left.

A lease whose holder is dead is free at once, so its file is no damage, and nothing here has to be mended.
Source: DESIGN rule 9; parallel FM-31, FM-32, FM-45 to FM-47.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from milepost.doctor import crew, openers
from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.doctor.times import iso, span
from milepost.fleet.processes import STARTING
from milepost.model.ids import milestone_of_directory
from milepost.process.identity import Identity, Liveness, host, liveness
from milepost.store import lease, regular
from milepost.store.lease import Holder


def look(site: Site) -> Iterator[Finding]:
    """Those that are held, then what is left of others."""
    for name, holder in site.crew.held.items():
        if not holder.shared:
            yield from _held(site, name, holder)
    for path in site.in_box("*.lease"):
        if path.name.removesuffix(".lease") not in site.crew.held:
            yield from _left(site, path)


def _held(site: Site, name: str, holder: Holder) -> Iterator[Finding]:
    clear = holder.pid > 0 and _liveness(holder) is not Liveness.DEAD
    path, guard = crew.lease_file(site.state_path, name), crew.guard_file(site.state_path, name)
    if not clear and lease.holder(path, guard) is None:
        return  # It ended since.
    yield Finding(
        code="lease_held" if clear else "lease_holder_unclear",
        severity=Severity.INFO if clear else Severity.WARNING,
        path=site.shown(path),
        message=_who(site, holder) if clear else _unclear(holder, openers.having_open(path, guard)),
        hint="" if clear else "Look at that process; when it has no business here, end it.",
        milestone=name if milestone_of_directory(name) == name else "",
    )


def _who(site: Site, holder: Holder) -> str:
    since = f", since {iso(holder.started_at)} ({span(site.place.now_s - holder.started_at / 1000)})"
    where = f" on {holder.host}" if holder.host not in ("", host()) else ""
    doing = "while the place is made, " if holder.command == STARTING else ""
    return f"is held {doing}by pid {holder.pid}{where}, run {holder.run}{since if holder.started_at else ''}"


def _unclear(holder: Holder, seen: tuple[int, ...]) -> str:
    by = f"by {' or '.join(f'pid {pid}' for pid in seen)}" if seen else "by a process that cannot be seen from here"
    record = f"names pid {holder.pid}, which is gone" if holder.pid > 0 else "cannot be read"
    return f"is held {by}; its record {record}"


def _left(site: Site, path: Path) -> Iterator[Finding]:
    """A record that nobody took back. Asked again, since somebody may have taken the lease since the look."""
    name = path.name.removesuffix(".lease")
    record = _record(path)
    if path.stat().st_size == 0 or lease.holder(path, crew.guard_file(site.state_path, name)) is not None:
        return
    if record is None:
        words = "has a record that cannot be read"
    elif record.shared:
        words = "was held by several together"
    elif _liveness(record) is Liveness.DEAD:
        words = f"was held by pid {record.pid}, run {record.run}, which is gone"
    else:
        words = f"names pid {record.pid}, which does not hold it any more"
    yield Finding(
        code="lease_left",
        severity=Severity.INFO,
        path=site.shown(path),
        message=f"{words}; it is free",
        hint="Nothing to do: the next run takes it and settles what was open.",
        milestone=name if milestone_of_directory(name) == name else "",
    )


def _record(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(regular.read(path), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


def _liveness(holder: Holder) -> Liveness:
    return liveness(
        Identity(host=holder.host or host(), boot_id=holder.boot_id, pid=holder.pid, start_ticks=holder.start_ticks)
    )


CHECKS = (Check(name="leases", look=look),)
