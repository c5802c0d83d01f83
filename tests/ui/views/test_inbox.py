"""What waits for a person, why, and what to type; and nothing that goes on by itself."""

import pytest

from milepost.fleet.condition import Cause, Condition
from milepost.fleet.look import Look
from milepost.fleet.worker_look import WorkerLook
from milepost.formats.forecast import Forecast
from milepost.formats.journal import AnyEvent, FleetEnded, FleetStarted, Landed, LandingEnded, Ordered, Undone
from milepost.formats.preferences import Parallel
from milepost.rules.fleet import Past, Wanted
from milepost.ui.views import inbox, inbox_text
from milepost.ui.views.inbox import Kind, Row
from ui.views.test_fleet import NOW, gone, seen, worker


def rows(look: Look, program: str = "gsd", **parallel: object) -> tuple[Row, ...]:
    return inbox.rows(look, Parallel(**parallel), program)  # type: ignore[arg-type]


def only(look: Look, **parallel: object) -> Row:
    (row,) = rows(look, **parallel)
    return row


def ended(outcome: str = "conflict", **more: object) -> LandingEnded:
    fields: dict[str, object] = {
        "at_ms": NOW - 60_000, "run": "m", "milestone": "M001", "outcome": outcome, "target": "main",
        "reason": "conflicts with main", "files": ("src/a.py",), "details": ("src/a.py:12-20",),
    }  # fmt: skip
    return LandingEnded(**{**fields, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "look",
    [
        worker(), worker(condition=Condition.PAUSING), worker(condition=Condition.SETTING_UP),
        gone(condition=Condition.WAITING), gone(condition=Condition.MERGED), gone(condition=Condition.QUEUED),
        gone(condition=Condition.CRASHED, past=Past(crashes=1)), worker(condition=Condition.MERGING),
        gone(condition=Condition.STOPPED), gone(condition=Condition.FINISHED),
    ],
    ids=lambda look: str(look.condition),
)  # fmt: skip
def test_what_goes_on_by_itself_is_not_there(look: WorkerLook) -> None:
    assert rows(seen(look, boss=True)) == ()
    assert inbox_text.text((), NOW) == "Nothing waits for you.\n"


@pytest.mark.spec(id="PR-123")
@pytest.mark.spec(id="PR-124")
@pytest.mark.spec(id="PR-196")
def test_a_conflict_with_its_files_and_the_way_on() -> None:
    cause = Cause(what="conflicts with main: src/a.py", at_ms=NOW - 60_000)
    found = only(seen(gone(condition=Condition.CONFLICT, cause=cause, past=Past(landing=ended())), boss=True))
    assert found == Row(
        kind=Kind.CONFLICT,
        milestone="M001",
        reason="conflicts with main: src/a.py",
        next="Resolve it in .gsd/worktrees/M001, then gsd parallel merge M001",
        since_ms=NOW - 60_000,
        details=("src/a.py:12-20",),
    )
    assert inbox_text.text((found,), NOW) == (
        "Waiting for you (1):\n"
        "\n"
        "- M001 conflict: conflicts with main: src/a.py (1 min ago)\n"
        "    src/a.py:12-20\n"
        "    → Resolve it in .gsd/worktrees/M001, then gsd parallel merge M001\n"
    )


def test_a_refused_merge_says_what_its_record_says() -> None:
    cause = Cause(what="README.md is in the way", hint="gsd parallel merge M001")
    past = Past(landing=ended("refused"))
    found = only(seen(gone(condition=Condition.REFUSED, cause=cause, past=past), boss=True))
    assert (found.kind, found.next) == (Kind.REFUSED, "gsd parallel merge M001")


@pytest.mark.spec(id="DV-04")
@pytest.mark.parametrize(
    ("auto_merge", "boss", "waits"),
    [("confirm", True, True), ("manual", True, True), ("auto", True, False), ("auto", False, True)],
)
def test_a_complete_milestone_waits_when_nobody_else_merges_it(auto_merge: str, boss: bool, waits: bool) -> None:
    found = rows(seen(gone(condition=Condition.WAITING_FOR_MERGE), boss=boss), auto_merge=auto_merge)
    assert [(row.kind, row.next) for row in found] == ([(Kind.MERGE, "gsd parallel merge M001")] if waits else [])


@pytest.mark.spec(id="PR-088")
@pytest.mark.spec(id="FM-93")
def test_complete_and_unmerged_without_any_worker_is_not_forgotten() -> None:
    assert [(row.kind, row.milestone) for row in rows(seen(unmerged=("M004",)))] == [(Kind.MERGE, "M004")]
    conflicted = seen(events=(ended(milestone="M004"),), unmerged=("M004",))
    assert [(row.kind, row.milestone) for row in rows(conflicted)] == [(Kind.CONFLICT, "M004")]


def test_who_died_too_often_waits_and_so_does_everybody_without_a_coordinator() -> None:
    dead = gone(condition=Condition.CRASHED, cause=Cause(what="exit code 1"), past=Past(crashes=4))
    found = only(seen(dead, boss=True), max_restarts=3)
    assert (found.kind, found.reason) == (Kind.FAILED, "it died 4 times in a row; last: exit code 1")
    assert found.next.endswith("gsd parallel start --retry M001")
    once = gone(condition=Condition.CRASHED, cause=Cause(what="exit code 1"), past=Past(crashes=1))
    assert only(seen(once)).next == "gsd parallel start"


@pytest.mark.spec(id="PR-197")
@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (Condition.BLOCKED, Kind.BLOCKED), (Condition.NEEDS_YOU, Kind.BLOCKED), (Condition.OUT_OF_BUDGET, Kind.BUDGET),
    ],
)  # fmt: skip
def test_what_a_worker_said_at_its_end(condition: Condition, kind: Kind) -> None:
    cause = Cause(what="the ceiling is reached", hint="Raise it, then gsd parallel start.")
    found = only(seen(gone(condition=condition, cause=cause), boss=True))
    assert (found.kind, found.reason, found.next) == (
        kind,
        "the ceiling is reached",
        "Raise it, then gsd parallel start.",
    )


