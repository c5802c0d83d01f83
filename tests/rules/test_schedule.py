"""The coordinator's plan, as tables: what is observed → where each milestone stands and what is done."""

from dataclasses import replace

import pytest

from milepost.errors import ExitCode
from milepost.formats.journal import LandingEnded, RunEnded, SliceReady
from milepost.rules.fleet import DIED, Past, Wanted
from milepost.rules.schedule import Ask, Bury, Halt, Land, Start, plan
from milepost.rules.standings import (
    BACKOFF_MS,
    PARK_MS,
    REFUSED_AGAIN_MS,
    STAGGER_MS,
    Live,
    Milestone,
    Rules,
    Seen,
    Stage,
)

NOW = 1_000_000


def one(mid: str = "M001", **known: object) -> Milestone:
    return replace(Milestone(id=mid, title=f"Title of {mid}"), **known)  # type: ignore[arg-type]


def seen(*milestones: Milestone, **known: object) -> Seen:
    return replace(Seen(milestones=milestones, rules=Rules(), now_ms=NOW), **known)  # type: ignore[arg-type]


def ended(state: str, *, at_ms: int = NOW - 1, passing: bool = False) -> RunEnded:
    return RunEnded(
        at_ms=at_ms, run="r1", state=state, reason="because", hint="do this", milestone="M001", passing=passing
    )


def landing(outcome: str, *, tip: str = "t", target_tip: str = "g", at_ms: int = NOW - 1) -> LandingEnded:
    return LandingEnded(
        at_ms=at_ms,
        run="m",
        milestone="M001",
        outcome=outcome,
        target="main",
        tip=tip,
        target_tip=target_tip,
        reason="it does not fit",
        hint="resolve it",
    )


def stages(of: Seen) -> list[Stage]:
    return [standing.stage for standing in plan(of).standings]


@pytest.mark.spec(id="PR-062")
@pytest.mark.spec(id="PR-321")
@pytest.mark.spec(id="DV-06")
def test_up_to_max_workers_are_started_and_the_rest_queues() -> None:
    found = plan(seen(one("M001"), one("M002"), one("M003")))
    assert found.actions == (Start(milestone="M001"), Start(milestone="M002"))
    assert found.standings[2].stage is Stage.QUEUED
    assert found.finish is None


@pytest.mark.spec(id="DV-06")
def test_a_free_slot_is_taken_by_the_next_in_the_queue() -> None:
    found = plan(seen(one("M001", live=Live.RUNNING), one("M002", on_target=True), one("M003"), one("M004")))
    assert found.actions == (Start(milestone="M003"),)


@pytest.mark.parametrize("live", [Live.STARTING, Live.RUNNING, Live.PAUSED, Live.UNRESPONSIVE])
def test_every_process_keeps_its_slot(live: Live) -> None:
    assert plan(seen(one("M001", live=live), one("M002", live=live), one("M003"))).actions == ()


@pytest.mark.spec(id="FM-19")
def test_nothing_is_started_twice() -> None:
    assert plan(seen(one(live=Live.RUNNING))).actions == ()
    assert plan(seen(one(), preparing=frozenset({"M001"}))).actions == ()


@pytest.mark.spec(id="PR-041")
def test_what_is_not_eligible_is_not_started_and_says_why() -> None:
    found = plan(seen(one(ineligible="Blocked by incomplete dependencies: M000.")))
    assert found.actions == ()
    assert found.standings[0].stage is Stage.INELIGIBLE
    assert found.standings[0].cause == "Blocked by incomplete dependencies: M000."
    assert found.finish is not None
    assert found.finish.code is ExitCode.BLOCKED


@pytest.mark.spec(id="PR-043")
def test_overlap_is_no_reason_to_wait_by_default() -> None:
    pair = one("M001", overlaps=frozenset({"M002"})), one("M002", overlaps=frozenset({"M001"}))
    assert plan(seen(*pair)).actions == (Start(milestone="M001"), Start(milestone="M002"))


