"""What became of each quick task: one fold over the journal, for resuming, listing and for what waits.

    asked → tried (any number of times) → done on its branch → landed
                                         ↘ discarded, at any time before

Pure. Source: spec auto 7 (`/gsd quick`); decision 0027.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    Landed,
    LandingEnded,
    QuickAsked,
    QuickDiscarded,
    Result,
    Verified,
)
from milepost.model import work
from milepost.model.units import Unit, UnitKind

QUICK: Final = str(UnitKind.QUICK)
"""The command, and the type of its unit."""


class NoSuchTask(MilepostError):
    """No quick task of that number waits, or more than one does and none was named."""

    exit_code = ExitCode.BLOCKED


class Wish(NamedTuple):
    """What a person wants of one run."""

    text: str = ""
    """A new task; empty: one that waits is to go on."""
    number: int | None = None
    """Which; None: the only one that waits."""
    retry: bool = False
    """Count its attempts afresh."""


class Standing(StrEnum):
    """How far one came; the value is what people and programs are shown."""

    WAITING = "waiting"
    """Nothing is committed yet."""
    DONE = "done, not landed"
    """Its work is committed on its own branch."""
    LANDED = "landed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """One quick task."""

    key: str
    text: str
    target: str
    asked_ms: int
    standing: Standing = Standing.WAITING
    attempts: int = 0
    open: bool = False
    """Its latest attempt has no end."""
    reason: str = ""
    """Why it did not get further, by the latest that ended without success; empty: nothing is known against it."""
    hint: str = ""
    commit: str = ""
    """What landed; of one that is done, the commit on its branch."""

    @property
    def number(self) -> int:
        """What people call it."""
        return work.number(self.key)

    @property
    def unit(self) -> Unit:
        """Its unit."""
        return Unit(UnitKind.QUICK, self.key)

    @property
    def home(self) -> str:
        """Its directory, below the state directory."""
        return work.home(self.key)

    @property
    def waits(self) -> bool:
        """Whether anything is left to be done about it."""
        return self.standing in (Standing.WAITING, Standing.DONE)


def fold(events: Iterable[AnyEvent]) -> tuple[Quick, ...]:
    """All quick tasks, in the order of their numbers. Never raises."""
    found: dict[str, Quick] = {}
    begun: dict[str, AttemptStarted] = {}
    for event in events:
        match event:
            case QuickAsked(quick=key) if work.is_quick(key):
                found.setdefault(key, Quick(key=key, text=event.text, target=event.target, asked_ms=event.at_ms))
            case QuickDiscarded(quick=key) if key in found:
                found[key] = replace(found[key], standing=Standing.DISCARDED, reason=event.reason, open=False)
            case AttemptStarted(unit=key) if key in found:
                begun[event.attempt] = event
                found[key] = replace(found[key], attempts=found[key].attempts + 1, open=True)
            case Verified() if event.attempt in begun and event.verdict != "pass":
                key = begun[event.attempt].unit
                found[key] = replace(found[key], reason=f"gate {event.verdict}: {event.reason}", hint="")
            case AttemptEnded() if event.attempt in begun:
                key = begun[event.attempt].unit
                found[key] = _ended(found[key], event, begun[event.attempt])
            case Landed(milestone=key) if key in found:
                found[key] = replace(found[key], standing=Standing.LANDED, commit=event.commit, reason="", hint="")
            case LandingEnded(milestone=key) if key in found and event.outcome not in ("landed", "kept"):
                found[key] = replace(found[key], reason=event.reason, hint=onward(key, event.hint))
            case _:
                pass
    return tuple(sorted(found.values(), key=lambda one: one.number))


def _ended(one: Quick, end: AttemptEnded, begun: AttemptStarted) -> Quick:
    if end.result is not Result.COMMITTED:
        return replace(one, open=False, reason=end.reason or str(end.result), hint="")
    # Without a branch of its own it is where it was to go.
    standing = Standing.DONE if work.key_of(begun.branch) == one.key else Standing.LANDED
    return replace(one, open=False, standing=standing, commit=end.commit, reason="", hint="")


def wish(events: Iterable[AnyEvent], key: str) -> str:
    """What a quick task is to do; empty when nobody knows."""
    return next((e.text for e in events if isinstance(e, QuickAsked) and e.quick == key), "")


def chosen(tasks: Iterable[Quick], number: int | None) -> Quick:
    """The task that is to go on: the one of that number, else the only one that waits. Raises NoSuchTask."""
    known = tuple(tasks)
    waiting = [one for one in known if one.waits]
    if number is None:
        if len(waiting) == 1:
            return waiting[0]
        if not waiting:
            raise NoSuchTask("no quick task waits", hint='A new one: gsd quick "what is to be done"')
        names = ", ".join(f"{one.number} ({one.text})" for one in waiting)
        raise NoSuchTask(f"{len(waiting)} quick tasks wait: {names}", hint="gsd quick --resume N")
    one = next((each for each in known if each.number == number), None)
    if one is None:
        raise NoSuchTask(f"there is no quick task {number}", hint="gsd quick --list")
    if not one.waits:
        raise NoSuchTask(f"quick task {number} is {one.standing}", hint="gsd quick --list")
    return one


def onward(key: str, text: str) -> str:
    """A hint that speaks of auto mode, with the commands that go on with a quick task instead."""
    again = f"gsd quick --resume {work.number(key)}"
    for said in (f"gsd auto --retry {key}", f"gsd parallel merge {key}", "gsd auto --retry"):
        text = text.replace(said, f"{again} --retry" if "retry" in said else again)
    return text.replace("gsd auto", again)
