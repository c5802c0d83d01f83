"""All that a report tells of a project or of one milestone: one value, folded from one situation.

The HTML page, the markdown and the JSON are made from it, so that they cannot differ; every number is the one that
`gsd status` and `gsd history` show. Source: spec auto 5.18, 7 (export); issue "Knowing what happened".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from milepost.formats.captures import Capture
from milepost.formats.decisions import Decision
from milepost.formats.journal import (
    AnyEvent,
    BudgetAlerted,
    BudgetWaiting,
    Redone,
    RunEnded,
    Undone,
    UnitsUndone,
    WaitBegan,
    WorkerLost,
)
from milepost.formats.knowledge import Entry
from milepost.model import asides
from milepost.model.state import RegistryEntry, Status, Tally
from milepost.rules.attempts import Attempt, of_units
from milepost.ui.views import dashboard, happenings, spending, timeline, why_milestone, why_project, why_unit
from milepost.ui.views.history import History
from milepost.ui.views.plan_tree import Stem
from milepost.ui.views.situation import Situation
from milepost.ui.views.spending import Spent
from milepost.ui.views.timeline import Timeline

_WORDS: Final = re.compile(r"[/, ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit that the work brought."""

    id: str
    at_ms: int
    author: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One row of the doctor's."""

    severity: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Besides:
    """What is in no journal: the project's files, git, the doctor."""

    name: str
    """The project's."""
    path: str
    version: str
    """Milepost's."""
    money: History
    """Of what the report is about."""
    commits: tuple[Commit, ...] = ()
    decisions: tuple[Decision, ...] = ()
    knowledge: tuple[Entry, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Milestone to those that it waits for, or waited for."""
    health: tuple[Health, ...] | None = None
    """None: it could not be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt at a unit."""

    number: int
    at_ms: int
    took_ms: int
    result: str
    because: str
    """Why there was this attempt."""
    who: str
    """Agent, models, tier."""
    routed: str
    """Why this model."""
    put_right: tuple[str, ...]
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One unit and its attempts."""

    named: str
    """`execute-task M001/S01/T01`."""
    state: str
    """running, done, undone, open, failed or skipped."""
    says: str
    tries: tuple[Try, ...]
    spent: Spent
    took_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened at a time."""

    at_ms: int
    about: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    here: Situation
    besides: Besides
    milestone: RegistryEntry | None
    """What it is about; None: the whole project."""
    word: str
    """How it stands: merged, done, blocked, …"""
    cause: str
    next: str
    """What to type."""
    plan: tuple[Stem, ...]
    """Of the whole project."""
    works: tuple[Work, ...]
    beside: Mapping[str, Spent]
    """Requests of no unit, part of the total: what they were for (`model.asides`); "" for those nobody knows."""
    timeline: Timeline
    waits: tuple[Fact, ...]
    undone: tuple[Fact, ...]
    """What was taken back, or has to be done again."""
    skipped: tuple[Fact, ...]

    @property
    def title(self) -> str:
        """`M001: Feed store`, or the project's name."""
        return f"{self.milestone.id}: {self.milestone.title}" if self.milestone else self.besides.name

    @property
    def spent(self) -> Spent:
        """All that it is about."""
        return self.besides.money.total

    @property
    def took_ms(self) -> int:
        """How long all attempts worked, together."""
        return sum(work.took_ms for work in self.works)

    @property
    def captures(self) -> tuple[Capture, ...]:
        """All thoughts that were noted."""
        return self.here.captures

    @property
    def slices(self) -> Tally:
        """Of what it is about."""
        parts = [part for stem in self.plan if self.milestone in (None, stem.entry) for part in stem.slices]
        return Tally(sum(part.done for part in parts), len(parts))

    @property
    def milestones(self) -> Tally:
        """Of the whole plan."""
        return Tally(sum(stem.entry.status is Status.COMPLETE for stem in self.plan), len(self.plan))


def report(here: Situation, besides: Besides, milestone: RegistryEntry | None) -> Report:
    """Fold. milestone: what it is about; None: the whole project. Pure."""
    mid = milestone.id if milestone else ""
    word, cause, hint = _standing(here, milestone)
    drawn = _timeline(here, mid)
    scope = _Scope(mid, drawn.begin_ms, drawn.end_ms)
    return Report(
        here=here,
        besides=besides,
        milestone=milestone,
        word=word,
        cause=cause,
        next=here.typed(hint) if hint else "",
        plan=here.plan(),
        works=tuple(
            _work(key, tried, here) for key, tried in of_units(here.attempts).items() if mid in ("", tried[0].milestone)
        ),
        beside=_beside(spending.of_milestone(here.events, mid)),
        timeline=drawn,
        waits=tuple(_waits(here, scope)),
        undone=tuple(_undone(here, scope)),
        skipped=tuple(_skipped(here, mid)),
    )


def _beside(found: Sequence[spending.Attempt]) -> dict[str, Spent]:
    kinds = {name: [a for a in found if a.kind == name] for name in (*asides.KINDS, "")}
    return {name: spending.whole(made) for name, made in kinds.items() if made}


def _standing(here: Situation, milestone: RegistryEntry | None) -> tuple[str, str, str]:
    if milestone is not None:
        return *why_milestone.standing(milestone, here), ""
    found = why_project.standing(here)
    return found.word, found.cause, found.hint


def _work(key: str, tried: list[Attempt], here: Situation) -> Work:
    word, says = why_unit.standing(key, tried, here)
    tries = tuple(_try(attempt, here) for attempt in tried)
    return Work(
        named=tried[0].named,
        state=word,
        says=says,
        tries=tries,
        spent=spending.total(usage for attempt in tried for usage in attempt.usage),
        took_ms=sum(one.took_ms for one in tries),
    )


def _try(attempt: Attempt, here: Situation) -> Try:
    begun = attempt.started
    return Try(
        number=begun.number,
        at_ms=begun.at_ms,
        took_ms=attempt.took_ms(here.now_ms),
        result=why_unit.result(attempt, here),
        because=why_unit.because(attempt),
        who=", ".join(filter(None, (begun.agent, why_unit.models(attempt), begun.tier))),
        routed=begun.routed,
        put_right=tuple(happenings.sentence(fixed) for fixed in attempt.corrections),
        spent=spending.total(attempt.usage),
    )


def _timeline(here: Situation, mid: str) -> Timeline:
    """The rows that it is about, on a scale of their own."""
    whole = timeline.fold(here.events, now_ms=here.now_ms if here.alive else 0)
    rows = tuple(row for row in whole.rows if mid in ("", row.milestone))
    spans = [span for row in rows for span in row.spans]
    return replace(
        whole,
        rows=rows,
        begin_ms=min((span.begin_ms for span in spans), default=whole.begin_ms),
        end_ms=max((span.end_ms for span in spans), default=whole.end_ms),
    )


def _waits(here: Situation, scope: "_Scope") -> Iterator[Fact]:
    """What stopped the work for a while, or for good: limits, providers, ceilings, windows, ends, dead workers."""
    for event in here.events:
        match event:
            case WaitBegan():
                says = f"waited for the provider until {here.clock(event.resume_at_ms)}: {event.kind}: {event.text}"
            case BudgetWaiting():
                says = f"waited for the budget until {here.clock(event.until_ms)}: {event.reason}"
            case BudgetAlerted() | WorkerLost():
                says = happenings.sentence(event)
            case RunEnded(state=state) if state != "done":
                says = happenings.sentence(event)
            case _:
                continue
        if _concerns(event, scope):
            yield Fact(at_ms=event.at_ms, about=_about(event), says=says)


def _undone(here: Situation, scope: "_Scope") -> Iterator[Fact]:
    for event in here.events:
        match event:
            case UnitsUndone():
                says = f"taken back by a person{_by(event.commit)}"
            case Undone():
                says = happenings.sentence(event)
            case Redone():
                says = f"to be done again: the hook {event.hook} wants it"
            case _:
                continue
        if _concerns(event, scope):
            yield Fact(at_ms=event.at_ms, about=_about(event), says=says)


def _by(commit: str) -> str:
    return f", by {commit[:10]}" if commit else ""


def _skipped(here: Situation, mid: str) -> Iterator[Fact]:
    for event in dashboard.skipped(here.events):
        if mid in ("", event.unit.split("/")[0]):
            yield Fact(
                at_ms=event.at_ms, about=f"{event.kind} {event.unit}", says=event.reason or "no reason was given"
            )


def _about(event: AnyEvent) -> str:
    if isinstance(event, UnitsUndone):
        return ", ".join(event.units)
    return str(getattr(event, "unit", "") or getattr(event, "milestone", "") or getattr(event, "scope", ""))


def _concerns(event: AnyEvent, scope: "_Scope") -> bool:
    """Whether it is about the milestone: it names it, or names none while work on it went on."""
    about = _about(event)
    if not scope.mid or scope.mid in _WORDS.split(about):
        return True
    return not about and scope.begin_ms <= event.at_ms <= scope.end_ms


class _Scope(NamedTuple):
    """What a report is about: everything, or a milestone and the time in which it was worked on."""

    mid: str
    begin_ms: int
    end_ms: int
