"""Where a run ends because a person said how far it may go. Source: issue "autonomy bounds", rules.bounds."""

from milepost.errors import ExitCode
from milepost.formats.journal import AttemptStarted
from milepost.formats.tree import Tree
from milepost.model.state import State
from milepost.rules import bounds
from milepost.rules.dispatch import Decision, Dispatch
from milepost.worker.shift import Ending, Shift


class Watch:
    """The bounds of one run. A run that is started anew has new ones."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._began = shift.now_ms()

    def reached(self, decision: Decision, state: State, tree: Tree) -> Ending | None:
        """The ending of a run that has come as far as it may; None: it may go on, or stops for another reason."""
        given = self._shift.bounds
        coming = decision.unit if isinstance(decision, Dispatch) else None
        following = f"; next is {coming}" if coming else ""
        if given.until is not None and bounds.met(given.until, state, tree, self._ran(), coming):
            what = f"the phase {given.until} is over" if isinstance(given.until, str) else f"{given.until} is done"
            return Ending(ExitCode.DONE, f"{what}{following}", "gsd auto goes on from here." if coming else "")
        late = given.time_ms is not None and self._shift.now_ms() - self._began >= given.time_ms
        if late and coming:
            minutes = round((given.time_ms or 0) / 60_000, 1)
            words = f"the {minutes:g} minutes of this run are over (--max-time){following}"
            return Ending(ExitCode.PAUSED, words, "gsd auto goes on from here.")
        return None

    def _ran(self) -> list[str]:
        events = self._shift.journal("project").everything() if isinstance(self._shift.bounds.until, str) else ()
        return [e.kind for e in events if isinstance(e, AttemptStarted) and e.run == self._shift.run]
