"""A timeline as a picture for a terminal: a row per milestone, time from left to right.

          12:04:02                12:04:14               12:04:26
    M001  █T01█ ██T02█ ▓S01▓ ██T01██ ▓S02▓ ▒▒▒▒ ▒▒▒ ··=         ⇢ merged 12:04:22
    M002  ████T01███ ▓▓S01▓▓ ▒▒▒▒ ▒▒▒ ·=                        ⇢ merged 12:04:16
    M003                                ██T01██ ▓▓S01▓ ▒▒▒▒ ▒▒=  ⇢ merged 12:04:26

Every span has at least one column, so what is short looks longer than it is; the numbers below the picture are exact.
"""

from collections.abc import Callable
from typing import Final

from milepost.model.words import counted
from milepost.ui.views.spans import ago, seconds
from milepost.ui.views.timeline import UNITS, Row, Span, Timeline, Together, What, together

_FILL: Final = {
    What.WAIT: "·",
    What.PAUSE: "░",
    What.SET_UP: "-",
    What.MILESTONE: "▒",
    What.SLICE: "▓",
    What.TASK: "█",
    What.MERGE: "=",
}
"""In the order in which they are drawn: what is below is drawn over."""
_FAILED: Final = "x"
_SAYS: Final = {
    What.TASK: "task",
    What.SLICE: "slice",
    What.MILESTONE: "milestone",
    What.SET_UP: "set-up",
    What.PAUSE: "paused",
    What.WAIT: "waits to be merged",
    What.MERGE: "merge",
}
_LEAST: Final = 20
"""Columns of the picture, however narrow the terminal."""
_SMALLEST: Final = 2
"""Columns of a unit that a gap may follow."""
_CLOCK: Final = 8
"""Columns that a time of day takes."""
_STEP: Final = 20
"""Columns from one time of day to the next, at least."""


def text(timeline: Timeline, *, width: int, clock: Callable[[int], str]) -> str:
    """The picture, what its signs mean, and how much went on at once; ends with a newline.

    width: columns in all. clock: epoch milliseconds to a time of day of eight columns (`12:04:31`).
    """
    if not timeline.rows:
        return "Nothing has run yet.\n"
    names = max(len(row.milestone) for row in timeline.rows)
    ends = [_end(row, clock) for row in timeline.rows]
    columns = max(_LEAST, width - names - 4 - max(map(len, ends)))
    long = _roomy(timeline, columns)
    lines = [f"{'':{names}}  {_scale(timeline, columns, clock)}"]
    for row, end in zip(timeline.rows, ends, strict=True):
        lines.append(f"{row.milestone:{names}}  {_bar(row, timeline, columns, long)}  {end}")
    lines += ["", _legend(timeline), _sum(together(timeline), timeline)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _end(row: Row, clock: Callable[[int], str]) -> str:
    if row.last:
        return f"⇢ {row.last} {clock(row.last_ms)}"
    return "⇢ at work" if any(span.open for span in row.spans) else ""


def _scale(timeline: Timeline, columns: int, clock: Callable[[int], str]) -> str:
    """Times of day, each beginning over its column; the last one ends with the picture."""
    steps = max(1, min(4, columns // _STEP))
    line = [" "] * columns
    for step in range(steps + 1):
        at_ms = timeline.begin_ms + (timeline.end_ms - timeline.begin_ms) * step // steps
        left = min(columns * step // steps, columns - _CLOCK)
        line[left : left + _CLOCK] = clock(at_ms)
    return "".join(line)


def _bar(row: Row, timeline: Timeline, columns: int, long: bool) -> str:
    bar = [" "] * columns
    drawn = list(_FILL)
    for span in sorted(row.spans, key=lambda span: (drawn.index(span.what), span.begin_ms)):
        begin, end = _place(span, timeline, columns)
        bar[begin:end] = _block(span, end - begin, _name(span, long))
    return "".join(bar)


def _place(span: Span, timeline: Timeline, columns: int) -> tuple[int, int]:
    length = max(1, timeline.end_ms - timeline.begin_ms)
    begin = min((span.begin_ms - timeline.begin_ms) * columns // length, columns - 1)
    end = (span.end_ms - timeline.begin_ms) * columns // length
    return begin, max(end, begin + 1)


def _block(span: Span, columns: int, name: str) -> str:
    """The sign of the span with its name inside, if there is room; units leave a gap to the next."""
    fill = _FAILED if span.failed else _FILL[span.what]
    if span.what not in UNITS or columns < _SMALLEST:
        return fill * columns
    return f"{name if _fits(name, columns) else '':{fill}^{columns - 1}} "


def _fits(name: str, columns: int) -> bool:
    return len(name) + 3 <= columns


def _roomy(timeline: Timeline, columns: int) -> bool:
    """Whether the long names fit into all units that have room for a name at all, so that no row mixes both."""
    units = [span for row in timeline.rows for span in row.spans if span.what in UNITS]
    wide = [(span, end - begin) for span in units for begin, end in [_place(span, timeline, columns)]]
    return all(_fits(_name(span, True), room) for span, room in wide if _fits(_name(span, False), room))


def _name(span: Span, long: bool) -> str:
    """`S01/T02` or `T02`; `complete S01` or `S01`; `validate`."""
    kind, _, place = span.unit.partition(" ")
    verb, last = kind.split("-")[0], place.split("/")[-1]
    match span.what:
        case What.TASK:
            return place.partition("/")[2] if long else last
        case What.SLICE:
            return f"{verb} {last}" if long else last
        case What.MILESTONE:
            return verb
        case _:
            return ""


def _legend(timeline: Timeline) -> str:
    spans = [span for row in timeline.rows for span in row.spans]
    used = {span.what for span in spans if not span.failed}
    parts = [f"{_FILL[what]} {says}" for what, says in _SAYS.items() if what in used]
    if any(span.failed for span in spans):
        parts.append(f"{_FAILED} without a commit")
    return "   ".join(parts)


def _sum(sums: Together, timeline: Timeline) -> str:
    """`19 units: 33 s of work in 21 s; 2 at once for 12 s.`"""
    said = f"{counted(sums.units, 'unit')}: {_long(sums.work_ms)} of work in "
    said += _long(timeline.end_ms - timeline.begin_ms)
    most = len(sums.at_once) - 1
    return f"{said}; {most} at once for {_long(sums.at_once[most])}." if most > 1 else f"{said}."


def _long(ms: int) -> str:
    return seconds(ms) if ms < 2 * 60_000 else ago(ms)
