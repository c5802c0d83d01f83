"""The loop as a parallel worker: its own books, its own history, its branch between units, its last word."""

import json
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from conftest import run_git
from milepost.agents.session import ErrorKind, Event
from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BroughtIn,
    Result,
    RunEnded,
    RunStarted,
    SliceLanded,
    SliceReady,
    UsageReported,
)
from milepost.formats.preferences import Parallel
from milepost.formats.signal import Order
from milepost.git import refs
from milepost.model.units import Unit
from milepost.store.lease import Holder, Lease
from milepost.testing import projects
from milepost.testing.scripted import Fail, Hang, RawShell, Say, Script, Spend
from milepost.worker import bringing, loop, station
from milepost.worker.shift import Ending, Shift
from unit.workbench import Notes, bench_for, events, honest, write
from worker.shifts import QUICK, all_honest, post, said, shift_for

pytestmark = pytest.mark.anyio
TASK = "execute-task/M001/S01/T01"


async def work(shift: Shift) -> Ending:
    return await loop.work(shift, 4711)


def own(shift: Shift, *kinds: type) -> list[AnyEvent]:
    return [e for e in shift.journal("M001").own() if not kinds or isinstance(e, kinds)]


def status(shift: Shift) -> dict[str, object]:
    found: dict[str, object] = json.loads((shift.box / "M001.status.json").read_text())
    return found


def but(*, task: Script) -> dict[str, Script]:
    return all_honest() | {TASK: task}


class Person(Notes):
    """Somebody who gives an order when a unit begins, and waits until it was taken."""

    def __init__(self, *orders: Order) -> None:
        super().__init__()
        self.orders = list(orders)
        self.shift: Shift | None = None

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        super().unit_started(unit, attempt, number)
        if self.orders and self.shift is not None:
            post(self.shift, self.orders.pop(0), to="M001")


@pytest.mark.spec(id="PR-023")
@pytest.mark.spec(id="PR-173")
@pytest.mark.spec(id="FM-01")
async def test_a_run_of_one_milestone_is_written_into_its_own_journal(project: Path) -> None:
    shift = shift_for(project, lock="M001", fleet="f-1")
    ending = await work(shift)
    assert (ending.code, ending.reason) == (ExitCode.DONE, "M001 is complete")
    [begun] = own(shift, RunStarted)
    [ended] = own(shift, RunEnded)
    assert isinstance(begun, RunStarted)
    assert isinstance(ended, RunEnded)
    assert (begun.milestone, begun.fleet, begun.pid) == ("M001", "f-1", 4711)
    assert (ended.milestone, ended.state, ended.passing) == ("M001", "done", False)
    assert shift.journal("project").own() == ()
    assert not (project / ".gsd/STATE.md").exists()
    assert status(shift)["state"] == "stopped"


@pytest.mark.parametrize(("kind", "passing"), [(ErrorKind.RATE_LIMIT, True), (ErrorKind.AUTH, False)])
async def test_whether_what_ended_it_passes_by_itself(kind: ErrorKind, passing: bool, project: Path) -> None:
    shift = shift_for(project, but(task=[Fail(kind, "no")]), lock="M001")
    ending = await work(shift)
    [ended] = own(shift, RunEnded)
    assert isinstance(ended, RunEnded)
    assert (ending.passing, ended.passing) == (passing, passing)


@pytest.mark.spec(id="FM-33")
async def test_what_siblings_did_and_that_processes_died_makes_no_circle(project: Path) -> None:
    shift = shift_for(project, lock="M001")
    theirs, ours = shift.journal("M002"), shift.journal("M001")
    for number in range(6):
        for journal, unit, result in (
            (theirs, "M002/S01/T01", Result.UNFINISHED),
            (ours, "M001/S01/T01", Result.CRASHED),
        ):
            if journal is ours and number > 1:
                continue
            attempt = f"{unit}-{number}"
            journal.append(
                AttemptStarted(
                    at_ms=number, run="old", attempt=attempt, kind="execute-task", unit=unit, base="", branch="",
                    fingerprint="f", number=1,
                )
            )  # fmt: skip
            journal.append(AttemptEnded(at_ms=number, run="old", attempt=attempt, result=result, reason="same"))
    assert (await work(shift)).code is ExitCode.DONE
    assert "run in circles" not in said(shift)
    alone = shift_for(project, run="r-2")
    assert (await work(alone)).code is ExitCode.DONE


@pytest.mark.spec(id="FM-34")
@pytest.mark.spec(id="PR-142")
async def test_what_the_project_cost_before_is_not_held_against_a_worker(project: Path) -> None:
    settings = QUICK._replace(budget_ceiling=1.0)
    shift = shift_for(project, lock="M001", preferences=settings)
    spent = UsageReported(at_ms=1, run="old", attempt="a", model="m", input=1, output=1, micro_usd=50_000_000)
    shift.journal("M009").append(spent)
    projects.write(project, {".gsd/metrics.json": '{"version":1,"projectStartedAt":1,"units":[{"cost":70}]}'})
    assert (await work(shift)).code is ExitCode.DONE


