"""Levels of the ceilings: announced once each, whoever of several workers sees them first."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from milepost.formats.journal import BudgetAlerted, RunStarted, UsageReported
from milepost.formats.preferences import Parallel, Preferences
from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.unit.bench import Bench
from milepost.worker.alerts import alert
from unit.workbench import STATE, Notes, bench_for, notes

SESSION = "f-1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    projects.tiny(root)
    return root


def workers(project: Path, count: int, *, own: float | None = None, fleet: float | None = None) -> list[Bench]:
    parallel = Parallel()._replace(budget_ceiling=fleet)
    preferences = Preferences()._replace(budget_ceiling=own, parallel=parallel)
    first = bench_for(project, preferences=preferences, worker=True, fleet=SESSION, isolation="none")
    return [_worker(first, number) for number in range(1, count + 1)]


def _worker(first: Bench, number: int) -> Bench:
    mid, run = f"M{number:03}", f"r-{number}"
    journal = Journal(first.workspace.root_state, mid)
    journal.append(
        RunStarted(at_ms=1, run=run, pid=1, version="", command="auto", milestone=mid, fleet=first.fleet)
    )  # fmt: skip
    place = replace(first.workspace, milestone=mid)
    return replace(first, workspace=place, journal=journal, run=run, watcher=Notes())


def spend(bench: Bench, micro_usd: int) -> None:
    attempt = f"of-{bench.run}"
    bench.journal.append(
        UsageReported(at_ms=1, run=bench.run, attempt=attempt, model="m", input=1, output=1, micro_usd=micro_usd)
    )


def told(project: Path) -> list[tuple[str, int]]:
    events = Journal(project / STATE, "project").everything()
    return [(e.scope, e.percent) for e in events if isinstance(e, BudgetAlerted)]


def test_each_ceiling_has_its_own_levels(project: Path) -> None:
    one, two = workers(project, 2, own=1, fleet=1.6)
    spend(one, 760_000)
    alert(one)
    alert(two)
    assert told(project) == [("M001", 75)]
    assert notes(one).said == ["budget of M001: 75 % of $1.00 is spent ($0.760)"]
    spend(two, 550_000)
    alert(two)
    alert(one)
    assert told(project) == [("M001", 75), ("fleet", 80)]
    assert notes(two).said == ["budget of all workers: 80 % of $1.60 is spent ($1.31)"]
    spend(two, 500_000)
    alert(one)
    assert told(project) == [("M001", 75), ("fleet", 80), ("fleet", 100)]


@pytest.mark.spec(id="PR-175")
@pytest.mark.spec(id="PR-063")
def test_of_many_workers_one_announces(project: Path) -> None:
    benches = workers(project, 8, fleet=1)
    for rounds, amount in enumerate((95_000, 6_000, 12_000, 15_000), start=1):
        for bench in benches:
            spend(bench, amount)
        gate = threading.Barrier(len(benches))

        def say(bench: Bench, gate: threading.Barrier = gate) -> None:
            gate.wait()
            alert(bench)

        threads = [threading.Thread(target=say, args=(bench,)) for bench in benches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert told(project) == [("fleet", level) for level in (75, 80, 90, 100)[:rounds]]
    assert sorted(said.split("%")[0] for bench in benches for said in notes(bench).said) == [
        f"budget of all workers: {level} " for level in (100, 75, 80, 90)
    ]


def test_a_new_session_and_a_raised_ceiling_begin_anew(project: Path) -> None:
    [bench] = workers(project, 1, fleet=1)
    spend(bench, 800_000)
    alert(bench)
    parallel = Parallel()._replace(budget_ceiling=1.05)
    alert(replace(bench, preferences=bench.preferences._replace(parallel=parallel)))
    assert told(project) == [("fleet", 80), ("fleet", 75)]
    other = _worker(replace(bench, fleet="f-2"), 2)
    spend(other, 900_000)
    alert(other)
    assert told(project) == [("fleet", 80), ("fleet", 75), ("fleet", 90)]


def test_without_a_ceiling_nothing_is_said(project: Path) -> None:
    [bench] = workers(project, 1)
    spend(bench, 10**9)
    alert(bench)
    assert (told(project), notes(bench).said) == ([], [])


def test_the_ceiling_of_an_auto_mode(project: Path) -> None:
    bench = bench_for(
        project, preferences=Preferences()._replace(budget_ceiling=1.0), carried_micro_usd=500_000, isolation="none"
    )
    spend(bench, 250_000)
    alert(bench)
    assert told(project) == [("", 75)]
    assert notes(bench).said == ["budget: 75 % of $1.00 is spent ($0.750)"]
