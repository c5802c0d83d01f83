"""What earlier attempts say before the next: whether a unit may be tried again, and what was played already.

Folds over the journal, so nothing is forgotten at a restart. Source: spec auto 5.6, 5.13, 8.1; parallel FM-33.
"""

from milepost.agents.session import ErrorKind, Stop
from milepost.errors import ExitCode
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, SessionEnded, Steered
from milepost.model.units import Unit
from milepost.rules import done, retry, stuck
from milepost.rules.fingerprint import fingerprint
from milepost.rules.supervision import Why
from milepost.unit import briefing
from milepost.unit.bench import Bench
from milepost.unit.gate import evidence_path
from milepost.unit.put_right import tree_of
from milepost.worker import endings
from milepost.worker.shift import Ending, Shift


def played(shift: Shift) -> dict[str, int]:
    """How many sessions each unit had that came to their end, for agents that play from a script."""
    keys: dict[str, str] = {}
    counts: dict[str, int] = {}
    for event in shift.journal("project").everything():
        match event:
            case AttemptStarted():
                keys[event.attempt] = f"{event.kind}/{event.unit}"
            case SessionEnded(attempt=attempt) if attempt in keys and _to_its_end(event):
                counts[keys[attempt]] = counts.get(keys[attempt], 0) + 1
            case _:
                pass
    return counts


def _to_its_end(event: SessionEnded) -> bool:
    return event.stop != Stop.CANCELLED and event.error_kind != ErrorKind.DIVERGED


def may_start(unit: Unit, bench: Bench) -> tuple[str, Ending | None]:
    """A diagnostic for the prompt when the run goes in circles; an ending when the unit may not be tried again."""
    events = bench.journal.everything()
    past = retry.history(events, unit, fingerprint(unit, tree_of(bench)))
    retries = bench.preferences.verification_max_retries if bench.preferences.verification_auto_fix else 0
    if capped := retry.capped(past, gate_retries=retries):
        where = bench.workspace.cwd.relative_to(bench.workspace.root) / evidence_path(unit, bench)
        return "", endings.of_capped(unit, capped, past, str(where), _expected(unit, bench))
    level, words = stuck.level(stuck.window(_telling(events, bench)), unit.key)
    if level == 2:
        return "", endings.of_stuck(unit, words, _expected(unit, bench))
    if level == 1 or past.same_input >= retry.ATTEMPTS - 1:
        return briefing.deep(unit, bench, words), None
    return "", None


def wound_up(unit: Unit, bench: Bench) -> Ending | None:
    """The pause that the unit's latest session asked for, having filled its window (`context_pause_threshold`)."""
    events = bench.journal.own()
    latest = next((e.attempt for e in reversed(events) if isinstance(e, AttemptStarted) and e.unit == unit.id), "")
    said = (e for e in events if isinstance(e, Steered) and e.attempt == latest and e.why == Why.CONTEXT_PAUSE)
    if (found := next(said, None)) is None:
        return None
    limit = f"context_pause_threshold is {bench.preferences.context_pause_threshold:g}"
    words = f"{unit} filled {found.percent} % of the model's context window; {limit}"
    return Ending(ExitCode.PAUSED, words, "gsd auto goes on with a fresh session.")


def _expected(unit: Unit, bench: Bench) -> tuple[str, ...]:
    """What the unit owes: paths from the project's root, with what is wrong."""
    home = bench.workspace.state.relative_to(bench.workspace.root)
    return tuple(f"{home / owed.path}: {owed.problem}" for owed in done.missing(unit, tree_of(bench)))


def _telling(events: tuple[AnyEvent, ...], bench: Bench) -> tuple[AnyEvent, ...]:
    """What says whether a worker goes round in circles: its own milestone, and not that processes died (FM-33)."""
    if not bench.worker:
        return events
    others = {
        e.attempt for e in events if isinstance(e, AttemptStarted) and e.unit.split("/")[0] != bench.workspace.milestone
    }
    died = {e.attempt for e in events if isinstance(e, AttemptEnded) and e.result is Result.CRASHED}
    return tuple(e for e in events if not isinstance(e, AttemptEnded) or e.attempt not in others | died)
