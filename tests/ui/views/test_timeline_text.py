"""The picture of who ran when."""

import pytest

from milepost.ui.views import timeline_text
from milepost.ui.views.timeline import Row, Span, Timeline, What


def clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}"


def task(begin_s: float, end_s: float, place: str = "M001/S01/T01", **how: bool) -> Span:
    return span(What.TASK, begin_s, end_s, f"execute-task {place}", **how)


def span(what: What, begin_s: float, end_s: float, unit: str = "", **how: bool) -> Span:
    return Span(what=what, begin_ms=int(begin_s * 1000), end_ms=int(end_s * 1000), unit=unit, **how)


def picture(*rows: Row, width: int = 60) -> list[str]:
    spans = [found for row in rows for found in row.spans]
    begin, end = min(s.begin_ms for s in spans), max(s.end_ms for s in spans)
    made = Timeline(begin_ms=begin, end_ms=end, rows=rows)
    return timeline_text.text(made, width=width, clock=clock).splitlines()


def bar(*spans: Span, columns: int = 20) -> str:
    """The picture of one row, without its name."""
    return picture(Row(milestone="M1", spans=spans), width=columns + 6)[1][4:]


def test_the_whole_picture() -> None:
    one = Row(
        milestone="M001",
        spans=(
            task(0, 10),
            span(What.SLICE, 10, 20, "complete-slice M001/S01"),
            span(What.MILESTONE, 20, 30, "validate-milestone M001"),
            span(What.WAIT, 30, 34),
            span(What.MERGE, 34, 36),
        ),
        last="merged",
        last_ms=36_000,
    )
    two = Row(milestone="M002", spans=(task(0, 12, "M002/S01/T02"), task(12, 40, "M002/S02/T01", open=True)))
    assert picture(one, two, width=79) == [
        "      00:00:00                   00:00:20           00:00:40",
        "M001  ████T01█████ ▓▓▓▓▓S01▓▓▓▓▓ ▒▒validate▒▒ ·····===        ⇢ merged 00:00:36",
        "M002  ██████T02██████ █████████████████T01█████████████████   ⇢ at work",
        "",
        "█ task   ▓ slice   ▒ milestone   · waits to be merged   = merge",
        "5 units: 70 s of work in 40 s; 2 at once for 30 s.",
    ]


@pytest.mark.parametrize(
    ("columns", "drawn"),
    [
        (12, "██S01/T01██        ░"),
        (10, "█S01/T01█          ░"),
        (9, "██T01███           ░"),
        (6, "█T01█              ░"),
        (5, "████               ░"),
        (3, "██                 ░"),
        (2, "█                  ░"),
        (1, "█                  ░"),
    ],
)
def test_a_name_stands_where_there_is_room_for_it(columns: int, drawn: str) -> None:
    assert bar(task(0, columns), span(What.PAUSE, 19.9, 20)) == drawn


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("complete-slice M001/S02", "complete S02"),
        ("reassess-roadmap M001/S02", "reassess S02"),
        ("plan-slice M001/S02", "plan S02"),
    ],
)
def test_a_unit_of_a_slice_says_what_it_does(unit: str, name: str) -> None:
    assert name in bar(span(What.SLICE, 0, 10, unit))


def test_names_are_long_only_where_all_can_be() -> None:
    assert bar(task(0, 10), task(10, 20, "M001/S01/T02")) == "█S01/T01█ █S01/T02█"
    assert bar(task(0, 11), task(11, 20, "M001/S01/T02")) == "███T01████ ██T02███"
    assert bar(task(0, 19), task(19, 20, "M001/S01/T02")) == "█████S01/T01██████ █"


def test_what_came_to_nothing_is_crossed_out() -> None:
    assert bar(task(0, 10, failed=True)) == "xxxxxxS01/T01xxxxxx"
    lines = picture(Row(milestone="M001", spans=(task(0, 10, failed=True),)))
    assert lines[-2] == "x without a commit"


def test_what_is_short_has_a_column() -> None:
    assert bar(task(0, 100), span(What.MERGE, 100, 100.001)).endswith("=")


def test_a_merge_is_drawn_over_the_work_beside_it() -> None:
    assert bar(span(What.MERGE, 5, 6, "S01"), task(0, 20)) == "█████=S01/T01██████"


def test_pauses_and_set_ups_are_told_apart_from_work() -> None:
    shown = bar(span(What.SET_UP, 0, 5), task(5, 10), span(What.PAUSE, 10, 20))
    assert shown == "-----████ ░░░░░░░░░░"


@pytest.mark.parametrize("width", [1, 30, 80, 200])
def test_no_line_is_longer_than_asked_for_or_than_it_must_be(width: int) -> None:
    row = Row(milestone="M001", spans=(task(0, 10), span(What.MERGE, 10, 11)), last="merged", last_ms=11_000)
    lines = picture(row, width=width)
    assert max(map(len, lines[:2])) <= max(width, 46)


def test_nothing() -> None:
    made = Timeline(begin_ms=0, end_ms=0, rows=())
    assert timeline_text.text(made, width=80, clock=clock) == "Nothing has run yet.\n"


def test_a_timeline_without_length() -> None:
    assert bar(task(5, 5)).strip() == "█"


def test_one_after_the_other_says_nothing_of_at_once() -> None:
    assert picture(Row(milestone="M001", spans=(task(0, 10), task(10, 20))))[-1] == "2 units: 20 s of work in 20 s."


def test_long_times_are_said_in_minutes() -> None:
    last = picture(Row(milestone="M001", spans=(task(0, 7_200),)))[-1]
    assert last == "1 unit: 2 h 0 min of work in 2 h 0 min."
