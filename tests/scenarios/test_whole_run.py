"""From a plan to one commit, in every isolation mode and shape of project."""

import subprocess
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import raw_shell, steps, tool
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage, picture

TASK = "execute-task/M001/S01/T01"


def settings(**git: object) -> str:
    """`QUICK` with keys below `git`."""
    lines = "".join(f"  {key}: {value}\n" for key, value in git.items())
    return projects.QUICK.replace("---\n", f"---\ngit:\n{lines}", 1)


@pytest.mark.spec(id="PR-235")
def test_a_plan_becomes_one_commit(stage: Stage) -> None:
    stage.make(slices=2, tasks=2)
    ran = stage.auto().require(DONE)
    stage.require_landed()
    body = stage.git("log", "-1", "--format=%b")
    assert "- S01: Slice S01" in body
    assert "- S02: Slice S02" in body
    assert stage.git("status", "--porcelain") == ""
    assert (stage.root / "work/M001-S02-T02.txt").read_text() == "made by M001/S02/T02\n"
    assert "M001 is on main" in ran.out
    assert stage.attempts() == 7


@pytest.mark.spec(id="PR-230")
def test_one_unit_at_a_time_comes_to_the_same(stage: Stage) -> None:
    stage.make()
    for _ in range(3):
        stage.gsd("next", "--agent", stage.agent()).require(DONE)
    stage.auto().require(DONE)
    stage.require_landed()
    assert stage.attempts() == 3


def test_a_run_with_nothing_to_do_does_nothing(stage: Stage) -> None:
    stage.make()
    stage.auto().require(DONE)
    before, head = picture(stage.root), stage.git("rev-parse", "main")
    ran = stage.auto().require(DONE)
    assert "All milestones complete" in ran.out
    assert picture(stage.root) == before
    assert stage.git("rev-parse", "main") == head
    assert stage.attempts() == 3


@pytest.mark.spec(id="PR-235")
def test_isolation_branch(stage: Stage) -> None:
    stage.make(tasks=2, preferences=settings(isolation="branch"))
    stage.auto("--max-units", "1").require(DONE)
    assert stage.git("symbolic-ref", "--short", "HEAD") == "milestone/M001\n"
    assert not (stage.state / "worktrees" / "M001").exists()
    stage.auto().require(DONE)
    stage.require_landed()
    assert stage.git("symbolic-ref", "--short", "HEAD") == "main\n"
    assert stage.git("status", "--porcelain") == ""
    assert (stage.root / "work/M001-S01-T02.txt").exists()
    assert stage.attempts() == 4


def test_isolation_branch_wants_a_clean_checkout(stage: Stage) -> None:
    stage.make(preferences=settings(isolation="branch"))
    (stage.root / "README.md").write_text("# Mine\n")
    before = picture(stage.root)
    ran = stage.auto().require(BLOCKED)
    assert "README.md" in ran.said
    assert picture(stage.root) == before
    assert stage.git("symbolic-ref", "--short", "HEAD") == "main\n"
    assert stage.attempts() == 0


@pytest.mark.spec(id="PR-235")
def test_isolation_none(stage: Stage) -> None:
    stage.make(tasks=2, preferences=settings(isolation="none"))
    stage.auto().require(DONE)
    assert stage.git("symbolic-ref", "--short", "HEAD") == "main\n"
    assert stage.branches() == ["main"]
    assert stage.log()[-1] == "first"
    assert [s.partition(":")[0] for s in stage.log()[:-1]] == [
        "chore(M001)",
        "chore(M001/S01)",
        "feat(S01/T02)",
        "feat(S01/T01)",
    ]
    assert stage.git("status", "--porcelain") == ""
    assert (stage.root / "work/M001-S01-T02.txt").exists()


def test_isolation_none_wants_a_clean_checkout_to_begin_with(stage: Stage) -> None:
    stage.make(preferences=settings(isolation="none"))
    (stage.root / "README.md").write_text("# Mine\n")
    before = picture(stage.root)
    ran = stage.auto().require(BLOCKED)
    assert "README.md" in ran.said
    assert picture(stage.root) == before
    assert stage.attempts() == 0


def test_isolation_none_on_a_branch_of_the_users(stage: Stage) -> None:
    stage.make(preferences=settings(isolation="none"))
    stage.git("switch", "-qc", "feature/x")
    stage.auto().require(DONE)
    assert stage.log("main") == ["first"]
    assert len(stage.log("feature/x")) == 4


