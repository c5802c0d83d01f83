"""What an agent did that is not its to do, put right without losing a byte."""

from pathlib import Path

import pytest

from milepost.formats.journal import Corrected
from milepost.git import status
from milepost.model.units import Unit, UnitKind
from milepost.testing import projects
from milepost.unit import before as books_before
from milepost.unit.before import Before
from milepost.unit.bench import Bench
from milepost.unit.put_right import others, put_right, tree_of
from unit.workbench import HOME, PLAN, ROADMAP, SLICE, STATE, SUMMARY, TASK, backups, bench_for, events, git, notes

OTHER = ".gsd/milestones/M002"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    projects.tiny(root, milestones=("M001", "M002"), tasks=2)
    (root / ".git/info/exclude").write_text(".gsd/worktrees/\n.gsd/journal/\n.gsd/runtime/\n.gsd/activity/\n")
    return root


def begin(bench: Bench) -> Before:
    return books_before.take(tree_of(bench), "M001", others(bench))


def put(bench: Bench, was: Before | None, unit: Unit = TASK, base: str = "") -> list[Corrected]:
    start = base or git(bench.workspace.cwd, "rev-parse", "HEAD").strip()
    done = len(events(bench, Corrected))
    put_right(unit, was, attempt="a-1", base=start, bench=bench)
    return [e for e in events(bench, Corrected) if isinstance(e, Corrected)][done:]


def edit(bench: Bench, path: str, old: str, new: str) -> None:
    file = bench.workspace.cwd / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_honest_work_is_left_alone(project: Path) -> None:
    bench = bench_for(project)
    was = begin(bench)
    projects.write(bench.workspace.cwd, {"work/a.txt": "a\n", SUMMARY: "# T01\n", f"{STATE}/DECISIONS.md": "# D\n"})
    old = status.dirty(bench.workspace.cwd)
    assert put(bench, was) == []
    assert status.dirty(bench.workspace.cwd) == old
    assert backups(project) == []


def test_its_own_commits_are_undone_and_its_files_stay(project: Path) -> None:
    bench = bench_for(project)
    place, was = bench.workspace.cwd, begin(bench)
    base = git(place, "rev-parse", "HEAD").strip()
    projects.write(place, {"work/a.txt": "a\n"})
    git(place, "add", "-A")
    git(place, "commit", "-qm", "I did it")
    [found] = put(bench, was, base=base)
    assert "moved the branch by itself" in found.what
    assert git(place, "rev-parse", "HEAD").strip() == base
    assert (place / "work/a.txt").read_text() == "a\n"
    assert set(found.backup.split(", ")) <= set(backups(project))
    assert put(bench, was, base=base) == []


def test_in_the_users_own_branch_commits_stay(project: Path) -> None:
    bench = bench_for(project, isolation="none")
    base = git(project, "rev-parse", "HEAD").strip()
    git(project, "commit", "-q", "--allow-empty", "-m", "mine")
    assert put(bench, begin(bench), base=base) == []
    assert git(project, "log", "-1", "--format=%s") == "mine\n"


@pytest.mark.parametrize("isolation", ["worktree", "branch", "none"])
def test_files_of_another_milestone_are_taken_back(isolation: str, project: Path) -> None:
    bench = bench_for(project, isolation=isolation)
    place, was = bench.workspace.cwd, begin(bench)
    old = (place / f"{OTHER}/M002-ROADMAP.md").read_bytes()
    projects.write(place, {f"{OTHER}/M002-ROADMAP.md": "mine\n", f"{OTHER}/M002-NEW.md": "new\n"})
    (place / f"{OTHER}/M002-CONTEXT.md").unlink()
    [found] = put(bench, was)
    assert sorted(found.paths) == [f"{OTHER}/M002-{name}.md" for name in ("CONTEXT", "NEW", "ROADMAP")]
    assert (place / f"{OTHER}/M002-ROADMAP.md").read_bytes() == old
    assert (place / f"{OTHER}/M002-CONTEXT.md").exists()
    assert not (place / f"{OTHER}/M002-NEW.md").exists()
    assert git(project, "show", f"{found.backup}:{OTHER}/M002-NEW.md") == "new\n"
    assert "put right: the agent wrote files of another milestone" in notes(bench).text
    assert put(bench, was) == []


@pytest.mark.parametrize("isolation", ["branch", "none"])
def test_a_plan_that_the_user_has_not_committed_is_no_work_of_the_agent(isolation: str, project: Path) -> None:
    bench = bench_for(project, isolation=isolation)
    projects.write(project, {".gsd/milestones/M003/M003-CONTEXT.md": "# M003\n", f"{OTHER}/M002-ROADMAP.md": "later\n"})
    was = begin(bench)
    books_before.keep(bench.workspace.root_state, "a-1", was)
    assert put(bench, books_before.recall(bench.workspace.root_state, "a-1")) == []
    assert put(bench, None) == []
    assert (project / ".gsd/milestones/M003/M003-CONTEXT.md").read_text() == "# M003\n"
    assert (project / f"{OTHER}/M002-ROADMAP.md").read_text() == "later\n"


