"""Eight milestones on four workers with a model that takes a second per call: how far from the shortest possible.

The bound is that of the schedule alone: calls times latency, milestones in order, each to the first free worker. All
that is ours comes on top: starts, loading the model's library, git, gates, what is between units and between a
worker's end and the next one's start, and the last merge.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks import crew
from benchmarks.crew import Asking, Latent, Used, Work
from benchmarks.figures import Figure, Section
from benchmarks.timing import middle

WORKERS = 4
WORK = Work(milestones=8, slices=3, tasks=2, requests=10)


class Run(NamedTuple):
    """One run to the end."""

    wall_s: float
    bound_s: float
    asked: tuple[Asking, ...]
    began: int
    coordinator: tuple[Used, ...]
    workers: tuple[tuple[Used, ...], ...]


def run(root: Path, env: Mapping[str, str], work: Work, workers: int, latency_s: float) -> Run:
    """Work through it in the new directory `root`."""
    crew.make(root, work, workers)
    with (
        Latent(work, latency_s) as server,
        crew.started(root, {**env, **server.env("openai")}, "--model", crew.MODEL) as fleet,
    ):
        took = fleet.wait()
        asked = tuple(sorted(server.asked, key=lambda a: a.came))
    return Run(
        wall_s=took / 1e9,
        bound_s=crew.bound_s(work, workers, latency_s),
        asked=asked,
        began=fleet.began,
        coordinator=tuple(fleet.coordinator),
        workers=tuple(tuple(seen) for seen in fleet.workers.values()),
    )


def measure(
    place: Path, env: Mapping[str, str], *, runs: int, work: Work = WORK, latency_s: float = 1.0
) -> list[Section]:
    """Run it `runs` times."""
    found = [run(place / f"makespan-{n}", env, work, WORKERS, latency_s) for n in range(runs)]
    return [_times(found, work, latency_s), _used(found)]


def _times(runs: Sequence[Run], work: Work, latency_s: float) -> Section:
    def of(name: str, samples: Sequence[float], unit: str = "ms", aim: float | None = None, note: str = "") -> Figure:
        return Figure(name=name, value=middle(samples), unit=unit, aim=aim, note=note, samples=tuple(samples))

    passages = [passage for one in runs for passage in units(one.asked)]
    turns = [turn for one in runs for turn in changes(one.asked)]
    aim = 1.05 if (work, latency_s) == (WORK, 1.0) else None
    note = f"{middle(r.wall_s for r in runs):.1f} s of {runs[0].bound_s:.1f} s"
    figures = (
        of("makespan by the bound", [r.wall_s / r.bound_s for r in runs], "×", aim, note),
        of("start to the first workers' requests", [_first(one) for one in runs]),
        of("answer to next request of a unit", [t for one in runs for t in requests(one.asked)]),
        of(
            "unit to unit",
            passages,
            note=f"{len(passages) // len(runs)} of them, largest {max(passages, default=0):.0f}",
        ),
        of("milestone to milestone of a worker", turns, note=f"largest {max(turns, default=0):.0f}"),
        of("last answer to the end", [_last(one) for one in runs], note="the last merges included"),
    )
    size = f"{work.milestones} milestones of {work.calls} calls of {latency_s:g} s on {WORKERS} workers"
    return Section(title=f"Makespan: {size} ({len(runs)} runs)", figures=figures)


def _first(one: Run) -> float:
    opened: dict[str, int] = {}
    for asking in one.asked:
        opened.setdefault(asking.milestone, asking.came)
    return middle((at - one.began) / 1e6 for at in sorted(opened.values())[:WORKERS])


def _last(one: Run) -> float:
    return one.wall_s * 1e3 - (max(a.answered for a in one.asked) - one.began) / 1e6


def requests(asked: Sequence[Asking]) -> list[float]:
    """From each answer to the next request of the same unit, in ms."""
    return [(b.came - a.answered) / 1e6 for a, b in _pairs(asked) if not b.first]


def units(asked: Sequence[Asking]) -> list[float]:
    """From each unit's last answer to the first request of the next of its milestone, in ms."""
    return [(b.came - a.answered) / 1e6 for a, b in _pairs(asked) if b.first]


def _pairs(asked: Sequence[Asking]) -> list[tuple[Asking, Asking]]:
    by: dict[str, list[Asking]] = {}
    for asking in asked:
        by.setdefault(asking.milestone, []).append(asking)
    return [pair for several in by.values() for pair in pairwise(several)]


def changes(asked: Sequence[Asking]) -> list[float]:
    """From a milestone's last answer to the first request of the one that took its place, in ms."""
    ends: dict[str, int] = {}
    begins: dict[str, int] = {}
    for asking in asked:
        ends[asking.milestone] = asking.answered
        begins.setdefault(asking.milestone, asking.came)
    later = sorted(begins.values())[WORKERS:]
    return [(begin - end) / 1e6 for end, begin in zip(sorted(ends.values()), later, strict=False)]


def _used(runs: Sequence[Run]) -> Section:
    shares, whole, peaks, worker_peaks, worker_own = [], [], [], [], []
    for one in runs:
        opened = sorted({a.milestone: a.came for a in reversed(one.asked)}.values())[:WORKERS]
        ends = {a.milestone: a.answered for a in one.asked}
        shares.append(crew.share(one.coordinator, max(opened), min(ends.values())))
        whole.append(one.coordinator[-1].cpu_ns / 1e7 / one.wall_s if one.coordinator else 0.0)
        peaks.append(max((look.peak_kb for look in one.coordinator), default=0) / 1024)
        worker_peaks += [max(look.peak_kb for look in seen) / 1024 for seen in one.workers]
        worker_own += [max(look.own_kb for look in seen) / 1024 for seen in one.workers]
    figures = (
        Figure(
            name="coordinator, while workers work", value=middle(shares), unit="% core", aim=2, samples=tuple(shares)
        ),
        Figure(name="coordinator, start and merges included", value=middle(whole), unit="% core", samples=tuple(whole)),
        Figure(name="coordinator, peak memory", value=middle(peaks), unit="MB", aim=40, samples=tuple(peaks)),
        Figure(name="worker, peak memory", value=middle(worker_peaks), unit="MB", samples=tuple(worker_peaks)),
        Figure(
            name="worker, its share of memory",
            value=middle(worker_own),
            unit="MB",
            note="largest PSS",
            samples=tuple(worker_own),
        ),
    )
    return Section(title=f"Coordinator and workers, {WORKERS} of them", figures=figures)
