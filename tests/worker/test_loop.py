"""Recover, land, derive, decide, do one unit; again."""

from pathlib import Path

import pytest

from conftest import run_git
from milepost.agents.session import ErrorKind, Event
from milepost.errors import ExitCode
from milepost.formats.journal import (
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetReserved,
    CapReset,
    Landed,
    Result,
    RunEnded,
    RunStarted,
)
from milepost.formats.signal import Order
from milepost.git.repo import NotReady
from milepost.model.units import Unit
from milepost.rules import budget
from milepost.testing import projects
from milepost.testing.scripted import Fail, Hang, Say, Script, Spend
from milepost.worker import loop
from milepost.worker.shift import Ending, Shift
from unit.workbench import Notes, honest, write
from worker.shifts import QUICK, all_honest, post, prefer, said, shift_for

pytestmark = pytest.mark.anyio
TASK = "execute-task/M001/S01/T01"


async def work(shift: Shift) -> Ending:
    return await loop.work(shift, 4711)


def units(shift: Shift) -> list[str]:
    return [f"{e.kind}/{e.unit}" for e in shift.journal("x").everything() if isinstance(e, AttemptStarted)]


def results(shift: Shift) -> list[Result]:
    return [e.result for e in shift.journal("x").everything() if isinstance(e, AttemptEnded)]


def last_end(shift: Shift) -> RunEnded:
    found = [e for e in shift.journal("x").everything() if isinstance(e, RunEnded)][-1]
    assert isinstance(found, RunEnded)
    return found


def but(*, task: Script) -> dict[str, Script]:
    """The honest agent, with the task's sessions changed."""
    return all_honest() | {TASK: task}


async def test_a_plan_is_worked_through(project: Path) -> None:
    shift = shift_for(project)
    ending = await work(shift)
    assert ending.code is ExitCode.DONE
    assert units(shift) == list(projects.units())
    assert run_git(project, "log", "--format=%s").count("\n") == 2
    events = shift.journal("x").everything()
    first = next(e for e in events if isinstance(e, RunStarted))
    assert (first.pid, first.command) == (4711, "auto")
    assert (last_end(shift).state, last_end(shift).reason) == ("done", ending.reason)
    assert "M001 is on main" in said(shift)


async def test_a_run_on_what_is_done_does_nothing(project: Path) -> None:
    await work(shift_for(project))
    again = shift_for(project, run="r-2")
    assert (await work(again)).code is ExitCode.DONE
    assert len(units(again)) == 3


async def test_one_unit_at_a_time(project: Path) -> None:
    for done in (1, 2, 3):
        shift = shift_for(project, run=f"r-{done}", max_units=1)
        ending = await work(shift)
        assert ending.code is ExitCode.DONE
        assert len(units(shift)) == done
        assert (ending.reason.startswith("next is ")) is (done < 3)
    assert any(isinstance(e, Landed) for e in shift.journal("x").everything())


async def test_a_locked_worker_leaves_the_landing_to_others(project: Path) -> None:
    shift = shift_for(project, lock="M001")
    assert (await work(shift)).code is ExitCode.DONE
    assert (project / ".gsd/worktrees/M001").exists()
    assert not any(isinstance(e, Landed) for e in shift.journal("x").everything())


async def test_a_unit_done_at_the_third_try_is_no_circle(project: Path) -> None:
    def script(spec: object, attempt: int) -> list[object]:
        return honest() if attempt == 2 else [Say("Soon.")]

    shift = shift_for(project, but(task=script))  # type: ignore[arg-type]
    assert (await work(shift)).code is ExitCode.DONE
    assert results(shift) == [Result.UNFINISHED] * 2 + [Result.COMMITTED] * 3


async def test_attempts_are_capped_over_restarts_until_a_person_says_so(project: Path) -> None:
    for run in range(3):
        shift = shift_for(project, but(task=[Say("Soon.")]), run=f"r-{run}", max_units=1)
        await work(shift)
    stopped = shift_for(project, but(task=[Say("Soon.")]), run="r-9")
    ending = await work(stopped)
    assert (ending.code, len(units(stopped))) == (ExitCode.BLOCKED, 3)
    assert "tried 3 times" in ending.reason
    assert "T01-SUMMARY.md" in ending.reason
    assert "gsd auto --retry M001/S01/T01" in ending.hint
    stopped.journal("project").append(CapReset(at_ms=10**14, run="p", unit=TASK))
    assert (await work(shift_for(project, run="r-10"))).code is ExitCode.DONE


