"""One run of a merge, of a milestone or of one slice: its plan, whom it tells, and what it has pinned."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from milepost.git.merge_plan import CheckResult, Journal, MergePlan


@dataclass(slots=True, kw_only=True)
class Run:
    """One call of `land` or `land_slice`."""

    plan: MergePlan
    journal: Journal
    check: Callable[[Path], CheckResult] | None
    bring_home: Callable[[], None] | None = None
    slice: str = ""
    """The slice that lands on its own; empty for the milestone."""
    pins: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What lands, for people: `M001` or `M001/S01`."""
        return f"{self.plan.mid}/{self.slice}" if self.slice else self.plan.mid

    @contextmanager
    def step(self, name: str, **facts: str) -> Iterator[dict[str, str]]:
        """Announce an effect before and after it; the block may add facts for the second announcement."""
        self.journal(name, {"at": "begin", **facts})
        found: dict[str, str] = {}
        yield found
        self.journal(name, {"at": "done", **facts, **found})
