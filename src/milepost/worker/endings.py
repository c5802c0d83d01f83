"""What an outcome means for the run, and how it is said: exit code, reason, the next thing to type.

None for an outcome that lets the run go on; the caps see to it that this ends. Source: spec auto 7.1, DESIGN rule 10.
"""

import re
from collections.abc import Mapping
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
from milepost.model.units import Unit
from milepost.rules import budget, retry
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

_RETRY: Final = re.compile(r"gsd auto --retry \S+")
"""A fleet counts the attempts of a whole milestone afresh."""


def of_capped(unit: Unit, capped: retry.Capped, past: retry.History, evidence: str) -> Ending:
    """A unit that used up its attempts. evidence: where its gate's record lies, from the project's root."""
    gate = past.gate_failures >= capped.attempts
    code = ExitCode.PAUSED if gate else ExitCode.BLOCKED
    last = f"; last: {'; '.join(past.last_reason.splitlines())}" if past.last_reason else ""
    hint = f"Evidence: {evidence}. " if gate else ""
    hint += f"Mend it or change its plan, then gsd auto --retry {unit.id}"
    return Ending(code, f"{unit}: {capped.reason}{last}", hint)


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
            again = "gsd parallel start" if scope else "gsd auto"
            return Ending(
                ExitCode.BUDGET,
                f"{unit} does not fit {budget.whose(scope)}: {told}",
                f"Raise {setting} in the preferences, then {again}.",
            )
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
        case TimedOut(minutes=minutes):
            return f"ended after {minutes} minutes, the limit for a unit"
        case Interrupted(by=who):
            return who
