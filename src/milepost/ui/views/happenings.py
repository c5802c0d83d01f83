"""Each event of the journal as one sentence: what logs show, and what `why` tells of an attempt.

An event that has no sentence here is told by its tag and its fields, so that a new kind of fact is never left out.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BroughtIn,
    BudgetAlerted,
    BudgetReserved,
    CapReset,
    Corrected,
    FleetEnded,
    FleetStarted,
    Landed,
    LandingEnded,
    LandingStep,
    Notified,
    Ordered,
    OrderTaken,
    Result,
    RunEnded,
    RunStarted,
    SessionEnded,
    SetUp,
    SliceLanded,
    SliceReady,
    Undone,
    UsageReported,
    Verified,
    WorkerLost,
    WorkerSpawned,
)
from milepost.model import money
from milepost.model.words import counted
from milepost.rules import budget
from milepost.ui.views import landing_steps
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.spans import seconds

_GENERAL: Final = frozenset({"atMs", "run", "attempt", "event", "milestone", "unit", "kind"})
"""Fields that say whose event it is, and not what happened."""
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TROUBLE: Final = ("error", "blocked", "paused", "budget", "interrupted")


def sentence(event: AnyEvent) -> str:
    """What happened, in one line that a terminal can show."""
    says = _SAYS.get(type(event))
    return plain(says(event) if says else _general(event))


def subject(event: AnyEvent, units: Mapping[str, str]) -> str:
    """Whose event it is: a unit, a milestone, or nothing. units: attempt to `kind id`."""
    attempt = str(getattr(event, "attempt", ""))
    milestone = str(getattr(event, "milestone", ""))
    return units.get(attempt, "") or ("" if milestone == "*" else milestone)


def trouble(event: AnyEvent) -> bool:
    """Whether it is worth a look when something went wrong."""
    match event:
        case RunEnded(state=state) | FleetEnded(state=state):
            return state in _TROUBLE
        case AttemptEnded(result=result):
            return result is not Result.COMMITTED
        case Verified(verdict=verdict):
            return verdict != "pass"
        case SessionEnded(error=error):
            return bool(error)
        case LandingEnded(outcome=outcome):
            return outcome not in ("landed", "nothing")
        case Landed(push_error=error) | SliceLanded(push_error=error):
            return bool(error)
        case BroughtIn(conflicts=conflicts):
            return bool(conflicts)
        case SetUp(ok=ok):
            return not ok
        case Notified(ok=ok):
            return not ok
        case Corrected() | WorkerLost() | BudgetAlerted() | Undone():
            return True
        case _:
            return False


def tag(event: AnyEvent) -> str:
    """Its word in the journal: `attempt-started`."""
    return str(event.__struct_config__.tag)


def _general(event: AnyEvent) -> str:
    fields = {k: v for k, v in msgspec.to_builtins(event).items() if k not in _GENERAL and v not in ("", None, [], {})}
    told = ", ".join(f"{_CAPITAL.sub(' ', name).lower()} {_value(value)}" for name, value in fields.items())
    words = tag(event).replace("-", " ")
    return f"{words}: {told}" if told else words


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _run_started(e: RunStarted) -> str:
    fleet = f", of fleet {e.fleet}" if e.fleet else ""
    return f"run {e.run} began: {e.command}, pid {e.pid}, version {e.version}{fleet}"


def _ended(e: RunEnded | FleetEnded) -> str:
    who = f"run {e.run}" if isinstance(e, RunEnded) else "the fleet"
    return f"{who} ended: {e.state}: {e.reason}" + (f" — {e.hint}" if e.hint else "")


def _attempt_started(e: AttemptStarted) -> str:
    told = ", ".join(fact for fact in (e.agent, e.model, e.tier, e.routed) if fact)
    return f"attempt {e.number} began" + (f": {told}" if told else "")


def _usage(e: UsageReported) -> str:
    cached = f" ({money.show_tokens(e.cache_read)} cached)" if e.cache_read else ""
    into = money.show_tokens(e.input + e.cache_read + e.cache_write)
    return f"{e.model}: {into} tokens in{cached}, {money.show_tokens(e.output)} out, {money.show(e.micro_usd)}"


def _session(e: SessionEnded) -> str:
    error = f": {e.error_kind}: {e.error}" if e.error else ""
    return f"session ended: {e.stop}, {counted(e.requests, 'request')}, {counted(e.tool_calls, 'tool call')}{error}"


def _corrected(e: Corrected) -> str:
    paths = f": {', '.join(e.paths)}" if e.paths else ""
    backup = f" (kept as {e.backup})" if e.backup else ""
    return f"put right: {e.what}{paths}{backup}"


def _verified(e: Verified) -> str:
    reason = f": {e.reason}" if e.reason else ""
    flags = f"; look at: {', '.join(e.flags)}" if e.flags else ""
    return f"gate: {e.verdict}, {counted(e.checks, 'check')} from {e.source}{reason}{flags}"


def _attempt_ended(e: AttemptEnded) -> str:
    commit = f" {e.commit[:10]}" if e.commit else ""
    reason = f": {'; '.join(e.reason.splitlines())}" if e.reason else ""
    return f"{e.result}{commit}{reason}"


def _alert(e: BudgetAlerted) -> str:
    return f"{e.percent} % of {budget.whose(e.scope)} ({money.show(e.ceiling_micro_usd)}) is spent"


def _landed(e: Landed | SliceLanded) -> str:
    push = f"; NOT pushed: {e.push_error}" if e.push_error else "; pushed" if e.pushed else ""
    what = f"slice {e.slice} landed" if isinstance(e, SliceLanded) else "landed"
    return f"{what} on {e.target} as {e.commit[:10]}{push}"


def _landing_ended(e: LandingEnded) -> str:
    part = f" of {e.slice}" if e.slice else ""
    files = f": {', '.join(e.files)}" if e.files else ""
    return f"merge{part} into {e.target}: {e.outcome}" + (f": {e.reason}" if e.reason else "") + files


def _brought_in(e: BroughtIn) -> str:
    if e.conflicts:
        return f"{e.target} does not fit: {', '.join(e.conflicts)}"
    return f"{e.target} brought in" + (f" as {e.commit[:10]}" if e.commit else ": nothing new")


def _notified(e: Notified) -> str:
    return f"{e.target} told ({e.kind})" if e.ok else f"{e.target} NOT told ({e.kind}): {e.error}"


def _set_up(e: SetUp) -> str:
    how = "ready" if e.ok else f"failed: {e.reason}"
    return f"environment ({e.recipe}) {how}, {seconds(e.duration_ms)}"


_SAYS: Final[Mapping[type, Callable[[Any], str]]] = {
    RunStarted: _run_started,
    RunEnded: _ended,
    FleetEnded: _ended,
    AttemptStarted: _attempt_started,
    BudgetReserved: lambda e: f"{money.show(e.micro_usd)} reserved",
    UsageReported: _usage,
    SessionEnded: _session,
    Corrected: _corrected,
    Verified: _verified,
    AttemptEnded: _attempt_ended,
    CapReset: lambda e: f"attempts of {'every unit' if e.unit == '*' else e.unit} count afresh",
    BudgetAlerted: _alert,
    LandingStep: landing_steps.says,
    Landed: _landed,
    LandingEnded: _landing_ended,
    SliceReady: lambda e: f"slice {e.slice} is ready to be merged, {e.commit[:10]}",
    SliceLanded: _landed,
    Undone: lambda e: f"taken back out of {e.target} by {e.commit[:10]}",
    BroughtIn: _brought_in,
    FleetStarted: lambda e: f"fleet {e.session} began: pid {e.pid}, up to {counted(e.max_workers, 'worker')}",
    WorkerSpawned: lambda e: f"worker started: run {e.worker_run}, pid {e.pid}",
    WorkerLost: lambda e: f"worker lost: run {e.worker_run}: {e.reason}",
    Notified: _notified,
    Ordered: lambda e: f"{e.order} ordered by {e.sender}" + (" for all" if e.milestone == "*" else ""),
    OrderTaken: lambda e: f"order taken: {e.order}",
    SetUp: _set_up,
}
