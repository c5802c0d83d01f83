"""A board says of each worker what it is, why, and what is to be done; for people and for programs."""

import json
from pathlib import Path

import pytest

from milepost.fleet.condition import Cause, Condition
from milepost.fleet.look import Look
from milepost.fleet.processes import Role, Runner
from milepost.fleet.worker_look import WorkerLook
from milepost.formats.forecast import Forecast
from milepost.formats.journal import (
    AnyEvent,
    AttemptStarted,
    BudgetReserved,
    FleetEnded,
    FleetStarted,
    RunStarted,
    UsageReported,
)
from milepost.formats.preferences import Parallel, Preferences
from milepost.formats.status import CurrentUnit, LastOrder, WorkerState
from milepost.process.identity import Identity
from milepost.rules import fleet as rules
from milepost.rules.fleet import Past
from milepost.ui.views import fleet as view
from milepost.ui.views import fleet_json

NOW = 1_800_000_000_000
MINUTE = 60_000


def runner(role: Role = Role.WORKER, mid: str = "M001", pid: int = 4711) -> Runner:
    return Runner(role=role, milestone=mid, run="r1", who=Identity(host="h", boot_id="b", pid=pid, start_ticks=9))


def worker(mid: str = "M001", **more: object) -> WorkerLook:
    fields: dict[str, object] = {
        "milestone": mid, "title": "Auth System", "state": WorkerState.RUNNING, "condition": Condition.WORKING,
        "cause": Cause(), "alive": True, "runner": runner(mid=mid), "run": "r1", "pid": 4711,
        "unit": CurrentUnit(type="execute-task", id=f"{mid}/S01/T02", started_at=NOW - 3 * MINUTE), "units": 3,
        "micro_usd": 420_000, "unpriced": 0, "heartbeat_ms": 1_000, "progress_ms": 4_000,
        "wakes_at": 0, "started_at": NOW - 9 * MINUTE, "last_heartbeat": NOW - 1_000, "worktree": f"/p/.gsd/worktrees/{mid}",
        "last_order": None, "past": Past(),
    }  # fmt: skip
    return WorkerLook(**{**fields, **more})  # type: ignore[arg-type]


def gone(mid: str = "M001", **more: object) -> WorkerLook:
    return worker(mid, **{"alive": False, "runner": None, "unit": None, "state": WorkerState.STOPPED, **more})


def seen(*workers: WorkerLook, events: tuple[AnyEvent, ...] = (), boss: bool = False, **more: object) -> Look:
    coordinator = runner(Role.COORDINATOR, "", 99) if boss else None
    living = [w.runner for w in workers if w.alive and w.runner] + ([coordinator] if coordinator else [])
    fields: dict[str, object] = {
        "state": Path("/p/.gsd"), "workers": workers, "coordinator": coordinator, "runners": tuple(living),
        "fleet": rules.fold(events), "unmerged": (), "titles": {}, "forecasts": (), "events": events, "now_ms": NOW,
    }  # fmt: skip
    return Look(**{**fields, **more})  # type: ignore[arg-type]


def spent(micro_usd: int | None, mid: str = "M001", *, reserved: int = 0) -> tuple[AnyEvent, ...]:
    """A session whose one worker spent so much."""
    return (
        FleetStarted(at_ms=1, run="c", session="f1", pid=1, max_workers=2),
        RunStarted(at_ms=2, run="r1", pid=2, version="0", command="auto", milestone=mid, fleet="f1"),
        AttemptStarted(
            at_ms=3, run="r1", attempt="a", kind="execute-task", unit=f"{mid}/S01/T01", base="", branch="",
            fingerprint="", number=1,
        ),
        BudgetReserved(at_ms=4, run="r1", attempt="a", micro_usd=(micro_usd or 0) + reserved),
        UsageReported(at_ms=5, run="r1", attempt="a", model="m", input=1, output=1, micro_usd=micro_usd),
    )  # fmt: skip


def board(look: Look, **parallel: object) -> view.Board:
    return view.board(look, Preferences(parallel=Parallel(**parallel)), "gsd")  # type: ignore[arg-type]


@pytest.mark.spec(id="PR-081")
@pytest.mark.spec(id="DV-17")
def test_the_documented_form_then_ours() -> None:
    text = view.text(board(seen(worker(), boss=True)))
    assert text == (
        "# Parallel Workers\n"
        "\n"
        "- **M001** (Auth System) — running — 3 units — $0.42\n"
        "\n"
        "Total cost: $0.42\n"
        "\n"
        "M001 working: execute-task M001/S01/T02 for 3 min; last progress 4 s ago; pid 4711\n"
        "\n"
        "Budget: $0.00 spent, $0.00 reserved, no ceiling\n"
        "\n"
        "Coordinator: pid 99.\n"
    )


