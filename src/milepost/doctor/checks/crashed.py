"""Runs without a last word, as the journal tells: workers and coordinators that were killed.

What they were at is settled by the next start, from what is on disk. Source: parallel PR-193, PR-194, DV-13, FM-01,
FM-12, FM-18, FM-20.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.doctor.times import iso, span
from milepost.formats.journal import RunStarted, WorkerSpawned
from milepost.model.state import Status
from milepost.rules import fleet
from milepost.rules.fleet import Fleet, Past


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The start of a run."""

    pid: int
    at_ms: int


def look(site: Site) -> Iterator[Finding]:
    """The latest coordinator, then the latest worker of each milestone that is not done."""
    told, runs = fleet.fold(site.events), _runs(site)
    at_rest = {e.id for e in site.state.registry if e.status in (Status.COMPLETE, Status.PARKED)}
    if site.crew.solo is not None or all(entry.id in at_rest for entry in site.state.registry):
        return  # Auto mode goes on in their place, or nothing is left to go on with.
    if (found := _coordinator(site, told)) is not None:
        yield found
    for milestone, past in told.past.items():
        if milestone not in at_rest and not site.crew.on(milestone):
            yield from _worker(site, milestone, past, runs)


def _coordinator(site: Site, told: Fleet) -> Finding | None:
    started = told.started
    if started is None or told.ended is not None or site.crew.coordinator is not None:
        return None
    return Finding(
        code="coordinator_crashed",
        severity=Severity.INFO,
        message=f"the coordinator (pid {started.pid}, started {iso(started.at_ms)}) is gone without a last word",
        hint="gsd parallel start goes on from here.",
    )


def _worker(site: Site, milestone: str, past: Past, runs: Mapping[str, _Run]) -> Iterator[Finding]:
    given_up = past.crashes > site.settings.preferences.parallel.max_restarts
    if site.crew.coordinator is not None and not given_up:
        return  # It is started again, or is being started.
    if past.open_run:
        words = "its worker is gone without a last word"
    elif past.lost and past.ended is None:
        words = f"its worker crashed: {past.crash_reason}"
    elif given_up:
        words = f"its worker ended in an error: {past.crash_reason}"
    else:
        return
    often = f"; {past.crashes} times in a row" if past.crashes > 1 else ""
    hint = f"gsd parallel start{f' --retry {milestone}' if given_up else ''} takes it up again, from what is on disk."
    yield Finding(
        code="worker_crashed",
        severity=Severity.WARNING,
        message=f"{milestone}: {words}{_who(site, runs.get(past.run))}{often}",
        hint=f"Look at {site.state_dir}/parallel/logs, then {hint}" if given_up else hint,
        milestone=milestone,
    )


def _who(site: Site, run: _Run | None) -> str:
    if run is None:
        return ""
    ago = span((site.now_ms - run.at_ms) / 1000)
    return f" (pid {run.pid}, started {iso(run.at_ms)}, {ago} ago)"


def _runs(site: Site) -> dict[str, _Run]:
    """Start of each worker's run; its own word on its pid counts."""
    found: dict[str, _Run] = {}
    for event in site.events:
        match event:
            case WorkerSpawned(worker_run=run, pid=pid, at_ms=at_ms):
                found.setdefault(run, _Run(pid=pid, at_ms=at_ms))
            case RunStarted(run=run, pid=pid, at_ms=at_ms) if event.milestone:
                found[run] = _Run(pid=pid, at_ms=at_ms)
            case _:
                pass
    return found


CHECKS = (Check(name="crashed", look=look),)
