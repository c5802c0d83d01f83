"""Carry out what a decision wants written before its unit, as data says. Source: spec auto 4.1 (rule 14), style R3."""

from milepost.rules.dispatch import Dispatch
from milepost.store import atomic
from milepost.unit.bench import Bench


def apply(decision: Dispatch, bench: Bench) -> bool:
    """Write the files that `decision` asks for; whether anything was written (the state must be derived again)."""
    for effect in decision.effects:
        atomic.replace(bench.workspace.state / effect.path, effect.text.encode())
        bench.watcher.note(f"wrote {effect.path}: {effect.reason}")
    return bool(decision.effects)
