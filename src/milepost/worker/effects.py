"""What the loop writes on its own account: what a decision asks for, a person's orders, STATE.md.

Source: spec auto 2.8, 2.23, 4.1 (rule 14); style R3.
"""

from collections.abc import Iterable
from pathlib import Path

from milepost.errors import FormatError
from milepost.formats import state_md
from milepost.formats.journal import AnyEvent, RunEnded, RunStarted
from milepost.rules.derive import derive
from milepost.rules.dispatch import Dispatch
from milepost.store import atomic, ledger, steering
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench
from milepost.worker.shift import Shift


def apply(decision: Dispatch, bench: Bench) -> bool:
    """Write the files that `decision` asks for; whether anything was written (the state must be derived again)."""
    for effect in decision.effects:
        state, data = bench.workspace.state, effect.text.encode("utf-8", "surrogateescape")
        atomic.replace(state / effect.path, data, within=state)
        bench.watcher.note(f"wrote {effect.path}: {effect.reason}")
    return bool(decision.effects)


def carry_orders(home: Snapshot, milestone: str, shift: Shift) -> None:
    """Add a person's new orders to the file of the milestone that is at work."""
    found = steering.carry(home, milestone)
    if found is not None:
        path, text = found
        atomic.replace(Path(path), text.encode("utf-8", "surrogateescape"), within=Path(path).parent)
        shift.watcher.note(f"{milestone} takes up new orders from {shift.state_dir}/OVERRIDES.md")


def write_state(shift: Shift) -> None:
    """Bring `STATE.md` up to date: a projection for people and for GSD, never read back. A worker leaves it alone."""
    if shift.lock is not None:
        return
    try:
        state = derive(Snapshot(str(shift.root), shift.state_dir))
    except FormatError:
        if shift.quick is None:
            raise
        return  # A quick task has nothing to do with a plan that cannot be read.
    text = state_md.render(state).encode("utf-8", "surrogateescape")
    atomic.replace(shift.state / "STATE.md", text, durable=False)


def catch_up(events: Iterable[AnyEvent], shift: Shift) -> None:
    """Bring the ledger up to date after a run that was killed between a fact and its projection.

    A worker's lies in its worktree; before that is there, it has none.
    """
    known = tuple(events)
    begun = {event.run for event in known if isinstance(event, RunStarted)} - {shift.run}
    if not begun - {event.run for event in known if isinstance(event, RunEnded)}:
        return
    if shift.lock is None:
        ledger.publish(shift.state, known)
    elif (own := shift.own_state).is_dir():
        ledger.publish_own(own, known)
