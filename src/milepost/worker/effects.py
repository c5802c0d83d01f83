"""Carry out what a decision wants written before its unit, as data says. Source: spec auto 4.1 (rule 14), style R3."""

from pathlib import Path

from milepost.rules.dispatch import Dispatch
from milepost.store import atomic, steering
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench
from milepost.worker.shift import Shift


def apply(decision: Dispatch, bench: Bench) -> bool:
    """Write the files that `decision` asks for; whether anything was written (the state must be derived again)."""
    for effect in decision.effects:
        atomic.replace(bench.workspace.state / effect.path, effect.text.encode("utf-8", "surrogateescape"))
        bench.watcher.note(f"wrote {effect.path}: {effect.reason}")
    return bool(decision.effects)


def carry_orders(home: Snapshot, milestone: str, shift: Shift) -> None:
    """Add a person's new orders to the file of the milestone that is at work."""
    found = steering.carry(home, milestone)
    if found is not None:
        path, text = found
        atomic.replace(Path(path), text.encode("utf-8", "surrogateescape"))
        shift.watcher.note(f"{milestone} takes up new orders from {shift.state_dir}/OVERRIDES.md")
