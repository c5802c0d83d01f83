"""What `gsd auto`, `gsd next` and `gsd headless` have in common: from a command line to a run and its exit code.

Environment, home and current directory are read here and nowhere below. Source: style R1, spec auto 5.2, 7.1.
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio

from milepost.agents.builtin import price_table
from milepost.errors import ExitCode, MilepostError
from milepost.formats.assignment import Assignment
from milepost.formats.journal import AttemptStarted, CapReset
from milepost.formats.preferences import Preferences
from milepost.git import repo
from milepost.git.exclude import exclude
from milepost.model.units import UnitKind
from milepost.process import environment, identity
from milepost.rules import gitignore
from milepost.rules.limits import scale
from milepost.store import ledger, preferences
from milepost.store.lease import Holder, LeaseHeld
from milepost.ui import progress
from milepost.ui.cli import (
    agents,
    answers,
    arguments,
    assigned,
    context,
    credentials,
    dry_run,
    limits,
    project,
    shelving,
    signals,
    supervised,
    surroundings,
    telling,
)
from milepost.ui.notify import door, remote
from milepost.unit.asking import Nobody
from milepost.unit.converse import ending_together
from milepost.unit.hold import Hold
from milepost.worker import loop
from milepost.worker.holding import signed
from milepost.worker.shift import Ending, Shift


class UnknownUnit(MilepostError):
    """`--retry` of something that has no attempts."""


def parser(program: str, command: str) -> argparse.ArgumentParser:
    """The options of `auto` and `next`."""
    says = "Work through the plan until it is done." if command == "auto" else "Do one unit, then stop."
    made = arguments.Parser(prog=f"{program} {command}", description=says, allow_abbrev=False)
    add_agent(made)
    made.add_argument("--retry", metavar="UNIT", nargs="?", const="*", help="count attempts afresh, of one unit or all")
    made.add_argument("--max-units", metavar="N", type=_count, help="stop after so many units")
    limits.add_options(made)
    add_ways(made)
    if command == "next":
        made.add_argument("--dry-run", action="store_true", help="only say what would be done, and what that costs")
    return made


def add_agent(made: argparse.ArgumentParser) -> None:
    """The options that say who does the work."""
    made.add_argument("--model", metavar="NAME", help="use this model for every unit (claude-…, openai/…, ollama/…)")
    made.add_argument("--agent", metavar="SPEC", default="builtin", help="builtin (default), or replay:FILE")
    made.add_argument("--record", metavar="FILE", help="keep the sessions as a cassette that replay:FILE can play")
    made.add_argument("--pace", metavar="SECONDS", type=float, default=0.0, help="let a replay be watched")


def add_ways(made: argparse.ArgumentParser) -> None:
    """The options that say how it is run and told, and what a run is when nobody says otherwise."""
    made.add_argument("--no-sandbox", action="store_true", help="run commands without the sandbox")
    made.add_argument("--json", action="store_true", help="events as JSON lines on stdout")
    telling.add_options(made)
    supervised.add_option(made)
    answers.add_option(made)
    made.add_argument("--timeout", metavar="MS", type=_milliseconds, default=0, help="end the run after so long")
    made.add_argument("--headless", action="store_true", help=argparse.SUPPRESS)
    made.set_defaults(discuss=None, goes_on=True, answerer=Nobody(), restarts=None, quick=None, hold=Hold())


def run(argv: Sequence[str], program: str, command: str) -> int:
    """Run; returns the exit code. A headless run ends with its JSON line even when it never began."""
    return start(parser(program, command).parse_args(argv), program, command)


def start(options: argparse.Namespace, program: str, command: str) -> int:
    """The same with options that are read already (those of `parser`, and perhaps a discussion)."""
    supervised.settle(options)
    try:
        if command == "next" and options.dry_run:
            return dry_run.run(program, as_json=options.json or options.headless)
        return _run(options, program, command)
    except (MilepostError, OSError) as error:
        if options.headless and not (options.restarts and options.restarts.due(error)):
            progress.failure(error, restarts=options.restarts.done if options.restarts else 0)
        raise


def _run(options: argparse.Namespace, program: str, command: str) -> int:
    given = assigned.read(os.environ)
    caught = signals.held_back() if given else []
    where = assigned.where(given, program)
    with assigned.ending_noted(given, where):
        return _work(options, where, program, command, given, caught)


def _work(
    options: argparse.Namespace,
    where: context.Where,
    program: str,
    command: str,
    given: Assignment | None,
    caught: Sequence[int],
) -> int:
    place = project.at_root(where)
    watcher = telling.watcher(options, _known(options, where))
    loaded = project.settings(where, program)
    shift = _shift(options, where, place.root, loaded.preferences, watcher, command, given)
    shift = replace(shift, landed=shelving.teller(where, program, shift.preferences, watcher.note))
    _require_startable(place, shift)
    with (
        assigned.held(given, shift.state, signed(shift.run, shift.command, shift.now_ms())) as leases,
        assigned.ports(given, where, loaded.preferences) as ports,
    ):
        exclude(place.common_dir, [f"{where.state_dir}/{pattern}" for pattern in gitignore.RUNTIME_PATTERNS])
        preferences.write_cache(where.root, where.home, state_dir=where.state_dir)
        _reset_caps(options.retry, shift)
        shift = assigned.furnished(replace(shift, leases=leases), ports)
        keyed = credentials.environ(where.home)
        assume = getattr(options, "assume", False)
        others = remote.answerer(shift, keyed, assume=assume)
        shift = replace(shift, answerer=answers.asked_first(options.answers, others, watcher.note, assume=assume))
        _introduce(shift)
        started = time.monotonic()
        if options.restarts:
            options.restarts.shift = shift
        try:
            with door.watched(shift, os.environ):
                ending = anyio.run(_watched, shift, options.timeout, caught)
            answers.closing(options.answers, watcher.note)
        finally:
            watcher.close()
            ledger.unlock(shift.own_state)
    restarts = options.restarts.done if options.restarts else 0
    took = time.monotonic() - started
    progress.summary(ending, shift, seconds=took, headless=options.headless, program=program, restarts=restarts)
    return ending.code


def _require_startable(place: repo.Repo, shift: Shift) -> None:
    """Prove that work may start. A worker with a worktree needs nothing of the user's checkout."""
    if shift.lock is not None and (shift.own_state.parent / ".git").is_file():
        repo.require_identity(place.root)
    else:
        repo.require_ready(place)
    for state in dict.fromkeys((shift.state, shift.own_state)):
        _require_alone(state)


