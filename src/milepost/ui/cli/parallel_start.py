"""`gsd parallel start`: show what may run, ask, and coordinate until nothing is left to do.

Source: parallel PR-003, PR-004, PR-080, PR-170, PR-171, PR-174, PR-190, PR-191, PR-318, 1.5 "Start"; DV-05, DV-07.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace

import anyio
from anyio.abc import TaskStatus

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import observe, spawn
from milepost.fleet.coordinator import Coordinator
from milepost.fleet.site import WRITER, Site
from milepost.formats import assignment
from milepost.formats.journal import AttemptStarted, CapReset, Ordered
from milepost.formats.tree import milestone_ids
from milepost.git.exclude import exclude
from milepost.git.repo import inspect, require_ready
from milepost.model.ids import require_milestone
from milepost.model.units import UnitKind
from milepost.rules import budget, eligibility, fleet, gitignore
from milepost.rules.fleet import EVERY
from milepost.rules.schedule import Finish
from milepost.store import preferences
from milepost.store.lease import Lease, LeaseHeld
from milepost.store.lease import holder as holder_of
from milepost.store.snapshot import Snapshot
from milepost.store.tally import Tally
from milepost.ui.cli import agents, arguments, credentials, sites
from milepost.ui.fleet_audience import Audience
from milepost.ui.notify import door
from milepost.ui.views import parallel_text
from milepost.unit.converse import ending_together
from milepost.worker.holding import signed

_DETACH_S = 30.0


class Nested(MilepostError):
    """A parallel worker tried to start workers of its own."""

    exit_code = ExitCode.BLOCKED


class Disabled(MilepostError):
    """Parallel mode is off."""

    exit_code = ExitCode.BLOCKED


class AlreadyCoordinated(MilepostError):
    """A second coordinator for one project."""

    exit_code = ExitCode.BLOCKED


class UnknownMilestone(MilepostError):
    """`--retry` of a milestone that is not there."""


class NobodyStarted(MilepostError):
    """The detached coordinator ended before it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a start begins with."""

    first: tuple[str, ...] = ()
    """Milestones that are started at once."""
    queued: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    """Milestones that are not started, and why."""


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} parallel start",
        description="Work on several milestones at once, each in a process and a worktree of its own.",
        allow_abbrev=False,
    )
    made.add_argument("--dry-run", action="store_true", help="only show what may run, and why not")
    made.add_argument("--yes", "-y", action="store_true", help="do not ask")
    made.add_argument("--detach", action="store_true", help="coordinate in the background")
    made.add_argument("--retry", metavar="MID", nargs="?", const=EVERY, help="count crashes and attempts afresh")
    made.add_argument("--fresh-budget", action="store_true", help="count the spending of all workers from zero")
    made.add_argument("--json", action="store_true", help="events as JSON lines on stdout")
    made.add_argument("--agent", metavar="SPEC", help="who does the work: builtin (default), or replay:FILE")
    made.add_argument("--model", metavar="NAME", help="use this model for every unit")
    made.add_argument("--record", metavar="FILE", help="keep the sessions of all workers as a cassette")
    made.add_argument("--pace", metavar="SECONDS", help="let a replay be watched")
    made.add_argument("--no-sandbox", action="store_true", help="run commands without the sandbox")
    return made


def run(argv: Sequence[str], program: str, command: str = "start") -> int:
    """Start, or go on with, a parallel run."""
    del command
    options = parser(program).parse_args(argv)
    options.agent = _found_from_here(options.agent)
    if assignment.is_worker(os.environ):
        raise Nested(
            "Cannot start parallel from within a parallel worker",
            hint="Unset GSD_PARALLEL_WORKER, or start it outside.",
        )
    site = sites.site(program, options=_passed_on(options), sandbox=not options.no_sandbox)
    if not site.preferences.parallel.enabled:
        raise Disabled(
            parallel_text.DISABLED,
            hint=f"In {site.state_dir}/PREFERENCES.md, between the --- lines.",
        )
    require_ready(inspect(site.root))
    # Written down only by who becomes the coordinator: a start that is refused must not forgive a living one's crashes.
    plans = observe.read(site, fleet.fold((*Tally(site.state).events(), *_afresh(options.retry, site))))
    _say(eligibility.render(plans.report), options, report=plans.report)
    if options.dry_run:
        return ExitCode.DONE
    if not _anything(plans, site):
        words = [parallel_text.NONE_ELIGIBLE, *([] if plans.state.registry else [plans.state.next_action])]
        _say("\n" + "".join(f"{line}\n" for line in words), options)
        return ExitCode.DONE if _all_done(plans) else ExitCode.BLOCKED
    opening = _opening(plans, site, fresh=options.fresh_budget)
    if opening.first:
        agents.require(_wanted(options, site), site.preferences, credentials.environ(site.home))
    if not options.yes and not _agreed(opening, options, site):
        _say("Nothing was started.\n", options)
        return ExitCode.DONE
    if options.detach:
        return _detached(argv, options.agent, opening, site)
    return _coordinate(options, opening, site, program)


def _found_from_here(agent: str | None) -> str | None:
    """The agent with its file named in full: workers run elsewhere."""
    kind, _, file = (agent or "").partition(":")
    return f"{kind}:{os.path.abspath(file)}" if file else agent


def _wanted(options: argparse.Namespace, site: Site) -> agents.Wanted:
    model = options.model or site.preferences.parallel.worker_model
    return agents.Wanted(agent=options.agent or "builtin", model=model, record=None, pace_s=0.0)


def _passed_on(options: argparse.Namespace) -> tuple[str, ...]:
    """What every worker is given."""
    named = [("--agent", options.agent), ("--model", options.model), ("--pace", options.pace)]
    named += [("--record", os.path.abspath(options.record) if options.record else None)]
    given = [word for name, value in named if value for word in (name, value)]
    return (*given, *(("--no-sandbox",) if options.no_sandbox else ()))


def _anything(plans: observe.Plans, site: Site) -> bool:
    living = any(holder_of(site.lease(e.id), site.guard(e.id)) for e in plans.state.registry)
    return bool(plans.report.eligible or plans.unmerged or plans.left or living)


def _all_done(plans: observe.Plans) -> bool:
    causes = {e.cause for e in plans.report.ineligible}
    # Nothing to look at is not the same as nothing left.
    done = {eligibility.Cause.COMPLETE, eligibility.Cause.MERGED}
    return bool(causes & done) and causes <= done | eligibility.OUTSIDE


def _opening(plans: observe.Plans, site: Site, *, fresh: bool) -> Opening:
    """What the start begins with: nothing new when the session's money is spent (PR-322)."""
    eligible = [e.id for e in plans.report.eligible]
    workers = site.preferences.parallel.max_workers
    events = Tally(site.state).events()
    session = "" if fresh else fleet.fold(events).session
    ceiling = budget.limits_of(site.preferences).fleet
    if session and ceiling is not None and budget.spent(events, session, site.preferences):
        return Opening(skipped=tuple((mid, parallel_text.over_budget(ceiling)) for mid in eligible[:workers]))
    return Opening(first=tuple(eligible[:workers]), queued=tuple(eligible[workers:]))


