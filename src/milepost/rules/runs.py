"""Every run of the journal: how it began, when it was last heard, how it ended. Source: DESIGN rule 10."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from milepost.formats.journal import AnyEvent, AttemptStarted, RunEnded, RunStarted, WorkerLost


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process that took the project, or one milestone of it."""

    started: RunStarted
    ended: RunEnded | None
    """Its last word; None: it has none (yet)."""
    lost: WorkerLost | None
    """A coordinator noted that it was gone."""
    heard_ms: int
    """When it last wrote a line."""
    attempts: int
    """Attempts that it began."""

    @property
    def id(self) -> str:
        """Its name."""
        return self.started.run

    @property
    def solo(self) -> bool:
        """Whether it is an auto mode, not a parallel worker."""
        return not self.started.milestone

    def died(self, alive: Container[str]) -> bool:
        """Whether it is gone without a last word. alive: runs that live."""
        return self.ended is None and self.id not in alive

    def end_ms(self, now_ms: int, alive: Container[str]) -> int:
        """When it ended; now, when it goes on."""
        if self.ended is not None:
            return self.ended.at_ms
        return now_ms if self.id in alive else self.heard_ms


def fold(events: Iterable[AnyEvent]) -> tuple[Run, ...]:
    """All runs, in the order they began. Pure; never raises."""
    started: dict[str, RunStarted] = {}
    ended: dict[str, RunEnded] = {}
    lost: dict[str, WorkerLost] = {}
    heard: dict[str, int] = {}
    attempts: dict[str, int] = {}
    for event in events:
        heard[event.run] = event.at_ms
        match event:
            case RunStarted():
                started.setdefault(event.run, event)
            case RunEnded():
                ended[event.run] = event
            case WorkerLost():
                lost[event.worker_run] = event
            case AttemptStarted():
                attempts[event.run] = attempts.get(event.run, 0) + 1
            case _:
                pass
    return tuple(
        Run(
            started=begun,
            ended=ended.get(run),
            lost=lost.get(run),
            heard_ms=heard[run],
            attempts=attempts.get(run, 0),
        )
        for run, begun in started.items()
    )
