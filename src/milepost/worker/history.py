"""What earlier attempts say before the next: whether a unit may be tried again, and what was played already.

Folds over the journal, so nothing is forgotten at a restart. Source: spec auto 5.6, 5.13, 8.1; parallel FM-33.
"""

from milepost.agents.session import ErrorKind, Stop
from milepost.errors import ExitCode
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, SessionEnded
from milepost.model.units import Unit
from milepost.rules import retry, stuck
from milepost.rules.fingerprint import fingerprint
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
        return "", endings.of_capped(unit, capped, past, str(where))
    level, words = stuck.level(stuck.window(_telling(events, bench)), unit.key)
    if level == 2:
        return "", Ending(ExitCode.BLOCKED, f"stuck at {unit}: {words}", f"Look at it, then gsd auto --retry {unit.id}")
    return words, None


def _telling(events: tuple[AnyEvent, ...], bench: Bench) -> tuple[AnyEvent, ...]:
    """What says whether a worker goes round in circles: its own milestone, and not that processes died (FM-33)."""
    if not bench.worker:
        return events
    others = {
        e.attempt for e in events if isinstance(e, AttemptStarted) and e.unit.split("/")[0] != bench.workspace.milestone
    }
    died = {e.attempt for e in events if isinstance(e, AttemptEnded) and e.result is Result.CRASHED}
    return tuple(e for e in events if not isinstance(e, AttemptEnded) or e.attempt not in others | died)
