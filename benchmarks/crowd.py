"""Thirty-two workers at once, each waiting for a model that never answers: that it works, and what waiting costs."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks import crew
from benchmarks.crew import Fleet, Latent, Used, Work
from benchmarks.figures import Figure, Section
from benchmarks.timing import middle

WORKERS = 32
_WATCHED_S = 15.0


def measure(place: Path, env: Mapping[str, str], *, workers: int = WORKERS, watched_s: float = _WATCHED_S) -> Section:
    """Start them, wait until each has asked its model, look on for a while, stop them."""
    root = place / "crowd"
    work = Work(milestones=workers, slices=1, tasks=1)
    crew.make(root, work, workers)
    with (
        Latent(work, None) as server,
        crew.started(root, {**env, **server.env("openai")}, "--model", crew.MODEL) as fleet,
    ):
        took = fleet.until(lambda: len(server.opened()) == workers)
        opened = sorted((at - fleet.began) / 1e9 for at in server.opened().values())
        settled = time.monotonic_ns() + 10**9
        time.sleep(1 + watched_s)
        seen = {pid: [look for look in looks if look.at > settled] for pid, looks in fleet.workers.items()}
        stopped = _stop(fleet, env)
        figures = _figures(took, opened, seen, [look for look in fleet.coordinator if look.at > settled], stopped)
    return Section(title=f"{workers} workers that wait for their model", figures=figures)


def _stop(fleet: Fleet, env: Mapping[str, str]) -> float:
    began = time.monotonic()
    subprocess.run(crew.gsd("parallel", "stop"), cwd=fleet.root, env=dict(env), check=True, stdout=subprocess.DEVNULL)
    fleet.process.wait()
    return time.monotonic() - began


def _figures(
    took: int, opened: list[float], workers: Mapping[int, list[Used]], coordinator: list[Used], stopped: float
) -> tuple[Figure, ...]:
    looks = [looks for looks in workers.values() if looks]
    owns = [max(look.own_kb for look in seen) / 1024 for seen in looks]
    shares = [crew.share(seen) for seen in looks]
    return (
        Figure(name="at their model at once", value=len(opened), unit="workers"),
        Figure(name="start to the last one's request", value=took / 1e9, unit="s", samples=tuple(opened)),
        Figure(name="worker, its share of memory", value=middle(owns), unit="MB", note=f"{sum(owns):,.0f} MB in all"),
        Figure(name="worker, waiting", value=middle(shares), unit="% core", samples=tuple(shares)),
        Figure(name="coordinator", value=crew.share(coordinator), unit="% core"),
        Figure(
            name="coordinator, peak memory",
            value=max((look.peak_kb for look in coordinator), default=0) / 1024,
            unit="MB",
        ),
        Figure(name="stop, until no process is left", value=stopped, unit="s"),
    )