async def test_failed_gates_pause(project: Path) -> None:
    bad = [write("work/M001-S01-T01.txt", "no\n"), *honest()[2:]]
    shift = shift_for(project, but(task=bad))
    ending = await work(shift)
    assert ending.code is ExitCode.PAUSED
    assert "the gate failed 3 times" in ending.reason
    assert "T01-VERIFY.json" in ending.hint
    assert results(shift) == [Result.VERIFY_FAILED] * 3
    once = shift_for(project, run="r-2", preferences=QUICK._replace(verification_auto_fix=False))
    assert "the gate failed" in (await work(once)).reason


async def test_over_budget(project: Path) -> None:
    shift = shift_for(
        project, but(task=[Spend(micro_usd=2_000_000), Hang()]), preferences=QUICK._replace(budget_ceiling=1.0)
    )
    ending = await work(shift)
    assert (ending.code, last_end(shift).state) == (ExitCode.BUDGET, "budget")
    assert "$2.00 of $1.00" in ending.reason
    [alert] = [e for e in shift.journal("x").everything() if isinstance(e, BudgetAlerted)]
    assert (alert.percent, alert.ceiling_micro_usd) == (100, 1_000_000)
    assert "budget: 100 % of $1.00" in said(shift)
    again = shift_for(project, run="r-2", preferences=QUICK._replace(budget_ceiling=1.0))
    assert (await work(again)).code is ExitCode.BUDGET
    assert len(units(again)) == 1
    assert "budget: 100" not in said(again)


async def test_money_reserved_by_the_dead_can_be_spent(project: Path) -> None:
    shift = shift_for(project, preferences=QUICK._replace(budget_ceiling=1.0))
    lost = BudgetReserved(at_ms=1, run="dead", attempt="lost", micro_usd=950_000)
    shift.journal("M001").append(lost)
    assert (await work(shift)).code is ExitCode.DONE
    assert budget.books(shift.journal("x").everything()).reserved == 0


async def test_a_locked_worker_frees_only_its_own(project: Path) -> None:
    shift = shift_for(project, lock="M001")
    shift.journal("M002").append(BudgetReserved(at_ms=1, run="other", attempt="theirs", micro_usd=7))
    shift.journal("M001").append(BudgetReserved(at_ms=1, run="dead", attempt="mine", micro_usd=5))
    await work(shift)
    assert budget.books(shift.journal("x").everything()).reserved == 7


async def test_a_provider_that_fails_pauses(project: Path) -> None:
    ending = await work(shift_for(project, but(task=[Fail(ErrorKind.RATE_LIMIT, "slow down")])))
    assert ending.code is ExitCode.PAUSED
    assert "slow down" in ending.reason


class StopAt(Notes):
    """A person who does something when the first unit begins."""

    def __init__(self) -> None:
        super().__init__()
        self.shift: Shift | None = None
        self.order: Order | None = None

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        assert self.shift is not None
        super().unit_started(unit, attempt, number)
        if len(self.started) == 1:
            if self.order:
                post(self.shift, self.order)
            else:
                self.shift.stop.set()


@pytest.mark.parametrize(
    ("order", "code", "done"),
    [(Order.PAUSE, ExitCode.PAUSED, 1), (Order.STOP, ExitCode.INTERRUPTED, 1), (Order.RESUME, ExitCode.DONE, 3)],
)
async def test_orders_are_taken_between_units(order: Order, code: ExitCode, done: int, project: Path) -> None:
    person = StopAt()
    shift = person.shift = shift_for(project, watcher=person)
    person.order = order
    assert (await work(shift)).code is code
    assert results(shift) == [Result.COMMITTED] * done


