"""Parallel milestones: makespan, orders, coordinator and workers, merges, a crowd of workers."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import crowd, makespan, merges, orders
from benchmarks.crew import Work
from benchmarks.figures import Section

_SMALL = Work(milestones=5, slices=1, tasks=1, requests=4)


def measure(place: Path, env: Mapping[str, str], *, quick: bool) -> Iterator[Section]:
    """Each part in turn; the makespan of the full measure takes about four minutes a run."""
    if quick:
        yield from makespan.measure(place, env, runs=1, work=_SMALL, latency_s=0.2)
        yield orders.measure(place, env, rounds=1)
        yield merges.measure(place, env, rounds=1, ready=4)
        yield crowd.measure(place, env, workers=8, watched_s=3)
        return
    yield from makespan.measure(place, env, runs=3)
    yield orders.measure(place, env, rounds=5)
    yield merges.measure(place, env, rounds=3)
    yield crowd.measure(place, env)
