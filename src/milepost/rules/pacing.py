"""Moving windows of time: what may be spent in one, what was, and when enough of it has rolled off.

`budget_window` bounds money, `billing.tokens_per_window` the tokens of models at a flat rate; of both,
`reserve_for_person` percent are left alone. A window counts the whole project, whoever ran it, and is asked before
each unit with what such units usually take; a unit that takes more is not cut short, and what it took too much is
missing to the next ones. A unit that is larger than a window is begun when the window is empty. All of it is a fold
over the journal and the clock, so a restart waits for the same moment. Source: issue "Money", field-reports #36.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from milepost.formats.journal import (
    AnyEvent,
    AttemptStarted,
    BudgetReserved,
    BudgetWaiting,
    RunEnded,
    RunStarted,
    UsageReported,
)
from milepost.formats.preferences import Preferences
from milepost.model import asides, money
from milepost.rules import budget
from milepost.rules.accounts import Accounts

_HOUR_MS: Final = 3_600_000
_FIRST_PART: Final = 10
"""A unit whose kind has no history is taken to need this part of a window."""


class Window(NamedTuple):
    """A limit for any stretch of time of that length."""

    span_ms: int
    limit: int
    """What runs may use: micro-USD, or tokens."""
    whole: int
    """The same with what is kept for the person."""
    flat: bool
    """Tokens of models at a flat rate, instead of money."""


class Used(NamedTuple):
    """What was used of a window, and when it leaves it."""

    at_ms: int
    amount: int
    """Micro-USD, or tokens."""


class Full(NamedTuple):
    """A unit does not fit into a window now."""

    window: Window
    used: int
    until_ms: int
    """When enough has rolled off, epoch milliseconds."""

    def __str__(self) -> str:
        kept = f", {show(self.window, self.window.whole - self.window.limit)} of it kept for you"
        return (
            f"{'flat rate' if self.window.flat else 'budget'} window: {show(self.window, self.used)} of"
            f" {show(self.window, self.window.whole)} used in the last {hours(self.window)}"
            + (kept if self.window.limit < self.window.whole else "")
        )


def windows_of(preferences: Preferences, *, flat: bool) -> tuple[Window, ...]:
    """The windows that bound a unit. flat: its models are at a flat rate."""
    part = (100 - preferences.reserve_for_person) / 100
    if flat:
        tokens, span = preferences.billing.tokens_per_window, _span(preferences.billing.window_hours)
        return () if tokens is None else (Window(span, round(tokens * part), tokens, flat=True),)
    amounts = [(_span(window.hours), money.from_usd(window.usd)) for window in preferences.budget_window]
    return tuple(Window(span, round(amount * part), amount, flat=False) for span, amount in amounts)


def full(events: Sequence[AnyEvent], windows: Iterable[Window], kind: str, now_ms: int) -> Full | None:
    """The window that a unit of `kind` waits for longest; None: it fits into all of them."""
    found = []
    for window in windows:
        uses = used(events, window, now_ms)
        room = window.limit - min(window.limit, estimate(events, kind, window))
        until = _fits_at(uses, window, room, now_ms)
        if until > now_ms:
            found.append(Full(window, sum(use.amount for use in uses), until))
    return max(found, key=lambda one: one.until_ms, default=None)


def used(events: Iterable[AnyEvent], window: Window, now_ms: int) -> tuple[Used, ...]:
    """What counts in the window that ends now, oldest first. What a clock set back puts into the future is now."""
    uses = _tokens(events) if window.flat else _money(events)
    begin = now_ms - window.span_ms
    inside = (Used(min(use.at_ms, now_ms), use.amount) for use in uses if use.at_ms > begin and use.amount)
    return tuple(sorted(inside))


def estimate(events: Iterable[AnyEvent], kind: str, window: Window) -> int:
    """What a unit of `kind` usually uses, in the window's measure."""
    if not window.flat:
        return budget.estimate(Accounts(events), kind, (budget.Ceiling(budget.PROJECT, window.limit),))
    kinds: dict[str, str] = {}
    took: dict[str, int] = {}
    for event in events:
        match event:
            case AttemptStarted():
                kinds[event.attempt] = event.kind
            case UsageReported(flat=True):
                took[event.attempt] = took.get(event.attempt, 0) + tokens_of(event)
            case _:
                pass
    known = [tokens for attempt, tokens in took.items() if kinds.get(attempt, asides.kind(attempt)) == kind]
    return sum(known) // len(known) if known else window.limit // _FIRST_PART


