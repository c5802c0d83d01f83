"""What others see of a unit that has just ended: its branch on the remote, and `STATE.md`.

Neither is read back, and neither keeps the next unit from starting. Source: spec auto 2.8, 2.9 (push_branches), 10.1.
"""

from milepost.git import commits, push
from milepost.model.outcome import Committed, Outcome
from milepost.model.work import is_branch
from milepost.unit.bench import Bench
from milepost.worker import effects
from milepost.worker.shift import Shift


def publish(outcome: Outcome, bench: Bench, shift: Shift) -> None:
    """Push the milestone's branch when that is wanted, and bring `STATE.md` up to date."""
    if isinstance(outcome, Committed) and shift.preferences.git.push_branches:
        _push(bench, shift.preferences.git.remote)
    effects.write_state(shift)


def _push(bench: Bench, remote: str) -> None:
    """Push a branch of ours, the whole of it: what an earlier push did not get across goes along."""
    place = bench.workspace
    if place.isolation == "none" or not is_branch(place.branch):
        return
    if error := push.push(place.cwd, remote, place.branch, commits.head(place.cwd)):
        bench.watcher.note(f"{place.branch} was not pushed to {remote}: {error}. The work goes on; it is tried again.")
