"""The parts that measure a fleet run on a small one and add up; what they measure is for people to read."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.crew import Asking, Used, Work

from benchmarks import crew, crowd, makespan, merges, orders, timing


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return timing.surroundings(tmp_path / "home")


class TestParts:
    def test_makespan(self, tmp_path: Path, env: dict[str, str]) -> None:
        work = Work(milestones=2, slices=1, tasks=1, requests=3)
        run = makespan.run(tmp_path / "project", env, work, 1, 0.01)
        assert {a.milestone for a in run.asked} == {"M001", "M002"}
        assert len(run.asked) == 2 * work.calls == 18
        assert [a.unit for a in run.asked if a.first and a.milestone == "M002"] == [
            "execute-task/M002/S01/T01",
            "complete-slice/M002/S01",
            "complete-milestone/M002",
        ]
        assert run.wall_s > run.bound_s == pytest.approx(0.18)

    def test_orders(self, tmp_path: Path, env: dict[str, str]) -> None:
        section = orders.measure(tmp_path, env, rounds=1, workers=1)
        assert [f.name.split(",")[0] for f in section.figures] == [
            *("pause", "pause", "resume", "resume", "stop", "panic", "python -c pass"),
        ]
        assert all(len(figure.samples) == 1 for figure in section.figures)

    def test_merges(self, tmp_path: Path, env: dict[str, str]) -> None:
        section = merges.measure(tmp_path, env, rounds=1, ready=2, files=5)
        assert [f.name for f in section.figures] == ["git by hand", "gsd parallel merge", "gsd parallel start"]

    def test_a_crowd_waits_for_its_model(self, tmp_path: Path, env: dict[str, str]) -> None:
        section = crowd.measure(tmp_path, env, workers=2, watched_s=0.1)
        assert section.figures[0].value == 2


class TestSums:
    def test_the_bound_is_that_of_a_list_schedule(self) -> None:
        work = Work(milestones=5, slices=1, tasks=1, requests=2)
        assert work.calls == 6
        assert crew.bound_s(work, 2, 0.5) == 9.0
        assert crew.bound_s(work, 5, 0.5) == 3.0

    def test_passages_are_told_from_requests(self) -> None:
        asked = [asking("M001", 0, 10, True), asking("M002", 5, 15, True), asking("M001", 12, 20), asking("M001", 50, 60, True)]  # fmt: skip # noqa: E501
        assert makespan.requests(asked) == [2.0]
        assert makespan.units(asked) == [30.0]

    def test_a_share_of_a_core(self) -> None:
        looks = [Used(at=at, cpu_ns=cpu, peak_kb=1, own_kb=1) for at, cpu in ((0, 0), (100, 5), (200, 25))]
        assert crew.share(looks) == 12.5
        assert crew.share(looks, begin=100) == 20.0
        assert crew.share(looks[:1]) == 0.0


def asking(milestone: str, came_ms: int, answered_ms: int, first: bool = False) -> Asking:
    return Asking(milestone=milestone, unit="u", first=first, came=came_ms * 10**6, answered=answered_ms * 10**6)