def test_serialize_waits_until_the_other_is_merged() -> None:
    first, second = one("M001", overlaps=frozenset({"M002"})), one("M002", overlaps=frozenset({"M001"}))
    rules = Rules(serialize=True, auto_merge="manual")
    assert plan(seen(first, second, rules=rules)).actions == (Start(milestone="M001"),)
    running = replace(first, live=Live.RUNNING)
    assert plan(seen(running, second, rules=rules)).actions == ()
    complete = replace(first, complete=True)
    assert plan(seen(complete, second, rules=rules)).actions == ()
    merged = replace(complete, on_target=True)
    assert plan(seen(merged, second, rules=rules)).actions == (Start(milestone="M002"),)


MERGES = {
    "auto": (Rules(auto_merge="auto"), {}, Stage.TO_MERGE, (Land(milestone="M001"),)),
    "confirm, somebody there": (Rules(), {"can_ask": True}, Stage.TO_MERGE, (Ask(milestone="M001"),)),
    "confirm, nobody there": (Rules(), {}, Stage.WAITS, ()),
    "confirm, said yes": (Rules(), {"approved": frozenset({"M001"})}, Stage.TO_MERGE, (Land(milestone="M001"),)),
    "confirm, said no": (Rules(), {"can_ask": True, "declined": frozenset({"M001"})}, Stage.WAITS, ()),
    "manual": (Rules(auto_merge="manual"), {"can_ask": True}, Stage.WAITS, ()),
}


@pytest.mark.spec(id="PR-065")
@pytest.mark.spec(id="DV-04")
@pytest.mark.parametrize("case", MERGES)
def test_who_starts_a_merge(case: str) -> None:
    rules, known, stage, actions = MERGES[case]
    found = plan(seen(one(complete=True), rules=rules, **known))  # type: ignore[arg-type]
    assert (found.standings[0].stage, found.actions) == (stage, actions)


def test_a_person_is_asked_one_thing_at_a_time_and_the_run_waits_for_the_answer() -> None:
    both = one("M001", complete=True), one("M002", complete=True)
    assert plan(seen(*both, can_ask=True)).actions == (Ask(milestone="M001"),)
    waiting = plan(seen(*both, can_ask=True, asking="M001"))
    assert (waiting.actions, waiting.finish) == ((), None)
    agreed = plan(seen(*both, can_ask=True, asking="M001", approved=frozenset({"M002"})))
    assert agreed.actions == (Land(milestone="M002"),)


@pytest.mark.spec(id="FM-95")
def test_one_merge_at_a_time() -> None:
    found = plan(
        seen(one("M001", complete=True), one("M002", complete=True), rules=Rules(auto_merge="auto"), merging="M001")
    )
    assert found.actions == ()
    assert found.standings[0].stage is Stage.MERGING


@pytest.mark.spec(id="PR-120")
def test_sequential_merges_the_lowest_id_that_is_ready() -> None:
    pair = (
        one("M001", complete=True, past=Past(completed_ms=20)),
        one("M002", complete=True, past=Past(completed_ms=10)),
    )
    assert plan(seen(*pair, rules=Rules(auto_merge="auto"))).actions == (Land(milestone="M001"),)


@pytest.mark.spec(id="PR-121")
@pytest.mark.spec(id="DV-15")
def test_by_completion_merges_in_the_order_in_which_they_were_finished() -> None:
    pair = (
        one("M001", complete=True, past=Past(completed_ms=20)),
        one("M002", complete=True, past=Past(completed_ms=10)),
    )
    assert plan(seen(*pair, rules=Rules(auto_merge="auto", by_completion=True))).actions == (Land(milestone="M002"),)


CONFLICTS = {
    "nothing moved": (landing("conflict"), {"tip": "t", "target_tip": "g"}, Stage.CONFLICT),
    "only the target moved": (landing("conflict"), {"tip": "t", "target_tip": "h"}, Stage.CONFLICT),
    "the person committed a resolution": (landing("conflict"), {"tip": "u", "target_tip": "g"}, Stage.TO_MERGE),
    "markers are left": (landing("unresolved"), {"tip": "t", "target_tip": "g"}, Stage.CONFLICT),
    "the checkout was in the way": (landing("refused"), {"tip": "t", "target_tip": "g"}, Stage.REFUSED),
    "and has moved": (landing("refused"), {"tip": "t", "target_tip": "h"}, Stage.TO_MERGE),
    "the check failed": (landing("check-failed"), {"tip": "t", "target_tip": "g"}, Stage.REFUSED),
    "its process died": (landing(DIED), {"tip": "t", "target_tip": "g"}, Stage.TO_MERGE),
}