async def test_a_stop_in_mid_unit(project: Path) -> None:
    person = StopAt()
    shift = person.shift = shift_for(project, but(task=[Hang()]), watcher=person)
    assert (await work(shift)).code is ExitCode.INTERRUPTED
    assert results(shift) == [Result.INTERRUPTED]
    assert last_end(shift).state == "interrupted"
    assert (await work(shift_for(project, run="r-2"))).code is ExitCode.DONE


async def test_a_stop_before_the_start(project: Path) -> None:
    shift = shift_for(project)
    shift.stop.set()
    assert (await work(shift)).code is ExitCode.INTERRUPTED
    assert units(shift) == []


async def test_a_gate_that_cannot_be_judged_pauses_and_is_not_paid_for_again(project: Path) -> None:
    broken = QUICK._replace(verification_commands=("no-such-runner",))
    ending = await work(shift_for(project, preferences=broken))
    assert ending.code is ExitCode.PAUSED
    assert "could not be judged" in ending.reason
    again = await work(shift_for(project, preferences=broken, run="r-2"))
    assert again.code is ExitCode.PAUSED
    shift = shift_for(project, run="r-3")
    assert (await work(shift)).code is ExitCode.DONE
    assert units(shift).count(TASK) == 1


async def test_an_error_is_journaled_and_comes_out(project: Path) -> None:
    (project / ".git/MERGE_HEAD").write_text(run_git(project, "rev-parse", "HEAD"))
    shift = shift_for(project)
    with pytest.raises(NotReady) as raised:
        await work(shift)
    assert (last_end(shift).reason, last_end(shift).hint) == (str(raised.value), raised.value.hint)


class Full(Notes):
    """A disk that is full when the agent says something."""

    def session_event(self, event: Event) -> None:
        raise OSError(28, "No space left on device", "/full")


async def test_a_full_disk_is_journaled_and_comes_out(project: Path) -> None:
    shift = shift_for(project, watcher=Full())
    with pytest.raises(OSError, match="No space"):
        await work(shift)
    assert (last_end(shift).state, last_end(shift).reason) == ("error", "/full No space left on device")


async def test_two_milestones_in_order(tmp_path: Path) -> None:
    root = tmp_path / "two"
    projects.tiny(root, milestones=("M001", "M002"), depends={"M001": ["M002"]})
    shift = shift_for(root, all_honest(milestones=("M001", "M002")))
    assert (await work(shift)).code is ExitCode.DONE
    assert [unit.split("/")[1] for unit in units(shift)] == ["M002"] * 3 + ["M001"] * 3


async def test_milestones_that_wait_for_each_other_block(tmp_path: Path) -> None:
    root = tmp_path / "knot"
    projects.tiny(root, milestones=("M001", "M002"), depends={"M001": ["M002"], "M002": ["M001"]})
    shift = shift_for(root)
    assert (await work(shift)).code is ExitCode.BLOCKED
    assert units(shift) == []


@pytest.mark.parametrize("isolation", ["branch", "none"])
async def test_other_isolations(isolation: str, project: Path) -> None:
    shift = shift_for(project, preferences=prefer(isolation=isolation))
    assert (await work(shift)).code is ExitCode.DONE
    assert run_git(project, "branch", "--show-current") == "main\n"
    assert (project / "work/M001-S01-T01.txt").exists()


async def test_a_plan_of_an_older_release(project: Path) -> None:
    home = ".gsd/milestones/M001"
    run_git(project, "mv", f"{home}/slices/S01", f"{home}/slices/S01-first")
    run_git(project, "mv", home, f"{home}-SMALL")
    run_git(project, "commit", "-qm", "as older releases name it")

    def legacy(key: str) -> list[object]:
        return [
            write(
                str(step.args["path"]).replace(home, f"{home}-SMALL").replace("slices/S01/", "slices/S01-first/"),
                str(step.args["content"]),
            )
            if hasattr(step, "args")
            else step
            for step in all_honest()[key]  # type: ignore[union-attr]
        ]

    shift = shift_for(project, {key: legacy(key) for key in projects.units()})  # type: ignore[misc]
    ending = await work(shift)
    assert ending.code is ExitCode.DONE, ending
    assert len(units(shift)) == 3