@pytest.mark.spec(id="PR-142")
async def test_what_the_milestone_cost_before_is(project: Path) -> None:
    settings = QUICK._replace(budget_ceiling=1.0)
    first = shift_for(project, but(task=[Spend(micro_usd=2_000_000), Say("Soon.")]), lock="M001", preferences=settings)
    assert (await work(first)).code is ExitCode.BUDGET
    again = shift_for(project, lock="M001", run="r-2", preferences=settings)
    assert (await work(again)).code is ExitCode.BUDGET
    assert len(own(again, AttemptStarted)) == 1


@pytest.mark.spec(id="PR-084")
@pytest.mark.spec(id="FM-29")
async def test_a_pause_waits_for_a_resume(project: Path) -> None:
    person = Person(Order.PAUSE)
    shift = person.shift = shift_for(project, lock="M001", watcher=person)
    seen: list[str] = []

    async def resume() -> None:
        while status_of(shift) != "paused":  # noqa: ASYNC110
            await anyio.sleep(0.01)
        seen.append("paused")
        post(shift, Order.RESUME, to="M001")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(resume)
        ending = await work(shift)
    assert (ending.code, seen) == (ExitCode.DONE, ["paused"])


def status_of(shift: Shift) -> str:
    try:
        return str(status(shift)["state"])
    except FileNotFoundError:
        return ""


@pytest.mark.spec(id="PR-102")
@pytest.mark.spec(id="PR-104")
async def test_a_stop_order_in_mid_session(project: Path) -> None:
    person = Person(Order.STOP)
    shift = person.shift = shift_for(project, but(task=[write("half.txt", "x"), Hang()]), lock="M001", watcher=person)
    ending = await work(shift)
    assert (ending.code, ending.reason) == (ExitCode.INTERRUPTED, "stopped by request")
    [pinned] = refs.backups(project, "M001")
    assert pinned.label == "stopped"
    assert run_git(project, "show", f"{pinned.ref}:half.txt") == "x"
    assert (project / ".gsd/worktrees/M001/half.txt").read_text() == "x"
    assert status(shift)["reason"] == "stopped by request"


async def test_hints_of_a_worker_lead_back_to_the_fleet(project: Path) -> None:
    shift = shift_for(project, but(task=[Say("Soon.")]), lock="M001")
    ending = await work(shift)
    assert ending.code is ExitCode.BLOCKED
    assert ending.hint.endswith("gsd parallel start --retry M001")


async def test_an_error_that_comes_out_is_the_last_word(project: Path) -> None:
    run_git(project, "checkout", "-q", "--detach")
    shift = shift_for(project, lock="M001")
    with pytest.raises(MilepostError):
        await work(shift)
    assert status(shift)["doing"] == "ended"
    [ended] = own(shift, RunEnded)
    assert isinstance(ended, RunEnded)
    assert status(shift)["reason"] == ended.reason


class Full(Notes):
    def session_event(self, event: Event) -> None:
        raise OSError(28, "No space left on device", "/full")


async def test_a_full_disk_is_an_error_in_the_status(project: Path) -> None:
    shift = shift_for(project, lock="M001", watcher=Full())
    with pytest.raises(OSError, match="No space"):
        await work(shift)
    assert status(shift)["state"] == "error"
    assert "No space left" in str(status(shift)["reason"])


def lease_of(root: Path, run: str = "r-1") -> Lease:
    state = root / ".gsd"
    return Lease(state / "parallel/M001.lease", "M001", Holder(pid=1, run=run), guard=state / "journal/M001.jsonl")


@pytest.mark.spec(id="FM-19")
@pytest.mark.spec(id="FM-45")
async def test_a_worker_whose_milestone_was_taken_stops_and_writes_no_status(project: Path) -> None:
    """Both files of the lease are gone, and somebody else was faster to make them again."""
    others = lease_of(project, "r-other")

    class Thief(Notes):
        def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
            with lease._turn:  # Between two looks of the heart.
                for name in ("parallel/M001.lease", "journal/M001.jsonl"):
                    (project / ".gsd" / name).rename(project / ".gsd" / f"{name}.gone")
                others.__enter__()

    with lease_of(project) as lease:
        shift = shift_for(project, but(task=[Hang()]), lock="M001", watcher=Thief(), leases=(lease,))
        ending = await work(shift)
        written = (shift.box / "M001.status.json").read_text()
    others.__exit__(None, None, None)
    assert ending.code is ExitCode.INTERRUPTED
    assert "somebody else took M001 over" in ending.reason
    assert json.loads(written)["state"] == "running"


