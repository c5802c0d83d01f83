"""Hooks of the preferences: sessions after a unit, and changes to a unit before it starts.

What is due is read from the journal and the files each round (`rules.hooks`); `hook-state.json` is written for GSD and
never read. A hook's attempts have the caps of any unit; one that used them up is said once and passed over.
Source: spec auto 5.16, 8.15; decision 0021.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from milepost.formats import plan, roadmap
from milepost.formats._markdown import split
from milepost.formats.journal import (
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
from milepost.formats.tree import milestone_file, slice_file, slice_path
from milepost.model.units import Unit, UnitKind, of_type
from milepost.rules import done
from milepost.rules import hooks as rules
from milepost.store import atomic
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of
from milepost.unit.told import Told
from milepost.worker import injecting, skipping
from milepost.worker.shift import Shift

RUN_HOOK = "run-hook"
"""The command that runs only what a person wants run now."""
_AGENT = re.compile(r"[A-Za-z0-9][\w.-]*\Z")
_MOST_NOTE = 8_000
_NOT_AGAIN = frozenset({UnitKind.REPLAN_SLICE, UnitKind.REWRITE_DOCS})
"""What asked for them is gone once they are done, so they cannot be done again."""


def story(shift: Shift) -> rules.Story:
    """What the journal says, of runs like this one: a worker's milestone, or those of solo runs."""
    events = shift.journal(shift.writer).everything()
    mine = {e.run for e in events if isinstance(e, RunStarted) and e.milestone == (shift.lock or "")}
    return rules.story(e for e in events if e.run in mine or isinstance(e, Landed | CapReset | HookWanted))


def milestone(told: rules.Story, shift: Shift) -> str:
    """For which milestone a hook may be due; empty: none."""
    if told.redo is not None:
        return _unit(told.redo.unit).milestone
    if wanted := _wanted(told, shift):
        return wanted.unit.split("/")[0]
    trigger = told.trigger
    if trigger is None or shift.command in (rules.STEP, RUN_HOOK):
        return ""
    return trigger.unit.milestone if rules.after(shift.preferences.post_unit_hooks, trigger.unit) else ""


def due(told: rules.Story, bench: Bench, shift: Shift) -> Iterator[Unit | None]:
    """Hook units to dispatch, the first that may start counts; None: the plan changed, look again."""
    _publish(told, shift)
    if told.redo is not None and _set_back(told.redo, bench, shift):
        yield None
    if wanted := _wanted(told, shift):
        yield Unit(UnitKind.HOOK, wanted.unit, wanted.hook)
    if told.trigger is not None and shift.command not in (rules.STEP, RUN_HOOK):
        yield from _after(told.trigger, told, bench, shift)


def _wanted(told: rules.Story, shift: Shift) -> HookWanted | None:
    names = {hook.name for hook in shift.preferences.post_unit_hooks}
    mine = (w for w in told.wanted if shift.lock in (None, w.unit.split("/")[0]) and shift.command != rules.STEP)
    return next((w for w in mine if w.hook in names), None)


def _after(trigger: rules.Trigger, told: rules.Story, bench: Bench, shift: Shift) -> Iterator[Unit | None]:
    for hook in rules.after(shift.preferences.post_unit_hooks, trigger.unit):
        ran = told.cycles.get(rules.cycle_key(hook.name, trigger.unit), 0)
        if hook.name in trigger.served:
            if hook.retry_on and ran < hook.max_cycles and _redo(hook, trigger, bench):
                yield None
        elif ran < hook.max_cycles and not _exists(hook.artifact, trigger.unit, bench):
            yield Unit(UnitKind.HOOK, trigger.unit.id, hook.name)