def test_a_milestone_in_a_directory_of_an_older_release_is_its_own(tmp_path: Path) -> None:
    root = tmp_path / "old"
    projects.tiny(root)
    git(root, "mv", HOME, f"{HOME}-SMALL-FILES")
    git(root, "commit", "-qm", "as older releases name it")
    bench = bench_for(root)
    was = begin(bench)
    path = f"{HOME}-SMALL-FILES/slices/S01/tasks/T01-SUMMARY.md"
    projects.write(bench.workspace.cwd, {path: "# T01\n"})
    assert put(bench, was) == []
    assert (bench.workspace.cwd / path).exists()


def test_a_repository_in_another_milestone_does_not_stop_the_run(project: Path) -> None:
    bench = bench_for(project)
    was = begin(bench)
    git(project, "init", "-q", str(bench.workspace.cwd / OTHER / "sub"))
    projects.write(bench.workspace.cwd, {f"{OTHER}/sub/a.txt": "a\n"})
    put(bench, was)
    assert (bench.workspace.cwd / OTHER / "sub/a.txt").read_text() == "a\n"


def test_a_name_that_is_no_utf8_does_not_stop_the_run(project: Path) -> None:
    bench = bench_for(project)
    was = begin(bench)
    odd = bench.workspace.cwd / OTHER / "caf\udce9.md"
    odd.write_text("x\n")
    [found] = put(bench, was)
    assert found.paths == (f"{OTHER}/caf?.md",)
    assert not odd.exists()


def test_what_completes_another_unit_is_set_aside(project: Path) -> None:
    bench = bench_for(project)
    place, was = bench.workspace.cwd, begin(bench)
    claims = [f"{HOME}/slices/S01/tasks/T02-SUMMARY.md", f"{HOME}/slices/S01/S01-SUMMARY.md", f"{HOME}/M001-SUMMARY.md"]
    projects.write(place, dict.fromkeys([*claims, SUMMARY], "# done\n"))
    [found] = put(bench, was)
    assert found.backup == ".gsd/runtime/set-aside/a-1/foreign"
    assert sorted(found.paths) == sorted(path.removeprefix(".gsd/") for path in claims)
    for path in claims:
        assert not (place / path).exists()
        assert (project / found.backup / path.removeprefix(".gsd/")).read_text() == "# done\n"
    assert (place / SUMMARY).exists()


def test_what_was_there_before_is_nobodys_claim(project: Path) -> None:
    bench = bench_for(project)
    other = f"{HOME}/slices/S01/tasks/T02-SUMMARY.md"
    projects.write(bench.workspace.cwd, {other: "# by a person\n"})
    assert put(bench, begin(bench)) == []
    assert (bench.workspace.cwd / other).exists()


def test_boxes_are_put_back(project: Path) -> None:
    bench = bench_for(project)
    was = begin(bench)
    edit(bench, PLAN, "[ ] **T01", "[x] **T01")
    edit(bench, ROADMAP, "[ ] **S01", "[x] **S01")
    [found] = put(bench, was)
    assert found.paths == ("S01", "S01/T01")
    assert status.dirty(bench.workspace.cwd) == ()
    assert "boxes" in notes(bench).text


def test_a_task_that_changes_its_gate_or_deletes_the_plan_finds_it_again(project: Path) -> None:
    bench = bench_for(project)
    was = begin(bench)
    edit(bench, PLAN, "grep -q M001/S01/T01", "true || grep -q M001/S01/T01")
    (bench.workspace.cwd / f"{HOME}/M001-CONTEXT.md").unlink()
    [found] = put(bench, was)
    assert sorted(found.paths) == [f"{HOME}/M001-CONTEXT.md", PLAN]
    assert status.dirty(bench.workspace.cwd) == ()
    assert "true || grep" in git(project, "show", f"{found.backup}:{PLAN}")


@pytest.mark.parametrize("kind", [UnitKind.REPLAN_SLICE, UnitKind.REASSESS_ROADMAP])
def test_a_unit_that_plans_may_change_the_plan(kind: UnitKind, project: Path) -> None:
    bench = bench_for(project)
    was = begin(bench)
    edit(bench, PLAN, "grep -q M001/S01/T01", "test -s")
    assert put(bench, was, Unit(kind, "M001/S01")) == []
    assert "test -s" in (bench.workspace.cwd / PLAN).read_text()


def test_without_a_look_before_only_what_git_knows_is_put_right(project: Path) -> None:
    bench = bench_for(project)
    edit(bench, PLAN, "[ ] **T01", "[x] **T01")
    projects.write(bench.workspace.cwd, {f"{OTHER}/M002-NEW.md": "new\n"})
    [found] = put(bench, None, SLICE)
    assert found.paths == (f"{OTHER}/M002-NEW.md",)
    assert "[x] **T01" in (bench.workspace.cwd / PLAN).read_text()


def test_a_long_list_is_cut_for_people(project: Path) -> None:
    bench = bench_for(project)
    was = begin(bench)
    projects.write(bench.workspace.cwd, {f"{OTHER}/n{n:03d}.md": "x\n" for n in range(60)})
    [found] = put(bench, was)
    assert len(found.paths) == 50
    assert "n004.md …)" in notes(bench).text
    assert list((bench.workspace.cwd / OTHER).glob("n*.md")) == []
