"""What an outcome means for the run, and how it is said: exit code, reason, the next thing to type.

None for an outcome that lets the run go on; the caps see to it that this ends. Source: spec auto 7.1, DESIGN rule 10.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from milepost.agents.session import ErrorKind
from milepost.errors import ExitCode
from milepost.model import money
from milepost.model.outcome import (
    Committed,
    Inconclusive,
    Interrupted,
    Outcome,
    OverBudget,
    ProviderFailed,
    TimedOut,
    Unfinished,
    VerifyFailed,
)
from milepost.model.units import Unit, UnitKind
from milepost.rules import budget, retry, supervision
from milepost.rules.derive import Phase, State
from milepost.rules.dispatch import Halt
from milepost.worker.setup import NotReady
from milepost.worker.shift import Ending, Shift

_AFTER_FAILURE: Final[Mapping[str, str]] = {
    ErrorKind.AUTH: "Set a key that the provider takes, then gsd auto.",
    ErrorKind.QUOTA: "See to the account at the provider, or take another model: gsd auto --model NAME",
    ErrorKind.UNSUPPORTED_MODEL: "Take another model: gsd auto --model NAME",
    ErrorKind.DIVERGED: "Use a recording of this very project, or another agent.",
}

_OUT_OF: Final = "Free some space, memory or descriptors (df -h, free -h, ulimit -n), then gsd auto."

_RETRY: Final = re.compile(r"gsd auto --retry \S+")
"""A fleet counts the attempts of a whole milestone afresh."""


def of_capped(
    unit: Unit, capped: retry.Capped, past: retry.History, evidence: str, expected: Sequence[str] = ()
) -> Ending:
    """A unit that used up its attempts. evidence: where its gate's record lies, from the project's root.

    expected: what it owes, `path: what is wrong`, the paths from the project's root.
    """
    gate = past.gate_failures >= capped.attempts
    again = _again(unit)
    if gate:
        hint = f"Evidence: {evidence}. Mend it or change its plan, then {again}"
        return Ending(ExitCode.PAUSED, f"{unit}: {capped.reason}{_last(past, ())}", hint)
    reason = f"{unit}: {capped.reason}{_expected(expected)}{_last(past, expected)}"
    if capped.late:
        hint = f"Make it smaller, or raise the limits in auto_supervisor. {_yourself(expected)}, then {again}"
        return Ending(ExitCode.PAUSED, reason, hint)
    return Ending(ExitCode.BLOCKED, reason, f"{_yourself(expected)}, then {again}")


def of_stuck(unit: Unit, words: str, expected: Sequence[str]) -> Ending:
    """A unit that goes round in circles."""
    again = f"{_yourself(expected)}, then {_again(unit)}"
    return Ending(ExitCode.BLOCKED, f"stuck at {unit}: {words}{_expected(expected)}", again)


def _again(unit: Unit) -> str:
    """Auto mode never discusses by itself."""
    discussed = unit.kind in (UnitKind.DISCUSS_MILESTONE, UnitKind.DISCUSS_SLICE)
    return f"gsd discuss {unit.id} --retry" if discussed else f"gsd auto --retry {unit.id}"


def _expected(expected: Sequence[str]) -> str:
    return f"; expected {'; '.join(expected)}" if expected else ""


def _last(past: retry.History, expected: Sequence[str]) -> str:
    """What the latest attempt ended with, without what is said to be expected."""
    lines = [line for line in past.last_reason.splitlines() if not any(told.endswith(line) for told in expected)]
    return f"; last: {'; '.join(lines)}" if lines else ""


def _yourself(expected: Sequence[str]) -> str:
    if not expected:
        return "Mend it or change its plan"
    return f"Look what keeps {expected[0].partition(': ')[0]} from being written, mend that or the plan"


def of_limit(unit: Unit, failed: str) -> Ending:
    """As many units as were asked for were run; `unit` would be next. failed: what the last of them lacked."""
    if failed:
        return Ending(ExitCode.PAUSED, failed, "gsd next tries again, and tells the agent what was wrong.")
    return Ending(ExitCode.DONE, f"next is {unit}", "gsd next does it; gsd auto does all that is left.")


def of_set_up(failed: NotReady) -> Ending:
    """The worktree could not be made ready; nothing was paid for, and no attempt is counted."""
    return Ending(ExitCode.BLOCKED, failed.reason, failed.hint)


def of_run(ending: Ending, shift: Shift) -> Ending:
    """The ending as the run's own: a worker speaks of its milestone, and goes on when the fleet does."""
    if ending.code is ExitCode.BUDGET and shift.preferences.budget_enforcement == "halt":
        ending = ending._replace(reason=f"halted: {ending.reason}")
    elif ending.code is ExitCode.BUDGET:
        ending = ending._replace(reason=f"paused: {ending.reason}")
    if shift.lock is None:
        return ending
    reason = f"{shift.lock} is complete" if ending.code is ExitCode.DONE and not shift.max_units else ending.reason
    hint = _RETRY.sub(f"gsd parallel start --retry {shift.lock}", ending.hint)
    return ending._replace(reason=reason, hint=hint.replace("gsd auto", "gsd parallel start"))


