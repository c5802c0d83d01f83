"""Who ran when: the fold over the journal, event by event."""

import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    FleetStarted,
    Landed,
    LandingEnded,
    LandingStep,
    OrderTaken,
    Result,
    RunEnded,
    SetUp,
    Undone,
    UsageReported,
    WorkerLost,
)
from milepost.ui.views import timeline
from milepost.ui.views.timeline import Row, Span, What


def began(at: int, unit: str = "M001/S01/T01", *, run: str = "r1", kind: str = "execute-task") -> AttemptStarted:
    return AttemptStarted(
        at_ms=at, run=run, attempt=f"{unit}@{at}", kind=kind, unit=unit, base="b", branch="m", fingerprint="f", number=1
    )


def ended(
    at: int, begun: AttemptStarted, *, run: str = "r1", result: Result = Result.COMMITTED, commit: str = "c"
) -> AttemptEnded:
    return AttemptEnded(at_ms=at, run=run, attempt=begun.attempt, result=result, commit=commit)


def unit(begin: int, end: int, unit_id: str = "M001/S01/T01") -> list[AnyEvent]:
    started = began(begin, unit_id)
    return [started, ended(end, started)]


def usage(at: int, begun: AttemptStarted) -> UsageReported:
    return UsageReported(at_ms=at, run="r1", attempt=begun.attempt, model="m", input=1, output=1)


def run_ended(at: int, state: str, *, milestone: str = "M001", run: str = "r1") -> RunEnded:
    return RunEnded(at_ms=at, run=run, state=state, reason="", milestone=milestone)


def step(at: int, *, slice_id: str = "") -> LandingStep:
    return LandingStep(at_ms=at, run="m", milestone="M001", step="checkout", slice=slice_id)


def landing(at: int, outcome: str, *, slice_id: str = "") -> LandingEnded:
    return LandingEnded(at_ms=at, run="m", milestone="M001", slice=slice_id, outcome=outcome, target="main")


def landed(at: int) -> Landed:
    return Landed(at_ms=at, run="m", milestone="M001", target="main", commit="c", tip="t")


def taken(at: int, order: str) -> OrderTaken:
    return OrderTaken(at_ms=at, run="r1", milestone="M001", order=order, sent_at_ms=at)


def lost(at: int) -> WorkerLost:
    return WorkerLost(at_ms=at, run="c", milestone="M001", worker_run="r1", reason="killed")


def of(*events: AnyEvent, now_ms: int = 0) -> Row:
    (row,) = timeline.fold(events, now_ms=now_ms).rows
    return row


def shape(row: Row) -> list[tuple[What, int, int]]:
    return [(span.what, span.begin_ms, span.end_ms) for span in row.spans]


class TestUnits:
    @pytest.mark.parametrize(
        ("kind", "unit_id", "what"),
        [
            ("execute-task", "M001/S01/T01", What.TASK),
            ("complete-slice", "M001/S01", What.SLICE),
            ("reassess-roadmap", "M001/S01", What.SLICE),
            ("validate-milestone", "M001", What.MILESTONE),
        ],
    )
    def test_each_is_a_span_of_its_kind(self, kind: str, unit_id: str, what: What) -> None:
        begun = began(10, unit_id, kind=kind)
        assert of(begun, ended(30, begun)).spans == (Span(what=what, begin_ms=10, end_ms=30, unit=f"{kind} {unit_id}"),)

    @pytest.mark.parametrize("result", [result for result in Result if result is not Result.COMMITTED])
    def test_one_without_a_commit_failed(self, result: Result) -> None:
        begun = began(10)
        assert of(begun, ended(30, begun, result=result, commit="")).spans[0].failed

    def test_one_that_has_not_ended_goes_on_until_now(self) -> None:
        row = of(*unit(0, 5), began(10), now_ms=70)
        assert shape(row)[-1] == (What.TASK, 10, 70)
        assert row.spans[-1].open
        assert row.last == ""

    def test_one_that_a_later_run_settles_ended_where_it_was_last_heard_of(self) -> None:
        begun = began(10)
        row = of(begun, usage(40, begun), ended(9_000, begun, run="r2", result=Result.CRASHED))
        assert shape(row) == [(What.TASK, 10, 40)]
        assert row.spans[0].failed

    def test_work_that_a_later_run_found_on_disk_did_not_fail(self) -> None:
        begun = began(10)
        assert not of(begun, usage(40, begun), lost(60), ended(9_000, begun, run="r2")).spans[0].failed

    def test_a_lost_process_ends_what_it_did_where_it_was_last_heard_of(self) -> None:
        begun = began(10)
        row = of(begun, usage(40, begun), lost(500))
        assert shape(row) == [(What.TASK, 10, 40)]
        assert (row.last, row.last_ms) == ("lost", 500)

    def test_the_end_of_a_run_ends_what_it_left_open(self) -> None:
        row = of(began(10), run_ended(30, "interrupted"), now_ms=900)
        assert shape(row) == [(What.TASK, 10, 30)]
        assert (row.last, row.last_ms) == ("stopped", 30)

    def test_the_end_of_an_auto_mode_ends_what_it_left_open(self) -> None:
        row = of(began(10), run_ended(30, "interrupted", milestone=""), now_ms=900)
        assert shape(row) == [(What.TASK, 10, 30)]

    def test_an_end_without_a_beginning_is_nobodys(self) -> None:
        assert timeline.fold([ended(5, began(1))]).rows == ()


