"""`make demo`, as it ships: three milestones with two workers, or one with `gsd auto`, played from its recording."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import run_git
from milepost.agents import cassette
from milepost.agents.session import ToolCall
from milepost.formats.journal import AnyEvent, FleetStarted, RunStarted, WorkerSpawned
from milepost.process.identity import Identity, alive
from milepost.store.tally import Tally
from milepost.testing.demo import project, script, tour
from milepost.testing.demo.record import CASSETTE
from milepost.ui.views import timeline

TASKS = sum(session["unit"].startswith("execute-task/") for session in script.sessions(project.ALL))  # type: ignore[attr-defined]
UNITS = len(script.sessions(project.ALL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A demo that has run."""

    said: str
    code: int
    root: Path

    @property
    def subjects(self) -> list[str]:
        return run_git(self.root, "log", "--format=%s").splitlines()

    def events(self, kind: type[AnyEvent]) -> list[AnyEvent]:
        return [event for event in Tally(self.root / ".gsd").events() if isinstance(event, kind)]


def run(place: Path, *options: str) -> Ran:
    """`place` is new; it is the home of the demo as well, since no test sees the machine's."""
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "milepost.testing.demo", *options],
        env={"PATH": os.environ["PATH"], "HOME": str(place), "TMPDIR": str(place), "COLUMNS": "120"},
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    (root,) = place.glob("milepost-demo-*/wordtally")
    return Ran(said=done.stdout, code=done.returncode, root=root)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Three milestones; run once for all that is looked at here."""
    return run(tmp_path_factory.mktemp("demo") / "place", "--pace", "0.05")


class TestThreeMilestones:
    def test_ends_well(self, demo: Ran) -> None:
        assert demo.code == 0, demo.said

    @pytest.mark.spec(id="PR-041")
    def test_three_commits_on_main_each_after_what_it_depends_on(self, demo: Ran) -> None:
        subjects = demo.subjects
        assert sorted(subjects[:3]) == ["feat(M001): Word counts", "feat(M002): Export", "feat(M003): Totals"]
        assert subjects.index("feat(M003): Totals") < subjects.index("feat(M002): Export")
        assert subjects[3:] == ["A package to begin with, and a plan"]

    @pytest.mark.spec(id="PR-042")
    @pytest.mark.spec(id="PR-043")
    def test_the_report_warns_of_the_shared_file_and_the_merge_keeps_both_changes(self, demo: Ran) -> None:
        assert "- **M001** <-> **M002** — 1 shared file(s):\n  - `README.md`\n" in demo.said
        changed = run_git(demo.root, "log", "--format=%s", "--", "README.md")
        assert "feat(M001)" in changed and "feat(M002)" in changed
        readme = (demo.root / "README.md").read_text("utf-8")
        assert "python3 -m wordtally FILE" in readme and "as_json" in readme
        assert "both changes are there" in demo.said

    @pytest.mark.spec(id="PR-011")
    @pytest.mark.spec(id="PR-171")
    def test_the_report_comes_before_the_start(self, demo: Ran) -> None:
        report, started = demo.said.index("# Parallel Eligibility Report"), demo.said.index("M001 started")
        assert report < started
        assert "- **M003** — Totals\n  Blocked by incomplete dependencies: M002.\n" in demo.said

    @pytest.mark.spec(id="PR-020")
    @pytest.mark.spec(id="PR-062")
    def test_two_workers_are_at_work_at_once_and_never_more(self, demo: Ran) -> None:
        spawned = demo.events(WorkerSpawned)
        assert len({event.pid for event in spawned}) == 3  # type: ignore[union-attr]
        assert len({event.run for event in demo.events(RunStarted)}) == 3
        sums = timeline.together(timeline.fold(Tally(demo.root / ".gsd").events()))
        assert len(sums.at_once) == 3, "no two units at the same time, or three"
        assert sums.at_once[2] > 0

    def test_every_unit_is_paid_for_once(self, demo: Ran) -> None:
        sums = timeline.together(timeline.fold(Tally(demo.root / ".gsd").events()))
        assert sums.units == UNITS
        assert len(demo.events(FleetStarted)) == 1

    @pytest.mark.spec(id="PR-081")
    def test_the_status_is_looked_at_while_they_work(self, demo: Ran) -> None:
        status = demo.said.partition("Meanwhile, in another terminal (gsd parallel status):")[2]
        for milestone in ("M001** (Word counts)", "M002** (Export)"):
            assert re.search(re.escape(f"│ - **{milestone}") + r" — running — \d+ units — \$\d+\.\d\d\n", status)

    def test_what_was_built_works(self, demo: Ran) -> None:
        done = subprocess.run(project.VERIFY.split(), cwd=demo.root, check=True, capture_output=True, text=True)
        assert int(re.findall(r"Ran (\d+) tests", done.stderr)[0]) > TASKS
        exported = "from wordtally import count; from wordtally.export import as_json; print(as_json(count('b a b')))"
        said = subprocess.run(
            [sys.executable, "-c", exported], cwd=demo.root, check=True, capture_output=True, text=True
        )
        assert json.loads(said.stdout) == {"a": 1, "b": 2}

    def test_nothing_is_left_lying_about(self, demo: Ran) -> None:
        assert run_git(demo.root, "status", "--porcelain") == ""
        assert run_git(demo.root, "branch", "--format=%(refname:short)").split() == ["main"]
        assert len(run_git(demo.root, "worktree", "list").splitlines()) == 1
        for event in demo.events(WorkerSpawned):
            assert isinstance(event, WorkerSpawned)
            who = Identity(host=event.host, boot_id=event.boot_id, pid=event.pid, start_ticks=event.start_ticks)
            assert not alive(who)

    def test_each_milestone_says_what_it_brought(self, demo: Ran) -> None:
        lines = (demo.root / ".gsd/PROJECT.md").read_text("utf-8").splitlines()
        assert sorted(line[:6] for line in lines if line.startswith("- M")) == ["- M001", "- M002", "- M003"]

    def test_the_picture_has_a_row_for_each(self, demo: Ran) -> None:
        picture = demo.said.partition("── Who ran when:\n")[2]
        for milestone in project.ALL:
            assert re.search(rf"^{milestone}  .*█.*=+ +⇢ merged \d\d:\d\d:\d\d$", picture, re.MULTILINE)
        assert f"{UNITS} units: " in picture
        assert "2 at once for" in picture

    def test_everything_is_complete_in_the_status(self, demo: Ran) -> None:
        assert "Progress   3/3 milestones" in demo.said
        for milestone in project.ALL:
            assert f"Landed     {milestone} on main as" in demo.said


def test_one_milestone_with_auto(tmp_path: Path) -> None:
    ran = run(tmp_path / "place", "--auto", "--pace", "0")
    assert ran.code == 0, ran.said
    assert ran.subjects == ["feat(M001): Word counts", "A package to begin with, and a plan"]
    assert re.search(r"^M001  .*█", ran.said, re.MULTILINE)
    assert "parallel" not in ran.said


def test_tests_that_fail_are_the_exit_code(tmp_path: Path) -> None:
    project.make(tmp_path)
    guide = tour.Tour(root=tmp_path, env=dict(os.environ), recorded=True)
    assert guide.alone(["--help"]) == 0
    (tmp_path / "tests/test_wrong.py").write_text("import nothing_of_that_name\n")
    assert guide.alone(["--help"]) != 0


def test_the_cassette_is_what_the_script_says() -> None:
    said = [(session["unit"], calls(session["steps"])) for session in script.sessions(project.ALL)]
    recorded = [
        (unit.key, [(event.name, dict(event.args)) for event in events if isinstance(event, ToolCall)])
        for unit, events, *_ in cassette.read(CASSETTE)
    ]
    assert recorded == said, "run python -m milepost.testing.demo.record"


def calls(steps: object) -> list[tuple[object, object]]:
    assert isinstance(steps, list)
    return [(step["tool"], step["args"]) for step in steps if "tool" in step]


def test_every_task_of_the_plan_has_something_to_write() -> None:
    for session in script.sessions(project.ALL):
        if str(session["unit"]).startswith("execute-task/"):
            written = [args for tool, args in calls(session["steps"]) if tool in ("write", "edit")]
            assert len(written) > 1, session["unit"]
