"""What git ignores would pass the gate and miss the commit: it is owed, and nothing of it is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import run_git
from milepost.testing.projects import say, steps, tool
from scenarios.stage import DONE, PAUSED, Stage

FIRST = "execute-task/M001/S01/T01"


@pytest.fixture
def made(stage: Stage) -> Stage:
    """A project that ignores `vendor/` and `notes/`."""
    stage.make()
    (stage.root / ".gitignore").write_text("vendor/\nnotes/\n")
    run_git(stage.root, "add", ".gitignore")
    run_git(stage.root, "commit", "-qm", "ignore")
    return stage


def test_a_file_that_git_ignores_is_the_agents_to_move(made: Stage) -> None:
    careless = [tool("write", path="vendor/lib.py", content="X = 1\n"), *steps(FIRST)]
    made.replay(FIRST, careless, [tool("shell", command="rm -r vendor"), *steps(FIRST)])
    ran = made.auto().require(DONE)
    assert "vendor/lib.py: git ignores it, so it would not be committed" in ran.said


def test_ignored_files_made_by_commands_are_kept_when_the_worktree_goes(made: Stage) -> None:
    made.replay(FIRST, [tool("shell", command="mkdir notes && echo precious > notes/one.txt"), *steps(FIRST)])
    made.auto().require(DONE)
    refs = run_git(made.root, "for-each-ref", "--format=%(refname)", "refs/gsd/backup/M001").split()
    kept = next(ref for ref in refs if ref.endswith("-ignored"))
    assert run_git(made.root, "show", f"{kept}:notes/one.txt") == "precious\n"


def test_next_is_no_success_when_its_unit_was_not_done(made: Stage) -> None:
    made.replay(FIRST, [tool("list", path="."), say("I looked.")])
    ran = made.gsd("next", "--agent", made.agent()).require(PAUSED)
    assert "not finished" in ran.said


def test_init_ignores_nothing_that_the_project_tracks(repo: Path) -> None:
    (repo / "vendor").mkdir()
    (repo / "vendor/__init__.py").write_text("")
    run_git(repo, "add", "vendor")
    run_git(repo, "commit", "-qm", "vendored")
    subprocess.run([sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()", "init"], cwd=repo, check=True)
    lines = (repo / ".gitignore").read_text().splitlines()
    assert "vendor/" not in lines
    assert "node_modules/" in lines
