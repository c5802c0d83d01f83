"""A model behind HTTP that carries out `projects.tiny`, and whatever a test lets happen to its answers before that."""

import re
import threading
import time
from collections.abc import Callable

from fakemodel.replies import Answer, Asked, Call, Failing, Reply
from milepost.testing import projects

_ASKED = (
    (
        re.compile(r"(?m)^# Execute task (?P<t>T\d+) of slice (?P<s>S\d+), milestone (?P<m>M\d+)"),
        "execute-task/{m}/{s}/{t}",
    ),
    (re.compile(r"(?m)^# Complete slice (?P<s>S\d+) of milestone (?P<m>M\d+)"), "complete-slice/{m}/{s}"),
    (re.compile(r"(?m)^# Complete milestone (?P<m>M\d+)"), "complete-milestone/{m}"),
)


def unit_of(asked: Asked) -> str:
    """The unit whose session asks."""
    for pattern, key in _ASKED:
        if found := pattern.search(asked.texts[0]):
            return key.format(**found.groupdict())
    raise AssertionError(f"no unit: {asked.texts[0][:200]}")


def honest(asked: Asked) -> Answer:
    """The next step of the unit's honest session."""
    steps = [step for step in projects.steps(unit_of(asked)) if "tool" in step]
    if asked.turns >= len(steps):
        return Reply(text="Done.")
    step = steps[asked.turns]
    return Reply(text="Next.", calls=[Call(str(step["tool"]), step["args"])])  # type: ignore[arg-type]


class Moody:
    """Honest, but for what `mood` answers; it is told how many requests came before. Notes when each came."""

    def __init__(self, mood: Callable[[int, Asked], Answer | None]) -> None:
        self.at: list[float] = []
        self.units: list[str] = []
        self._mood = mood
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer:
        with self._lock:
            number = len(self.at)
            self.at.append(time.time())
            self.units.append(unit_of(asked))
            return self._mood(number, asked) or honest(asked)


def first(failures: int, failing: Answer) -> Moody:
    """The first requests fail."""
    return Moody(lambda number, _: failing if number < failures else None)


LIMIT = Failing(429, "too many requests")
