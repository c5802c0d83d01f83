"""Which hooks are due, from the journal alone."""

import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    CapReset,
    HookFired,
    HookWanted,
    Landed,
    Redone,
    Result,
    RunStarted,
)
from milepost.formats.preferences import PostUnitHook, PreDispatchHook
from milepost.model.units import Unit, UnitKind
from milepost.rules import hooks
from milepost.testing.trees import DictTree

TASK = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")


def begun(kind: str, unit: str = "M001/S01/T01", attempt: str = "", run: str = "r") -> AttemptStarted:
    return AttemptStarted(
        at_ms=1,
        run=run,
        attempt=attempt or f"{kind}.{unit}",
        kind=kind,
        unit=unit,
        base="",
        branch="",
        fingerprint="",
        number=1,
    )


def ended(kind: str, unit: str = "M001/S01/T01", attempt: str = "", result: Result = Result.COMMITTED) -> AttemptEnded:
    return AttemptEnded(at_ms=1, run="r", attempt=attempt or f"{kind}.{unit}", result=result)


def did(kind: str, unit: str = "M001/S01/T01", attempt: str = "") -> list[AnyEvent]:
    return [begun(kind, unit, attempt), ended(kind, unit, attempt)]


REDONE = Redone(at_ms=1, run="r", unit=TASK.key, hook="review", attempt="a")


@pytest.mark.parametrize(
    ("events", "served"),
    [
        ([], None),
        ([begun("execute-task")], None),
        (did("execute-task"), ()),
        ([begun("execute-task"), ended("execute-task", result=Result.VERIFY_FAILED)], None),
        ([*did("execute-task"), begun("hook/review")], ()),
        ([*did("execute-task"), *did("hook/review")], ("review",)),
        ([*did("execute-task"), begun("hook/review"), ended("hook/review", result=Result.CRASHED)], ()),
        ([*did("execute-task"), *did("hook/review", "M001/S01/T09")], ()),
        ([*did("execute-task"), *did("triage-captures", "M001/triage")], ()),
        ([*did("execute-task"), begun("complete-slice", "M001/S01")], None),
        ([*did("execute-task"), Landed(at_ms=1, run="r", milestone="M001", target="", commit="", tip="")], None),
        ([*did("execute-task"), Landed(at_ms=1, run="r", milestone="M002", target="", commit="", tip="")], ()),
        ([RunStarted(at_ms=1, run="r", pid=1, version="", command="next"), *did("execute-task")], None),
        ([*did("execute-task"), REDONE], None),
    ],
    ids=["empty", "begun", "done", "failed", "hook begun", "served", "hook died", "another's", "triage", "next unit", "landed", "other landed", "step", "redone"],
)  # fmt: skip
def test_trigger(events: list[AnyEvent], served: tuple[str, ...] | None) -> None:
    found = hooks.story(events).trigger
    assert (found and found.served) == served
    assert found is None or found.unit == TASK


def test_cycles_count_over_runs_until_a_person_resets_them() -> None:
    rounds = [
        *did("execute-task", attempt="1"),
        *did("hook/review", attempt="2"),
        *did("execute-task", attempt="3"),
        *did("hook/review", attempt="4"),
    ]
    assert hooks.story(rounds).cycles == {"review/execute-task/M001/S01/T01": 2}
    for key in ("*", "hook/review/M001/S01/T01"):
        assert hooks.story([*rounds, CapReset(at_ms=1, run="r", unit=key)]).cycles == {}
    assert hooks.story([*rounds, CapReset(at_ms=1, run="r", unit="execute-task/M001/S01/T01")]).cycles


def test_a_redo_waits_for_the_next_attempt() -> None:
    events = [*did("execute-task"), *did("hook/review"), REDONE]
    assert hooks.story(events).redo == REDONE
    assert hooks.story([*events, begun("execute-task", attempt="again")]).redo is None


def test_a_wish_is_served_once() -> None:
    wish = HookWanted(at_ms=1, run="p", hook="review", kind="execute-task", unit="M001/S01/T01")
    assert hooks.story([wish]).wanted == (wish,)
    done = hooks.story([wish, *did("hook/review")])
    assert done.wanted == ()
    assert done.cycles == {"review/execute-task/M001/S01/T01": 1}


@pytest.mark.parametrize(
    ("unit_type", "expected"),
    [
        (None, TASK),
        ("execute-task", TASK),
        ("research-slice", Unit(UnitKind.RESEARCH_SLICE, "M001/S01")),
        ("complete-milestone", Unit(UnitKind.COMPLETE_MILESTONE, "M001")),
        ("nothing", TASK),
        ("hook", TASK),
    ],
)
def test_what_a_replacement_is_booked_as(unit_type: str | None, expected: Unit) -> None:
    assert hooks.booked_as(TASK, unit_type) == expected


def test_a_type_that_needs_more_of_an_id_is_not_taken() -> None:
    milestone = Unit(UnitKind.PLAN_MILESTONE, "M001")
    assert hooks.booked_as(milestone, "execute-task") == milestone


def test_a_replacement_of_another_type_counts_once_it_is_done() -> None:
    fired = HookFired(at_ms=1, run="r", hook="look", action="replace", unit=TASK.key, booked="research-slice/M001/S01")
    assert not hooks.replaced([fired], "look", TASK)
    assert not hooks.replaced([*did("research-slice", "M001/S01"), fired], "look", TASK)
    assert hooks.replaced([fired, *did("research-slice", "M001/S01")], "look", TASK)
    assert not hooks.replaced([fired, *did("research-slice", "M001/S01")], "other", TASK)


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("REVIEW.md", TASK, "milestones/M001/slices/S01/tasks/T01-REVIEW.md"),
        ("REVIEW.md", Unit(UnitKind.COMPLETE_SLICE, "M001/S01"), "milestones/M001/slices/S01/REVIEW.md"),
        ("REVIEW.md", Unit(UnitKind.PLAN_MILESTONE, "M001"), "milestones/M001/REVIEW.md"),
        ("{sliceId}/R.md", Unit(UnitKind.PLAN_MILESTONE, "M001"), None),
        ("../R.md", TASK, None),
        ("/etc/passwd", TASK, None),
        ("", TASK, None),
    ],
    ids=["task", "slice", "milestone", "no slice", "up", "absolute", "empty"],
)
def test_where_its_file_lies(name: str, unit: Unit, expected: str | None) -> None:
    assert hooks.file_of(name, unit, DictTree({})) == expected


def test_which_hooks_match() -> None:
    post = (
        PostUnitHook(name="a", after=("execute-task",)),
        PostUnitHook(name="b", after=("execute-task",), enabled=False),
    )
    assert [hook.name for hook in hooks.after(post, TASK)] == ["a"]
    pre = (PreDispatchHook(name="a", before=("hook", "execute-task")),)
    assert hooks.before(pre, TASK) == pre
    assert hooks.before(pre, Unit(UnitKind.HOOK, TASK.id, "review")) == ()


def test_ids_are_filled_in() -> None:
    assert hooks.filled("{milestoneId} {sliceId} {taskId} {other}", TASK) == "M001 S01 T01 {other}"