def test_merge_strategy_merge(stage: Stage) -> None:
    stage.make(preferences=settings(merge_strategy="merge"))
    stage.auto().require(DONE)
    assert len(stage.git("rev-list", "--parents", "-1", "main").split()) == 3
    assert stage.log()[0].startswith("feat(M001)")
    assert len(stage.log()) == 2
    assert "feat(S01/T01): Wrote T01" in stage.git("log", "--format=%s", "main")
    assert "milestone/M001" not in stage.branches()


def test_a_check_before_the_merge_that_passes(stage: Stage) -> None:
    stage.make(preferences=settings(pre_merge_check="'grep -q made work/M001-S01-T01.txt'"))
    ran = stage.auto().require(DONE)
    assert "check before merging M001: pass" in ran.out
    stage.require_landed()


def test_a_check_before_the_merge_that_fails(stage: Stage) -> None:
    stage.make(preferences=settings(pre_merge_check="'test -f wanted.txt'"))
    ran = stage.auto().require(PAUSED)
    assert "the check before merging M001 failed" in ran.out
    assert "test -f wanted.txt" in ran.out
    assert stage.log() == ["first"]
    assert stage.worktree.exists()
    assert len(stage.git("worktree", "list").splitlines()) == 2
    projects.write(stage.root, {"wanted.txt": "here\n"})
    stage.git("add", "wanted.txt")
    stage.git("commit", "-qm", "wanted")
    stage.auto().require(DONE)
    stage.require_landed(before=2)
    assert stage.attempts() == 3


def remote(stage: Stage) -> Path:
    """A bare remote that has main."""
    bare = stage.root.parent / "remote.git"
    stage.git("init", "-q", "--bare", "-b", "main", str(bare))
    stage.git("remote", "add", "origin", str(bare))
    stage.git("push", "-q", "origin", "main")
    return bare


def test_auto_push(stage: Stage) -> None:
    stage.make(preferences=settings(auto_push="true"))
    bare = remote(stage)
    ran = stage.auto().require(DONE)
    assert "and pushed" in ran.out
    assert stage.git("rev-parse", "main", where=bare) == stage.git("rev-parse", "main")


@pytest.mark.parametrize("trouble", ["rejected", "diverged", "missing"])
def test_a_push_that_did_not_happen_is_said(stage: Stage, trouble: str) -> None:
    stage.make(preferences=settings(auto_push="true"))
    bare = remote(stage)
    if trouble == "rejected":
        hook = bare / "hooks/pre-receive"
        hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
        hook.chmod(0o755)
    elif trouble == "diverged":
        other = stage.root.parent / "other"
        stage.git("clone", "-q", str(bare), str(other))
        stage.git("commit", "-q", "--allow-empty", "-m", "theirs", where=other)
        stage.git("push", "-q", where=other)
    else:
        bare.rename(bare.with_name("moved.git"))
    ran = stage.auto()
    assert ran.code != DONE, ran.said
    assert "NOT pushed" in ran.out
    assert "and pushed" not in ran.out
    assert stage.log()[0].startswith("feat(M001)")
    assert "git push" in ran.said


def test_planning_files_that_are_not_committed_by_preference(stage: Stage) -> None:
    stage.make(preferences=settings(commit_docs="false"), plan_committed=False)
    (stage.root / ".gitignore").write_text(".gsd/\n")
    stage.git("add", ".gitignore")
    stage.git("commit", "-qm", "ignore")
    stage.auto().require(DONE)
    assert not [name for name in stage.git("ls-tree", "-r", "--name-only", "main").split() if name.startswith(".gsd")]
    assert (stage.root / "work/M001-S01-T01.txt").exists()
    assert "- [x] **S01" in stage.path("M001-ROADMAP.md").read_text()
    assert stage.path("M001-SUMMARY.md").exists()
    assert stage.path("slices/S01/tasks/T01-SUMMARY.md").exists()
    assert stage.auto().require(DONE).out.count("▸") == 0


def test_a_state_directory_that_git_ignores(stage: Stage) -> None:
    stage.make(tasks=2, plan_committed=False)
    (stage.root / ".gitignore").write_text("/.gsd\n")
    stage.git("add", ".gitignore")
    stage.git("commit", "-qm", "ignore")
    stage.auto("--max-units", "1").require(DONE)
    stage.auto().require(DONE)
    assert (stage.root / "work/M001-S01-T02.txt").exists()
    assert "- [x] **T02" in stage.path("slices/S01/S01-PLAN.md").read_text()
    assert stage.path("M001-SUMMARY.md").exists()
    assert not stage.worktree.exists()
    assert stage.attempts() == 4


