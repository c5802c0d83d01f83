"""The dashboard's rows, from built situations."""

import pytest

from milepost.fleet.processes import Role, Runner
from milepost.formats.captures import Capture
from milepost.formats.journal import AnyEvent, Result, UnitSkipped, WaitBegan
from milepost.formats.preferences import Preferences
from milepost.model import money
from milepost.rules import projection
from milepost.ui.views import dashboard, milestone_status, overview, story, why_project
from milepost.ui.views.dashboard import Dashboard
from milepost.ui.views.situation import Situation
from ui.circumstances import NOW, attempt, began, ended, here


def board(where: Situation, *, costs: tuple[int, ...] = ()) -> Dashboard:
    ceiling = where.preferences.budget_ceiling
    return Dashboard(
        here=where,
        seen=overview.overview(
            where.state, where.decision, where.events, running="pid 4711" if where.pid else "",
            ceiling=None if ceiling is None else money.from_usd(ceiling), carried=0,
        ),
        projection=projection.project(costs, 3),
        waiting=(),
    )  # fmt: skip


def rows(made: Dashboard) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label, words in dashboard.rows(made):
        found.setdefault(label, []).append(words)
    return found


def working() -> list[AnyEvent]:
    flying = attempt(
        "b", "M001/S01/T02", None, number=2, at_ms=NOW - 180_000, took_ms=176_000, prices=(420_000,), tier="light"
    )
    return [began(at_ms=NOW - 7_800_000), *attempt("a", prices=(1_000_000,)), *flying]


@pytest.mark.spec(id="PR-245")
@pytest.mark.covers("command:status")
def test_what_runs_since_when_and_what_it_costs_so_far() -> None:
    found = rows(board(here(working(), runner="r1")))
    assert found["Milestone"] == ["M001: Feed store"]
    assert found["Task"] == ["T02: Write"]
    assert found["Phase"] == ["executing"]
    assert found["Run"] == ["auto for 2 h 10 min: 1 unit done in 2 sessions, $1.42"]
    assert found["Unit"] == ["attempt 2, for 3 min, m, light: 1.0k tokens, $0.420; last sign 4 s ago"]


def test_a_unit_that_says_nothing_is_said_loudly() -> None:
    silent = [began(), *attempt("b", "M001/S01/T02", None, at_ms=NOW - 900_000, took_ms=1_000)]
    assert rows(board(here(silent, runner="r1")))["Unit"][0].endswith("; NOTHING HEARD for 14 min")


@pytest.mark.parametrize(
    ("spent", "bar", "alert"),
    [
        (200_000, "####................ 20 % of $1.00", None),
        (800_000, "################.... 80 % of $1.00", "ALERT: 80 % of the budget is spent ($0.800 of $1.00)"),
        (1_500_000, "#################### 150 % of $1.00", "ALERT: 150 % of the budget is spent ($1.50 of $1.00)"),
    ],
)
@pytest.mark.spec(id="PR-245")
def test_the_budget_with_its_alert(spent: int, bar: str, alert: str | None) -> None:
    made = board(here([began(), *attempt("a", prices=(spent,))], preferences=Preferences(budget_ceiling=1)))
    assert rows(made)["Budget"] == [bar, *([alert] if alert else [])]
    assert dashboard.document(made)["alerts"] == ([alert] if alert else [])


def test_the_projection_stands_beside_the_cost() -> None:
    found = rows(board(here(working(), runner="r1"), costs=(100_000, 300_000)))
    assert found["Projection"][0] == "$0.600 ($0.200/slice avg × 3 remaining)"
    assert found["Projection"][1].startswith("Range: $0.360 to $0.840")
    assert "Projection" not in rows(board(here(working())))


def test_captures_and_skipped_units() -> None:
    skip = UnitSkipped(at_ms=1, run="p", kind="execute-task", unit="M001/S01/T09")
    back = UnitSkipped(at_ms=1, run="p", kind="run-uat", unit="M001/S01")
    again = UnitSkipped(at_ms=2, run="p", kind="run-uat", unit="M001/S01", taken_back=True)
    waits = Capture("CAP-1", "x", "t", "pending")
    found = rows(board(here([skip, back, again], captures=(waits, waits, waits._replace(status="resolved")))))
    assert found["Captures"] == ["2 pending: gsd triage"]
    assert found["Skipped"] == ["execute-task M001/S01/T09"]


def test_no_line_is_longer_than_the_terminal_and_values_stand_below_each_other() -> None:
    made = board(here([*working(), ended("blocked", "a reason that goes on and on; " * 6)]), costs=(1_000, 2_000))
    lines = dashboard.text(made, 80).splitlines()
    assert max(map(len, lines)) <= 80
    head = lines[: lines.index("")]
    assert all(line[11] != " " and line[10] == " " for line in head), head


def test_a_block_is_printed_again_only_when_something_changed() -> None:
    first = dashboard.signature(board(here(working(), runner="r1")))
    assert first == dashboard.signature(board(here(working(), runner="r1")))
    assert first != dashboard.signature(board(here([*working(), *attempt("c", "M001/S02")], runner="r1")))
    capture = Capture("CAP-1", "x", "t", "pending")
    assert first != dashboard.signature(board(here(working(), runner="r1", captures=(capture,))))


def test_one_milestone() -> None:
    worker = Runner(role=Role.WORKER, milestone="M001", run="r1")
    told = milestone_status.story("M001", here(working(), runners=[worker]))
    text = story.text(told)
    assert text.startswith("M001 (Feed store) is active, in phase executing.\n")
    assert "Progress   0/2 slices, 1/3 tasks\n" in text
    assert "Unit       execute-task M001/S01/T02: attempt 2, for 3 min" in text
    assert "  [ ] S02: Fetch (needs S01)\n      [ ] T01: Loop\n" in text
    assert told.document["cost"] == 1.42
    failed = attempt("z", "M002", Result.TIMED_OUT, kind="plan-milestone")
    assert milestone_status.story("M002", here([*working(), *failed])).document["cost"] == 0.001


def test_what_a_run_waits_for_and_until_when() -> None:
    wait = WaitBegan(
        at_ms=NOW - 60_000, run="r1", unit="execute-task/M001/S01/T02", kind="rate-limit", text="try later",
        resume_at_ms=NOW + 720_000, number=1,
    )  # fmt: skip
    made = board(here([*working()[:5], wait], runner="r1"))
    until = made.here.clock(wait.resume_at_ms)
    assert rows(made)["Waits"] == [f"until {until}, for 12 min more: rate-limit: try later (execute-task/M001/S01/T02)"]
    assert dashboard.document(made)["waits"][0]["until"] == NOW + 720_000  # type: ignore[index]
    told = why_project.standing(made.here)
    assert (told.word, told.since_ms) == ("waiting", NOW - 60_000)
    assert "Waits" not in rows(board(here([*working()[:5], wait])))
