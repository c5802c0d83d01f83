"""The other milestones that a captured thought may belong to: those that are open, in this project as it is now."""

from milepost.errors import FormatError
from milepost.model.state import RegistryEntry, Status
from milepost.rules.derive import derive
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench

_OPEN = (Status.ACTIVE, Status.PENDING)


def open_besides(milestone: str, bench: Bench) -> tuple[RegistryEntry, ...]:
    """In working order, each read from its own home; none when the plan cannot be read."""
    place = bench.workspace
    try:
        known = derive(Snapshot(str(place.root), place.state_dir)).registry
    except FormatError:
        return ()
    return tuple(entry for entry in known if entry.status in _OPEN and entry.id != milestone)