def _say(text: str, options: argparse.Namespace, *, report: eligibility.Report | None = None) -> None:
    """A passage for people, or the same as one JSON line."""
    line: dict[str, object] = {"type": "note", "text": text.strip()}
    if report is not None:
        entries = (("eligible", report.eligible), ("ineligible", report.ineligible))
        line = {"type": "eligibility"} | {
            name: [{"milestoneId": e.id, "title": e.title, "reason": e.reason} for e in listed]
            for name, listed in entries
        }
        line["overlaps"] = [{"milestoneIds": [o.a, o.b], "files": o.files} for o in report.overlaps]
    sys.stdout.write(json.dumps(line) + "\n" if options.json else text)
    sys.stdout.flush()


def _agreed(opening: Opening, options: argparse.Namespace, site: Site) -> bool:
    """Ask the person; without a terminal, say what is assumed (PR-004)."""
    workers = site.preferences.parallel.max_workers
    words = ", ".join(opening.first) or "nothing new"
    queued = f" ({', '.join(opening.queued)} queued)" if opening.queued else ""
    if not sys.stdin.isatty():
        _say(f"\nNo terminal to ask at: taken as agreed. Starting {words}{queued}.\n", options)
        return True
    sys.stdout.write(f"\nStart {words}{queued} with at most {workers} workers at once? [Y/n] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")


def _coordinate(options: argparse.Namespace, opening: Opening, site: Site, program: str) -> int:
    audience = Audience(json_lines=options.json, can_ask=sys.stdin.isatty() and not options.json, program=program)
    with _project(site):
        for event in _afresh(options.retry, site):
            site.journal("orders").append(event)
        place = inspect(site.root)
        site = replace(site, stood_on=place.head.branch or "")
        exclude(place.common_dir, [f"{site.state_dir}/{pattern}" for pattern in gitignore.RUNTIME_PATTERNS])
        preferences.write_cache(str(site.root), site.home, state_dir=site.state_dir)
        audience.begin(opening.first, opening.skipped)
        with door.coordinated(site, audience.note):
            finish = anyio.run(_watched, _renewed(site), audience, options.fresh_budget)
    audience.finish(finish)
    return finish.code


