"""Processes that a killed run left: commands of its agents, and workers that are at work on nothing any more.

Known by marks and identities that were recorded when they were started, never by a name or a number alone. Of
commands only those of this project: in its directory, or started by one of its recorded runs.
Source: parallel DV-19, FM-09, FM-13; DESIGN rule 9.
"""

import os
from collections.abc import Iterator
from functools import partial

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.formats.journal import WorkerSpawned
from milepost.process import identity, kin, table
from milepost.process.identity import Identity, Liveness
from milepost.process.kin import Kin
from milepost.store import beacons

_GOING_S = 2.0
"""How long a worker that let go of everything may take to end by itself."""


def look_commands(site: Site) -> Iterator[Finding]:
    """Commands whose starters are all gone; a command's own children are ended with it."""
    at_work = _at_work(site)
    spared = set(_above(os.getpid()))
    orphans = {
        row.pid: row
        for row in kin.orphans()
        if row.pid not in spared and at_work.isdisjoint((row.pid, *_above(row.pid)))
    }
    known = set(_recorded(site))
    for row in orphans.values():
        if row.parent not in orphans and _of_this_project(site, row, known):
            words = f"pid {row.pid} ({_name(row.pid)}) was started by a run that is gone, and still runs"
            yield _finding(row, f"{words}{_where(site, row)}")


def look_workers(site: Site) -> Iterator[Finding]:
    """Workers by their recorded identity that live and hold no lease."""
    for event in site.events:
        if not isinstance(event, WorkerSpawned) or _has_milestone(site, event):
            continue
        who = Identity(host=event.host, boot_id=event.boot_id, pid=event.pid, start_ticks=event.start_ticks)
        row = table.row(who.pid)
        if who.start_ticks and row is not None and identity.liveness(who) is Liveness.ALIVE:
            words = f"pid {who.pid} was the worker of {event.milestone} (run {event.worker_run})"
            words += ", lost that milestone and still runs"
            yield _finding(row, words, milestone=event.milestone)


def fix_command(site: Site, finding: Finding) -> str:
    """End a command, once more proved to be left, and what it started."""
    return _fixed(site, finding, look_commands(site), settle_s=0.0)


def fix_worker(site: Site, finding: Finding) -> str:
    """End a worker, with its milestone's lease in our hand, and what it started."""
    return _fixed(site, finding, look_workers(site), settle_s=_GOING_S)


def _fixed(site: Site, finding: Finding, again: Iterator[Finding], *, settle_s: float) -> str:
    del site
    if not any(found.subject == finding.subject for found in again):
        return "it ended meanwhile"
    # Only a fix needs the event loop, and its library takes long to load.
    import anyio

    from milepost.process import ladder

    pid, start = (int(number) for number in finding.subject.split("-"))
    left = Kin(pid=pid, start=start, mark=f"/{pid}-{start}-")
    remains = anyio.run(partial(ladder.end, left, settle_s=settle_s))
    if remains.survivors:
        raise NotFixed(f"pid {', '.join(map(str, remains.survivors))} outlived SIGKILL", hint="Is a disk hanging?")
    return f"ended, {remains.ended} processes" if remains.ended > 1 else "ended"


def _finding(row: table.Row, words: str, milestone: str = "") -> Finding:
    return Finding(
        code="leftover_process",
        severity=Severity.WARNING,
        message=words,
        hint="gsd doctor --fix ends it.",
        fixable=True,
        subject=f"{row.pid}-{row.start}",
        milestone=milestone,
    )


def _has_milestone(site: Site, spawned: WorkerSpawned) -> bool:
    """Whether that worker, or one that cannot be told from it, is on its milestone."""
    on = [runner for runner in site.crew.runners if runner.milestone == spawned.milestone]
    return any(runner.who is None or runner.who.pid == spawned.pid for runner in on)


def _at_work(site: Site) -> set[int]:
    """Pids of those who hold a lease: whoever started them may be gone, and what they start is theirs."""
    runners = {runner.who.pid for runner in site.crew.runners if runner.who}
    return runners | {holder.pid for holder in site.crew.held.values()}


def _above(pid: int) -> Iterator[int]:
    """Parent, its parent and so on. The doctor's own shell may be among what a killed run left."""
    row = table.row(pid)
    while row is not None and row.parent > 0:
        yield row.parent
        row = table.row(row.parent)


def _recorded(site: Site) -> Iterator[tuple[int, int]]:
    """Pid and start of every worker that this project's files name for good."""
    for event in site.events:
        if isinstance(event, WorkerSpawned):
            yield event.pid, event.start_ticks
    for said in beacons.load(site.box):
        yield said.pid, said.start_ticks or 0


def _of_this_project(site: Site, row: table.Row, known: set[tuple[int, int]]) -> bool:
    root = os.path.realpath(site.root) + os.sep
    return _cwd(row.pid).startswith(root) or not known.isdisjoint(_owners(row.pid))


def _owners(pid: int) -> Iterator[tuple[int, int]]:
    """Pid and start of those who are named in the process's mark."""
    head = kin.MARK.encode() + b"="
    marks = (part for part in table.environment(pid).split(b"\0") if part.startswith(head))
    for token in next(marks, b"").removeprefix(head).split(b"/"):
        numbers = token.split(b"-")
        if len(numbers) == 3 and all(number.isdigit() for number in numbers):
            yield int(numbers[0]), int(numbers[1])


def _cwd(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd") + os.sep
    except OSError:
        return ""


def _where(site: Site, row: table.Row) -> str:
    place = _cwd(row.pid).rstrip(os.sep)
    return f" in {os.path.relpath(place, os.path.realpath(site.root))}" if place else ""


def _name(pid: int) -> str:
    """Of the program only: arguments may hold secrets."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "its name is not told here"


CHECKS = (
    Check(name="left-commands", look=look_commands, fix=fix_command, needs=Needs.NOTHING),
    Check(name="left-workers", look=look_workers, fix=fix_worker, needs=Needs.NO_COORDINATOR),
)
