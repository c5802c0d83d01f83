"""Every state in which a process can have left an attempt, and what the next start makes of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    Corrected,
    Result,
    SessionEnded,
    UsageReported,
)
from milepost.formats.preferences import Preferences
from milepost.model.outcome import Committed, Inconclusive, Unfinished, VerifyFailed
from milepost.rules import budget
from milepost.rules.attempts import open_attempts
from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.testing.scripted import Hang, Step, Tool
from milepost.unit import before, briefing, recover, transaction
from milepost.unit.bench import Bench
from milepost.unit.transaction import run_unit
from unit.workbench import (
    HOME,
    PLAN,
    PRODUCT,
    STATE,
    SUMMARY,
    TASK,
    agent,
    bench_for,
    events,
    git,
    honest,
    notes,
    write,
)

pytestmark = pytest.mark.anyio


class Died(BaseException):
    """The process ends here."""


def dying(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    """Let the process end when it gets to `module.name`."""

    def end(*args: object, **kwargs: object) -> object:
        raise Died

    monkeypatch.setattr(module, name, end)


async def left_at(project: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str, *steps: Step) -> Bench:
    """A bench of the next start, after a run that died at `module.name`."""
    with monkeypatch.context() as patch:
        dying(patch, module, name)
        bench = bench_for(project, {"*": steps or honest()})
        with pytest.raises(BaseException) as raised:
            await run_unit(TASK, bench)
        assert isinstance(raised.value, Died) or raised.group_contains(Died)
    return again(bench)


def again(bench: Bench, *steps: Step, **changes: object) -> Bench:
    """The bench of the next start: same place and journal, a new run."""
    made = bench_for(bench.workspace.root, {"*": steps}, **changes)
    at = bench.now_ms()
    return replace(made, run="r-2", now_ms=lambda: at + len(events(made)))


def ends(bench: Bench) -> list[tuple[Result, str]]:
    return [(e.result, e.run) for e in events(bench, AttemptEnded) if isinstance(e, AttemptEnded)]


def settled(bench: Bench) -> None:
    """Nothing is open, nothing is held back, nothing is shown as running."""
    assert open_attempts(events(bench)) == ()
    assert budget.books(events(bench)).reserved == 0
    runtime = bench.workspace.root_state / "runtime"
    assert [p for part in ("attempts", "units") for p in (runtime / part).glob("*")] == []


async def test_nothing_is_open(project: Path) -> None:
    bench = bench_for(project)
    assert await recover.recover(bench) == ()
    await run_unit(TASK, bench)
    count = len(events(bench))
    assert await recover.recover(bench) == ()
    assert len(events(bench)) == count


async def test_it_died_after_it_reserved_money(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await left_at(project, monkeypatch, before, "keep")
    assert [type(e) for e in events(bench)] == [BudgetReserved]
    assert budget.books(events(bench)).reserved > 0
    assert await recover.recover(bench) == ()
    journal = Journal(project / STATE, "project")
    assert len(recover.free_reservations(journal.everything(), journal, run="r-2", at_ms=1)) == 1
    assert recover.free_reservations(journal.everything(), journal, run="r-2", at_ms=2) == ()
    assert ends(bench) == [(Result.CRASHED, "r-2")]
    settled(bench)


async def test_it_died_before_its_session(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await left_at(project, monkeypatch, transaction, "converse")
    [(unit, outcome)] = await recover.recover(bench)
    assert unit == TASK
    assert isinstance(outcome, Unfinished)
    assert ends(bench) == [(Result.CRASHED, "r-2")]
    assert "nothing usable was left" in notes(bench).text
    settled(bench)


@pytest.mark.spec(id="PR-237")
async def test_it_died_in_its_session_and_the_next_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from milepost.unit import converse

    steps = [write("half.txt", "half\n"), Tool("shell", {"command": "echo seen"})]
    bench = await left_at(project, monkeypatch, converse, "_closing", *steps)
    [(_, outcome)] = await recover.recover(bench)
    assert isinstance(outcome, Unfinished)
    past = briefing.of(TASK, bench)
    assert "echo seen" in past.crash
    assert "half.txt" in past.crash
    settled(bench)


@pytest.mark.spec(id="PR-237")
async def test_its_work_was_there_and_is_not_paid_for_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await left_at(project, monkeypatch, transaction, "settle")
    assert len(events(bench, SessionEnded)) == 1
    [(_, outcome)] = await recover.recover(bench)
    assert isinstance(outcome, Committed)
    assert ends(bench) == [(Result.COMMITTED, "r-2")]
    assert "[x] **T01" in git(bench.workspace.cwd, "show", f"HEAD:{PLAN}")
    assert agent(bench).sessions == []
    assert len(events(bench, UsageReported)) == 1
    settled(bench)


@pytest.mark.parametrize("step", ["gate", "_commit"])
async def test_it_died_while_it_settled(step: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await left_at(project, monkeypatch, transaction, step)
    [(_, outcome)] = await recover.recover(bench)
    assert isinstance(outcome, Committed)
    assert git(bench.workspace.cwd, "rev-list", "--count", "main..HEAD").strip() == "1"
    settled(bench)


async def test_it_was_committed_and_not_closed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await left_at(project, monkeypatch, transaction, "close")
    head = git(bench.workspace.cwd, "rev-parse", "HEAD").strip()
    assert await recover.recover(bench) == ((TASK, Committed(head)),)
    assert git(bench.workspace.cwd, "rev-parse", "HEAD").strip() == head
    assert ends(bench) == [(Result.COMMITTED, "r-2")]
    settled(bench)


async def test_what_the_agent_did_wrong_is_put_right_before(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [*honest(), write(f"{HOME}/M001-SUMMARY.md", "# all done\n")]
    bench = await left_at(project, monkeypatch, transaction, "settle", *steps)
    [(_, outcome)] = await recover.recover(bench)
    assert isinstance(outcome, Committed)
    assert len(events(bench, Corrected)) == 1
    assert not (bench.workspace.cwd / f"{HOME}/M001-SUMMARY.md").exists()


async def test_a_gate_that_fails_now_closes_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await left_at(project, monkeypatch, transaction, "gate")
    (bench.workspace.cwd / PRODUCT).write_text("something else\n")
    [(_, outcome)] = await recover.recover(bench)
    assert isinstance(outcome, VerifyFailed)
    assert ends(bench) == [(Result.VERIFY_FAILED, "r-2")]
    assert not (bench.workspace.cwd / SUMMARY).exists()
    settled(bench)


async def test_an_inconclusive_one_is_settled_when_its_gate_works(project: Path) -> None:
    broken = Preferences()._replace(verification_commands=("no-such-runner",))
    bench = bench_for(project, preferences=broken)
    assert isinstance(await run_unit(TASK, bench), Inconclusive)
    still = again(bench, preferences=broken)
    [(_, outcome)] = await recover.recover(still)
    assert isinstance(outcome, Inconclusive)
    assert ends(still) == []
    assert not (still.workspace.cwd / SUMMARY).exists()
    mended = again(bench)
    [(_, outcome)] = await recover.recover(mended)
    assert isinstance(outcome, Committed)
    assert agent(mended).sessions == []
    assert "Wrote T01" in git(mended.workspace.cwd, "show", f"HEAD:{SUMMARY}")
    settled(mended)


@pytest.mark.parametrize("done", [True, False])
async def test_a_person_stopped_it(done: bool, project: Path) -> None:
    bench = bench_for(project, {"*": [*(honest() if done else []), Hang()]})

    async def person() -> None:
        while not (bench.workspace.cwd / SUMMARY).exists() and (done or not notes(bench).started):  # noqa: ASYNC110
            await anyio.sleep(0.01)
        bench.stop.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(person)
        await run_unit(TASK, bench)
    assert ends(bench) == ([] if done else [(Result.INTERRUPTED, "r-1")])
    later = again(bench)
    found = await recover.recover(later)
    assert [type(outcome) for _, outcome in found] == ([Committed] if done else [])
    settled(later)


async def test_two_open_attempts_at_one_unit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await left_at(project, monkeypatch, transaction, "converse")
    bench = await left_at(project, monkeypatch, transaction, "settle")
    assert len(events(first, AttemptStarted)) == 2
    found = await recover.recover(bench)
    assert len(found) == 2
    assert git(bench.workspace.cwd, "rev-list", "--count", "main..HEAD").strip() == "1"
    settled(bench)


async def test_only_the_milestones_own_attempts_are_recovered(project: Path) -> None:
    bench = bench_for(project)
    other = AttemptStarted(
        at_ms=1, run="r", attempt="x", kind="plan-slice", unit="M002/S01", base="", branch="", fingerprint="", number=1
    )
    Journal(project / STATE, "M002").append(other)
    assert await recover.recover(bench) == ()
    assert open_attempts(events(bench)) == (other,)


def started(name: str) -> AttemptStarted:
    return AttemptStarted(
        at_ms=1, run="r", attempt=name, kind="plan-slice", unit="M1/S1", base="", branch="", fingerprint="", number=1
    )


def ended(name: str) -> AttemptEnded:
    return AttemptEnded(at_ms=1, run="r", attempt=name, result=Result.COMMITTED)


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ([], []),
        ([started("a"), started("b"), ended("a")], ["b"]),
        ([started("b"), started("a")], ["b", "a"]),
        ([ended("a")], []),
    ],
)
def test_open_attempts(found: Sequence[AnyEvent], names: list[str]) -> None:
    assert [e.attempt for e in open_attempts(found)] == names


async def test_the_plan_was_changed_meanwhile(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await left_at(project, monkeypatch, transaction, "settle")
    projects.write(bench.workspace.cwd, {PLAN: "# S01: nothing left\n"})
    assert len(await recover.recover(bench)) == 1
    settled(bench)
