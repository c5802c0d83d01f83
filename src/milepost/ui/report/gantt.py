"""Who ran when, as a picture: time from left to right, a row per milestone, or per slice of one. Inline SVG.

Every span is at least one unit wide, so that none is invisible; the words that appear over it are exact.
"""

import time
from collections.abc import Iterator, Sequence

from milepost.model.words import counted
from milepost.ui.report import words
from milepost.ui.report.markup import NOTHING, Markup, tag
from milepost.ui.views import spending
from milepost.ui.views.spans import lasted
from milepost.ui.views.timeline import UNITS, Span, Timeline, What, together

_WIDTH = 1000
_LEFT = 92
_ROW, _BAR = 26, 16
_TOP = 20
_STEPS = 5
_HOUR_MS = 3_600_000
_ORDER = tuple(What)
"""What comes later is drawn over what comes before."""
_SAYS = {
    What.TASK: "task",
    What.SLICE: "slice",
    What.MILESTONE: "milestone",
    What.MERGE: "merge",
    What.WAIT: "waits to be merged",
    What.PAUSE: "paused",
    What.SET_UP: "set-up",
}


def picture(drawn: Timeline, *, by_slice: bool) -> Markup:
    """The picture, what its colours mean, and how much went on at once; nothing when nothing ran."""
    rows = tuple(_by_slice(drawn) if by_slice else ((row.milestone, row.spans) for row in drawn.rows))
    if not rows:
        return NOTHING
    height = _TOP + _ROW * len(rows) + 4
    bars = (bar for number, (name, spans) in enumerate(rows) for bar in _row(name, spans, number, drawn))
    made = tag(
        "svg", tag("title", "Timeline"), _scale(drawn, height), bars,
        role="img", width=_WIDTH, height=height, viewBox=f"0 0 {_WIDTH} {height}",
    )  # fmt: skip
    return Markup(tag("div", made, classes="wide") + _legend(drawn) + _sum(drawn))


def _by_slice(drawn: Timeline) -> Iterator[tuple[str, Sequence[Span]]]:
    """The rows of one milestone: itself, then its slices in the order of their ids."""
    found: dict[str, list[Span]] = {}
    for row in drawn.rows:
        for span in row.spans:
            unit = span.unit.rpartition(" ")[2]
            of_slice = span.what in UNITS and "/" in unit
            name = spending.slice_of(unit).partition("/")[2] if of_slice else row.milestone
            found.setdefault(name, []).append(span)
    mine = {row.milestone for row in drawn.rows}
    yield from sorted(found.items(), key=lambda item: (item[0] not in mine, len(item[0]), item[0]))


def _row(name: str, spans: Sequence[Span], number: int, drawn: Timeline) -> Iterator[Markup]:
    y = _TOP + number * _ROW
    yield tag("text", name[:14], x=0, y=y + 17)
    yield tag("line", x1=_LEFT, x2=_WIDTH, y1=y + _ROW, y2=y + _ROW, classes="grid")
    for span in sorted(spans, key=lambda span: (span.what in UNITS, span.begin_ms)):
        x, end = _place(span.begin_ms, drawn), _place(span.end_ms, drawn)
        yield tag(
            "rect", tag("title", _words(span)), x=x, y=y + 5, width=max(1.0, end - x), height=_BAR,
            classes="failed" if span.failed else str(span.what),
        )  # fmt: skip


def _scale(drawn: Timeline, height: int) -> Iterator[Markup]:
    for step in range(_STEPS + 1):
        at_ms = drawn.begin_ms + (drawn.end_ms - drawn.begin_ms) * step // _STEPS
        x = _LEFT + (_WIDTH - _LEFT) * step / _STEPS
        anchor = "start" if step == 0 else "end" if step == _STEPS else "middle"
        yield tag("line", x1=x, x2=x, y1=_TOP - 4, y2=height, classes="grid")
        yield tag("text", _clock(at_ms, drawn), x=x, y=11, classes="soft", text_anchor=anchor)


def _clock(at_ms: int, drawn: Timeline) -> str:
    """`12:04:31` in a picture of minutes, `03-17 12:04` in one of hours."""
    short = drawn.end_ms - drawn.begin_ms < _HOUR_MS
    return time.strftime("%H:%M:%S" if short else "%m-%d %H:%M", time.localtime(at_ms / 1000))


def _place(at_ms: int, drawn: Timeline) -> float:
    length = max(1, drawn.end_ms - drawn.begin_ms)
    return _LEFT + (_WIDTH - _LEFT) * (at_ms - drawn.begin_ms) / length


def _words(span: Span) -> str:
    what = span.unit or _SAYS[span.what]
    failed = ", without a commit" if span.failed else ", goes on" if span.open else ""
    return f"{what}{failed}: {words.clock(span.begin_ms)}, {lasted(span.end_ms - span.begin_ms)}"


def _legend(drawn: Timeline) -> Markup:
    spans = [span for row in drawn.rows for span in row.spans]
    there = {span.what for span in spans if not span.failed}
    keys = [(str(what), _SAYS[what]) for what in _ORDER if what in there]
    keys += [("failed", "without a commit")] if any(span.failed for span in spans) else []
    return tag("p", [Markup(tag("span", classes=f"key {name}") + said) for name, said in keys], classes="soft")


def _sum(drawn: Timeline) -> Markup:
    found = together(drawn)
    shares = [f"{counted(number, 'unit')} for {lasted(ms)}" for number, ms in enumerate(found.at_once) if number and ms]
    return tag("p", f"At once: {', '.join(shares)}." if shares else "", classes="soft")
