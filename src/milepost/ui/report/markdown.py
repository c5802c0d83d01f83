"""A report as markdown: `gsd export --markdown`. Words of agents and people are shown as text, not as markup."""

import re
from collections.abc import Iterable, Iterator, Sequence

from milepost.model import money
from milepost.model.state import Status
from milepost.ui.report import words
from milepost.ui.views import spending
from milepost.ui.views.report import Fact, Report, Work
from milepost.ui.views.spans import lasted
from milepost.ui.views.spending import By

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_TABLES = (By.PHASE, By.SLICE, By.MODEL, By.TIER, By.AGENT, By.DAY)


def text(made: Report) -> str:
    """The file; ends with a newline."""
    return "\n".join(_lines(made)).rstrip() + "\n"


def _lines(made: Report) -> Iterator[str]:
    yield from (f"# {_safe(made.title)}", "")
    yield from (f"Milepost {made.besides.version}, {words.clock(made.here.now_ms)}", "")
    yield from (f"- **{label}:** {_safe(said)}" for label, said in words.figures(made))
    for by in _TABLES:
        rows = spending.table(made.besides.money.found, by)
        yield from _table(
            f"Cost by {by.value}",
            (by.value.capitalize(), "Attempts", "Tokens", "Cost"),
            [(r.name, r.attempts, money.show_tokens(r.spent.tokens), spending.show(r.spent)) for r in rows],
        )
    yield from _table("Units", ("Unit", "State", "Attempts", "Tokens", "Cost", "Took"), map(_row, made.works))
    yield from (f"\n{line}" for line in words.beside(made))
    yield from _tries(made.works)
    yield from _progress(made)
    yield from _facts("Waits and limits", made.waits)
    yield from _facts("Skipped", made.skipped)
    yield from _facts("Taken back", made.undone)
    yield from _changelog(made)
    yield from _table(
        "Decisions",
        ("#", "When", "Decision", "Choice", "Why"),
        [(d.id, d.when, d.decision, d.choice, d.rationale) for d in made.besides.decisions],
    )
    yield from _table("Knowledge", ("#", "Scope", "What"), [(k.id, k.scope, k.text) for k in made.besides.knowledge])
    yield from _table(
        "Captures",
        ("#", "Text", "Status", "Taken as", "Outcome"),
        [(c.id, c.text, c.status, c.classification, c.resolution) for c in made.captures],
    )
    yield from ("", "## Health", "", words.health(made.besides.health), "")
    yield from (f"- {h.severity}: {_safe(h.message)}" for h in made.besides.health or ())


def _row(work: Work) -> tuple[object, ...]:
    tokens, cost = money.show_tokens(work.spent.tokens), spending.show(work.spent)
    return work.named, work.state, len(work.tries), tokens, cost, lasted(work.took_ms)


def _tries(works: Iterable[Work]) -> Iterator[str]:
    """Why there was more than one attempt, or none that went well."""
    for work in filter(words.eventful, works):
        yield from ("", f"### {_safe(work.named)}", "", f"It {_safe(work.says)}.", "")
        for one in work.tries:
            yield f"{one.number}. {words.clock(one.at_ms)}, {_safe(one.who)}: {_safe(one.result)}"
            yield f"   - because {_safe(one.because)}"
            yield from (f"   - {_safe(fixed)}" for fixed in one.put_right)


def _progress(made: Report) -> Iterator[str]:
    yield from ("", "## Progress", "")
    for stem in made.plan:
        done = "x" if stem.entry.status is Status.COMPLETE else " "
        yield f"- [{done}] {stem.entry.id}: {_safe(stem.entry.title)} ({stem.entry.status})"
        for part in stem.slices:
            yield f"  - [{'x' if part.done else ' '}] {part.id}: {_safe(part.title)}"
            yield from (f"    - [{'x' if t.done else ' '}] {t.id}: {_safe(t.title)}" for t in part.tasks)


def _changelog(made: Report) -> Iterator[str]:
    if made.besides.commits:
        yield from ("", "## Changelog", "")
    for commit in made.besides.commits:
        yield f"- {words.clock(commit.at_ms)} `{commit.id[:10]}` {_safe(commit.subject)}"
        yield from (f"  {_safe(line)}" for line in commit.body.splitlines() if line.strip())


def _facts(title: str, facts: Sequence[Fact]) -> Iterator[str]:
    yield from _table(title, ("When", "What", ""), [(words.clock(f.at_ms), f.about, f.says) for f in facts])


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A heading and a table; nothing without rows."""
    cells = [tuple(_safe(str(cell)) for cell in row) for row in rows]
    if not cells:
        return
    yield from ("", f"## {title}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}")
    yield from (f"| {' | '.join(row)} |" for row in cells)


def _safe(said: str) -> str:
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub("", _SPACE.sub(" ", said)).strip())
