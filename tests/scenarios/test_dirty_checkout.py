"""The user works on in their checkout during a run: nothing of theirs is touched, staged, moved or lost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, Picture, Stage, picture

TASK = "execute-task/M001/S01/T01"


def disorder(stage: Stage) -> None:
    """Something of every kind that a checkout can have."""
    root = stage.root
    projects.write(root, {f"mine/{name}.txt": f"{name}\n" for name in ("a", "b", "c", "d", "e", "f", "old")})
    (root / ".gitignore").write_text("*.log\n")
    (root / "mine/link").symlink_to("a.txt")
    stage.git("add", "-A")
    stage.git("commit", "-qm", "mine")
    (root / "mine/a.txt").write_text("unstaged\n")
    (root / "mine/b.txt").write_text("staged\n")
    stage.git("add", "mine/b.txt")
    (root / "mine/c.txt").write_text("staged first\n")
    stage.git("add", "mine/c.txt")
    (root / "mine/c.txt").write_text("then changed again\r\nwith CRLF and no end")
    (root / "mine/d.txt").unlink()
    stage.git("rm", "-q", "mine/e.txt")
    (root / "mine/f.txt").chmod(0o755)
    stage.git("mv", "mine/old.txt", "mine/new.txt")
    (root / "mine/link").unlink()
    (root / "mine/link").symlink_to("b.txt")
    projects.write(root, {"notes/todo ä.txt": "untracked\n", "debug.log": "ignored\n", "soon.txt": "intended\n"})
    stage.git("add", "-N", "soon.txt")
    (root / "raw.bin").write_bytes(bytes(range(256)))


def without_landed(now: Picture) -> Picture:
    """A picture minus what the milestone brought."""
    return replace(
        now,
        files={path: data for path, data in now.files.items() if not path.startswith("work/")},
        index="".join(line for line in now.index.splitlines(keepends=True) if "\twork/" not in line),
    )


@pytest.mark.spec(id="FM-81")
@pytest.mark.parametrize("committed", [True, False], ids=["plan committed", "plan untracked"])
def test_whatever_the_user_has_is_the_same_afterwards(stage: Stage, committed: bool) -> None:
    stage.make(tasks=2, plan_committed=True)
    if not committed:
        stage.git("rm", "-rq", "--cached", ".gsd")
        stage.git("commit", "-qm", "the plan is not in git")
    disorder_without_plan(stage, committed)
    before = picture(stage.root)
    status = stage.git("status", "--porcelain", "--", ".", ":!.gsd")

    stage.auto().require(DONE)

    assert without_landed(picture(stage.root)) == before
    assert stage.git("status", "--porcelain", "--", ".", ":!.gsd") == status
    assert (stage.root / "work/M001-S01-T02.txt").exists()
    assert stage.log()[0].startswith("feat(M001)")
    assert "mine/" not in stage.git("show", "--name-only", "--format=", "main")


def disorder_without_plan(stage: Stage, committed: bool) -> None:
    """`disorder` commits all there is; the plan is to stay out when it is out."""
    if committed:
        return disorder(stage)
    aside = stage.root.parent / "plan"
    stage.state.rename(aside)
    disorder(stage)
    aside.rename(stage.state)
    return None


def test_planning_files_are_committed_without_what_the_user_has_staged(stage: Stage) -> None:
    stage.make(plan_committed=False)
    (stage.root / "README.md").write_text("# Staged\n")
    stage.git("add", "README.md", ".gsd/milestones/M001/M001-ROADMAP.md")
    before = picture(stage.root)

    ran = stage.auto().require(DONE)

    assert without_landed(picture(stage.root)) == before
    assert "committed" in ran.out
    assert "planning files on main" in ran.out
    planning = stage.git("show", "--name-only", "--format=", "main~1").split()
    assert planning
    assert all(path.startswith(".gsd/") for path in planning)


def test_a_plan_changed_since_its_commit_is_what_is_worked_on(stage: Stage) -> None:
    stage.make(plan_committed=True)
    plan = stage.path("slices/S01/S01-PLAN.md")
    plan.write_text(plan.read_text().replace("**T01: Write T01**", "**T01: Written anew**"))
    stage.auto().require(DONE)
    assert "- [x] **T01: Written anew**" in plan.read_text()
    assert stage.git("status", "--porcelain") == ""


def _unstaged(root: Path) -> None:
    (root / "src/app.txt").write_text("one\nTWO of mine\nthree\n")


def _gone(root: Path) -> None:
    (root / "src/app.txt").unlink()


def _mode(root: Path) -> None:
    (root / "src/app.txt").chmod(0o755)


def _untracked(root: Path) -> None:
    projects.write(root, {"work/M001-S01-T01.txt": "mine, and not yours\n"})


def _file_for_directory(root: Path) -> None:
    (root / "work").write_text("a file of mine\n")


def _directory_for_file(root: Path) -> None:
    projects.write(root, {"work/M001-S01-T01.txt/inside.txt": "a directory of mine\n"})


OBSTACLES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "unstaged edit": (_unstaged, "", "src/app.txt"),
    "staged edit": (_unstaged, "src/app.txt", "src/app.txt"),
    "deleted": (_gone, "", "src/app.txt"),
    "deletion staged": (_gone, "src/app.txt", "src/app.txt"),
    "mode": (_mode, "", "src/app.txt"),
    "untracked file": (_untracked, "", "work/M001-S01-T01.txt"),
    "added file": (_untracked, "work/M001-S01-T01.txt", "work/M001-S01-T01.txt"),
    "file for a directory": (_file_for_directory, "", "work"),
    "directory for a file": (_directory_for_file, "", "work/M001-S01-T01.txt/inside.txt"),
}


@pytest.mark.spec(id="FM-82")
@pytest.mark.parametrize("name", OBSTACLES)
def test_a_merge_that_would_touch_the_users_changes_stops_and_loses_nothing(stage: Stage, name: str) -> None:
    change, stage_it, path = OBSTACLES[name]
    stage.make()
    stage.replay(TASK, [projects.tool("edit", path="src/app.txt", old="two", new="2"), *projects.steps(TASK)])
    change(stage.root)
    if stage_it:
        stage.git("add", "-A", "--", stage_it)
    before, main = picture(stage.root), stage.git("rev-parse", "main")

    ran = stage.auto().require(BLOCKED)

    assert picture(stage.root) == before
    assert stage.git("rev-parse", "main") == main
    assert path in ran.out
    assert "then: gsd auto" in ran.out
    assert "milestone/M001" in stage.branches()
    assert (stage.worktree / "work/M001-S01-T01.txt").is_file()
    assert [ref for ref in stage.backups() if "/M001/" in ref]

    if name == "unstaged edit":
        assert path in stage.auto().require(BLOCKED).out
        assert picture(stage.root) == before

    paid = stage.attempts()
    stage.git("stash", "push", "-q", "--include-untracked", "--", ".", ":!.gsd")
    stage.auto().require(DONE)
    stage.require_landed()
    assert stage.attempts() == paid
    assert (stage.root / "src/app.txt").read_text() == "one\n2\nthree\n"


def test_status_says_what_is_in_the_way(stage: Stage) -> None:
    stage.make()
    _untracked(stage.root)
    stage.auto().require(BLOCKED)
    told = stage.gsd("status").require(DONE)
    assert "work/M001-S01-T01.txt" in told.out
    assert "gsd auto" in told.out


def test_an_untracked_file_that_is_the_same_is_not_in_the_way(stage: Stage) -> None:
    stage.make()
    projects.write(stage.root, {"work/M001-S01-T01.txt": "made by M001/S01/T01\n"})
    stage.auto().require(DONE)
    assert stage.git("status", "--porcelain") == ""


def test_the_user_edits_while_it_runs(stage: Stage) -> None:
    stage.make(tasks=2)
    last = "execute-task/M001/S01/T02"
    readme = str(stage.root / "README.md")
    stage.replay(last, [projects.raw_write(readme, "# Changed meanwhile\n"), *projects.steps(last)])
    stage.auto().require(DONE)
    assert (stage.root / "README.md").read_text() == "# Changed meanwhile\n"
    assert stage.git("status", "--porcelain") == " M README.md\n"


def test_the_user_commits_while_it_runs(stage: Stage) -> None:
    stage.make()
    commit = f"cd '{stage.root}' && echo mine > mine.txt && git add mine.txt && git commit -qm mine"
    stage.replay(TASK, [projects.raw_shell("sh", "-c", commit), *projects.steps(TASK)])
    stage.auto().require(DONE)
    assert [subject.partition(":")[0] for subject in stage.log()] == ["feat(M001)", "mine", "first"]
    assert (stage.root / "mine.txt").read_text() == "mine\n"
    assert stage.git("status", "--porcelain") == ""


def test_a_conflict_with_the_users_commit_stops_with_the_file(stage: Stage) -> None:
    stage.make()
    commit = f"cd '{stage.root}' && echo mine > src/app.txt && git commit -qam mine"
    edit = projects.tool("edit", path="src/app.txt", old="two", new="2")
    stage.replay(TASK, [projects.raw_shell("sh", "-c", commit), edit, *projects.steps(TASK)])

    ran = stage.auto().require(BLOCKED)

    assert "src/app.txt" in ran.out
    assert stage.log() == ["mine", "first"]
    assert stage.git("status", "--porcelain") == ""
    assert "milestone/M001" in stage.branches()
    assert (stage.worktree / "work/M001-S01-T01.txt").exists()

    paid = stage.attempts()
    stage.git("merge", "-q", "main", where=stage.worktree, ok=(1,))
    (stage.worktree / "src/app.txt").write_text("mine\n2\n")
    stage.git("commit", "-qam", "both", where=stage.worktree)
    stage.auto().require(DONE)
    assert (stage.root / "src/app.txt").read_text() == "mine\n2\n"
    assert stage.attempts() == paid


def test_the_user_stands_on_another_branch_when_it_lands(stage: Stage) -> None:
    stage.make()
    switch = f"cd '{stage.root}' && git switch -qc elsewhere && echo more >> README.md"
    stage.replay(TASK, [projects.raw_shell("sh", "-c", switch), *projects.steps(TASK)])
    ran = stage.auto().require(BLOCKED)
    stage.require_landed()
    assert "M001 is on main" in ran.out
    assert "git switch main" in ran.said
    assert stage.attempts() == 3
    assert stage.git("symbolic-ref", "--short", "HEAD") == "elsewhere\n"
    assert stage.git("status", "--porcelain") == " M README.md\n"
    assert not (stage.root / "work").exists()

    stage.auto().require(BLOCKED)
    stage.git("switch", "-q", "main")
    stage.auto().require(DONE)
    assert stage.attempts() == 3


def test_a_landing_that_was_undone_is_done_again(stage: Stage) -> None:
    stage.make()
    stage.auto().require(DONE)
    stage.git("reset", "-q", "--hard", "HEAD~1")
    stage.auto().require(DONE)
    stage.require_landed()
    assert stage.attempts() == 6


def test_a_merge_the_user_left_half_done_stops_the_start(stage: Stage) -> None:
    stage.make()
    stage.git("switch", "-qc", "side")
    (stage.root / "README.md").write_text("# Side\n")
    stage.git("commit", "-qam", "side")
    stage.git("switch", "-q", "main")
    (stage.root / "README.md").write_text("# Main\n")
    stage.git("commit", "-qam", "main")
    stage.git("merge", "side", ok=(1,))
    before = picture(stage.root)
    ran = stage.auto().require(BLOCKED)
    assert "merge" in ran.err
    assert picture(stage.root) == before
    assert stage.attempts() == 0