@pytest.mark.spec(id="PR-123")
@pytest.mark.spec(id="PR-124")
@pytest.mark.parametrize("case", CONFLICTS)
def test_a_merge_that_failed_is_tried_again_when_that_makes_sense(case: str) -> None:
    last, tips, stage = CONFLICTS[case]
    at = one(complete=True, past=Past(landing=last), **tips)
    assert stages(seen(at, rules=Rules(auto_merge="auto"))) == [stage]


def test_a_merge_that_dies_again_and_again_is_given_up() -> None:
    at = one(complete=True, tip="t", target_tip="g", past=Past(landing=landing(DIED), merge_deaths=3))
    found = plan(seen(at, rules=Rules(auto_merge="auto")))
    assert found.actions == ()
    assert found.finish is not None
    assert found.finish.code is ExitCode.BLOCKED


def test_a_refused_merge_is_tried_again_while_others_work() -> None:
    past = Past(landing=landing("refused", at_ms=NOW - REFUSED_AGAIN_MS))
    refused = one(complete=True, tip="t", target_tip="g", past=past)
    rules = Rules(auto_merge="auto")
    assert plan(seen(refused, one("M002", live=Live.RUNNING), rules=rules)).actions == (Land(milestone="M001"),)
    assert plan(seen(refused, one("M002", on_target=True), rules=rules)).actions == ()


def test_a_conflict_does_not_keep_the_others_from_being_merged() -> None:
    stuck = one(complete=True, tip="t", past=Past(landing=landing("conflict")))
    found = plan(seen(stuck, one("M002", complete=True), rules=Rules(auto_merge="auto")))
    assert found.actions == (Land(milestone="M002"),)


@pytest.mark.spec(id="PR-064")
@pytest.mark.spec(id="DV-03")
def test_per_slice_merges_finished_slices_while_the_milestone_goes_on() -> None:
    ready = SliceReady(at_ms=1, run="r", milestone="M001", slice="S01", commit="c")
    at = one(live=Live.RUNNING, past=Past(run="r", slices=(ready,)))
    assert plan(seen(at, rules=Rules(auto_merge="auto", per_slice=True))).actions == (
        Land(milestone="M001", slice="S01"),
    )
    assert plan(seen(at, rules=Rules(auto_merge="auto"))).actions == ()
    assert plan(seen(at, rules=Rules(per_slice=True), can_ask=True)).actions == (Ask(milestone="M001", slice="S01"),)
    assert plan(seen(at, rules=Rules(per_slice=True))).actions == ()
    failed = replace(at.past, slice_landing=replace_landing(at.target_tip))
    again = replace(at, past=failed)
    assert plan(seen(again, rules=Rules(auto_merge="auto", per_slice=True))).actions == ()


def replace_landing(target_tip: str) -> LandingEnded:
    return landing("conflict", target_tip=target_tip)


@pytest.mark.spec(id="PR-193")
@pytest.mark.spec(id="FM-01")
@pytest.mark.spec(id="FM-18")
def test_a_run_without_a_last_word_is_buried() -> None:
    # That it is started again, and when, is decided when its crash has been counted.
    assert plan(seen(one(past=Past(run="r1")))).actions == (Bury(milestone="M001", run="r1"),)
    alive = one(live=Live.RUNNING, past=Past(run="r1"))
    assert plan(seen(alive)).actions == ()


@pytest.mark.spec(id="FM-20")
@pytest.mark.parametrize("crashes", [1, 2, 3])
def test_a_crashed_worker_is_started_again_after_a_while(crashes: int) -> None:
    past = Past(run="r1", lost=True, crashes=crashes, last_crash_ms=NOW - BACKOFF_MS[crashes - 1] + 1)
    waiting = plan(seen(one(past=past)))
    assert (waiting.standings[0].stage, waiting.standings[0].at_ms) == (Stage.BACKOFF, NOW + 1)
    assert (waiting.actions, waiting.finish) == ((), None)
    assert plan(seen(one(past=past), now_ms=NOW + 1)).actions == (Start(milestone="M001"),)