def of_halt(halt: Halt, state: State) -> Ending:
    """Nothing is to be dispatched: the end of the work, or something in the way."""
    if state.phase is Phase.COMPLETE:
        return Ending(ExitCode.DONE, halt.reason)
    return Ending(ExitCode.PAUSED if halt.waits else ExitCode.BLOCKED, halt.reason, halt.hint)


def of_outcome(unit: Unit, outcome: Outcome) -> Ending | None:
    """Whether an outcome ends the run. None: go on (the caps see to it that this ends)."""
    match outcome:
        case Committed() | Unfinished() | VerifyFailed() | TimedOut():
            return None
        case Inconclusive(reason=reason, evidence=evidence):
            return Ending(
                ExitCode.PAUSED,
                f"the gate of {unit} could not be judged: {reason}",
                f"Evidence: {evidence}. Mend the gate; gsd auto runs it again without paying for the unit.",
            )
        case OverBudget(waiting=True):
            return None
        case OverBudget(committed=spent, ceiling=limit, scope=scope, setting=setting):
            told = f"{money.show(spent)} of {money.show(limit)} spent or reserved"
            again = "gsd parallel start" if scope not in (budget.PROJECT, budget.RUN) else "gsd auto"
            mend = f"Raise {setting} in the preferences, then {again}."
            if scope == budget.RUN:
                mend = f"{again} goes on from here, with as much as {setting} says."
            return Ending(ExitCode.BUDGET, f"{unit} does not fit {budget.whose(scope)}: {told}", mend)
        case ProviderFailed(kind=ErrorKind.INFRASTRUCTURE, text=text):
            return Ending(ExitCode.ERROR, f"this machine is out of something, at {unit}: {text}", _OUT_OF)
        case ProviderFailed(kind=kind, text=text, passing=passing):
            hint = _AFTER_FAILURE.get(kind, "gsd auto tries again.")
            return Ending(ExitCode.PAUSED, f"the model failed at {unit}: {kind}: {text}", hint, passing)
        case Interrupted(by=who):
            return Ending(ExitCode.INTERRUPTED, f"{unit}: {who}", "gsd auto goes on from here.")


def words(outcome: Outcome) -> str:
    """An outcome in a few words."""
    match outcome:
        case Committed(commit=commit):
            return f"done, {commit[:10]}"
        case Unfinished(missing=missing):
            return f"not finished: {'; '.join(missing)}"
        case VerifyFailed(failed=failed):
            return f"the gate failed: {'; '.join(failed)}"
        case Inconclusive(reason=reason):
            return f"inconclusive: {reason}"
        case OverBudget(waiting=waiting):
            return "waits for money" if waiting else "over budget"
        case ProviderFailed(text=text):
            return f"the model failed: {text}"
        case TimedOut():
            return f"ended: {supervision.ended(outcome)}"
        case Interrupted(by=who):
            return who
