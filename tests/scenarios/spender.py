"""A parallel worker reduced to its money: takes the lease of a milestone, then claims and spends till it may not.

    python -m scenarios.spender PLAN.json     PLAN: see `Plan`

Units are real sessions of a scripted agent, below real ceilings; nothing is committed. For tests that race processes.
"""

import os
import sys
from itertools import count
from pathlib import Path

import anyio
import msgspec

from milepost.agents.session import Event, SessionSpec
from milepost.agents.tools.catalogue import ToolPolicy
from milepost.errors import ExitCode
from milepost.formats.journal import AttemptEnded, AttemptStarted, Result, RunEnded, RunStarted
from milepost.formats.preferences import Parallel, Preferences
from milepost.model.outcome import OverBudget
from milepost.model.units import Unit, UnitKind
from milepost.process import identity
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease
from milepost.testing.scripted import ScriptedAgent, Sleep, Spend, Step
from milepost.unit.bench import Bench, Silent, Workspace
from milepost.unit.ceilings import reserve
from milepost.unit.converse import converse
from milepost.unit.transcript import Transcript
from milepost.worker.alerts import alert


class Plan(msgspec.Struct, kw_only=True):
    """What one process does."""

    root: str
    milestone: str
    run: str
    units: list[list[int]]
    """Prices of the requests of each unit, micro-USD; the last one again and again."""
    fleet: str = "f-1"
    ceiling: float | None = None
    own: float | None = None
    pace_s: float = 0.002
    gate: str = ""
    """A file that must be there before the first claim."""
    hold: str = ""
    """A file that must be there before the first unit spends anything."""


class Told(Silent):
    """Keeps what is said in a file, for the test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, text: str) -> None:
        """One line."""
        with self.path.open("a") as file:
            file.write(text + "\n")

    def session_event(self, event: Event) -> None:
        """Nothing."""


def bench_of(plan: Plan) -> Bench:
    """The tools, in the user's own checkout, which nothing is written to."""
    root = Path(plan.root)
    clock = count()
    preferences = Preferences()._replace(
        budget_ceiling=plan.own, parallel=Parallel()._replace(budget_ceiling=plan.ceiling)
    )
    place = Workspace(root=root, cwd=root, state_dir=".gsd", milestone=plan.milestone, branch="main", isolation="none")
    return Bench(
        workspace=place,
        agent=ScriptedAgent({"*": lambda _spec, number: steps(plan, number)}),
        preferences=preferences,
        journal=Journal(place.root_state, plan.milestone),
        run=plan.run,
        now_ms=lambda: 1_763_760_000_000 + next(clock),
        env={},
        stop=anyio.Event(),
        watcher=Told(root / f"{plan.milestone}.{plan.run}.told"),
        worker=True,
        fleet=plan.fleet,
    )


def steps(plan: Plan, number: int) -> list[Step]:
    """One unit's requests."""
    prices = plan.units[min(number, len(plan.units) - 1)]
    return [step for price in prices for step in (Sleep(plan.pace_s), Spend(micro_usd=price))]


async def until(path: str) -> None:
    """Wait for a file; an empty name is there already."""
    while path and not await anyio.Path(path).exists():  # noqa: ASYNC110 (another process makes it)
        await anyio.sleep(0.01)


async def spend(plan: Plan) -> ExitCode:
    """Unit after unit. The exit code is that of a run: budget."""
    bench = bench_of(plan)
    say = bench.journal.append
    say(RunStarted(at_ms=bench.now_ms(), run=plan.run, pid=os.getpid(), version="", command="auto",
                   milestone=plan.milestone, fleet=plan.fleet))  # fmt: skip
    await until(plan.gate)
    for number in count(1):
        attempt = f"{plan.milestone}.{plan.run}.{number}"
        refused = await reserve(attempt, UnitKind.EXECUTE_TASK, bench)
        if refused is not None:
            assert isinstance(refused, OverBudget)
            reason = f"{refused.scope}: {refused.committed} of {refused.ceiling}"
            say(RunEnded(at_ms=bench.now_ms(), run=plan.run, state="budget", reason=reason, milestone=plan.milestone))
            return ExitCode.BUDGET
        unit = Unit(UnitKind.EXECUTE_TASK, f"{plan.milestone}/S01/T{number:02d}")
        say(AttemptStarted(at_ms=bench.now_ms(), run=plan.run, attempt=attempt, kind=unit.kind, unit=unit.id,
                           base="", branch="", fingerprint="", number=1))  # fmt: skip
        if number == 1:
            await until(plan.hold)
        over = await session(unit, attempt, bench)
        result = Result.OVER_BUDGET if over else Result.COMMITTED
        say(AttemptEnded(at_ms=bench.now_ms(), run=plan.run, attempt=attempt, result=result))
        alert(bench)
    raise AssertionError


async def session(unit: Unit, attempt: str, bench: Bench) -> bool:
    """One session; whether a ceiling ended it."""
    place = bench.workspace
    spec = SessionSpec(
        unit=unit, cwd=place.cwd, system="", prompt="Spend.", models=(), policy=ToolPolicy.ALL,
        state_dir=place.state_dir, env={}, output_dir=place.root_state / "runtime/outputs",
    )  # fmt: skip
    with Transcript(place.root_state, unit) as transcript:
        return (await converse(spec, attempt, bench, transcript)).over is not None


def main() -> int:
    """Hold the lease and spend."""
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    own = identity.own()
    state = Path(plan.root) / ".gsd"
    holder = Holder(pid=own.pid, run=plan.run, host=own.host, boot_id=own.boot_id, start_ticks=own.start_ticks)
    guard = state / "journal" / f"{plan.milestone}.jsonl"
    with Lease(state / "parallel" / f"{plan.milestone}.lease", plan.milestone, holder, guard=guard):
        return anyio.run(spend, plan)


if __name__ == "__main__":
    sys.exit(main())
