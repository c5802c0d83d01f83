"""The parts of the benchmark run and add up. What they measure is not asserted: that is for people to read."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.figures import Figure, Section, as_json, table
from benchmarks.loopback import Asking, Moment
from benchmarks.probe import Child

from benchmarks import ageing, imports, landing, loopback, probe, project, starts, timing
from milepost.rules.derive import derive
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot

SMALL = project.Measures(milestones=3, slices=2, tasks=2, complete=1)


class TestProject:
    def test_the_plan_is_understood(self, tmp_path: Path) -> None:
        assert project.write(tmp_path, SMALL) == sum(1 for p in tmp_path.rglob("*") if p.is_file())
        state = derive(Snapshot(str(tmp_path)))
        assert [str(entry.status) for entry in state.registry] == ["complete", "active", "pending"]
        assert (state.active_slice and state.active_slice.id, state.active_task and state.active_task.id) == (
            "S02",
            "T02",
        )

    def test_the_same_measures_give_the_same_bytes(self) -> None:
        assert dict(project.documents(SMALL)) == dict(project.documents(SMALL))


class TestTiming:
    def test_commands_are_run_in_turns(self, tmp_path: Path) -> None:
        commands = {word: timing.Command(("sh", "-c", f"echo {word} >> order"), tmp_path) for word in ("one", "two")}
        found = timing.interleaved(commands, rounds=2, env=os.environ)
        assert (tmp_path / "order").read_text().split() == ["one", "two"] * 3
        assert {word: len(samples) for word, samples in found.items()} == {"one": 2, "two": 2}

    def test_a_command_that_fails_is_no_measurement(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="ended with 3"):
            timing.interleaved({"bad": timing.Command(("sh", "-c", "exit 3"), tmp_path)}, rounds=1, env=os.environ)


class TestParts:
    def test_starts(self, tmp_path: Path) -> None:
        section = starts.measure(tmp_path, timing.surroundings(tmp_path / "home"), rounds=1, sizes={"tiny": SMALL})
        assert [f.name for f in section.figures] == ["python -c pass", "--version", "--help", "query, tiny"]

    def test_no_command_that_runs_no_unit_loads_the_models_library(self, tmp_path: Path) -> None:
        project.write(tmp_path / "project", SMALL)
        section = imports.measure(tmp_path / "project", timing.surroundings(tmp_path / "home"))
        assert {f.name: f.value for f in section.figures} == {" ".join(argv): 0 for argv in imports.COMMANDS}

    def test_landing(self, tmp_path: Path) -> None:
        section = landing.measure(tmp_path, rounds=1, sizes=landing.Sizes(files=20, commits=2, touched=3))
        assert [f.unit for f in section.figures] == ["ms", "ms", "ms", "×", "×"]

    def test_the_age_of_a_journal(self, tmp_path: Path) -> None:
        env = timing.surroundings(tmp_path / "home")
        section = ageing.measure(tmp_path, env, rounds=1, sizes=(0, 100), tasks=(1, 2))
        assert [f.name for f in section.figures] == ["0 lines", "100 lines, on top of that"]
        old = Journal(tmp_path / "age-100-0-2" / ".gsd", "project").everything()
        assert sum(event.run == ageing.RUN for event in old) == 100
        assert old[-1].run != ageing.RUN

    def test_the_demo_at_the_loopback_server(self, tmp_path: Path) -> None:
        run = loopback.run(tmp_path / "project", timing.surroundings(tmp_path / "home"))
        opened = [asking.unit for asking in run.asked if asking.first]
        assert opened == [str(session["unit"]) for session in loopback.script.sessions()]
        passages = loopback.gaps(run)
        assert [passage.after for passage in passages] == opened[:-1]
        assert all(passage.gits == len(passage.calls) > 0 for passage in passages)
        assert "pydantic_ai" in run.heavy


class TestGaps:
    def test_time_is_ours_where_no_process_runs(self) -> None:
        run = loopback.Run(
            code=0, wall_ms=1, to_first_ms=1, peak_mb=1, heavy=(),
            asked=(asking("a/M001", 0, 10), asking("a/M001", 20, 100, first=False), asking("b/M001", 200, 210)),
            children=(
                Child(("git", "-c", "x=y", "-C", "/", "status"), 90, 120),
                Child(("/usr/bin/git", "-C", "/", "log"), 110, 130),
                Child(("sh", "gate"), 150, 160),
                Child(("sh", "tool"), 12, 18),
            ),
            syncs=((5, 8), (140, 145), (170, 175)),
        )  # fmt: skip
        (gap,) = loopback.gaps(run)
        assert (gap.after, gap.calls, gap.gits) == ("a/M001", ("status", "log"), 2)
        parts = (gap.wall_ms, gap.git_ms, gap.other_ms, gap.own_ms)
        assert [round(part * 1e6) for part in parts] == [100, 30, 10, 60]
        assert (gap.syncs, round(gap.disk_ms * 1e6)) == (2, 10)

    def test_a_second_request_of_a_unit_is_no_passage(self) -> None:
        run = loopback.Run(
            code=0, wall_ms=1, to_first_ms=1, peak_mb=1, heavy=(), children=(), syncs=(),
            asked=(asking("a/M001", 0, 10), asking("a/M001", 20, 30, first=False)),
        )  # fmt: skip
        assert loopback.gaps(run) == []


class TestProbe:
    def test_children_are_noted_from_start_to_end(self) -> None:
        import subprocess

        plain = subprocess.Popen
        with probe.children() as found:
            subprocess.run(["git", "version"], check=True, capture_output=True)
            subprocess.run(["sh", "-c", "exit 1"], check=False)
        assert [(child.argv[0], child.git, child.began < child.ended) for child in found] == [
            ("git", True, True),
            ("sh", False, True),
        ]
        assert subprocess.Popen is plain


class TestFigures:
    SECTION = Section(
        title="Things",
        figures=(
            Figure(name="good", value=1.5, unit="×", aim=2),
            Figure(name="bad", value=3_000, unit="bytes", aim=2_000),
        ),
    )

    def test_the_table_says_what_is_missed(self) -> None:
        lines = table([self.SECTION]).splitlines()
        assert lines[0] == "Things"
        assert [lines[1].split()[at] for at in (1, 2, 6)] == ["1.50", "×", "ok"]
        assert [lines[2].split()[at] for at in (1, 2, 6)] == ["3,000", "bytes", "MISSED"]

    def test_json_has_everything(self) -> None:
        found = json.loads(as_json([self.SECTION]))
        assert [f["met"] for f in found["sections"][0]["figures"]] == [True, False]
        assert found["machine"]["python"]


def asking(unit: str, came: int, answered: int, *, first: bool = True) -> Asking:
    return Asking(unit=unit, first=first, came=Moment(came, 0), answered=Moment(answered, 0), size=1, prompt=1, fixed=1)
