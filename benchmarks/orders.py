"""How long orders take: from the file that is written to the worker's word that it has it, and to what comes of it.

Real commands from another terminal, at four workers in the middle of units that take a second each.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import crew
from benchmarks.crew import Fleet, Work
from benchmarks.figures import Figure, Section
from benchmarks.timing import Command, middle, once
from milepost.formats.journal import AnyEvent, OrderTaken
from milepost.formats.status import Status, WorkerState
from milepost.process import table
from milepost.store import beacons
from milepost.store.journal import Journal
from milepost.testing import projects

WORKERS = 4
_WORK = Work(milestones=WORKERS, slices=1, tasks=60)
_UNIT_S = 1.0
_Samples = dict[str, list[float]]


def measure(place: Path, env: Mapping[str, str], *, rounds: int, workers: int = WORKERS) -> Section:
    """Give every order `rounds` times."""
    root = place / "orders"
    work = _WORK._replace(milestones=workers)
    crew.make(root, work, workers)
    script = place / "orders.json"
    script.write_text(json.dumps(list(_sessions(work))))
    found: _Samples = {}
    for _ in range(rounds):
        _round(root, env, ("--agent", f"scripted:{script}"), workers, found)
    return Section(title=f"Orders to {workers} workers ({rounds} rounds)", figures=tuple(_figures(found)))


def _sessions(work: Work) -> Iterator[projects.Session]:
    for key in projects.units(work.ids, work.slices, work.tasks):
        yield projects.session(key, {"sleep": _UNIT_S}, *projects.steps(key))


def _round(root: Path, env: Mapping[str, str], options: tuple[str, ...], workers: int, found: _Samples) -> None:
    with crew.started(root, env, *options) as fleet:
        fleet.until(lambda: _at_work(root, workers))
        _timed("pause", root, env, found)
        fleet.until(lambda: _all(root, workers, lambda s: s.state is WorkerState.PAUSED))
        _timed("resume", root, env, found)
        fleet.until(lambda: _at_work(root, workers))
        _ended("stop", fleet, root, env, found)
    with crew.started(root, env, *options) as fleet:
        fleet.until(lambda: _at_work(root, workers))
        _ended("panic", fleet, root, env, found)
    found.setdefault("python", []).append(once(Command((crew.gsd()[0], "-c", "pass"), root), env).ms)


def _at_work(root: Path, workers: int) -> bool:
    return _all(root, workers, lambda s: s.state is WorkerState.RUNNING and s.current_unit is not None)


def _all(root: Path, workers: int, holds: Callable[[Status], bool]) -> bool:
    statuses = beacons.load(root / ".gsd" / "parallel")
    # A killed worker's file still says what it did last.
    living = [s for s in statuses if s.doing != "ended" and (row := table.row(s.pid)) and row.state not in table.GONE]
    return len(living) == workers and all(holds(s) for s in living)


def _command(order: str, root: Path, env: Mapping[str, str]) -> float:
    began = time.monotonic()
    done = subprocess.run(crew.gsd("parallel", order), cwd=root, env=dict(env), capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"parallel {order} ended with {done.returncode}: {done.stdout.decode()}{done.stderr.decode()}")
    return (time.monotonic() - began) * 1e3


def _timed(order: str, root: Path, env: Mapping[str, str], found: _Samples) -> None:
    """An order that workers live on after."""
    known = len(_taken(root, order))
    found.setdefault(f"{order}, the command", []).append(_command(order, root, env))
    found.setdefault(f"{order}, written to taken", []).extend(
        float(event.at_ms - event.sent_at_ms) for event in _taken(root, order)[known:]
    )


def _taken(root: Path, order: str) -> list[OrderTaken]:
    events: tuple[AnyEvent, ...] = Journal(root / ".gsd", "project").everything()
    return [event for event in events if isinstance(event, OrderTaken) and event.order == order]


def _ended(order: str, fleet: Fleet, root: Path, env: Mapping[str, str], found: _Samples) -> None:
    """An order that everything ends after."""
    found.setdefault(f"{order}, until no process is left", []).append(_command(order, root, env))
    fleet.process.wait()


def _figures(found: _Samples) -> Iterator[Figure]:
    bare = found.pop("python")
    for name, samples in found.items():
        yield Figure(
            name=name, value=middle(samples), unit="ms", note=f"largest {max(samples):.0f}", samples=tuple(samples)
        )
    yield Figure(name="python -c pass", value=middle(bare), unit="ms", samples=tuple(bare))