@pytest.mark.spec(id="PR-064")
def test_finished_slices_are_announced_once_and_the_last_is_not(tmp_path: Path) -> None:
    root = tmp_path / "p"
    projects.tiny(root, slices=2)
    settings = QUICK._replace(parallel=Parallel(merge_strategy="per-slice"))
    bench = bench_for(root, preferences=settings)

    def complete(slice_id: str) -> None:
        begun = AttemptStarted(
            at_ms=1, run="r", attempt=f"a-{slice_id}", kind="complete-slice", unit=f"M001/{slice_id}", base="",
            branch="", fingerprint="", number=1,
        )  # fmt: skip
        bench.journal.append(begun)
        bench.journal.append(
            AttemptEnded(at_ms=2, run="r", attempt=begun.attempt, result=Result.COMMITTED, commit=f"c-{slice_id}")
        )
        path = bench.workspace.state / "milestones/M001/M001-ROADMAP.md"
        path.write_text(path.read_text().replace(f"- [ ] **{slice_id}", f"- [x] **{slice_id}"))

    bringing.announce_slices(bench)
    complete("S01")
    for _ in range(2):
        bringing.announce_slices(bench)
    complete("S02")
    bringing.announce_slices(bench)
    ready = events(bench, SliceReady)
    assert [(e.slice, e.commit) for e in ready if isinstance(e, SliceReady)] == [("S01", "c-S01")]


def landed_slice(root: Path, shift: Shift, *, text: str) -> str:
    """A landing of S01 and its link, as whoever merges slices makes them."""
    (root / "src/landed.txt").write_text(text)
    run_git(root, "add", "src/landed.txt")
    run_git(root, "commit", "-qm", "S01 landed, and more")
    landing = run_git(root, "rev-parse", "HEAD").strip()
    tip = run_git(root, "rev-parse", "milestone/M001").strip()
    link = run_git(root, "commit-tree", f"{landing}^{{tree}}", "-p", tip, "-p", landing, "-m", "link").strip()
    shift.journal("M001").append(
        SliceLanded(
            at_ms=shift.now_ms(),
            run="l",
            milestone="M001",
            slice="S01",
            target="main",
            commit=landing,
            tip=tip,
            link=link,
        )
    )
    return link


async def test_the_landing_of_a_slice_is_taken_up_at_the_boundary(project: Path) -> None:
    shift = shift_for(project, lock="M001")
    bench = bench_for(project, run="r-1", now_ms=shift.now_ms)
    link = landed_slice(project, shift, text="of a sibling\n")
    post_ = station.of(shift)
    await post_.between(bench)
    assert refs.is_ancestor(project, link, "milestone/M001")
    assert (bench.workspace.cwd / "src/landed.txt").read_text() == "of a sibling\n"
    assert post_.moved()
    await post_.between(bench)
    assert not post_.moved()
    assert len([e for e in own(shift) if isinstance(e, BroughtIn)]) == 1


async def test_a_landing_that_does_not_fit_is_said_once(project: Path) -> None:
    shift = shift_for(project, lock="M001")
    bench = bench_for(project, run="r-1", now_ms=shift.now_ms)
    landed_slice(project, shift, text="theirs\n")
    where = bench.workspace.cwd
    (where / "src/landed.txt").write_text("ours\n")
    run_git(where, "add", "-A")
    run_git(where, "commit", "-qm", "the same file")
    post_ = station.of(shift)
    for _ in range(3):
        assert await post_.between(bench) is None
    [told] = own(shift, BroughtIn)
    assert isinstance(told, BroughtIn)
    assert (told.commit, told.conflicts) == ("", ("src/landed.txt",))
    assert not post_.moved()


async def test_a_merge_that_a_person_is_at_is_left_alone(project: Path) -> None:
    bench = bench_for(project)
    where = bench.workspace.cwd
    git_dir = Path(run_git(where, "rev-parse", "--absolute-git-dir").strip())
    (git_dir / "MERGE_HEAD").write_text(run_git(project, "rev-parse", "main"))
    shift = shift_for(project, lock="M001")
    with pytest.raises(bringing.HalfMerged):
        await work(shift)
    assert own(shift, AttemptStarted) == []
    assert (git_dir / "MERGE_HEAD").exists()


@pytest.mark.spec(id="PR-025")
async def test_an_agent_that_spoils_the_ledger_of_its_worktree_stops_nothing(project: Path) -> None:
    outside = project.parent / "outside.json"
    spoil = RawShell(["sh", "-c", f"mkdir -p .gsd; echo '{{' > .gsd/metrics.json; ln -sf {outside} .gsd/auto.lock"])
    shift = shift_for(project, but(task=[spoil, *honest()]), lock="M001")
    assert (await work(shift)).code is ExitCode.DONE
    rows = json.loads((project / ".gsd/worktrees/M001/.gsd/metrics.json").read_text())["units"]
    assert len(rows) == 3
    assert not outside.exists()


@pytest.mark.spec(id="PR-140")
async def test_the_cost_is_that_of_the_milestone_over_all_runs(project: Path) -> None:
    shift = shift_for(project, but(task=[Spend(micro_usd=500_000), Say("Soon.")]), lock="M001", max_units=1)
    await work(shift)
    assert status(shift)["cost"] == 0.5
    again = shift_for(project, lock="M001", run="r-2")
    await work(again)
    assert status(again)["cost"] == 0.503
    assert status(again)["completedUnits"] == 3


async def test_no_worker_has_no_station(project: Path) -> None:
    alone = station.of(shift_for(project))
    assert isinstance(alone, station.Alone)
    assert not alone.moved()
    assert replace(alone.shift, lock="M001").own_state == project / ".gsd/worktrees/M001/.gsd"
