"""One unit, from intent to commit."""

import json
from pathlib import Path

import anyio
import pytest

from milepost.agents.session import ErrorKind, Event, Text
from milepost.formats.journal import (
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    Corrected,
    Result,
    SessionEnded,
    UsageReported,
    Verified,
)
from milepost.formats.preferences import Preferences
from milepost.git import status
from milepost.git.worktrees import IsolationBroken
from milepost.model.outcome import (
    Committed,
    Inconclusive,
    Interrupted,
    Outcome,
    OverBudget,
    ProviderFailed,
    TimedOut,
    Unfinished,
    VerifyFailed,
)
from milepost.rules import budget
from milepost.testing import projects
from milepost.testing.scripted import Fail, Hang, Say, Script, Spend
from milepost.unit.bench import Bench
from milepost.unit.transaction import ending, run_unit
from unit.workbench import (
    HOME,
    PLAN,
    PRODUCT,
    ROADMAP,
    SLICE,
    STATE,
    SUMMARY,
    TASK,
    Notes,
    agent,
    bench_for,
    events,
    git,
    honest,
    notes,
    write,
)

pytestmark = pytest.mark.anyio
ORDER = [AttemptStarted, UsageReported, SessionEnded, Verified, AttemptEnded]


def bench_of(project: Path, script: Script, **changes: object) -> Bench:
    return bench_for(project, {"*": script}, **changes)


def prefer(**changes: object) -> Preferences:
    return Preferences()._replace(**changes)  # type: ignore[arg-type]


def last_end(bench: Bench) -> AttemptEnded:
    found = events(bench, AttemptEnded)[-1]
    assert isinstance(found, AttemptEnded)
    return found


def box(bench: Bench) -> str:
    return next(line for line in (bench.workspace.cwd / PLAN).read_text().splitlines() if "**T01" in line)[:5]


def records(bench: Bench) -> list[str]:
    """What a unit in flight leaves for others to see."""
    runtime = bench.workspace.root_state / "runtime"
    return sorted(str(p.relative_to(runtime)) for part in ("attempts", "units") for p in (runtime / part).glob("*"))


@pytest.mark.parametrize("isolation", ["worktree", "branch", "none"])
async def test_an_honest_unit_is_one_commit(isolation: str, project: Path) -> None:
    bench = bench_for(project, isolation=isolation)
    place = bench.workspace.cwd
    before = git(place, "rev-parse", "HEAD").strip()
    outcome = await run_unit(TASK, bench)
    assert isinstance(outcome, Committed)
    assert git(place, "rev-list", f"{before}..HEAD").split() == [outcome.commit]
    assert sorted(git(place, "show", "--name-only", "--format=", "HEAD").split()) == sorted(
        [PLAN, SUMMARY, f"{HOME}/slices/S01/tasks/T01-VERIFY.json", PRODUCT]
    )
    assert box(bench) == "- [x]"
    assert status.dirty(place) == ()
    assert [type(e) for e in events(bench)] == [BudgetReserved, *ORDER]
    assert (last_end(bench).result, last_end(bench).commit) == (Result.COMMITTED, outcome.commit)
    assert notes(bench).started == [(TASK.key, 1)]
    assert records(bench) == []
    assert json.loads((project / STATE / "metrics.json").read_text())["units"][0]["result"] == "committed"


async def test_the_users_checkout_is_not_touched(project: Path) -> None:
    (project / "README.md").write_text("mine\n")
    head = git(project, "rev-parse", "HEAD")
    await run_unit(TASK, bench_for(project))
    assert git(project, "rev-parse", "HEAD") == head
    assert git(project, "status", "--porcelain") == " M README.md\n"
    assert not (project / PRODUCT).exists()


async def test_while_the_session_runs_everybody_can_see_it(project: Path) -> None:
    def script(spec: object, attempt: int) -> list[object]:
        lock = json.loads((project / STATE / "auto.lock").read_text())
        seen.append((lock["unitType"], lock["unitId"], lock["run"], records(bench)))
        return honest()

    seen: list[object] = []
    bench = bench_of(project, script)  # type: ignore[arg-type]
    await run_unit(TASK, bench)
    [(kind, unit, run, files)] = seen  # type: ignore[misc]
    assert (kind, unit, run) == ("execute-task", "M001/S01/T01", "r-1")
    assert [name.split("/")[0] for name in files] == ["attempts", "units"]


async def test_words_are_not_work(project: Path) -> None:
    bench = bench_of(project, [Say("All done!")])
    outcome = await run_unit(TASK, bench)
    assert isinstance(outcome, Unfinished)
    assert outcome.missing[-1] == "the agent called no tool"
    assert f"{SUMMARY.removeprefix('.gsd/')}: was not written" in outcome.missing
    assert (box(bench), last_end(bench).result) == ("- [ ]", Result.UNFINISHED)
    assert events(bench, Verified) == []