@pytest.mark.parametrize(
    ("condition", "typed"),
    [(Condition.PAUSED, "gsd parallel resume M001"), (Condition.UNRESPONSIVE, "gsd parallel stop M001")],
)
def test_living_workers_that_wait(condition: Condition, typed: str) -> None:
    assert only(seen(worker(condition=condition, cause=Cause(what="ordered", by="ada")), boss=True)).next == typed


def test_what_an_order_keeps_from_being_started() -> None:
    order = Ordered(at_ms=NOW - 1, run="o", milestone="M002", order="pause", sender="ada")
    found = only(seen(events=(order,), boss=True))
    assert (found.kind, found.milestone, found.reason) == (
        Kind.PAUSED,
        "M002",
        "paused and not started; ordered by ada",
    )
    assert rows(seen(events=(order,))) == ()


def test_what_was_killed_by_an_order_waits_for_another_one() -> None:
    past = Past(crashes=1, wanted=Wanted.STOP, wanted_by="ada")
    look = gone(condition=Condition.CRASHED, cause=Cause(what="killed by SIGKILL"), past=past)
    found = only(seen(look, boss=True))
    assert (found.kind, found.next) == (Kind.STOPPED, "gsd parallel resume M001")


def test_a_landing_that_was_not_pushed_or_not_cleared_away() -> None:
    landed = Landed(at_ms=5, run="m", milestone="M001", target="main", commit="c", tip="t", push_error="no route")
    unpushed = gone(condition=Condition.MERGED, past=Past(landed=landed))
    assert only(seen(unpushed, boss=True)).reason == "on main, and not pushed: no route"
    left = gone(condition=Condition.MERGED, past=Past(landing=ended("kept", reason="its worktree is dirty", files=())))
    found = only(seen(left, boss=True, uncleared=("M001",)))
    assert (found.kind, found.next) == (Kind.KEPT, "gsd doctor")
    assert not rows(seen(left, boss=True))


def test_what_was_taken_back_out() -> None:
    undone = Undone(at_ms=5, run="u", milestone="M001", target="main", commit="c", landed="l")
    look = gone(condition=Condition.UNDONE, cause=Cause(what="taken back out of main"), past=Past(undone=undone))
    found = only(seen(look, boss=True))
    assert (found.kind, found.next) == (Kind.UNDONE, "gsd parallel start --retry M001 does it again.")


def test_a_conflict_of_one_slice_beside_a_worker_that_goes_on() -> None:
    look = worker(past=Past(slice_landing=ended(slice="S01")))
    found = only(seen(look, boss=True))
    assert (found.kind, found.reason) == (Kind.CONFLICT, "slice S01: conflicts with main: src/a.py")


def test_conflicts_to_come_can_be_acted_on() -> None:
    told = Forecast(a="M001", b="M002", files=("a.py",), seen_at=NOW)
    found = only(seen(worker(), worker("M002"), forecasts=(told,), boss=True))
    assert (found.kind, found.details) == (Kind.FORECAST, ("a.py",))
    assert "gsd parallel rebase M001" in found.next


def test_a_session_that_nobody_coordinates() -> None:
    started = FleetStarted(at_ms=1, run="c", session="f1", pid=1, max_workers=2)
    left = {"left": ("M001", "M002")}
    killed = only(seen(events=(started,), **left))
    assert (killed.kind, killed.reason) == (Kind.FLEET, "its coordinator is gone without a last word")
    over = FleetEnded(at_ms=2, run="c", session="f1", state="interrupted", reason="stopped by request", hint="gsd x")
    assert only(seen(events=(started, over), **left)).next == "gsd x"
    assert rows(seen(events=(started, over))) == ()
    blocked = FleetEnded(at_ms=2, run="c", session="f1", state="blocked", reason="M001: conflicts", hint="resolve it")
    assert only(seen(events=(started, blocked), **left)).reason == "nobody coordinates, and M001, M002 are not done"
    stuck = gone(condition=Condition.BLOCKED)
    assert [row.milestone for row in rows(seen(stuck, events=(started, blocked), **left))] == ["M001"]
    done: tuple[AnyEvent, ...] = (started, FleetEnded(at_ms=2, run="c", session="f1", state="done", reason="all"))
    assert rows(seen(events=done)) == ()


@pytest.mark.spec(id="PR-213")
def test_sf_is_told_to_type_sf() -> None:
    look = seen(gone(condition=Condition.WAITING_FOR_MERGE), boss=True)
    assert rows(look, "sf")[0].next == "sf parallel merge M001"


def test_the_most_pressing_comes_first() -> None:
    looks = (
        worker("M003", condition=Condition.PAUSED), gone("M002", condition=Condition.BLOCKED),
        gone("M001", condition=Condition.WAITING_FOR_MERGE), gone("M004", condition=Condition.CONFLICT),
    )  # fmt: skip
    assert [row.milestone for row in rows(seen(*looks, boss=True))] == ["M004", "M002", "M001", "M003"]


def test_for_programs() -> None:
    row = Row(kind=Kind.FLEET, milestone="", reason="r", next="n")
    assert inbox_text.document((row,)) == [
        {"milestoneId": None, "kind": "fleet", "reason": "r", "next": "n", "since": None, "details": []}
    ]