def _redo(hook: PostUnitHook, trigger: rules.Trigger, bench: Bench) -> bool:
    """Write down that the unit is to be done again, when the hook's file says so."""
    path = rules.file_of(hook.retry_on or "", trigger.unit, tree_of(bench))
    if path is None or not (bench.workspace.state / path).is_file():
        return False
    if trigger.unit.kind in _NOT_AGAIN:
        bench.watcher.note(f"{hook.name} wants {trigger.unit} done again, which is not possible")
        return False
    bench.journal.append(
        Redone(
            at_ms=bench.now_ms(),
            run=bench.run,
            unit=trigger.unit.key,
            hook=hook.name,
            attempt=trigger.attempt,
            note=path,
        )
    )
    return True


def _set_back(redo: Redone, bench: Bench, shift: Shift) -> bool:
    """Open the unit's box and set its artifact and the hook's file aside, once; whether that was to be done."""
    shelf = _shelf(redo, bench)
    if (shelf / "done").exists():
        return False
    unit, tree, state = _unit(redo.unit), tree_of(bench), bench.workspace.state
    mid, sid, tid = unit.milestone, unit.slice or "", unit.task or ""
    moved = [redo.note, done.artifact(unit, tree) or ""]
    ticked = ""
    if unit.kind is UnitKind.COMPLETE_SLICE:
        moved.append(slice_path(tree, mid, sid, "UAT"))
        if ticked := milestone_file(tree, mid, "ROADMAP") or "":
            injecting.write(bench, ticked, roadmap.untick(injecting.raw(bench, ticked), sid))
    elif unit.kind is UnitKind.EXECUTE_TASK and (ticked := slice_file(tree, mid, sid, "PLAN") or ""):
        injecting.write(bench, ticked, plan.untick(injecting.raw(bench, ticked), tid))
    for path in filter(None, moved):
        if (state / path).is_file():
            (shelf / path).parent.mkdir(parents=True, exist_ok=True)
            (state / path).replace(shelf / path)
    paths = tuple(path for path in (*moved, ticked) if path)
    injecting.commit(paths, f"chore({unit.id}): do {unit.type} again, as {redo.hook} asks\n", bench, shift)
    atomic.replace(shelf / "done", b"")
    bench.watcher.note(f"{unit} is done again: {redo.hook} left {redo.note}")
    return True


def prepared(unit: Unit, bench: Bench, shift: Shift) -> tuple[Unit, Bench] | None:
    """The unit and the tools as hooks want them; None: it is skipped, and what is due is to be looked at afresh."""
    if unit.kind is UnitKind.HOOK:
        return unit, replace(bench, told=_of_hook(unit, bench, shift))
    told = Told(before=_why_again(unit, bench))
    for hook in rules.before(shift.preferences.pre_dispatch_hooks, unit):
        if hook.action == "skip":
            if _skipped(hook, unit, bench, shift):
                return None
        elif hook.action == "replace":
            if not rules.replaced(bench.journal.own(), hook.name, unit):
                return _replaced(hook, unit, bench)
        else:
            told = _modified(told, hook, unit)
    return unit, replace(bench, told=told)


def _of_hook(unit: Unit, bench: Bench, shift: Shift) -> Told:
    hook = next((h for h in shift.preferences.post_unit_hooks if h.name == unit.name), PostUnitHook())
    path = rules.file_of(hook.artifact, unit, tree_of(bench)) if hook.artifact else None
    return Told(
        before=_agent(hook.agent, bench, shift) if hook.agent else "",
        asked=rules.filled(hook.prompt, unit),
        model=hook.model or "",
        artifact=f"{bench.workspace.state_dir}/{path}" if path else "",
    )


def _agent(name: str, bench: Bench, shift: Shift) -> str:
    """The text of an agent's definition, of the project or of the person; empty, and said, when there is none."""
    places = (shift.state, shift.home) if shift.home else (shift.state,)
    for place in places if _AGENT.match(name) else ():
        path = Path(place, "agents", f"{name}.md")
        if path.is_file():
            return split(path.read_text("utf-8", "replace"))[1].strip()
    bench.watcher.note(f"there is no agents/{name}.md; the hook runs without it")
    return ""