class TestOrders:
    def test_a_pause_lasts_until_work_is_resumed(self) -> None:
        row = of(*unit(0, 10), taken(20, "pause"), taken(50, "resume"), *unit(51, 60))
        assert shape(row)[1] == (What.PAUSE, 20, 50)

    def test_a_pause_begins_when_the_unit_in_hand_is_finished(self) -> None:
        begun = began(0)
        row = of(begun, taken(5, "pause"), ended(30, begun), taken(50, "resume"))
        assert shape(row) == [(What.TASK, 0, 30), (What.PAUSE, 30, 50)]

    def test_a_second_pause_changes_nothing(self) -> None:
        row = of(*unit(0, 10), taken(20, "pause"), taken(30, "pause"), taken(50, "resume"))
        assert shape(row)[1:] == [(What.PAUSE, 20, 50)]

    @pytest.mark.parametrize("end", [taken(70, "stop"), run_ended(70, "interrupted"), lost(900)])
    def test_a_pause_ends_with_the_worker(self, end: AnyEvent) -> None:
        row = of(*unit(0, 10), taken(20, "pause"), usage(70, began(0)), end)
        assert shape(row)[1:] == [(What.PAUSE, 20, 70)]

    def test_a_pause_that_lasts_is_cut_off_now(self) -> None:
        row = of(*unit(0, 10), taken(20, "pause"), now_ms=80)
        assert shape(row)[1:] == [(What.PAUSE, 20, 80)]
        assert row.spans[-1].open

    def test_resuming_what_was_not_paused_is_no_span(self) -> None:
        assert shape(of(*unit(0, 10), taken(20, "resume"))) == [(What.TASK, 0, 10)]


