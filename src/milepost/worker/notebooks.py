"""A person's notebooks in the checkout that a milestone is about to be merged into.

`gsd steer` and `gsd knowledge` write into the root while a milestone works on its own copy. Orders that the milestone
took up come back with it, so the root's uncommitted copy makes room; rows of knowledge are committed first, and then
the merge joins the lines of both. Source: DESIGN rules 1 and 6; decision 0006, 0021.
"""

from milepost.errors import MilepostError
from milepost.formats import overrides
from milepost.formats.tree import read, root_file
from milepost.git import status
from milepost.git.commits import commit_planning
from milepost.git.put_right import take_back
from milepost.model.ids import milestone_of_directory
from milepost.store import notebook
from milepost.store.snapshot import Snapshot
from milepost.worker import effects
from milepost.worker.shift import Shift


def make_room(milestone: str, shift: Shift) -> None:
    """Settle the two files, where the milestone changed them too. What cannot be settled, the merge will name."""
    home = Snapshot(str(shift.root), shift.state_dir)
    if milestone in home.homes and shift.preferences.git.commit_docs:
        with notebook.alone(shift.state):
            _settle(milestone, home, shift)


def _settle(milestone: str, home: Snapshot, shift: Shift) -> None:
    own = Snapshot(str(shift.root), shift.state_dir, homes={})
    copy = Snapshot(home.homes[milestone].removesuffix(f"/{shift.state_dir}"), shift.state_dir, homes={})
    changed = {change.path for change in status.dirty(shift.root)}
    for name, settle in (("OVERRIDES", _orders), ("KNOWLEDGE", _knowledge)):
        path = root_file(own, name)
        there = f"{shift.state_dir}/{path}"
        if path and there in changed and copy.text(path) not in (None, own.text(path)):
            settle(there, own.text(path) or "", read(copy, path), milestone, shift)


def _orders(path: str, ours: str, theirs: str, milestone: str, shift: Shift) -> None:
    """Give up the root's copy when every order in it is in the milestone's, and other milestones at work have it."""
    known = {(entry.at, entry.change) for entry in overrides.parse(theirs)}
    if any((entry.at, entry.change) not in known for entry in overrides.parse(ours)):
        return
    home = Snapshot(str(shift.root), shift.state_dir)
    for other in home.homes:
        if other != milestone and milestone_of_directory(other) == other:
            effects.carry_orders(home, other, shift)
    take_back(shift.root, (path,))


def _knowledge(path: str, _ours: str, _theirs: str, milestone: str, shift: Shift) -> None:
    try:
        commit_planning(shift.root, (path,), f"docs({milestone}): what a person noted meanwhile\n")
    except MilepostError as error:
        shift.watcher.note(f"{path} was not committed: {error}")