def _skipped(hook: PreDispatchHook, unit: Unit, bench: Bench, shift: Shift) -> bool:
    if hook.skip_if and not _exists(hook.skip_if, unit, bench):
        return False
    if unit.kind not in skipping.POSSIBLE:
        bench.watcher.note(f"{hook.name} would skip {unit}, which work cannot go on without")
        return False
    _fired(hook, unit, "", bench)
    return skipping.skip(unit, f"the hook {hook.name} says so", bench, shift)


def _replaced(hook: PreDispatchHook, unit: Unit, bench: Bench) -> tuple[Unit, Bench]:
    """The unit of the hook's own prompt. Of another type, it comes once, and then the unit itself."""
    booked = rules.booked_as(unit, hook.unit_type)
    if booked != unit:
        _fired(hook, unit, booked.key, bench)
    told = Told(instead=rules.filled(hook.prompt or "", unit), model=hook.model or "")
    return booked, replace(bench, told=told)


def _modified(told: Told, hook: PreDispatchHook, unit: Unit) -> Told:
    texts = [told.before, rules.filled(hook.prepend or "", unit)], [told.after, rules.filled(hook.append or "", unit)]
    before, after = ("\n\n".join(text for text in pair if text) for pair in texts)
    return told._replace(before=before, after=after, model=hook.model or told.model)


def _fired(hook: PreDispatchHook, unit: Unit, booked: str, bench: Bench) -> None:
    bench.journal.append(
        HookFired(at_ms=bench.now_ms(), run=bench.run, hook=hook.name, action=hook.action, unit=unit.key, booked=booked)
    )


def _why_again(unit: Unit, bench: Bench) -> str:
    """What the hook wrote that has the unit done again; empty once it was."""
    redo: Redone | None = None
    started: dict[str, AttemptStarted] = {}
    for event in bench.journal.own():
        match event:
            case Redone(unit=key) if key == unit.key:
                redo = event
            case AttemptStarted(attempt=attempt):
                started[attempt] = event
            case AttemptEnded(result=Result.COMMITTED, attempt=attempt) if attempt in started:
                begun = started[attempt]
                redo = None if f"{begun.kind}/{begun.unit}" == unit.key else redo
            case _:
                pass
    return _note(redo, bench) if redo else ""


def _note(redo: Redone, bench: Bench) -> str:
    try:
        said = (_shelf(redo, bench) / redo.note).read_text("utf-8", "replace")[:_MOST_NOTE]
    except OSError:
        said = "(its file is gone)"
    return (
        f"# Once more\n\nThis unit was finished and committed before. `{redo.hook}` looked at the result and wants it "
        f"done again; what is there is the starting point. It wrote:\n\n{said.strip()}"
    )


def _exists(name: str | None, unit: Unit, bench: Bench) -> bool:
    path = rules.file_of(name, unit, tree_of(bench)) if name else None
    return path is not None and (bench.workspace.state / path).is_file()


def _shelf(redo: Redone, bench: Bench) -> Path:
    return bench.workspace.root_state / "runtime" / "set-aside" / f"{redo.attempt}.again"


def _unit(key: str) -> Unit:
    kind, _, rest = key.partition("/")
    return of_type(kind, rest)


def _publish(told: rules.Story, shift: Shift) -> None:
    """`hook-state.json`, as GSD has it."""
    if shift.lock is not None or not told.cycles:
        return
    path = shift.state / "hook-state.json"
    counts = json.dumps(dict(told.cycles), indent=2)
    try:
        if json.dumps(json.loads(path.read_bytes()).get("cycleCounts"), indent=2) == counts:
            return
    except (OSError, ValueError, AttributeError):
        pass  # It is made anew.
    record = {"cycleCounts": dict(told.cycles), "savedAt": shift.now_ms()}
    atomic.replace(path, json.dumps(record, indent=2).encode(), durable=False)
