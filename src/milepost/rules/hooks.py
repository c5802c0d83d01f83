"""Which hooks are due after a unit: a fold over the journal, so that a crash in between loses none and repeats none.

A trigger is the last unit of the plan that was committed, until the next one begins or its milestone lands. A hook has
served it when the hook's own unit was committed since. Runs are counted per hook, unit type and unit id over the whole
journal; a person's `--retry` of the hook's unit counts afresh. Source: spec auto 5.16, 8.15; decision 0021.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    CapReset,
    HookFired,
    HookWanted,
    Landed,
    Redone,
    Result,
    RunStarted,
)
from milepost.formats.preferences import PostUnitHook, PreDispatchHook
from milepost.formats.tree import Tree, milestone_dir, slice_home
from milepost.model.units import ERRANDS, Unit, UnitKind, of_type

STEP = "next"
"""The command after whose units no hook runs."""
_APART: Final = (UnitKind.HOOK, UnitKind.TRIAGE_CAPTURES, UnitKind.QUICK)
"""Kinds that no hook changes, and that none makes of another unit."""


class Trigger(NamedTuple):
    """A unit that was committed, and what hooks have done about it since."""

    unit: Unit
    attempt: str
    served: tuple[str, ...] = ()
    """Names of hooks whose unit was committed since."""


class Story(NamedTuple):
    """What the journal says about hooks."""

    trigger: Trigger | None = None
    redo: Redone | None = None
    """A unit that is to be done again, until its next attempt begins."""
    wanted: tuple[HookWanted, ...] = ()
    """Hooks that a person wants run now."""
    cycles: Mapping[str, int] = {}
    """`hook/type/id` → how often it ran."""


class _Fold:
    def __init__(self) -> None:
        self.trigger: Trigger | None = None
        self.redo: Redone | None = None
        self.wanted: list[HookWanted] = []
        self.cycles: dict[str, int] = {}
        self.started: dict[str, AttemptStarted] = {}
        self.stepping: set[str] = set()

    def take(self, event: AnyEvent) -> None:
        match event:
            case RunStarted(command=command, run=run) if command == STEP:
                self.stepping.add(run)
            case AttemptStarted():
                self._begin(event)
            case AttemptEnded(result=Result.COMMITTED, attempt=attempt) if attempt in self.started:
                self._committed(self.started[attempt])
            case Landed(milestone=milestone):
                if self.trigger and self.trigger.unit.milestone == milestone:
                    self.trigger = None
            case Redone():
                self.trigger, self.redo = None, event
            case HookWanted():
                self.wanted.append(event)
            case CapReset(unit=key):
                self.cycles = {k: n for k, n in self.cycles.items() if key != "*" and _reset_key(k) != key}
            case _:
                pass

    def _begin(self, event: AttemptStarted) -> None:
        self.started[event.attempt] = event
        if of_type(event.kind, event.unit).kind not in ERRANDS:
            self.trigger = self.redo = None

    def _committed(self, begun: AttemptStarted) -> None:
        unit = of_type(begun.kind, begun.unit)
        if unit.kind is UnitKind.HOOK:
            self._served(unit)
        elif unit.kind not in ERRANDS and begun.run not in self.stepping:
            self.trigger = Trigger(unit, begun.attempt)

    def _served(self, hook: Unit) -> None:
        asked = next((w for w in self.wanted if (w.hook, w.unit) == (hook.name, hook.id)), None)
        if asked:
            self.wanted.remove(asked)
        of = self.trigger.unit if self.trigger and self.trigger.unit.id == hook.id else None
        type_ = asked.kind if asked else of.type if of else ""
        key = cycle_key(hook.name, Unit(UnitKind(type_), hook.id)) if type_ else f"{hook.name}//{hook.id}"
        self.cycles[key] = self.cycles.get(key, 0) + 1
        if self.trigger and of:
            self.trigger = self.trigger._replace(served=(*self.trigger.served, hook.name))


def story(events: Iterable[AnyEvent]) -> Story:
    """Fold the journal. Pure; never raises."""
    fold = _Fold()
    for event in events:
        fold.take(event)
    return Story(fold.trigger, fold.redo, tuple(fold.wanted), fold.cycles)


def cycle_key(hook: str, unit: Unit) -> str:
    """`review/execute-task/M001/S01/T01`, as in `hook-state.json`."""
    return f"{hook}/{unit.type}/{unit.id}"


def _reset_key(cycle: str) -> str:
    """The unit key of the hook that a cycle is of: `hook/review/M001/S01/T01`."""
    hook, _, rest = cycle.partition("/")
    return f"hook/{hook}/{rest.partition('/')[2]}"


def after(hooks: Sequence[PostUnitHook], unit: Unit) -> tuple[PostUnitHook, ...]:
    """The enabled hooks that a unit triggers, in order."""
    return tuple(hook for hook in hooks if hook.enabled and unit.type in hook.after)


def before(hooks: Sequence[PreDispatchHook], unit: Unit) -> tuple[PreDispatchHook, ...]:
    """The enabled hooks that change a unit before it starts, in order; none for triages, `gsd quick` and hooks."""
    if unit.kind in _APART:
        return ()
    return tuple(hook for hook in hooks if hook.enabled and unit.type in hook.before)


def replaced(events: Iterable[AnyEvent], hook: str, unit: Unit) -> bool:
    """Whether the hook's replacement for this unit is done: then the unit itself is next."""
    booked, started, over = "", dict[str, AttemptStarted](), False
    for event in events:
        match event:
            case HookFired(hook=name, action="replace", unit=key) if (name, key) == (hook, unit.key):
                booked = event.booked
            case AttemptStarted(attempt=attempt):
                started[attempt] = event
            case AttemptEnded(result=Result.COMMITTED, attempt=attempt) if attempt in started and booked:
                over = over or f"{started[attempt].kind}/{started[attempt].unit}" == booked
            case _:
                pass
    return over