def _introduce(shift: Shift) -> None:
    """Say what holds the commands, and that a lock that is set means nothing."""
    if shift.lock is None and (words := assigned.ignored(os.environ)):
        shift.watcher.note(words)
    shift.watcher.note(surroundings.enforced(sandbox=shift.sandbox))


async def _watched(shift: Shift, timeout_ms: int, caught: Sequence[int]) -> Ending:
    """The loop, with signals and the overall limit turned into an orderly stop."""
    reason = "stopped by a signal"
    limited = False
    ending = Ending(ExitCode.ERROR, "the run ended without saying why")
    async with ending_together() as tasks:
        # The loop may be long in git before it lets anybody else have a turn.
        await tasks.start(signals.stop_on_signal, shift, caught)

        async def limit() -> None:
            nonlocal limited
            await anyio.sleep(timeout_ms / 1000)
            limited = True
            shift.stop.set()

        if timeout_ms:
            tasks.start_soon(limit)
        ending = await loop.work(shift, os.getpid())
    if limited and ending.code is ExitCode.INTERRUPTED:
        return Ending(ExitCode.ERROR, f"the time limit of {timeout_ms} ms passed", ending.hint)
    return ending._replace(reason=ending.reason or reason)


def _shift(
    options: argparse.Namespace,
    where: context.Where,
    root: Path,
    settings: Preferences,
    watcher: progress.Closing,
    command: str,
    given: Assignment | None,
) -> Shift:
    settings = assigned.settings(given, settings)
    record = Path(options.record) if options.record else None
    model = assigned.model(given, options.model, settings)
    wanted = agents.Wanted(agent=options.agent, model=model, record=record, pace_s=options.pace)
    keyed = credentials.environ(where.home)
    models = agents.models(wanted, settings, keyed)
    price_table.choose(Path(where.home) / price_table.FILE)
    return Shift(
        root=root,
        state_dir=where.state_dir,
        run=(given.run if given else "") or f"r{time.time_ns() // 1_000_000:013d}-{os.urandom(3).hex()}",
        preferences=settings,
        agent=agents.maker(wanted, models, keyed),
        env=environment.scrubbed(os.environ, extra={}),
        now_ms=lambda: time.time_ns() // 1_000_000,
        stop=anyio.Event(),
        models=models,
        means=agents.means(wanted, settings, keyed),
        secrets=_known(options, where),
        keys=answers.keys(options.answers),
        caches=surroundings.caches(os.environ),
        sandbox=not options.no_sandbox,
        instructions=surroundings.instructions(where.home, root / where.state_dir),
        watcher=watcher,
        max_units=1 if command == "next" else options.max_units,
        bounds=limits.bounds(options, root, where.state_dir),
        lock=given.milestone if given else None,
        fleet=given.fleet if given else "",
        home=Path(where.home),
        command=command,
        variables=frozenset(name for name, value in os.environ.items() if value),
        wait_scale=scale(os.environ),
        discuss=options.discuss,
        goes_on=options.goes_on,
        quick=options.quick,
        answerer=options.answerer,
        hold=options.hold,
    )


def _known(options: argparse.Namespace, where: context.Where) -> tuple[str, ...]:
    """Values that are never told nor written."""
    return (*credentials.of_project(where), *answers.values(options.answers))


def _require_alone(state: Path) -> None:
    """Raise LeaseHeld when GSD itself works here: it knows nothing of our lease, only of its lock file."""
    found = ledger.read_lock(state)
    if found is None or isinstance(found.run, str) or not identity.started_before(found.pid, ledger.lock_file(state)):
        return
    raise LeaseHeld(f"{state.parent}", Holder(pid=found.pid, run="of another program"))


def _reset_caps(unit: str | None, shift: Shift) -> None:
    if unit is None:
        return
    keys = (
        [unit]
        if unit == "*" or ("/" in unit and unit.split("/")[0] in set(UnitKind))
        else [f"{k}/{unit}" for k in UnitKind]
    )
    tried = {f"{e.kind}/{e.unit}" for e in shift.journal("project").everything() if isinstance(e, AttemptStarted)}
    if unit != "*" and not tried.intersection(keys):
        raise UnknownUnit(f"{unit} was never tried, so there is nothing to count afresh", hint="gsd status")
    for key in keys:
        shift.journal("project").append(CapReset(at_ms=shift.now_ms(), run=shift.run, unit=key))


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 up")
    return number


def _milliseconds(text: str) -> int:
    number = int(text) if text.isdecimal() else -1
    if number < 0:
        raise argparse.ArgumentTypeError("must be a whole number of milliseconds")
    return number
