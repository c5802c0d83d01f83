"""Which processes belong to a command, also after it ended, and also when they ran away from it.

A command leads its own session. Whatever it starts is found in that session or group, or by its parents, or
by a mark in its environment, which a process that made a session of its own (`setsid`, a daemon) still has.
The mark also names who started it, so commands of a worker that died can be found later. Only a process that
did all three (own session, orphaned, environment wiped) is missed.
"""

import os
from collections.abc import Iterable, Mapping
from itertools import count
from typing import NamedTuple

from milepost.process import table

MARK = "MILEPOST_SPAWN"
"""The environment variable that holds the marks, `/pid-start-number/` of each spawn around a process."""
_numbers = count(1)


class Kin(NamedTuple):
    """A command and all it started."""

    pid: int
    """The command itself, leader of its session and group."""
    start: int
    """Its `table.Row.start`; nothing older belongs to it. 0: not known."""
    mark: str
    """`/…/` as it stands in `MILEPOST_SPAWN`; empty: the command was started without one."""


def marked(env: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A fresh mark, and `env` with it added behind the marks of spawns around this one."""
    me = os.getpid()
    found = table.row(me)
    token = f"{me}-{found.start if found else 0}-{next(_numbers)}"
    return f"/{token}/", {**env, MARK: f"{env.get(MARK, '/')}{token}/"}


def of(pid: int, mark: str) -> Kin:
    """The kin of a command just started as leader of its own session."""
    found = table.row(pid)
    return Kin(pid=pid, start=found.start if found else 0, mark=mark)


def living(kin: Kin) -> tuple[table.Row, ...]:
    """Every process of `kin` that runs now, the command itself included."""
    candidates = [row for row in table.rows() if row.start >= kin.start and row.state not in table.GONE]
    pids = {row.pid for row in candidates if kin.pid in (row.pid, row.session, row.group)}
    if kin.mark:
        needle = kin.mark.encode()
        pids |= {row.pid for row in candidates if row.pid not in pids and needle in table.environment(row.pid)}
    pids = _with_children(pids | {kin.pid}, candidates) - {os.getpid()}
    return tuple(row for row in candidates if row.pid in pids)


def orphans() -> tuple[table.Row, ...]:
    """Processes started through this room by a process that is gone; nobody else will end them."""
    others = (row for row in table.rows() if row.state not in table.GONE and row.pid != os.getpid())
    return tuple(row for row in others if _owners_gone(table.environment(row.pid)))


def _with_children(pids: set[int], candidates: Iterable[table.Row]) -> set[int]:
    rows = sorted(candidates, key=lambda row: row.start)
    grown = set(pids)
    while True:
        children = {row.pid for row in rows if row.parent in grown}
        if children <= grown:
            return grown
        grown |= children


def _owners_gone(environment: bytes) -> bool:
    prefix = MARK.encode() + b"="
    values = [part for part in environment.split(b"\0") if part.startswith(prefix)]
    tokens = values[0].removeprefix(prefix).split(b"/") if values else []
    owners = [token.decode("ascii", "replace") for token in tokens if token]
    return bool(owners) and all(_dead(owner) for owner in owners)


def _dead(token: str) -> bool:
    numbers = token.split("-")
    if len(numbers) != 3 or not all(part.isascii() and part.isdigit() for part in numbers):
        return False
    found = table.row(int(numbers[0]))
    return found is None or str(found.start) != numbers[1]
