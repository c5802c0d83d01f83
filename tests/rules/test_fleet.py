"""The fold over the journal: what is wanted, what ended, what failed, for a coordinator that remembers nothing."""

import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    FleetEnded,
    FleetStarted,
    Landed,
    LandingEnded,
    Ordered,
    Result,
    RunEnded,
    RunStarted,
    SliceLanded,
    SliceReady,
    Undone,
    WorkerLost,
    WorkerSpawned,
)
from milepost.rules.fleet import DIED, Past, Wanted, fold, runs_of, unpushed

_clock = iter(range(1, 10_000))


def at() -> int:
    return next(_clock)


def began(session: str = "f1", *adopted: str) -> FleetStarted:
    return FleetStarted(at_ms=at(), run="c", session=session, pid=1, max_workers=2, adopted=adopted)


def spawned(run: str = "r1", mid: str = "M001") -> WorkerSpawned:
    return WorkerSpawned(at_ms=at(), run="c", milestone=mid, session="f1", worker_run=run, pid=2)


def over(state: str, run: str = "r1", *, passing: bool = False, mid: str = "M001") -> RunEnded:
    return RunEnded(at_ms=at(), run=run, state=state, reason="x", milestone=mid, passing=passing)


def lost(run: str = "r1") -> WorkerLost:
    return WorkerLost(at_ms=at(), run="c", milestone="M001", worker_run=run, reason="killed by SIGKILL")


def ordered(order: str, mid: str = "M001", sender: str = "person") -> Ordered:
    return Ordered(at_ms=at(), run="o", milestone=mid, order=order, sender=sender)


def landing(outcome: str, slice_id: str = "") -> LandingEnded:
    return LandingEnded(at_ms=at(), run="m", milestone="M001", slice=slice_id, outcome=outcome, target="main")


def of(*events: AnyEvent) -> Past:
    return fold(events).of("M001")


def test_an_empty_journal_knows_nothing() -> None:
    assert fold(()).session == ""
    assert of() == Past()


@pytest.mark.spec(id="FM-18")
def test_a_session_spans_restarts_and_is_closed_by_done() -> None:
    killed = fold((began("f1"), began("f1")))
    assert killed.session == "f1"
    stopped = FleetEnded(at_ms=at(), run="c", session="f1", state="interrupted", reason="")
    assert fold((began("f1"), stopped)).session == "f1"
    done = FleetEnded(at_ms=at(), run="c", session="f1", state="done", reason="")
    assert fold((began("f1"), done)).session == ""


def test_a_run_is_open_until_it_ends_or_is_buried() -> None:
    assert of(spawned()).open_run
    assert not of(spawned(), over("done")).open_run
    assert not of(spawned(), lost()).open_run
    assert of(spawned(), over("blocked"), spawned("r2")).open_run


def test_a_worker_started_by_hand_is_known_by_its_own_word() -> None:
    begun = RunStarted(at_ms=at(), run="r9", pid=3, version="", command="auto", milestone="M001", fleet="")
    assert (of(begun).run, of(begun).open_run) == ("r9", True)
    assert of(begun, over("done", "r9")).ended is not None


@pytest.mark.spec(id="FM-20")
def test_crashes_are_counted_on_disk_and_a_finished_unit_starts_afresh() -> None:
    twice = (spawned("r1"), lost("r1"), spawned("r2"), lost("r2"))
    assert of(*twice).crashes == 2
    assert of(*twice, began()).crashes == 2
    committed = AttemptEnded(at_ms=at(), run="r3", attempt="a1", result=Result.COMMITTED)
    begun = AttemptStarted(
        at_ms=at(), run="r3", attempt="a1", kind="execute-task", unit="M001/S01/T01", base="b", branch="x",
        fingerprint="f", number=1,
    )  # fmt: skip
    assert of(*twice, spawned("r3"), begun, committed).crashes == 0
    afresh = of(*twice, spawned("r3"), over("done", "r3"), ordered("retry"))
    assert (afresh.crashes, afresh.open_run) == (0, False)
    alive = of(*twice, spawned("r3"), ordered("retry"))
    assert (alive.crashes, alive.run, alive.open_run) == (0, "r3", True)


def test_a_clock_that_was_set_back_makes_no_ended_run_open_again() -> None:
    early = (lost("r1"), spawned("r1"))
    assert (of(*early).open_run, of(*early).lost, of(*early).crashes) == (False, True, 1)
    assert of(*early, lost("r1")).crashes == 1
    hand = RunStarted(at_ms=at(), run="r1", pid=3, version="", command="auto", milestone="M001", fleet="")
    again = RunStarted(at_ms=at(), run="r2", pid=4, version="", command="auto", milestone="M001", fleet="")
    late = of(hand, over("blocked", "r1"), again, over("blocked", "r2"), spawned("r1"), spawned("r2"))
    assert (late.run, late.open_run, late.ended is not None) == ("r2", False, True)
    other = RunStarted(at_ms=at(), run="r2", pid=4, version="", command="auto", milestone="M001", fleet="")
    assert of(spawned("r2"), hand, other, over("done", "r2")).run == "r2"


def test_an_end_in_error_counts_like_a_crash() -> None:
    assert of(spawned(), over("error")).crashes == 1
    assert of(spawned(), over("blocked")).crashes == 0


def test_parks_in_a_row_are_counted() -> None:
    events = (spawned("r1"), over("paused", "r1", passing=True), spawned("r2"), over("paused", "r2", passing=True))
    assert of(*events).parks == 2