def test_nothing_at_all() -> None:
    assert view.text(board(seen())) == "No parallel orchestration is currently active.\n"
    assert view.brief(board(seen())) == []


def test_after_a_run_it_is_said_how_that_ended() -> None:
    events: tuple[AnyEvent, ...] = (
        FleetStarted(at_ms=1, run="c", session="f1", pid=1, max_workers=2),
        FleetEnded(at_ms=NOW - MINUTE, run="c", session="f1", state="done", reason="all milestones are complete"),
    )
    assert view.text(board(seen(events=events))) == (
        "No parallel orchestration is currently active.\n"
        "The last run ended 1 min ago: done: all milestones are complete\n"
    )


def test_workers_without_a_coordinator_go_on() -> None:
    assert view.text(board(seen(worker()))).endswith(
        "No coordinator is running; the workers go on, and gsd parallel start takes them up.\n"
    )


@pytest.mark.parametrize(
    ("look", "line"),
    [
        (
            worker(condition=Condition.PAUSED, unit=None, cause=Cause(what="ordered", by="ada", at_ms=NOW - 5_000)),
            "M001 paused: ordered by ada, 5 s ago; pid 4711",
        ),
        (
            gone(condition=Condition.CRASHED, cause=Cause(what="pid 7 is gone", at_ms=NOW - 2 * MINUTE)),
            "M001 crashed: pid 7 is gone, 2 min ago",
        ),
        (worker(condition=Condition.STARTING, state=None, unit=None, pid=0), "M001 starting"),
        (
            worker(progress_ms=12 * MINUTE),
            "M001 working: execute-task M001/S01/T02 for 3 min; NO PROGRESS for 12 min; pid 4711",
        ),
        (
            worker(unpriced=2, unit=None),
            "M001 working: 2 requests of unknown price; pid 4711",
        ),
        (gone(condition=Condition.WAITING_FOR_MERGE), "M001 waiting for merge"),
    ],
)
@pytest.mark.spec(id="FM-06")
def test_each_worker_in_a_line(look: WorkerLook, line: str) -> None:
    assert line in view.text(board(seen(look))).splitlines()


def test_before_its_first_heartbeat_it_is_not_called_running() -> None:
    text = view.text(board(seen(worker(condition=Condition.STARTING, state=None, units=0, micro_usd=0))))
    assert "- **M001** (Auth System) — starting — 0 units — $0.00" in text


@pytest.mark.spec(id="PR-197")
def test_the_budget_spent_reserved_left() -> None:
    look = seen(worker(), events=spent(3_200_000, reserved=500_000))
    assert "Budget: $3.20 spent, $0.500 reserved, $6.30 left of $10.00" in view.text(board(look, budget_ceiling=10.0))
    assert "no ceiling" in view.text(board(look))


@pytest.mark.spec(id="PR-245")
@pytest.mark.spec(id="DV-17")
@pytest.mark.parametrize(
    ("micro_usd", "said"), [(7_900_000, None), (8_000_000, 80), (8_350_000, 83), (12_000_000, 120)]
)
def test_the_alert_at_eighty_percent(micro_usd: int, said: int | None) -> None:
    made = board(seen(worker(), events=spent(micro_usd)), budget_ceiling=10.0)
    usd = f"${micro_usd / 1_000_000:.2f}"
    line = f"ALERT: {said} % of the budget of all workers is spent ({usd} of $10.00)"
    assert view.alerts(made) == ([line] if said else [])
    assert ("ALERT" in view.text(made)) is bool(said)
    assert (f"Budget     {line}" in view.brief(made)) is bool(said)


def test_a_workers_own_ceiling_is_told_apart() -> None:
    made = view.board(
        seen(worker(), events=spent(900_000)),
        Preferences(budget_ceiling=1.0, parallel=Parallel(budget_ceiling=100.0)),
        "gsd",
    )
    assert view.alerts(made) == ["ALERT: 90 % of the budget of M001 is spent ($0.900 of $1.00)"]


def test_money_of_unknown_price_is_not_called_nothing() -> None:
    text = view.text(board(seen(worker(), events=spent(None, reserved=250_000))))
    assert "Budget: $0.00 spent, $0.250 reserved, 1 request of unknown price, no ceiling" in text