class TestMerging:
    def test_complete_then_waiting_then_merged(self) -> None:
        row = of(*unit(0, 10), run_ended(12, "done"), step(20), step(24), landed(28), landing(29, "landed"))
        assert shape(row)[1:] == [(What.WAIT, 12, 20), (What.MERGE, 20, 28)]
        assert (row.last, row.last_ms) == ("merged", 28)

    def test_without_a_wait(self) -> None:
        assert shape(of(*unit(0, 10), step(20), landed(28)))[1:] == [(What.MERGE, 20, 28)]

    @pytest.mark.parametrize("outcome", ["conflict", "refused", "check-failed", "inconclusive", "unresolved"])
    def test_one_that_does_not_land_waits_again(self, outcome: str) -> None:
        row = of(*unit(0, 10), run_ended(12, "done"), step(20), landing(26, outcome), now_ms=90)
        assert shape(row)[1:] == [(What.WAIT, 12, 20), (What.MERGE, 20, 26), (What.WAIT, 26, 90)]
        assert (row.last, row.last_ms) == (outcome, 26)

    def test_a_second_try(self) -> None:
        row = of(*unit(0, 10), step(20), landing(26, "conflict"), step(80), landed(88), landing(89, "landed"))
        assert shape(row)[1:] == [(What.MERGE, 20, 26), (What.WAIT, 26, 80), (What.MERGE, 80, 88)]
        assert row.last == "merged"

    def test_a_slice_is_merged_beside_the_work(self) -> None:
        begun = began(30, "M001/S02/T01")
        row = of(*unit(0, 10), begun, step(31, slice_id="S01"), landing(34, "landed", slice_id="S01"), now_ms=40)
        assert row.spans[-1] == Span(what=What.MERGE, begin_ms=31, end_ms=34, unit="S01")
        assert row.last == ""

    def test_undone(self) -> None:
        event = Undone(at_ms=99, run="p", milestone="M001", target="main", commit="u", landed="c")
        row = of(*unit(0, 10), step(20), landed(28), event)
        assert (row.last, row.last_ms) == ("undone", 99)

    def test_complete_and_never_merged(self) -> None:
        row = of(*unit(0, 10), run_ended(12, "done"), now_ms=50)
        assert shape(row)[1:] == [(What.WAIT, 12, 50)]
        assert (row.last, row.last_ms) == ("complete", 12)

    @pytest.mark.parametrize(
        ("state", "word"), [("blocked", "blocked"), ("budget", "out of budget"), ("error", "failed"), ("new", "new")]
    )
    def test_a_worker_that_ended_otherwise(self, state: str, word: str) -> None:
        assert of(*unit(0, 10), run_ended(12, state)).last == word


class TestScale:
    def test_rows_are_in_the_order_of_their_numbers(self) -> None:
        events = [*unit(0, 5, "M1000/S01/T01"), *unit(1, 5, "M010/S01/T01"), *unit(2, 5, "M009/S01/T01")]
        assert [row.milestone for row in timeline.fold(events).rows] == ["M009", "M010", "M1000"]

    def test_from_the_first_span_to_the_last(self) -> None:
        made = timeline.fold([*unit(100, 150), *unit(120, 180, "M002/S01/T01")])
        assert (made.begin_ms, made.end_ms) == (100, 180)

    def test_the_set_up_of_a_worktree_is_a_span(self) -> None:
        event = SetUp(at_ms=40, run="r1", milestone="M001", recipe="uv", lock_hash="h", ok=True, duration_ms=30)
        assert shape(of(event)) == [(What.SET_UP, 10, 40)]

    def test_only_one_session_if_it_is_named(self) -> None:
        begin = FleetStarted(at_ms=50, run="c", session="f2", pid=1, max_workers=2)
        made = timeline.fold([*unit(0, 5), begin, *unit(60, 70, "M002/S01/T01")], session="f2")
        assert [row.milestone for row in made.rows] == ["M002"]

    def test_nothing(self) -> None:
        assert timeline.fold([], now_ms=7) == timeline.Timeline(begin_ms=7, end_ms=7, rows=())


class TestTogether:
    @pytest.mark.parametrize(
        ("spans", "at_once"),
        [
            ([(0, 10)], (0, 10)),
            ([(0, 10), (10, 20)], (0, 20)),
            ([(0, 10), (4, 12)], (0, 6, 6)),
            ([(0, 10), (20, 30)], (10, 20)),
            ([(0, 9), (1, 8), (2, 3)], (0, 2, 6, 1)),
        ],
    )
    def test_how_long_how_many(self, spans: list[tuple[int, int]], at_once: tuple[int, ...]) -> None:
        events = [event for n, (a, b) in enumerate(spans, start=1) for event in unit(a, b, f"M{n:03}/S01/T01")]
        sums = timeline.together(timeline.fold(sorted(events, key=lambda event: event.at_ms)))
        assert sums.at_once == at_once
        assert sums.work_ms == sum(b - a for a, b in spans)
        assert sums.units == len(spans)

    def test_merges_and_pauses_are_no_work(self) -> None:
        sums = timeline.together(timeline.fold([*unit(0, 10), taken(12, "pause"), taken(20, "resume")]))
        assert (sums.units, sums.work_ms, sums.at_once) == (1, 10, (10, 10))
