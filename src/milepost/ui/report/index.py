"""`reports/index.html`: all reports, the latest first, with what each said at its time."""

from pathlib import PurePosixPath
from urllib.parse import quote

from milepost.formats.reports import Entry, Index
from milepost.model import money
from milepost.ui.report.markup import Markup, page, tag
from milepost.ui.views.spans import lasted

_HEAD = (("report", ""), ("kind", ""), ("written", ""), ("slices", "n"), ("milestones", "n"), ("cost", "n"))
_MORE = (("tokens", "n"), ("work", "n"))


def text_of(index: Index) -> str:
    """The page."""
    entries = sorted(index.known(), key=lambda entry: entry.generated_at, reverse=True)
    head = tag("tr", [tag("th", name, classes=look) for name, look in (*_HEAD, *_MORE)])
    about = f"{index.project_path}, Milepost {index.version}"
    body = [
        tag("h1", f"Reports of {index.project_name}"),
        tag("p", about, classes="soft"),
        tag("div", tag("table", head, map(_row, entries)), classes="wide"),
    ]
    return page(f"{index.project_name} — reports", body)


def _row(entry: Entry) -> Markup:
    # An index that others wrote must not lead anywhere but to a file beside it.
    there = quote(PurePosixPath(entry.filename).name)
    return tag(
        "tr",
        tag("td", tag("a", entry.label or entry.filename, href=f"./{there}")),
        tag("td", entry.kind),
        tag("td", entry.generated_at[:16].replace("T", " "), classes="t"),
        tag("td", f"{entry.done_slices}/{entry.total_slices}", classes="n"),
        tag("td", f"{entry.done_milestones}/{entry.total_milestones}", classes="n"),
        tag("td", _cost(entry), classes="n"),
        tag("td", money.show_tokens(entry.total_tokens), classes="n"),
        tag("td", lasted(entry.total_duration), classes="n"),
    )


def _cost(entry: Entry) -> str:
    parts = [] if entry.total_cost is None else [money.show(money.from_usd(entry.total_cost))]
    parts += [f"{entry.unpriced_requests} unpriced"] if entry.unpriced_requests else []
    parts += ["flat rate"] if entry.flat_rate_tokens else []
    return " + ".join(parts) or "not known"
