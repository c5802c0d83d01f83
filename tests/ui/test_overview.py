"""Where a project stands, as one value and as text."""

import pytest

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Landed, Result, RunEnded, UsageReported
from milepost.model.state import Counts, Phase, Progress, Ref, State, Tally
from milepost.model.units import Unit, UnitKind
from milepost.rules.dispatch import Dispatch, Halt, Level
from milepost.ui.views import overview, spending
from milepost.ui.views.overview import Overview, Row
from milepost.ui.views.spending import Spent

STATE = State(
    phase=Phase.EXECUTING,
    next_action="",
    registry=(),
    requirements=Counts(),
    progress=Progress(milestones=Tally(0, 2), slices=Tally(1, 3)),
    active_milestone=Ref("M001", "Feed store"),
    active_slice=Ref("S02", "Core"),
    blockers=("a key is missing",),
)
NEXT = Dispatch(Unit(UnitKind.PLAN_SLICE, "M001/S02"), "rule")


def attempt(name: str, kind: str, *prices: int | None, commit: str = "") -> list[AnyEvent]:
    return [
        AttemptStarted(
            at_ms=1, run="r", attempt=name, kind=kind, unit="u", base="", branch="", fingerprint="", number=1
        ),
        *(UsageReported(at_ms=2, run="r", attempt=name, model="m", input=600, output=400, micro_usd=p) for p in prices),
        AttemptEnded(at_ms=3, run="r", attempt=name, result=Result.COMMITTED, commit=commit),
    ]


EVENTS: list[AnyEvent] = [
    *attempt("a", "plan-slice", 100, 200, commit="c1"),
    *attempt("b", "execute-task", 50, None),
    *attempt("c", "plan-slice", 700),
    *attempt("d", "run-uat"),
]


def seen(events: list[AnyEvent], **changes: object) -> Overview:
    facts: dict[str, object] = {"running": "", "ceiling": None, "carried": 0}
    return overview.overview(STATE, NEXT, events, **(facts | changes))  # type: ignore[arg-type]


def test_rows_by_kind_in_the_order_they_were_met() -> None:
    assert overview.by_kind(spending.attempts(EVENTS)) == (
        Row(kind="plan-slice", attempts=2, committed=2, spent=Spent(requests=3, input=1_800, output=1_200, micro_usd=1_000)),
        Row(
            kind="execute-task", attempts=1, committed=1,
            spent=Spent(requests=2, input=1_200, output=800, micro_usd=50, unpriced=1),
        ),
        Row(kind="run-uat", attempts=1, committed=1, spent=Spent()),
    )  # fmt: skip
    assert [row.micro_usd for row in overview.by_kind(spending.attempts(EVENTS))] == [1_000, None, 0]
    assert overview.by_kind(()) == ()


def test_the_sums() -> None:
    found = seen(EVENTS, carried=5)
    assert (found.tokens, found.attempts, found.books.spent, found.books.unpriced) == (5_000, 4, 1_055, 1)


def lines(found: Overview, program: str = "gsd") -> dict[str, str]:
    text = overview.text(found, program).split("\n\n")[0]
    return {line[:11].strip(): line[11:] for line in text.splitlines()}


def test_the_text() -> None:
    found = lines(seen(EVENTS, ceiling=10_050, running="pid 7"))
    assert found["Milestone"] == "M001: Feed store"
    assert found["Task"] == "none"
    assert found["Phase"] == "executing"
    assert found["Next"] == "plan-slice M001/S02"
    assert found["Running"] == "pid 7"
    assert found["Progress"] == "0/2 milestones, 1/3 slices"
    assert found["Blocked"] == "a key is missing"
    assert found["Cost"] == (
        "$0.0010 in 4 attempts, 5.0k tokens, 1 request of unknown price; $0.00 reserved, $0.0090 left of $0.010"
    )


def test_a_halt_says_why() -> None:
    found = overview.overview(STATE, Halt("stuck here", Level.ERROR, "r", ""), [], running="", ceiling=None, carried=0)
    assert lines(found)["Next"] == "stuck here"


@pytest.mark.parametrize(("running", "shown"), [("", "blocked: no key — sf auto goes on"), ("pid 7", None)])
def test_the_last_run_is_shown_when_none_is_running(running: str, shown: str | None) -> None:
    ends: list[AnyEvent] = [
        RunEnded(at_ms=1, run="r0", state="done", reason="old"),
        RunEnded(at_ms=2, run="r1", state="blocked", reason="no key", hint="gsd auto goes on"),
    ]
    assert lines(seen(ends, running=running), "sf").get("Last run") == shown


@pytest.mark.parametrize(
    ("facts", "tail"),
    [({}, ""), ({"pushed": True}, " (pushed)"), ({"push_error": "rejected"}, " (NOT pushed: rejected)")],
)
def test_landings(facts: dict[str, object], tail: str) -> None:
    event = Landed(at_ms=1, run="r", milestone="M001", target="main", commit="0123456789abcdef", tip="t", **facts)  # type: ignore[arg-type]
    assert lines(seen([event]))["Landed"] == f"M001 on main as 0123456789{tail}"


def test_the_table() -> None:
    text = overview.text(seen(EVENTS), "gsd")
    table = text.split("\n\n")[1].splitlines()
    assert len({line.find("  ", 12) > 0 for line in table}) == 1
    assert table[0].split() == ["unit", "attempts", "done", "tokens", "cost"]
    assert table[2].split() == ["execute-task", "1", "1", "2.0k", "unknown"]
    assert overview.table(()).split() == ["unit", "attempts", "done", "tokens", "cost"]
    assert "\n\n" not in overview.text(seen([]), "gsd")