def test_commit_docs_false_without_an_ignore_rule(stage: Stage) -> None:
    stage.make(preferences=settings(commit_docs="false"), plan_committed=False)
    stage.auto().require(DONE)
    assert not [name for name in stage.git("ls-tree", "-r", "--name-only", "main").split() if name.startswith(".gsd")]
    assert stage.path("M001-SUMMARY.md").exists()


def test_the_hook_after_a_worktree_is_made(stage: Stage) -> None:
    stage.make(preferences=settings(worktree_post_create="tools/setup.sh"))
    body = '#!/bin/sh\necho "$SOURCE_DIR $WORKTREE_DIR $PWD" > "$SOURCE_DIR/../hook.txt"\necho made > prepared.txt\n'
    projects.write(stage.root, {"tools/setup.sh": body})
    (stage.root / "tools/setup.sh").chmod(0o755)
    stage.git("add", "-A")
    stage.git("commit", "-qm", "hook")
    stage.replay(TASK, [tool("shell", command="cat prepared.txt > work.txt"), *steps(TASK)])
    stage.auto("--max-units", "1").require(DONE)
    stage.auto("--max-units", "1").require(DONE)
    source, worktree, cwd = (stage.root.parent / "hook.txt").read_text().split()
    assert Path(source) == stage.root
    assert Path(worktree) == Path(cwd) == stage.worktree
    assert (stage.worktree / "work.txt").read_text() == "made\n"


@pytest.mark.parametrize("body", ["#!/bin/sh\necho 'no network' >&2\nexit 3\n", None], ids=["fails", "missing"])
def test_a_hook_that_fails_is_said(stage: Stage, body: str | None) -> None:
    stage.make(preferences=settings(worktree_post_create="setup.sh"))
    if body:
        projects.write(stage.root, {"setup.sh": body})
        (stage.root / "setup.sh").chmod(0o755)
    ran = stage.auto("--max-units", "1").require(DONE)
    assert "worktree_post_create" in ran.out
    assert "no network" in ran.out or body is None


def test_ignored_files_that_the_worktree_needs(stage: Stage) -> None:
    stage.make()
    projects.write(stage.root, {".gitignore": ".env\nsecret/\n", ".worktreeinclude": ".env\n"})
    stage.git("add", "-A")
    stage.git("commit", "-qm", "include")
    projects.write(stage.root, {".env": "PORT=1\n", "secret/key": "k\n"})
    stage.auto("--max-units", "1").require(DONE)
    assert (stage.worktree / ".env").read_text() == "PORT=1\n"
    assert not (stage.worktree / "secret").exists()
    stage.auto().require(DONE)
    stage.require_landed(before=2)
    assert (stage.root / ".env").read_text() == "PORT=1\n"


@pytest.mark.spec(id="DV-25")
@pytest.mark.spec(id="FM-89")
def test_a_default_branch_called_trunk(stage: Stage) -> None:
    stage.make(branch="trunk")
    stage.auto().require(DONE)
    stage.require_landed(target="trunk")
    assert stage.branches() == ["trunk"]


@pytest.mark.spec(id="PR-324")
def test_started_from_a_feature_branch(stage: Stage) -> None:
    stage.make()
    stage.git("switch", "-qc", "feature/x")
    stage.git("commit", "-q", "--allow-empty", "-m", "mine")
    stage.auto().require(DONE)
    stage.require_landed(target="feature/x", before=2)
    assert stage.log("main") == ["first"]
    assert stage.git("symbolic-ref", "--short", "HEAD") == "feature/x\n"


def test_the_configured_branch_is_the_target(stage: Stage) -> None:
    stage.make(preferences=settings(main_branch="develop"))
    stage.git("branch", "develop")
    stage.auto()
    assert stage.log("develop")[0].startswith("feat(M001)")
    assert stage.log("main") == ["first"]


def test_a_path_with_spaces_and_other_letters(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "Mein Projekt – ä日本 'q\"" / "the project").make()
    stage.auto().require(DONE)
    stage.require_landed()
    assert stage.git("status", "--porcelain") == ""


def test_file_names_with_spaces_and_other_letters(stage: Stage) -> None:
    stage.make()
    name = "docs/größe und\tmaß ->日本.txt"
    stage.replay(TASK, [tool("write", path=name, content="x\n"), *steps(TASK)])
    stage.auto().require(DONE)
    assert (stage.root / name).read_text() == "x\n"
    assert stage.git("status", "--porcelain") == ""


def test_from_a_directory_below_the_root(stage: Stage) -> None:
    stage.make()
    stage.auto(cwd=stage.root / "src").require(DONE)
    stage.require_landed()


