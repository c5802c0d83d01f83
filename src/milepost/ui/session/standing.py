"""Where the project stands, in one line for the foot of the screen, and which ids its plan has.

The same numbers as `gsd status`. Looked at before each prompt and after each unit; never written.
"""

from pathlib import Path

from milepost.errors import MilepostError
from milepost.model import money
from milepost.model.words import counted
from milepost.rules.dispatch import Dispatch
from milepost.store.tally import Tally
from milepost.ui.cli import context, looking
from milepost.ui.views.dashboard import Dashboard
from milepost.ui.views.parallel_text import plain


class Standing:
    """One look after the other."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._where: context.Where | None = None
        self._tally: Tally | None = None
        self.text = ""
        """For the foot of the screen."""
        self.next = ""
        """The unit that comes next; empty: none does."""
        self.ids: tuple[str, ...] = ()
        """`M001`, `M001/S01`, `M001/S01/T01`, …"""
        self.pid = 0
        """The solo run that is at work, ours or another's; 0: none."""
        self.busy = False
        """Whether anything is at work."""

    @property
    def state(self) -> Path | None:
        """The project's state directory; None: there is no project here yet."""
        return Path(self._where.root, self._where.state_dir) if self._where else None

    def look(self) -> None:
        """Look again. What cannot be read is said where the numbers would stand."""
        try:
            self._take()
        except (MilepostError, OSError) as error:
            self.text, self.next, self.pid, self.busy = plain(str(error)), "", 0, False

    def _take(self) -> None:
        where = context.find(self._program)
        if self._tally is None or where != self._where:
            self._where, self._tally = where, Tally(Path(where.root, where.state_dir))
        here = looking.around(where, self._program, self._tally.events)
        made = looking.dashboard_of(here, where)
        self.next = str(here.decision.unit) if isinstance(here.decision, Dispatch) else ""
        self.pid, self.busy = here.pid, bool(here.alive)
        self.ids = tuple(sorted({*here.planned(), *(entry.id for entry in here.state.registry)}))
        self.text = _line(made, self.next)


def _line(made: Dashboard, following: str) -> str:
    state = made.here.state
    words = [str(state.phase), f"next: {following}" if following else ""]
    tasks = state.progress.tasks
    words += [f"{tasks.done}/{tasks.total} tasks" if tasks else "", money.show(made.seen.books.spent)]
    words += [f"{counted(len(made.waiting), 'thing')} for you: /inbox" if made.waiting else ""]
    return plain("  ".join(word for word in words if word))