def booked_as(unit: Unit, unit_type: str | None) -> Unit:
    """The unit that a replacement is booked as: of the type that is named, with an id that fits it; else itself."""
    kind = next((k for k in UnitKind if k.value == unit_type), unit.kind)
    if kind in (*_APART, unit.kind):
        return unit
    parts = unit.id.split("/")
    depth = _DEPTH.get(kind, len(parts))
    return Unit(kind, "/".join(parts[:depth])) if depth <= len(parts) else unit


_DEPTH: Mapping[UnitKind, int] = {
    **dict.fromkeys(
        (
            UnitKind.DISCUSS_MILESTONE,
            UnitKind.RESEARCH_MILESTONE,
            UnitKind.PLAN_MILESTONE,
            UnitKind.VALIDATE_MILESTONE,
            UnitKind.COMPLETE_MILESTONE,
        ),
        1,
    ),
    **dict.fromkeys(
        (
            UnitKind.DISCUSS_SLICE,
            UnitKind.RESEARCH_SLICE,
            UnitKind.PLAN_SLICE,
            UnitKind.COMPLETE_SLICE,
            UnitKind.REPLAN_SLICE,
            UnitKind.REASSESS_ROADMAP,
            UnitKind.RUN_UAT,
        ),
        2,
    ),
    UnitKind.EXECUTE_TASK: 3,
}


def filled(text: str, unit: Unit) -> str:
    """`text` with {milestoneId}, {sliceId} and {taskId} replaced; what the unit does not have becomes empty."""
    values = {"{milestoneId}": unit.milestone, "{sliceId}": unit.slice or "", "{taskId}": unit.task or ""}
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def file_of(name: str, unit: Unit, tree: Tree) -> str | None:
    """Where a hook's file lies, below the state directory; None for a name that leads elsewhere.

    Of a task `tasks/T01-NAME`, of a slice or a milestone `NAME` in its directory.
    """
    parts = filled(name, unit).strip().split("/")
    if not all(part and part not in (".", "..") for part in parts):
        return None
    name = "/".join(parts)
    if unit.task:
        return f"{slice_home(tree, unit.milestone, unit.slice or '')}/tasks/{unit.task}-{name}"
    if unit.slice:
        return f"{slice_home(tree, unit.milestone, unit.slice)}/{name}"
    return f"{milestone_dir(tree, unit.milestone) or f'milestones/{unit.milestone}'}/{name}"