@pytest.mark.spec(id="FM-20")
def test_one_that_crashes_too_often_is_left_to_a_person() -> None:
    past = Past(run="r1", lost=True, crashes=4, last_crash_ms=0, crash_reason="killed by SIGKILL")
    found = plan(seen(one(past=past)))
    assert (found.standings[0].stage, found.actions) == (Stage.FAILED, ())
    assert "killed by SIGKILL" in found.standings[0].cause
    assert found.finish is not None
    assert found.finish.code is ExitCode.BLOCKED


ENDS = {
    "blocked": (ended("blocked"), Stage.BLOCKED),
    "paused for a person": (ended("paused"), Stage.BLOCKED),
    "interrupted": (ended("interrupted"), Stage.BLOCKED),
    "out of budget": (ended("budget"), Stage.BUDGET),
    "says done, files do not": (ended("done"), Stage.FAILED),
    "something passing": (ended("paused", passing=True), Stage.BACKOFF),
}


@pytest.mark.spec(id="FM-12")
@pytest.mark.parametrize("case", ENDS)
def test_what_the_terminal_record_of_a_worker_means(case: str) -> None:
    last, stage = ENDS[case]
    assert stages(seen(one(past=Past(run="r1", ended=last)))) == [stage]


def test_parked_workers_wake_one_after_the_other() -> None:
    last = ended("paused", at_ms=NOW, passing=True)
    pair = [one(mid, past=Past(run="r1", ended=last, parks=1)) for mid in ("M001", "M002", "M003")]
    times = [standing.at_ms for standing in plan(seen(*pair)).standings]
    assert times == [NOW + PARK_MS[0] + n * STAGGER_MS for n in range(3)]


@pytest.mark.spec(id="PR-238")
@pytest.mark.parametrize(("parks", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 300), (9, 300)])
def test_a_rate_limit_is_waited_for_longer_each_time_and_five_minutes_at_most(parks: int, seconds: int) -> None:
    parked = one(past=Past(run="r1", ended=ended("paused", at_ms=NOW, passing=True), parks=parks))
    [waits] = plan(seen(parked)).standings
    assert (waits.stage, waits.at_ms) == (Stage.BACKOFF, NOW + seconds * 1_000)
    assert plan(seen(parked, now_ms=waits.at_ms)).actions == (Start(milestone="M001"),)


@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="DV-02")
def test_at_the_ceiling_workers_are_told_to_stop_until_they_are_gone_and_none_is_started() -> None:
    found = plan(seen(one("M001", live=Live.RUNNING), one("M002"), budget_spent=True))
    assert found.actions == (Halt(milestone="M001", sender="budget"),)
    told = one("M001", live=Live.RUNNING, past=Past(run="r1", budget_stop=True))
    assert plan(seen(told, one("M002"), budget_spent=True)).actions == found.actions
    assert stages(seen(told, one("M002"), budget_spent=True))[1] is Stage.BUDGET


@pytest.mark.spec(id="PR-197")
def test_raising_the_ceiling_goes_on() -> None:
    stopped = one(past=Past(run="r1", ended=ended("interrupted"), budget_stop=True))
    found = plan(seen(stopped, budget_spent=True))
    assert found.finish is not None
    assert found.finish.code is ExitCode.BUDGET
    assert plan(seen(stopped)).actions == ()
    assert plan(seen(stopped, raised_ms=NOW)).actions == (Start(milestone="M001"),)


HELD = {"pause": Wanted.PAUSE, "stop": Wanted.STOP}


@pytest.mark.spec(id="PR-085")
@pytest.mark.parametrize("order", HELD)
def test_what_a_person_holds_is_not_started(order: str) -> None:
    found = plan(seen(one(past=Past(wanted=HELD[order], wanted_by="person"))))
    assert (found.standings[0].stage, found.actions) == (Stage.HELD, ())
    assert found.standings[0].cause == f"{order} ordered by person"
    assert found.finish is not None
    assert found.finish.code is ExitCode.PAUSED