async def test_the_next_attempt_is_told_and_numbered(project: Path) -> None:
    bench = bench_of(project, lambda spec, attempt: honest() if attempt else [write("half.txt", "x\n")])
    await run_unit(TASK, bench)
    outcome = await run_unit(TASK, bench, diagnostic="GOES IN CIRCLES")
    assert isinstance(outcome, Committed)
    prompts = [spec.prompt for spec in agent(bench).sessions]
    assert "was not written" not in prompts[0]
    assert "was not written" in prompts[1]
    assert "GOES IN CIRCLES" in prompts[1]
    assert notes(bench).started == [(TASK.key, 1), (TASK.key, 2)]
    assert (bench.workspace.cwd / "half.txt").exists()


async def test_a_failed_gate_ticks_and_commits_nothing(project: Path) -> None:
    script = [*honest()[:1], write(PRODUCT, "something else\n"), *honest()[2:]]
    bench = bench_of(project, script)
    head = git(bench.workspace.cwd, "rev-parse", "HEAD")
    outcome = await run_unit(TASK, bench)
    assert isinstance(outcome, VerifyFailed)
    assert (project / outcome.evidence).exists() or (bench.workspace.cwd / outcome.evidence).exists()
    assert (box(bench), last_end(bench).result) == ("- [ ]", Result.VERIFY_FAILED)
    assert git(bench.workspace.cwd, "rev-parse", "HEAD") == head
    assert not (bench.workspace.cwd / SUMMARY).exists()
    [shelf] = (project / STATE / "runtime/set-aside").rglob("T01-SUMMARY.md")
    assert "Wrote T01" in shelf.read_text()


async def test_an_inconclusive_gate_leaves_the_attempt_open(project: Path) -> None:
    plan = project / PLAN
    plan.write_text(plan.read_text().replace("`grep -q M001/S01/T01", "`no-such-runner M001/S01/T01"))
    git(project, "commit", "-qam", "gate")
    bench = bench_of(project, honest(), preferences=prefer(verification_commands=("no-such-runner",)))
    outcome = await run_unit(TASK, bench)
    assert isinstance(outcome, Inconclusive)
    assert events(bench, AttemptEnded) == []
    assert box(bench) == "- [ ]"
    assert [name.split("/")[0] for name in records(bench)] == ["attempts"]
    assert (project / STATE / "metrics.json").exists()


async def test_the_budget_is_asked_before_anything_is_started(project: Path) -> None:
    bench = bench_of(project, honest(), preferences=prefer(budget_ceiling=1.0), carried_micro_usd=950_000)
    assert await run_unit(TASK, bench) == OverBudget(950_000, 1_000_000)
    assert events(bench) == []
    assert agent(bench).sessions == []
    warned = bench_of(
        project, honest(), preferences=prefer(budget_ceiling=1.0, budget_enforcement="warn"), carried_micro_usd=950_000
    )
    assert isinstance(await run_unit(TASK, warned), Committed)


async def test_over_budget_in_mid_unit(project: Path) -> None:
    script = [Spend(micro_usd=1_500_000), write("late.txt", "x\n")]
    bench = bench_of(project, script, preferences=prefer(budget_ceiling=1.0))
    assert await run_unit(TASK, bench) == OverBudget(1_500_000, 1_000_000)
    assert last_end(bench).result is Result.OVER_BUDGET
    assert budget.books(events(bench)).reserved == 0


async def test_work_that_is_finished_counts_although_the_money_is_gone(project: Path) -> None:
    bench = bench_of(project, [*honest()[1:], Spend(micro_usd=1_500_000)], preferences=prefer(budget_ceiling=1.0))
    assert isinstance(await run_unit(TASK, bench), Committed)


async def test_a_provider_that_fails(project: Path) -> None:
    bench = bench_of(project, [Fail(ErrorKind.RATE_LIMIT, "slow down")])
    outcome = await run_unit(TASK, bench)
    assert isinstance(outcome, ProviderFailed)
    assert (outcome.text, outcome.passing) == ("slow down", True)
    assert last_end(bench).reason == f"{ErrorKind.RATE_LIMIT}: slow down"


async def test_a_session_that_hangs_is_timed_out(project: Path) -> None:
    short = Preferences().auto_supervisor._replace(hard_timeout_minutes=0.002)
    bench = bench_of(project, [Hang()], preferences=prefer(auto_supervisor=short))
    assert isinstance(await run_unit(TASK, bench), TimedOut)
    assert last_end(bench).result is Result.TIMED_OUT