def test_the_last_of_pause_resume_and_stop_is_wanted() -> None:
    assert of(ordered("pause")).wanted is Wanted.PAUSE
    assert of(ordered("pause"), ordered("resume")).wanted is Wanted.RUN
    assert of(ordered("pause"), ordered("stop")).wanted is Wanted.STOP
    assert of(ordered("pause"), ordered("rebase")).wanted is Wanted.PAUSE


@pytest.mark.spec(id="DV-29")
@pytest.mark.spec(id="FM-41")
def test_a_new_start_takes_old_orders_back_except_for_workers_that_live() -> None:
    assert of(spawned(), ordered("stop"), over("interrupted"), began()).wanted is Wanted.RUN
    assert of(spawned(), ordered("pause"), began("f1", "M001")).wanted is Wanted.PAUSE


@pytest.mark.spec(id="PR-087")
def test_resuming_one_that_was_stopped_lets_it_be_started() -> None:
    past = of(spawned(), ordered("stop"), over("interrupted"), ordered("resume"))
    assert (past.wanted, past.ended, past.open_run) == (Wanted.RUN, None, False)


def test_an_order_to_all_reaches_every_known_milestone() -> None:
    told = fold((spawned(), spawned("r2", "M002"), ordered("stop", "*")))
    assert {mid: past.wanted for mid, past in told.past.items()} == {"M001": Wanted.STOP, "M002": Wanted.STOP}
    assert told.stop_all
    assert not fold((ordered("stop", "*"), began())).stop_all


@pytest.mark.spec(id="PR-084")
def test_an_order_to_all_is_for_those_too_that_nobody_heard_of_yet() -> None:
    told = fold((spawned(), ordered("pause", "*")))
    assert told.of("M007").wanted is Wanted.PAUSE
    assert fold((ordered("pause", "*"), ordered("resume", "*"))).of("M007").wanted is Wanted.RUN
    assert fold((ordered("pause", "*"), began())).of("M007").wanted is Wanted.RUN


@pytest.mark.spec(id="PR-197")
def test_a_stop_by_the_budget_is_not_a_persons() -> None:
    past = of(spawned(), ordered("stop", sender="budget"))
    assert (past.wanted, past.budget_stop) == (Wanted.RUN, True)
    assert not of(spawned(), ordered("stop", sender="budget"), spawned("r2")).budget_stop


@pytest.mark.spec(id="FM-93")
def test_what_became_of_its_merge_is_one_record() -> None:
    assert of(landing("conflict")).landing is not None
    here = Landed(at_ms=at(), run="m", milestone="M001", target="main", commit="c", tip="t")
    assert (of(landing("conflict"), here).landing, of(here).landed) == (None, here)
    out = Undone(at_ms=at(), run="u", milestone="M001", target="main", commit="d", landed="c")
    assert (of(here, out).landed, of(here, out).undone) == (None, out)
    assert of(here, out, here).undone is None


def test_merges_that_die_are_counted_in_a_row() -> None:
    assert of(landing(DIED), landing(DIED)).merge_deaths == 2
    assert of(landing(DIED), landing("conflict")).merge_deaths == 0


def landed(mid: str, *, error: str = "", pushed: bool = False) -> Landed:
    return Landed(
        at_ms=at(), run="c1", milestone=mid, target="main", commit=mid, tip="t", pushed=pushed, push_error=error
    )


def test_a_landing_that_was_not_pushed_is_known_until_its_branch_goes() -> None:
    """gsd-pi#2153."""
    failed = [began(), landed("M001", error="rejected"), landed("M002", error="rejected")]
    assert [event.milestone for event in unpushed(fold(failed))] == ["M001", "M002"]
    assert unpushed(fold([*failed, landed("M003", pushed=True)])) == ()
    # A later start does not answer for what an earlier one said.
    assert unpushed(fold([*failed, began()])) == ()
    assert fold([*failed, began()]).of("M001").landed == failed[1]


def test_slices_wait_until_they_are_landed() -> None:
    ready = SliceReady(at_ms=at(), run="r", milestone="M001", slice="S01", commit="c")
    assert of(ready, ready).slices == (ready,)
    there = SliceLanded(
        at_ms=at(), run="m", milestone="M001", slice="S01", target="main", commit="d", tip="c", link="l"
    )
    assert of(ready, there).slices == ()


def test_runs_of_a_session() -> None:
    mine = RunStarted(at_ms=at(), run="r1", pid=1, version="", command="auto", milestone="M001", fleet="f1")
    other = RunStarted(at_ms=at(), run="r2", pid=1, version="", command="auto", milestone="M001", fleet="f0")
    solo = RunStarted(at_ms=at(), run="r3", pid=1, version="", command="auto")
    assert runs_of((mine, other, solo), "f1") == {"r1"}


@pytest.mark.spec(id="FM-20")
def test_an_attempt_without_an_end_is_unsettled_until_a_later_run_ends_it() -> None:
    unit = AttemptStarted(
        at_ms=at(), run="r1", attempt="a", kind="complete-milestone", unit="M001", base="b", branch="m", fingerprint="f",
        number=1,
    )  # fmt: skip
    cut = (began(), spawned(), unit, lost())
    assert of(*cut).unsettled
    assert of(*cut, began(), spawned("r2")).unsettled
    assert not of(*cut, AttemptEnded(at_ms=at(), run="r2", attempt="a", result=Result.COMMITTED)).unsettled
    assert not of(*cut, AttemptEnded(at_ms=at(), run="r2", attempt="a", result=Result.CRASHED)).unsettled
