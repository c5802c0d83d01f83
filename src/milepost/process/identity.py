"""Which process this is, beyond its number: host, boot, pid and start time.

A pid alone is reused, a boot id alone outlives every process. Both together with the start time name one
process for good, so a lock can say whether its holder still runs. Source: spec auto 8.4, trials 7. Hot path.
"""

import os
import sys
from enum import StrEnum
from typing import NamedTuple

from milepost.process import table


class Identity(NamedTuple):
    """One process, named for good."""

    host: str
    boot_id: str
    """Changes with every boot; empty when the system does not tell."""
    pid: int
    start_ticks: int
    """As `table.Row.start`; 0 when it was not known."""


class Liveness(StrEnum):
    """What can be said about a process from here."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """It ran on another host."""


def own() -> Identity:
    """This process."""
    return of(os.getpid())


def of(pid: int) -> Identity:
    """The process `pid` of this host; `start_ticks` is 0 when there is none."""
    found = table.row(pid)
    return Identity(host=host(), boot_id=boot_id(), pid=pid, start_ticks=found.start if found else 0)


def liveness(identity: Identity) -> Liveness:
    """Whether that very process runs. A zombie, another boot and a reused pid are dead."""
    if identity.host != host():
        return Liveness.UNKNOWN
    if identity.boot_id and identity.boot_id != boot_id():
        return Liveness.DEAD
    found = table.row(identity.pid)
    if found is None or found.state in table.GONE:
        return Liveness.DEAD
    same = identity.start_ticks in (0, found.start)
    return Liveness.ALIVE if same else Liveness.DEAD


def alive(identity: Identity) -> bool:
    """False only when the process is known to be gone; one of another host counts as alive."""
    return liveness(identity) is not Liveness.DEAD


def started_before(pid: int, file: str | os.PathLike[str]) -> bool:
    """Whether process `pid` runs and began before `file` was last written: it may be the one that wrote its number."""
    found = table.row(pid)
    if found is None or found.state in table.GONE:
        return False
    try:
        return _began(found) <= os.stat(file).st_mtime + 1
    except FileNotFoundError:
        return False


def _began(row: table.Row) -> float:
    """Seconds since the epoch. Not from the times of `/proc/PID`, which are those of the first look at it."""
    import time

    if not sys.platform.startswith("linux"):
        return row.start
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + row.start / os.sysconf("SC_CLK_TCK")


def host() -> str:
    """This host's name."""
    return os.uname().nodename


def boot_id() -> str:
    """What names this boot; empty when the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return _sysctl("kern.bootsessionuuid")


def _sysctl(name: str) -> str:
    import subprocess

    try:
        done = subprocess.run(
            ("/usr/sbin/sysctl", "-n", name), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.decode("ascii", "replace").strip()