async def test_stopped_before_there_was_anything(project: Path) -> None:
    bench = bench_of(project, [Hang()])
    bench.stop.set()
    assert isinstance(await run_unit(TASK, bench), Interrupted)
    assert last_end(bench).result is Result.INTERRUPTED
    assert records(bench) == []


async def test_stopped_when_the_work_was_there_it_stays_open_to_be_settled(project: Path) -> None:
    stop = anyio.Event()

    class Person(Notes):
        def session_event(self, event: Event) -> None:
            if event == Text(text="stop me"):
                stop.set()

    script = [*honest(), write(f"{HOME}/M001-SUMMARY.md", "# all\n"), Say("stop me"), Hang()]
    bench = bench_of(project, script, stop=stop, watcher=Person())
    outcome = await run_unit(TASK, bench)
    assert isinstance(outcome, Interrupted)
    assert events(bench, AttemptEnded) == []
    assert len(events(bench, Corrected)) == 1
    assert not (bench.workspace.cwd / f"{HOME}/M001-SUMMARY.md").exists()
    assert (bench.workspace.cwd / SUMMARY).exists()
    assert [name.split("/")[0] for name in records(bench)] == ["attempts"]


async def test_a_place_that_is_not_the_milestones_is_refused_before_it_costs(project: Path) -> None:
    bench = bench_for(project)
    git(bench.workspace.cwd, "switch", "-q", "--detach")
    with pytest.raises(IsolationBroken):
        await run_unit(TASK, bench)
    assert events(bench) == []


async def test_a_slice_without_change_of_code_needs_no_gate(project: Path) -> None:
    bench = bench_for(project, {"execute-task/M001/S01/T01": honest(), "complete-slice": honest(SLICE)})
    outcome = await run_unit(SLICE, bench)
    assert isinstance(outcome, Committed)
    assert "[x] **S01" in (bench.workspace.cwd / ROADMAP).read_text()
    assert events(bench, Verified) == []


async def test_a_plan_in_another_encoding(project: Path) -> None:
    for path in (PLAN, f"{HOME}/slices/S01/tasks/T01-PLAN.md", f"{HOME}/M001-CONTEXT.md"):
        file = project / path
        file.write_bytes(file.read_bytes() + b"\ncaf\xe9\n")
    git(project, "commit", "-qam", "in Latin-1")
    bench = bench_for(project)
    assert isinstance(await run_unit(TASK, bench), Committed)
    assert b"caf\xe9\n" in (bench.workspace.cwd / PLAN).read_bytes()


async def test_planning_files_that_are_not_committed_here(project: Path) -> None:
    settings = Preferences().git._replace(commit_docs=False)
    bench = bench_for(project, preferences=prefer(git=settings))
    assert isinstance(await run_unit(TASK, bench), Committed)
    assert git(bench.workspace.cwd, "show", "--name-only", "--format=", "HEAD").split() == [PRODUCT]


async def test_a_credential_in_the_work_stops_the_commit(project: Path) -> None:
    secret = "not-a-pattern-but-mine"
    bench = bench_of(project, [*honest(), write("config.txt", f"token {secret}\n")], secrets=(secret,))
    outcome = await run_unit(TASK, bench)
    assert outcome == Unfinished(("config.txt:1: holds a credential of this machine; take it out",))
    assert git(bench.workspace.cwd, "log", "-1", "--format=%s") == "first\n"
    assert secret not in "".join(p.read_text() for p in (project / STATE / "activity").iterdir())


@pytest.mark.parametrize(
    ("outcome", "result", "reason"),
    [
        (Committed("c"), Result.COMMITTED, ""),
        (Unfinished(("a: b", "c")), Result.UNFINISHED, "a: b\nc"),
        (VerifyFailed(("make: exit code 2",), "e"), Result.VERIFY_FAILED, "make: exit code 2"),
        (Inconclusive("gone", "e"), Result.INCONCLUSIVE, "gone"),
        (OverBudget(2, 1), Result.OVER_BUDGET, "the budget: 2 of 1 micro-USD"),
        (ProviderFailed("auth", "no key", passing=False), Result.PROVIDER_ERROR, "auth: no key"),
        (TimedOut(30), Result.TIMED_OUT, "the limit of 30 minutes passed"),
        (Interrupted("a person"), Result.INTERRUPTED, "a person"),
    ],
)
def test_the_journals_word_for_every_outcome(outcome: Outcome, result: Result, reason: str) -> None:
    assert ending(outcome) == (result, reason)


async def test_files_of_others_are_left_out_of_the_commit(project: Path) -> None:
    projects.write(project, {".gsd/milestones/M003/M003-CONTEXT.md": "# mine, not committed\n"})
    bench = bench_for(project, isolation="none")
    assert isinstance(await run_unit(TASK, bench), Committed)
    assert git(project, "status", "--porcelain") == "?? .gsd/milestones/M003/\n"