@contextmanager
def _project(site: Site) -> Iterator[None]:
    """Hold the project against other coordinators and a solo auto mode. Raises AlreadyCoordinated or LeaseHeld."""
    with ExitStack() as held:
        try:
            held.enter_context(site.hold("coordinator", WRITER))
        except LeaseHeld as error:
            who = f" (pid {error.holder.pid})" if error.holder and error.holder.pid else ""
            raise AlreadyCoordinated(
                f"another coordinator is at work here already{who}",
                hint="gsd parallel status shows it; gsd parallel stop ends everything.",
            ) from None
        solo = Lease(
            site.lease("auto"),
            f"{site.root}",
            signed(site.run, WRITER, site.now_ms()),
            shared=True,
            guard=site.guard("auto"),
        )
        held.enter_context(solo)
        yield


async def _watched(site: Callable[[], Site], audience: Audience, fresh: bool) -> Finish:
    stop = anyio.Event()
    coordinator = Coordinator(site=site, audience=audience, stop=stop, fresh=fresh)
    finished = []
    async with ending_together() as tasks:
        await tasks.start(_stop_on_signal, stop, audience, site)
        finished.append(await coordinator.run())
    return finished[0]


async def _stop_on_signal(
    stop: anyio.Event,
    audience: Audience,
    site: Callable[[], Site],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """It has started when it listens."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            if number == signal.SIGHUP:
                continue  # The terminal is gone; the night's work is not.
            if stop.is_set():
                os._exit(ExitCode.INTERRUPTED)  # The second one means it: workers live on and are adopted later.
            stop.set()
            here = site()
            with suppress(OSError):  # Workers are stopped also where that cannot be written down.
                here.journal("orders").append(
                    Ordered(at_ms=here.now_ms(), run=here.run, milestone=EVERY, order="stop", sender="signal")
                )
            audience.note("stopping all workers; once more ends this coordinator at once, without waiting for them")


def _renewed(site: Site) -> Callable[[], Site]:
    """The project with the preferences as they are now; a file with errors changes nothing."""
    known = site
    looked = 0.0

    def now() -> Site:
        nonlocal known, looked
        if time.monotonic() - looked > 1.0:
            looked = time.monotonic()
            loaded = preferences.load(str(site.root), site.home, state_dir=site.state_dir)
            if not loaded.errors and loaded.preferences != known.preferences:
                known = replace(known, preferences=loaded.preferences)
        return known

    return now


def _afresh(retry: str | None, site: Site) -> Iterator[Ordered | CapReset]:
    """Events that forget crashes, endings and used-up attempts of one milestone, or of all; undone ones are done again.

    Raises UnknownMilestone.
    """
    if retry is None:
        return
    known = milestone_ids(Snapshot(str(site.root), site.state_dir))
    if retry != EVERY and require_milestone(retry) not in known:
        raise UnknownMilestone(f"there is no milestone {retry}", hint=f"There are: {', '.join(known) or 'none'}")
    for milestone in known if retry == EVERY else (retry,):
        yield Ordered(at_ms=site.now_ms(), run=site.run, milestone=milestone, order="retry", sender="person")
        for key in _tried(milestone, site):
            yield CapReset(at_ms=site.now_ms(), run=site.run, unit=key)


def _tried(milestone: str, site: Site) -> list[str]:
    """Units whose attempts are counted afresh; the last makes a milestone that was undone be done again."""
    events = site.journal(milestone).own()
    tried = [f"{e.kind}/{e.unit}" for e in events if isinstance(e, AttemptStarted)]
    return list(dict.fromkeys([*tried, f"{UnitKind.COMPLETE_MILESTONE}/{milestone}"]))


def _detached(argv: Sequence[str], agent: str | None, opening: Opening, site: Site) -> int:
    """Start the coordinator in the background, and see that it began."""
    words = [word for word in argv if word not in ("--detach", "--yes", "-y")]
    words += ["--agent", agent] if agent else []
    out, err = (spawn.log(site.box, "coordinator", site.run, end) for end in ("out", "err"))
    process = spawn.start(
        [*spawn.program(site.env), "parallel", "start", "--yes", *words], site.root, dict(site.env), out, err
    )
    deadline = time.monotonic() + _DETACH_S
    path, guard = site.lease("coordinator"), site.guard("coordinator")
    while time.monotonic() < deadline:
        found = holder_of(path, guard)
        if found is not None and found.pid == process.pid:
            begun = parallel_text.started(opening.first, opening.skipped)
            sys.stdout.write(f"\n{begun}\nCoordinator: pid {process.pid}, output in {out}\n")
            return ExitCode.DONE
        if process.poll() is not None:
            sys.stdout.write(out.read_text("utf-8", errors="replace"))
            sys.stderr.write(err.read_text("utf-8", errors="replace"))
            return process.returncode
        time.sleep(0.05)
    raise NobodyStarted("the coordinator did not begin", hint=f"Look at {err}")