def test_conflicts_to_come() -> None:
    told = (Forecast(a="M001", b="M002", files=("src/a.py", "b"), seen_at=NOW - 20_000),)
    text = view.text(board(seen(worker(), forecasts=told)))
    assert "To come: M001 conflicts with M002 in src/a.py, b (seen 20 s ago)" in text


def test_what_waits_is_there_with_what_to_type() -> None:
    look = seen(gone(condition=Condition.WAITING_FOR_MERGE, cause=Cause(what="complete")), boss=True)
    text = view.text(board(look))
    assert "Waiting for you (1):\n- M001 merge: complete, and not merged yet; auto_merge is confirm" in text
    assert "→ gsd parallel merge M001" in text


@pytest.mark.spec(id="FM-06")
def test_words_of_an_agent_do_not_command_the_terminal() -> None:
    look = gone(condition=Condition.BLOCKED, cause=Cause(what="\x1b[2Jboom", hint="\x1b]0;x\x07"))
    assert "\x1b" not in view.text(board(seen(look)))


def test_a_new_block_is_due_when_something_but_time_changed() -> None:
    one = view.signature(board(seen(worker())))
    later = seen(worker(progress_ms=9_000, heartbeat_ms=3_000, last_heartbeat=NOW + 5_000), now_ms=NOW + 5_000)
    assert view.signature(board(later)) == one
    assert view.signature(board(seen(worker(units=4)))) != one
    assert view.signature(board(seen(worker(condition=Condition.PAUSING)))) != one
    assert view.signature(board(seen(worker(), boss=True))) != one


def test_at_the_end_each_is_called_what_it_is() -> None:
    """All of them dead is not all of them complete."""
    workers = (
        gone(condition=Condition.CRASHED),
        gone("M002", condition=Condition.MERGED),
        gone("M003", condition=Condition.CRASHED),
    )
    assert view.farewell(board(seen(*workers))) == "Nothing runs any more: M001, M003 crashed; M002 merged."
    assert view.farewell(board(seen())) == "Nothing runs any more."


def test_for_programs() -> None:
    """These keys are documented and stay."""
    order = LastOrder(signal="pause", sent_at=5, taken_at=6)
    told = (Forecast(a="M001", b="main", files=("x",), lines=("x:1",), seen_at=7),)
    look = seen(worker(last_order=order), events=spent(8_000_000), forecasts=told, boss=True)
    found = json.loads(json.dumps(fleet_json.document(board(look, budget_ceiling=10.0))))
    assert found == {
        "active": True,
        "session": "f1",
        "coordinator": {"pid": 99, "run": "r1"},
        "totalCost": 0.42,
        "workers": [
            {
                "milestoneId": "M001", "title": "Auth System", "state": "running", "doing": "working",
                "cause": {"what": "", "by": None, "at": None, "hint": None}, "alive": True, "pid": 4711, "run": "r1",
                "wakesAt": None, "currentUnit": {"type": "execute-task", "id": "M001/S01/T02", "startedAt": NOW - 3 * MINUTE},
                "completedUnits": 3, "cost": 0.42, "costKnown": True, "startedAt": NOW - 9 * MINUTE,
                "lastHeartbeat": NOW - 1_000, "lastProgress": NOW - 4_000,
                "lastOrder": {"signal": "pause", "sentAt": 5, "takenAt": 6}, "worktreePath": "/p/.gsd/worktrees/M001",
            }
        ],
        "budget": {
            "spent": 8.0, "reserved": 0.0, "left": 2.0, "ceiling": 10.0, "percent": 80, "unpricedRequests": 0,
        },
        "alerts": ["ALERT: 80 % of the budget of all workers is spent ($8.00 of $10.00)"],
        "forecasts": [{"a": "M001", "b": "main", "files": ["x"], "lines": ["x:1"], "seenAt": 7}],
        "waiting": [
            {
                "milestoneId": "M001", "kind": "forecast", "reason": "will conflict with main in x",
                "next": "gsd parallel rebase M001 brings in what is merged; "
                "gsd parallel pause M001 lets the other go first.",
                "since": 7, "details": ["x:1"],
            }
        ],
    }  # fmt: skip


def test_the_brief_lines_of_gsd_status() -> None:
    lines = view.brief(board(seen(worker(), gone("M002", condition=Condition.CRASHED, cause=Cause(what="gone")))))
    assert lines == [
        "Parallel   M001 working: execute-task M001/S01/T02 for 3 min; last progress 4 s ago; pid 4711",
        "Parallel   M002 crashed: gone",
        "Waiting    1 thing for you: gsd inbox",
    ]