def lines(events: Sequence[AnyEvent], preferences: Preferences, now_ms: int) -> tuple[str, ...]:
    """How much of each window is used, in words."""
    money_windows = windows_of(preferences, flat=False)
    flat_windows = windows_of(preferences, flat=True)
    said = [_line(window, _sum(events, window, now_ms), preferences) for window in money_windows]
    for window in flat_windows:
        tokens = _sum(events, window, now_ms)
        percent = tokens * 100 // window.whole
        said.append(f"flat rate: {money.show_tokens(tokens)} tokens, {percent} % of this {hours(window)} window")
    if not flat_windows and preferences.billing.flat_rate:
        open_ended = Window(_span(preferences.billing.window_hours), 0, 0, flat=True)
        tokens = _sum(events, open_ended, now_ms)
        said.append(f"flat rate: {money.show_tokens(tokens)} tokens in this {hours(open_ended)} window")
    return tuple(said)


def waiting(events: Iterable[AnyEvent]) -> dict[str, BudgetWaiting]:
    """What each run waits for that is neither over nor has begun a unit since."""
    found: dict[str, BudgetWaiting] = {}
    for event in events:
        match event:
            case BudgetWaiting():
                found[event.run] = event
            case AttemptStarted() | RunStarted() | RunEnded():
                found.pop(event.run, None)
            case _:
                pass
    return found


def show(window: Window, amount: int) -> str:
    """An amount in the window's measure."""
    return f"{money.show_tokens(amount)} tokens" if window.flat else money.show(amount)


def hours(window: Window) -> str:
    """`5 h`, `30 min`."""
    return f"{window.span_ms / _HOUR_MS:g} h" if window.span_ms >= _HOUR_MS else f"{window.span_ms / 60_000:g} min"


def tokens_of(usage: UsageReported) -> int:
    """All tokens of a request, cached ones too."""
    return usage.input + usage.output + usage.cache_read + usage.cache_write


def _line(window: Window, amount: int, preferences: Preferences) -> str:
    kept = f" ({preferences.reserve_for_person:g} % kept for you)" if preferences.reserve_for_person else ""
    return f"Window: {show(window, amount)} of {show(window, window.whole)} in the last {hours(window)}{kept}"


def _sum(events: Iterable[AnyEvent], window: Window, now_ms: int) -> int:
    return sum(use.amount for use in used(events, window, now_ms))


def _fits_at(uses: Sequence[Used], window: Window, room: int, now_ms: int) -> int:
    """When no more than `room` is left in the window."""
    inside, until = sum(use.amount for use in uses), now_ms
    for use in uses:
        if inside <= room:
            break
        inside -= use.amount
        until = use.at_ms + window.span_ms
    return until


def _tokens(events: Iterable[AnyEvent]) -> list[Used]:
    return [Used(e.at_ms, tokens_of(e)) for e in events if isinstance(e, UsageReported) and e.flat]


def _money(events: Iterable[AnyEvent]) -> list[Used]:
    """Known prices; an attempt with a request of unknown price counts at least at what was reserved for it."""
    found: list[Used] = []
    reserved: dict[str, int] = {}
    spent: dict[str, int] = {}
    vague: dict[str, int] = {}
    for event in events:
        match event:
            case BudgetReserved():
                reserved[event.attempt] = reserved.get(event.attempt, 0) + event.micro_usd
            case UsageReported(flat=False):
                spent[event.attempt] = spent.get(event.attempt, 0) + (event.micro_usd or 0)
                found.append(Used(event.at_ms, event.micro_usd or 0))
                if event.micro_usd is None:
                    vague[event.attempt] = event.at_ms
            case _:
                pass
    rest = (Used(at, max(0, reserved.get(attempt, 0) - spent[attempt])) for attempt, at in vague.items())
    return [*found, *rest]


def _span(in_hours: float) -> int:
    return max(1, round(in_hours * _HOUR_MS))
