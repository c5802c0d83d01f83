"""A report as one page that opens anywhere, without a network, on a phone and on paper.

What happened, how it ended and what it cost come first; then the parts, each only when it has something to say.
Source: spec auto 5.18.
"""

from collections.abc import Iterable, Iterator, Sequence

from milepost.model import money
from milepost.model.state import Status
from milepost.model.words import counted
from milepost.ui.report import gantt, graph, words, works
from milepost.ui.report.graph import Node
from milepost.ui.report.markup import NOTHING, Markup, join, page, tag, text
from milepost.ui.views import spending
from milepost.ui.views.plan_tree import Branch, Stem
from milepost.ui.views.report import Commit, Fact, Health, Report
from milepost.ui.views.spending import By, Row

_TABLES = (By.PHASE, By.SLICE, By.MODEL, By.TIER, By.AGENT, By.DAY)
_MOST = 200
"""Rows of a list of what happened; `gsd logs` has all of them."""
_GOOD = ("done", "merged", "complete", "running")
_LOOK = {"error": "bad", "warning": "warn", "info": "soft"}


def text_of(made: Report, *, listed: bool = True) -> str:
    """The page. listed: whether it lies beside an index that it can lead back to."""
    parts = [(title, body) for title, body in _parts(made) if body]
    return page(f"{made.title} — Milepost", [_head(made, [title for title, _ in parts], listed), *map(_part, parts)])


def _parts(made: Report) -> Iterator[tuple[str, Markup]]:
    mine = made.milestone.id if made.milestone else ""
    yield "Summary", _figures(made)
    yield "Health", _health(made.besides.health)
    yield "Progress", _tree(made)
    yield "Dependencies", _dependencies(made, mine)
    yield "Timeline", gantt.picture(made.timeline, by_slice=bool(mine))
    yield "Cost", _costs(made)
    yield "Units", works.table(made)
    yield "Waits and limits", _facts(made.waits)
    yield "Skipped and taken back", _facts((*made.skipped, *made.undone))
    yield "Changelog", join(map(_commit, made.besides.commits))
    yield "Decisions", _rows(
        ("#", "When", "Decision", "Choice", "Why"),
        [
            (d.id, d.when, f"{d.decision}{f' (replaced by {d.superseded_by})' if d.superseded_by else ''}", d.choice,
             d.rationale)
            for d in made.besides.decisions
        ],
    )  # fmt: skip
    yield "Knowledge", _rows(("#", "Scope", "What"), [(k.id, k.scope, k.text) for k in made.besides.knowledge])
    yield (
        "Captures",
        _rows(
            ("#", "Text", "Status", "Taken as", "Outcome"),
            [(c.id, c.text, c.status, c.classification, c.resolution) for c in made.captures],
        ),
    )


def _head(made: Report, titles: Sequence[str], listed: bool) -> Markup:
    look = "good" if made.word in _GOOD else "warn"
    about = f"{made.besides.name}, {words.clock(made.here.now_ms)}, Milepost {made.besides.version}"
    links = [tag("a", title, href=f"#{_anchor(title)}") for title in titles]
    back = [tag("a", "All reports", href="index.html")] if listed else []
    return tag(
        "header",
        tag("h1", made.title, " ", tag("span", made.word, classes=look)),
        tag("p", about, classes="soft"),
        tag("nav", [*back, *links]),
    )


def _part(part: tuple[str, Markup]) -> Markup:
    title, body = part
    return tag("section", tag("h2", title), body, id=_anchor(title))


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _figures(made: Report) -> Markup:
    return tag("dl", [Markup(tag("dt", label) + tag("dd", said)) for label, said in words.figures(made)])


def _health(rows: tuple[Health, ...] | None) -> Markup:
    said = tag("p", words.health(rows))
    if not rows:
        return said
    items = [
        tag("li", tag("span", row.severity, classes=_LOOK.get(row.severity, "soft")), f" {row.message} ",
            tag("small", row.hint))
        for row in rows[:_MOST]
    ]  # fmt: skip
    return Markup(said + tag("ul", items))


def _tree(made: Report) -> Markup:
    return tag("ul", map(_stem, made.plan), classes="tree") if made.plan else NOTHING


