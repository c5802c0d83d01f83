"""What every form of a report says in the same words: the figures at its head, the money of a row, times of day."""

import time

from milepost.model import money
from milepost.model.words import counted
from milepost.rules import projection
from milepost.ui.views import spending
from milepost.ui.views.report import Health, Report, Work
from milepost.ui.views.spans import lasted


def figures(made: Report) -> tuple[tuple[str, str], ...]:
    """Label and words: how it stands, what was done, what it cost and may cost."""
    seen, spent = made.besides.money, made.spent
    tokens = f"{money.show_tokens(spent.tokens)} ({money.show_tokens(spent.cache_read)} read from caches)"
    tries = sum(not attempt.beside for attempt in seen.found)
    rows = [("State", f"{made.word}: {made.cause}" if made.cause else made.word)]
    rows += [("Next", made.next)] if made.next else []
    rows += [
        ("Progress", f"{_of(made.milestones, 'milestone')}, {_of(made.slices, 'slice')}"),
        ("Work", f"{counted(len(made.works), 'unit')} in {counted(tries, 'attempt')}, {_together(made)}"),
        ("Cost", spending.show(spent)),
        ("Tokens", f"{tokens} in {counted(spent.requests, 'request')}"),
    ]
    if made.milestone and seen.spent != spent.micro_usd:
        rows.append(("Project", f"{money.show(seen.spent)} in all, with every other milestone"))
    if seen.carried:
        rows.append(("Others", f"{money.show(seen.carried)} by other programs, according to metrics.json"))
    if seen.ceiling is not None:
        rows.append(("Ceiling", f"{money.show(seen.spent)} of {money.show(seen.ceiling)} spent"))
    rows += [("Window", line) for line in seen.windows]
    if seen.projection is not None and seen.projection.remaining:
        told = projection.lines(seen.projection, spent=seen.spent, ceiling=seen.ceiling)
        rows += [("To come", line.removeprefix("Projected remaining: ")) for line in told]
    return tuple(rows)


def beside(made: Report) -> tuple[str, ...]:
    """What was spent on no unit, one line each."""
    return tuple(
        f"Besides: {spending.show(spent)}, {money.show_tokens(spent.tokens)} tokens "
        f"{f'for {name}' if name else 'of unknown units'}."
        for name, spent in made.beside.items()
    )


def eventful(work: Work) -> bool:
    """Whether there is more to tell of a unit than its one attempt's figures."""
    return len(work.tries) > 1 or work.state != "done" or any(one.put_right for one in work.tries)


def health(rows: tuple[Health, ...] | None) -> str:
    """In one sentence."""
    if rows is None:
        return "The doctor could not look at the project."
    if not rows:
        return "The doctor found nothing."
    counts = [(sum(row.severity == kind for row in rows), noun) for kind, noun in _KINDS]
    return f"The doctor found {', '.join(counted(count, noun) for count, noun in counts if count)}."


def clock(at_ms: int) -> str:
    """`2026-03-17 12:04`, local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000))


def stamp(at_ms: int) -> str:
    """`2026-03-17T12-04-02`, UTC, as file names have it (spec auto 5.18)."""
    return time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime(at_ms / 1000))


def _of(tally: tuple[int, int], noun: str) -> str:
    return f"{tally[0]} of {counted(tally[1], noun)}"


def _together(made: Report) -> str:
    drawn = made.timeline
    return f"{lasted(made.took_ms)} of work within {lasted(drawn.end_ms - drawn.begin_ms)}"


_KINDS = (("error", "error"), ("warning", "warning"), ("info", "note"))
