"""Why a milestone is as it is: its state and the cause, what was done for it, how it landed. Source: DESIGN rule 10."""

from milepost.fleet.worker_look import WorkerLook
from milepost.formats.journal import (
    AnyEvent,
    BroughtIn,
    Landed,
    LandingEnded,
    LandingStep,
    Ordered,
    SetUp,
    SliceLanded,
    Undone,
    WorkerLost,
)
from milepost.model import money
from milepost.model.state import RegistryEntry, Status
from milepost.model.words import counted
from milepost.rules.attempts import Attempt, of_units
from milepost.ui.views import happenings, spending, why_project, why_unit
from milepost.ui.views.inbox import Row
from milepost.ui.views.situation import Situation
from milepost.ui.views.spans import lasted
from milepost.ui.views.story import Section, Story

_STORY = (BroughtIn, Landed, LandingEnded, Ordered, SetUp, SliceLanded, Undone, WorkerLost)
"""Events that say what became of a milestone; the steps of a landing are told by its end."""


def story(mid: str, here: Situation, waiting: tuple[Row, ...]) -> Story:
    """All of one milestone. waiting: what the inbox holds of it."""
    entry = next(entry for entry in here.state.registry if entry.id == mid)
    word, cause = standing(entry, here)
    tried = [a for a in here.attempts if a.milestone == mid]
    spent = spending.whole(spending.of_milestone(here.events, mid))
    told = [e for e in here.events if _about(e, mid)]
    sums = f"{counted(len(tried), 'attempt')}, {money.show_tokens(spent.tokens)} tokens, {spending.show(spent)}"
    first = (("why", cause), ("cost", sums)) if tried else (("why", cause),)
    return Story(
        says=f"{mid} ({entry.title}) is {word}.",
        sections=(
            Section(title="", facts=first),
            *([Section(title="Units", table=table(tried, here))] if tried else []),
            *([Section(title="What happened", facts=_history(told, here))] if told else []),
            *(
                [Section(title="Waiting for you", facts=tuple((str(r.kind), r.reason) for r in waiting))]
                if waiting
                else []
            ),
        ),
        next=waiting[0].next if waiting else _next(word, mid, here),
        document={
            "about": "milestone",
            "milestone": mid,
            "title": entry.title,
            "state": word,
            "cause": cause,
            "cost": money.to_usd(spent.micro_usd),
            "unpricedRequests": spent.unpriced,
            "tokens": spent.tokens,
            "units": [_unit(key, attempts, here) for key, attempts in of_units(tried).items()],
            "history": [{"at": e.at_ms, "event": happenings.tag(e), "says": happenings.sentence(e)} for e in told],
            "next": (waiting[0].next if waiting else _next(word, mid, here)) or None,
        },
    )


def standing(entry: RegistryEntry, here: Situation) -> tuple[str, str]:
    """A word for the milestone, and why."""
    worker = here.look.of(entry.id)
    if worker is not None:
        return str(worker.condition).replace("-", " "), _cause(worker, here)
    past = here.look.fleet.of(entry.id)
    if past.landed is not None:
        return "merged", f"{happenings.sentence(past.landed)}, {here.clock(past.landed.at_ms)}"
    if past.undone is not None:
        return "undone", f"{happenings.sentence(past.undone)}, {here.clock(past.undone.at_ms)}"
    if entry.id in here.look.unmerged:
        last = past.landing
        return "complete, and not merged", happenings.sentence(last) if last else "nobody has merged it yet"
    return _planned(entry, here)


def table(tried: list[Attempt], here: Situation) -> tuple[str, ...]:
    """The units of some attempts, one a line."""
    rows = [_row(key, attempts, here) for key, attempts in of_units(tried).items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return tuple(
        (
            "  "
            + "  ".join(
                [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:-1], widths[1:], strict=False))]
            )
            + f"  {row[-1]}"
        ).rstrip()
        for row in rows
    )


def _row(key: str, attempts: list[Attempt], here: Situation) -> tuple[str, ...]:
    spent = spending.total(u for a in attempts for u in a.usage)
    took = sum(a.took_ms(here.now_ms) for a in attempts)
    word, _ = why_unit.standing(key, attempts, here)
    return (
        attempts[0].named,
        f"{len(attempts)}x",
        lasted(took),
        money.show_tokens(spent.tokens),
        spending.show(spent),
        word,
    )


def _unit(key: str, attempts: list[Attempt], here: Situation) -> dict[str, object]:
    spent = spending.total(u for a in attempts for u in a.usage)
    return {
        "unit": key,
        "state": why_unit.standing(key, attempts, here)[0],
        "attempts": len(attempts),
        "results": [str(a.result) if a.result else None for a in attempts],
        "tokens": spent.tokens,
        "cost": money.to_usd(spent.micro_usd),
        "unpricedRequests": spent.unpriced,
    }


def _about(event: AnyEvent, mid: str) -> bool:
    if isinstance(event, LandingStep):
        return False
    return isinstance(event, _STORY) and getattr(event, "milestone", "") in (mid, "*")


def _history(told: list[AnyEvent], here: Situation) -> tuple[tuple[str, str], ...]:
    return tuple((here.clock(e.at_ms), happenings.sentence(e)) for e in told)


def _cause(worker: WorkerLook, here: Situation) -> str:
    cause = worker.cause
    unit = f"at {worker.unit.type} {worker.unit.id}" if worker.unit else ""
    by = f"by {cause.by}" if cause.by else ""
    at = f"since {here.clock(cause.at_ms)}" if cause.at_ms else ""
    return ", ".join(filter(None, (cause.what, by, unit, at))) or "its worker is at it"


def _planned(entry: RegistryEntry, here: Situation) -> tuple[str, str]:
    match entry.status:
        case Status.COMPLETE:
            return "complete", "its files say so; it was not merged by an auto mode that this journal knows"
        case Status.PARKED:
            return (
                "parked",
                f"its PARKED file says so; removing it, or {here.program} unpark {entry.id}, brings it back",
            )
        case Status.PENDING if entry.depends_on:
            return "pending", f"it waits for {', '.join(entry.depends_on)}"
        case Status.PENDING:
            return (
                "pending",
                f"{here.state.active_milestone.id if here.state.active_milestone else 'nothing'} comes first",
            )
        case _:
            blocked = f": {'; '.join(here.state.blockers)}" if here.state.blockers else ""
            return f"active, in phase {here.state.phase}", f"{here.state.next_action}{blocked}{_held_up(here)}"


def _held_up(here: Situation) -> str:
    """What keeps the auto mode that was at it from going on."""
    found = why_project.standing(here)
    return "" if found.word in ("running", "idle", "done") else f" The project is {found.word}: {found.cause}"


def _next(word: str, mid: str, here: Situation) -> str:
    if word == "undone":  # What was taken back out is not done again unless somebody says so.
        return "" if here.alive else here.typed(f"gsd auto --retry {mid}")
    return "" if word == "merged" or here.alive else here.typed("gsd auto")