def test_from_inside_the_milestones_worktree(stage: Stage) -> None:
    stage.make()
    stage.auto("--max-units", "1").require(DONE)
    stage.auto(cwd=stage.worktree / "src")
    stage.require_landed()


def test_two_milestones_one_after_the_other(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"), depends={"M002": ["M001"]})
    stage.auto().require(DONE)
    assert [s.partition(":")[0] for s in stage.log()] == ["feat(M002)", "feat(M001)", "first"]
    assert stage.branches() == ["main"]
    assert stage.attempts() == 6
    base = stage.git("show", "-s", "--format=%P", "main").strip()
    assert base == stage.git("rev-parse", "main~1").strip()


def test_the_order_that_dependencies_want(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"), depends={"M001": ["M002"]})
    stage.auto().require(DONE)
    assert [s.partition(":")[0] for s in stage.log()] == ["feat(M001)", "feat(M002)", "first"]


def test_milestones_that_wait_for_each_other(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"), depends={"M001": ["M002"], "M002": ["M001"]})
    ran = stage.auto().require(BLOCKED)
    assert "M001" in ran.out
    assert "M002" in ran.out
    assert stage.attempts() == 0


def test_a_parked_milestone_is_passed_over(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"))
    stage.path("M001-PARKED.md").write_text("---\nparked_at: 2026-01-01\n---\nNot now.\n")
    stage.git("add", "-A")
    stage.git("commit", "-qm", "park")
    stage.auto()
    assert [s.partition(":")[0] for s in stage.log()] == ["feat(M002)", "park", "first"]
    assert stage.attempts() == 3


def test_a_queue_order(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"))
    (stage.state / "QUEUE-ORDER.json").write_text('{"order": ["M002", "M001"], "updatedAt": "2026-01-01T00:00:00Z"}')
    stage.git("add", "-A")
    stage.git("commit", "-qm", "queue")
    stage.auto().require(DONE)
    assert [s.partition(":")[0] for s in stage.log()][:2] == ["feat(M001)", "feat(M002)"]


def test_the_other_dialect(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project", program="sf", state_dir=".sf").make()
    ran = stage.auto().require(DONE)
    stage.require_landed()
    assert not (stage.root / ".gsd").exists()
    assert "gsd " not in ran.out
    assert stage.git("status", "--porcelain") == ""


def test_unique_ids(stage: Stage) -> None:
    stage.make(milestones=("M001-ab12cd",))
    stage.auto().require(DONE)
    stage.require_landed(mid="M001-ab12cd")


def test_a_worktree_of_the_users_is_a_project_too(stage: Stage) -> None:
    stage.make()
    mine = stage.root.parent / "mine"
    stage.git("worktree", "add", "-q", "-b", "topic", str(mine))
    stage.auto(cwd=mine).require(DONE)
    assert stage.log("topic")[0].startswith("feat(M001)")
    assert stage.log("main") == ["first"]
    assert (mine / "work/M001-S01-T01.txt").exists()


def test_a_repository_that_is_not_the_projects_root(tmp_path: Path) -> None:
    """A state directory below the root of its repository ends in a sentence, not in a mess."""
    stage = Stage(root=tmp_path / "project").make()
    outer = tmp_path / "outer"
    (outer / "sub").mkdir(parents=True)
    subprocess.run(["cp", "-r", str(stage.state), str(outer / "sub/.gsd")], check=True)
    stage.git("init", "-q", "-b", "main", where=outer)
    stage.git("add", "-A", where=outer)
    stage.git("commit", "-qm", "first", where=outer)
    ran = stage.auto(cwd=outer / "sub")
    assert ran.code != DONE, ran.said
    assert "sub" in ran.err
    assert not (outer / ".gsd").exists()
    assert stage.git("status", "--porcelain", where=outer) == ""


def test_a_target_that_is_gone(stage: Stage) -> None:
    stage.make()
    stage.git("switch", "-qc", "feature/x")
    stage.auto("--max-units", "2").require(DONE)
    stage.git("switch", "-q", "main")
    stage.git("branch", "-qD", "feature/x")
    ran = stage.auto()
    assert ran.code in (DONE, BLOCKED), ran.said
    assert (stage.root / "work/M001-S01-T01.txt").exists() or "feature/x" in ran.said
    assert stage.attempts() == 3


def test_a_deed_in_the_users_repository_meanwhile(stage: Stage) -> None:
    """`git gc` and a moved remote do not matter."""
    stage.make()
    stage.replay(TASK, [raw_shell("git", "-C", str(stage.root), "gc", "-q", "--prune=now"), *steps(TASK)])
    stage.auto().require(DONE)
    stage.require_landed()