@pytest.mark.spec(id="PR-082")
def test_stop_of_all_halts_who_lives_and_then_ends() -> None:
    running = one("M001", live=Live.RUNNING), one("M002")
    assert plan(seen(*running, stop_all=True)).actions == (Halt(milestone="M001", sender=""),)
    over = plan(seen(one("M001", past=Past(run="r", ended=ended("interrupted"))), one("M002"), stop_all=True))
    assert over.actions == ()
    assert over.finish is not None
    assert (over.finish.code, over.finish.reason) == (ExitCode.INTERRUPTED, "stopped by request")


@pytest.mark.spec(id="PR-083")
def test_stop_of_one_halts_that_one() -> None:
    first = one("M001", live=Live.RUNNING, past=Past(run="r", wanted=Wanted.STOP))
    assert plan(seen(first, one("M002", live=Live.RUNNING))).actions == (Halt(milestone="M001", sender=""),)


def test_everything_complete_is_done() -> None:
    found = plan(seen(one(on_target=True), one("M002", ineligible="Parked.", out_of_plan=True)))
    assert found.finish is not None
    assert found.finish.code is ExitCode.DONE


def test_what_is_not_planned_is_named_and_nobody_waits_for_it() -> None:
    found = plan(seen(one(on_target=True), one("M006", ineligible="Only a draft is there.", out_of_plan=True)))
    assert found.finish is not None
    assert found.finish.code is ExitCode.DONE
    assert found.finish.reason == "all that is planned is complete. M006: Only a draft is there."


def test_a_stop_by_the_ceiling_says_the_ceiling() -> None:
    stopped = one(past=Past(run="r1", ended=ended("interrupted"), budget_stop=True))
    standing = plan(seen(stopped, budget_spent=True)).standings[0]
    assert (standing.cause, "Raise" in standing.hint) == ("the ceiling of all workers is reached", True)
    own = one(past=Past(run="r1", ended=ended("budget")))
    assert plan(seen(own)).standings[0].hint == "do this"


def test_waiting_merges_end_the_run_and_say_what_to_type() -> None:
    found = plan(seen(one(complete=True)))
    assert found.finish is not None
    assert (found.finish.code, found.finish.hint) == (ExitCode.PAUSED, "gsd parallel merge M001")


@pytest.mark.spec(id="FM-20")
def test_what_a_worker_left_unverified_is_settled_by_a_worker_and_not_merged() -> None:
    """Its files say complete, and nobody has looked whether that is so."""
    waits = "Already complete; it waits to be merged."
    left = one(complete=True, ineligible=waits, past=Past(unsettled=True))
    auto = Rules(auto_merge="auto")
    assert plan(seen(left, rules=auto)).actions == (Start(milestone="M001"),)
    again = replace(left, past=Past(unsettled=True, crashes=1, last_crash_ms=NOW - 1))
    assert stages(seen(again, rules=auto)) == [Stage.BACKOFF]
    settled = replace(left, past=Past())
    assert plan(seen(settled, rules=auto)).actions == (Land(milestone="M001"),)


def test_a_plan_without_a_milestone_is_not_done() -> None:
    """gsd-2#1488, PR#1585: an empty registry was taken for one in which everything is complete."""
    found = plan(seen())
    assert found.finish is not None
    assert (found.finish.code, found.finish.reason) == (ExitCode.BLOCKED, "there is no milestone in the plan")


@pytest.mark.spec(id="FM-95")
def test_what_a_landing_could_not_clear_away_is_tried_again_by_the_next_start() -> None:
    """Nobody is asked: it is merged already."""
    left = one(on_target=True, complete=True, leftover=True)
    for auto_merge in ("auto", "confirm", "manual"):
        found = plan(seen(left, rules=Rules(auto_merge=auto_merge)))
        assert found.actions == (Land(milestone="M001"),)
        assert found.finish is None
    assert stages(seen(left, merging="M001")) == [Stage.DONE]
    cleared = plan(seen(replace(left, leftover=False)))
    assert cleared.finish is not None and cleared.finish.code is ExitCode.DONE


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    hour = 3_600_000
    crashed = one(past=Past(run="r1", lost=True, crashes=1, last_crash_ms=NOW + hour))
    parked = one("M002", past=Past(run="r2", parks=1, ended=ended("paused", at_ms=NOW + hour, passing=True)))
    assert stages(seen(crashed, parked)) == [Stage.QUEUED, Stage.QUEUED]
