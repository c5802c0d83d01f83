"""What of a run is worth telling a person who is not looking: an event of the journal to a title and a sentence.

    AttemptEnded committed, end of the work       complete     notifications.on_complete
    end with an error, lost worker, failed push   error        notifications.on_error
    a level of a ceiling, end for want of money   budget       notifications.on_budget
    Landed, or complete where nothing is merged   milestone    notifications.on_milestone
    paused, blocked, question, conflict, waiting  attention    notifications.on_attention

An attempt that failed and is tried again is no notice: what it comes to is one. What a person did (an interrupt) is
none either. Source: spec auto 2.9 (notifications); field-reports #45.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from milepost.formats.journal import (
    AnyEvent,
    Asked,
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetWaiting,
    FleetEnded,
    Landed,
    LandingEnded,
    Notified,
    Result,
    RunEnded,
    RunStarted,
    WaitBegan,
    WorkerLost,
)
from milepost.formats.preferences import Notifications
from milepost.model import money
from milepost.model.units import UnitKind
from milepost.rules import budget


class Kind(StrEnum):
    """Which setting a notice belongs to."""

    COMPLETE = "complete"
    ERROR = "error"
    BUDGET = "budget"
    MILESTONE = "milestone"
    ATTENTION = "attention"
    TEST = "test"
    """Of `gsd notify`; never held back."""


class Notice(NamedTuple):
    """One thing to say."""

    kind: Kind
    title: str
    body: str
    key: str
    """What is told once. One that begins with `standing/` may be told again after something got further."""


OF_FLEET: Final = (FleetEnded, Landed, LandingEnded, WorkerLost)
"""Events that the coordinator tells of, whoever wrote them: workers and merges are its children."""

_STANDING: Final = "standing/"
_ENDS: Final = {
    "done": Kind.COMPLETE,
    "error": Kind.ERROR,
    "budget": Kind.BUDGET,
    "blocked": Kind.ATTENTION,
    "paused": Kind.ATTENTION,
}
_NO_NEWS: Final = ("landed", "nothing")
_MOST: Final = 1500
"""Characters of a text; the smallest limit of the services is 2000."""


def due(
    events: Iterable[AnyEvent], mine: Callable[[AnyEvent], bool], wanted: Notifications, *, asks: bool
) -> tuple[Notice, ...]:
    """What is still to be told, oldest first.

    events: the whole journal. mine: which of them the caller tells of. asks: whether somebody is asked at all, so
    that a question waits.
    """
    past = _Past()
    found: dict[str, Notice] = {}
    for event in events:
        made = past.take(event)
        if isinstance(event, Notified):
            found.pop(event.key, None)
        elif mine(event) and (asks or not isinstance(event, Asked)):
            found |= {notice.key: notice for notice in made if past.news(notice) and notice.key not in found}
    return tuple(notice for notice in found.values() if allowed(notice.kind, wanted))


def allowed(kind: Kind, wanted: Notifications) -> bool:
    """Whether the settings want notices of that kind."""
    return kind is Kind.TEST or (wanted.enabled and bool(getattr(wanted, f"on_{kind}")))


def failing(events: Iterable[AnyEvent]) -> tuple[Notified, ...]:
    """Targets whose latest notice did not arrive."""
    last = {event.target: event for event in events if isinstance(event, Notified)}
    return tuple(event for event in last.values() if not event.ok)


class _Past:
    """What was told, and what the events of the journal are about."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._attempts: dict[str, AttemptStarted] = {}
        self._single: dict[str, str] = {}
        """Runs that are for one unit, to their command."""

    def take(self, event: AnyEvent) -> tuple[Notice, ...]:
        match event:
            case Notified():
                self._told.add(event.key)
            case RunStarted(command="next" | "quick"):
                self._single[event.run] = event.command
            case AttemptStarted():
                self._attempts[event.attempt] = event
            case AttemptEnded(result=Result.COMMITTED) | Landed():
                self._told = {key for key in self._told if not key.startswith(_STANDING)}
                return (*_unpushed(event), *filter(None, (self._notice(event),)))
            case _:
                return tuple(filter(None, (self._notice(event),)))
        return ()

    def news(self, notice: Notice) -> bool:
        return notice.key not in self._told

    def _notice(self, event: AnyEvent) -> Notice | None:
        match event:
            case AttemptEnded():
                return _of_attempt(event, self._attempts.get(event.attempt))
            case RunEnded(state="done") if event.run in self._single:
                return None  # Its one unit is told of.
            case RunEnded() | FleetEnded():
                return _of_end(event, "quick task" if self._single.get(event.run) == "quick" else "auto mode")
            case Landed() | LandingEnded():
                return _of_landing(event)
            case _:
                return _of_other(event)


