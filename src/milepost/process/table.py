"""The table of processes as this host shows it: `/proc/PID/stat` on Linux, `ps` elsewhere.

`start` is what makes a pid mean one process: clock ticks since boot on Linux, seconds since the epoch where
only `ps` can be asked. Two values are comparable on one host only. Light enough for the hot path.
"""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

_PROC = sys.platform.startswith("linux")
GONE = "ZX"
"""States of a process that has ended and waits to be collected by its parent."""


class Row(NamedTuple):
    """One process."""

    pid: int
    parent: int
    group: int
    session: int
    """0 where the host does not tell."""
    start: int
    state: str
    """One letter of `ps`: R, S, D, T, Z …"""


def rows() -> Iterator[Row]:
    """Every process this user can see, zombies included."""
    if not _PROC:
        yield from parse_ps(_ps("-ax"))
        return
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := _stat(int(name))):
            yield found


def row(pid: int) -> Row | None:
    """The process `pid`; None when there is none."""
    if _PROC:
        return _stat(pid)
    return next(iter(parse_ps(_ps("-p", str(pid)))), None)


def environment(pid: int) -> bytes:
    """The environment `pid` was started with, `NAME=value` split by NUL; empty when it cannot be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _stat(pid: int) -> Row | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The name is in parentheses and may itself hold spaces and parentheses, so count from the last one.
    field = text[text.rfind(b")") + 2 :].split()
    return Row(
        pid=pid,
        parent=int(field[1]),
        group=int(field[2]),
        session=int(field[3]),
        start=int(field[19]),
        state=field[0].decode("ascii"),
    )


def _ps(*which: str) -> str:
    import subprocess

    done = subprocess.run(
        ("ps", *which, "-o", "pid=,ppid=,pgid=,stat=,lstart="),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={"PATH": "/bin:/usr/bin", "LC_ALL": "C", "TZ": "UTC"},
    )
    return done.stdout.decode("ascii", "replace")


def parse_ps(text: str) -> list[Row]:
    """Rows of `ps -o pid=,ppid=,pgid=,stat=,lstart=`, whose last column reads `Tue Nov 21 10:00:00 2026`."""
    import time
    from calendar import timegm

    found: list[Row] = []
    for line in text.splitlines():
        field = line.split(None, 4)
        if len(field) == 5 and field[0].isdigit():
            start = timegm(time.strptime(field[4].strip(), "%a %b %d %H:%M:%S %Y"))
            pid, parent, group = (int(number) for number in field[:3])
            found.append(Row(pid=pid, parent=parent, group=group, session=0, start=start, state=field[3][0]))
    return found
