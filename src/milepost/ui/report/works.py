"""The table of units: what each took, and of those that did not go well at once, why each attempt was made."""

from collections.abc import Iterator

from milepost.model import money
from milepost.ui.report import words
from milepost.ui.report.markup import NOTHING, Markup, join, tag
from milepost.ui.views import spending
from milepost.ui.views.report import Report, Try, Work
from milepost.ui.views.spans import lasted

_HEAD = (("unit", ""), ("state", ""), ("by", ""), ("tries", "n"), ("tokens", "n"), ("cost", "n"), ("took", "n"))
_LOOK = {"done": "good", "failed": "bad", "undone": "warn", "skipped": "warn"}


def table(made: Report) -> Markup:
    """The table; nothing when no unit was tried."""
    if not made.works:
        return NOTHING
    head = tag("tr", [tag("th", name, classes=look) for name, look in _HEAD])
    rows = join(row for work in made.works for row in _rows(work))
    more = [tag("p", line) for line in words.beside(made)]
    return Markup(tag("div", tag("table", head, rows), classes="wide") + join(more))


def _rows(work: Work) -> Iterator[Markup]:
    more = words.eventful(work)
    yield tag(
        "tr",
        tag("td", work.named),
        tag("td", work.state, classes=_LOOK.get(work.state, "")),
        tag("td", tag("small", _who(work))),
        tag("td", str(len(work.tries)), classes="n"),
        tag("td", money.show_tokens(work.spent.tokens), classes="n"),
        tag("td", spending.show(work.spent), classes="n c"),
        tag("td", lasted(work.took_ms), classes="n"),
        classes="open" if more else "",
    )
    if more:
        tries = [tag("li", _try(one), value=one.number) for one in work.tries]
        told = tag("td", f"It {work.says}.", tag("ol", tries), colspan=len(_HEAD))
        yield tag("tr", told, classes="more")


def _who(work: Work) -> str:
    """Of the last attempt: who, and why this model."""
    last = work.tries[-1]
    return f"{last.who} ({last.routed})" if last.routed else last.who


def _try(one: Try) -> Markup:
    cost = f"{spending.show(one.spent)}, {lasted(one.took_ms)}"
    said = [f"{words.clock(one.at_ms)}, because {one.because}. {one.who}, {cost}: {one.result}"]
    fixed = [tag("li", text) for text in one.put_right]
    return join((*said, tag("ul", fixed) if fixed else NOTHING))