def _of_attempt(ended: AttemptEnded, started: AttemptStarted | None) -> Notice | None:
    if started is None:
        return None
    unit = started.unit if started.kind == UnitKind.QUICK else f"{started.kind} {started.unit}"
    key = f"attempt/{ended.attempt}"
    if ended.result is Result.CRASHED:
        return _made(Kind.ERROR, f"{unit} was cut off", f"The run that worked on it died. {ended.reason}", key)
    if ended.result is not Result.COMMITTED:
        return None
    if started.kind == UnitKind.COMPLETE_MILESTONE and not started.branch.startswith("milestone/"):
        return _made(Kind.MILESTONE, f"{started.unit} is complete", f"On {started.branch or 'its branch'}.", key)
    return _made(Kind.COMPLETE, f"{unit} is done", f"Commit {ended.commit[:10]}." if ended.commit else "", key)


def _of_end(ended: RunEnded | FleetEnded, run: str) -> Notice | None:
    kind = _ENDS.get(ended.state)
    if kind is None:
        return None
    who = ended.milestone if isinstance(ended, RunEnded) and ended.milestone else ""
    what = "the fleet" if isinstance(ended, FleetEnded) else who or run
    body = ended.reason if not ended.hint else f"{ended.reason}\nNext: {ended.hint}"
    key = f"{_STANDING}{what}/{ended.state}/{ended.reason}"
    return _made(kind, f"{what}: {ended.state}", body, key if kind is not Kind.COMPLETE else f"end/{ended.run}")


def _unpushed(event: AttemptEnded | Landed) -> Iterator[Notice]:
    if isinstance(event, Landed) and event.push_error:
        yield _made(Kind.ERROR, f"{event.milestone} was not pushed", event.push_error, f"push/{event.commit}")


def _of_landing(event: Landed | LandingEnded) -> Notice | None:
    if isinstance(event, Landed):
        told = f"On {event.target} as {event.commit[:10]}{', pushed' if event.pushed else ''}."
        return _made(Kind.MILESTONE, f"{event.milestone} landed", told, f"landed/{event.commit}")
    if event.outcome in _NO_NEWS:
        return None
    what = " ".join(filter(None, (event.milestone, event.slice)))
    body = "\n".join(filter(None, (event.reason, *event.files, event.hint and f"Next: {event.hint}")))
    key = f"{_STANDING}merge/{what}/{event.outcome}/{event.target_tip}/{event.tip}"
    return _made(Kind.ATTENTION, f"merge of {what}: {event.outcome}", body, key)


def _of_other(event: AnyEvent) -> Notice | None:
    match event:
        case BudgetAlerted():
            title = f"{event.percent} % of {budget.whose(event.scope)} is spent"
            key = f"budget/{event.scope}/{event.ceiling_micro_usd}/{event.percent}"
            return _made(Kind.BUDGET, title, f"The ceiling is {money.show(event.ceiling_micro_usd)}.", key)
        case BudgetWaiting():
            return _made(Kind.BUDGET, "waiting for a budget window", event.reason, f"window/{event.until_ms}")
        case WaitBegan():
            key = f"{_STANDING}wait/{event.kind}/{event.model}"
            return _made(Kind.ATTENTION, "waiting for the provider", f"{event.unit}: {event.kind}: {event.text}", key)
        case Asked():
            options = "".join(f"\n{number}. {option}" for number, option in enumerate(event.options, 1))
            return _made(Kind.ATTENTION, f"{event.unit} asks", f"{event.text}{options}", f"asked/{event.question}")
        case WorkerLost():
            title = f"the worker of {event.milestone} was lost"
            return _made(Kind.ERROR, title, event.reason, f"lost/{event.worker_run}")
        case _:
            return None


def _made(kind: Kind, title: str, body: str, key: str) -> Notice:
    return Notice(kind, title, body if len(body) <= _MOST else f"{body[: _MOST - 1]}…", key)