def _stem(stem: Stem) -> Markup:
    entry = stem.entry
    done = sum(part.done for part in stem.slices)
    count = f" {done}/{counted(len(stem.slices), 'slice')}, {entry.status}" if stem.slices else f" {entry.status}"
    parts = [tag("ul", map(_branch, stem.slices))] if stem.slices else []
    return tag("li", _box(entry.status is Status.COMPLETE), _named(entry.id, entry.title), tag("small", count), parts)


def _branch(part: Branch) -> Markup:
    tasks = [tag("li", _box(task.done), _named(task.id, task.title)) for task in part.tasks]
    needs = tag("small", f" needs {', '.join(part.depends)}") if part.depends else NOTHING
    return tag("li", _box(part.done), _named(part.id, part.title), needs, [tag("ul", tasks)] if tasks else [])


def _named(identity: str, title: str) -> Markup:
    return join((tag("b", identity), f" {title}"))


def _box(done: bool) -> Markup:
    return tag("span", "✓ " if done else "○ ", classes="good" if done else "soft")


def _dependencies(made: Report, mine: str) -> Markup:
    """Milestones among each other, and the slices of those that it is about."""
    needs = made.besides.needs
    stones = [
        Node(id=s.entry.id, title=s.entry.title, needs=tuple(needs.get(s.entry.id, s.entry.depends_on)),
             look=_state_of(s.entry.status is Status.COMPLETE, s.entry.status is Status.ACTIVE))
        for s in made.plan
    ]  # fmt: skip
    pictures = [("Milestones", graph.picture(stones, "Which milestone waits for which"))]
    for stem in made.plan:
        if mine in ("", stem.entry.id):
            parts = [Node(id=p.id, title=p.title, needs=p.depends, look=_state_of(p.done)) for p in stem.slices]
            drawn = graph.picture(parts, f"Which slice of {stem.entry.id} waits for which")
            pictures.append((f"Slices of {stem.entry.id}", drawn))
    return join(Markup(tag("h3", title) + drawn) for title, drawn in pictures if drawn)


def _state_of(done: bool, active: bool = False) -> str:
    return "done" if done else "at" if active else ""


def _costs(made: Report) -> Markup:
    tables = [_cost(by, spending.table(made.besides.money.found, by)) for by in _TABLES]
    return tag("div", tables, classes="tables") if made.spent.requests else NOTHING


def _cost(by: By, rows: Sequence[Row]) -> Markup:
    """Bars are by money, or by tokens where nothing has a price."""
    in_money = any(row.spent.micro_usd for row in rows)
    sizes = [row.spent.micro_usd if in_money else row.spent.tokens for row in rows]
    most = max([1, *sizes])
    head = tag("tr", tag("th", by.value), [tag("th", name, classes="n") for name in ("attempts", "tokens", "cost")])
    body = [
        tag(
            "tr", tag("td", row.name, tag("span", classes="bar", style=f"width:{100 * size // most}%")),
            tag("td", str(row.attempts), classes="n"), tag("td", money.show_tokens(row.spent.tokens), classes="n"),
            tag("td", spending.show(row.spent), classes="n c"),
        )
        for row, size in zip(rows, sizes, strict=True)
    ]  # fmt: skip
    return tag("div", tag("h3", f"By {by.value}"), tag("div", tag("table", head, body), classes="wide"))


def _facts(facts: Sequence[Fact]) -> Markup:
    if not facts:
        return NOTHING
    rows = _rows(("When", "What", ""), [(words.clock(fact.at_ms), fact.about, fact.says) for fact in facts[:_MOST]])
    left = len(facts) - _MOST
    return rows if left <= 0 else Markup(rows + tag("p", f"And {left} more: gsd logs has them.", classes="soft"))


def _commit(commit: Commit) -> Markup:
    lines = [tag("li", line.removeprefix("- ")) for line in commit.body.splitlines() if line.strip()]
    return join(
        (
            tag("p", tag("b", commit.subject), " ",
                tag("small", tag("code", commit.id[:10]), f" {words.clock(commit.at_ms)}, {commit.author}")),
            tag("ul", lines, classes="soft") if lines else NOTHING,
        )
    )  # fmt: skip


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A table of words; nothing without rows."""
    body = [tag("tr", [tag("td", text(cell)) for cell in row]) for row in rows]
    if not body:
        return NOTHING
    return tag("div", tag("table", tag("tr", [tag("th", name) for name in head]), body), classes="wide")
