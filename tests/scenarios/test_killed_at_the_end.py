"""Killed at the last moment: the last unit without its verdict, the last step of a merge."""

import os
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, Stage

PARALLEL = projects.QUICK.replace("---\nphases", "---\nparallel:\n  enabled: true\n  auto_merge: auto\nphases", 1)
LAST = "complete-milestone/M001"
WORKER = "kill -9 $PPID"
BOTH = "kill -9 $(ps -o ppid= -p $PPID) $PPID"
"""The coordinator too."""


def _killed_once(stage: Stage, kill: str) -> tuple[str, ...]:
    """The last session of the milestone has written everything when it, and whoever is meant, is killed."""
    flag = stage.root.parent / "killed"
    script = f"test -e '{flag}' || {{ touch '{flag}'; {kill}; }}"
    stage.replay(LAST, [*projects.steps(LAST), projects.raw_shell("sh", "-c", script)])
    return ("parallel", "start", "--yes", "--agent", stage.agent())


def _require_verified_first(stage: Stage) -> None:
    """The attempt was settled, once, before anything was merged, and paid for once."""
    kinds = [str(event["event"]) for event in stage.events()]
    assert kinds.count("attempt-started") == kinds.count("attempt-ended") == len(list(projects.units()))
    assert max(i for i, kind in enumerate(kinds) if kind == "attempt-ended") < kinds.index("landing-step")
    message = stage.git("log", "--format=%B", "-1", stage.backups()[0])
    assert f"GSD-Unit: {LAST.replace('/', ' ')}" in message, message


@pytest.mark.spec(id="FM-20")
def test_a_complete_milestone_is_not_merged_before_its_last_unit_is_verified(stage: Stage) -> None:
    stage.make(preferences=PARALLEL)
    stage.gsd(*_killed_once(stage, WORKER)).require(DONE)
    _require_verified_first(stage)
    stage.require_landed()


@pytest.mark.spec(id="FM-20")
def test_nor_by_hand(stage: Stage) -> None:
    """With nobody left the files say complete; `merge` says why it does not, and `start` settles it."""
    stage.make(preferences=PARALLEL)
    words = _killed_once(stage, BOTH)
    stage.gsd(*words)
    assert "waiting-for-merge" not in stage.gsd("parallel", "status", "--json").out
    refused = stage.gsd("parallel", "merge", "M001").require(BLOCKED)
    assert "not verified" in refused.said and "gsd parallel start" in refused.said
    assert stage.log() == ["first"]
    stage.gsd(*words, "--retry").require(DONE)
    _require_verified_first(stage)
    stage.require_landed()


@pytest.mark.spec(id="FM-95")
def test_a_merge_killed_while_its_worktree_is_removed_is_finished(stage: Stage, tmp_path: Path) -> None:
    """Git removes `.git` first, so what is left is no worktree any more."""
    stage.make(preferences=PARALLEL)
    flag, programs = tmp_path / "killed", tmp_path / "bin"
    programs.mkdir()
    (programs / "git").write_text(
        f"#!/bin/sh\ncase \"$*\" in *'worktree remove'*) if test ! -e '{flag}'; then touch '{flag}'; "
        f'for last; do :; done; rm "$last/.git"; kill -9 $PPID; exit 1; fi;; esac\n'
        f'exec {_git()} "$@"\n'
    )
    (programs / "git").chmod(0o755)
    words = ("parallel", "start", "--yes", "--agent", stage.agent())
    ran = stage.gsd(*words, PATH=f"{programs}{os.pathsep}{os.environ['PATH']}").require(DONE)
    assert flag.exists(), ran.said
    stage.require_landed()


def _git() -> str:
    return next(path for folder in os.environ["PATH"].split(os.pathsep) if os.access(path := f"{folder}/git", os.X_OK))


@pytest.mark.spec(id="FM-95")
def test_a_worktree_that_could_not_be_removed_is_removed_by_the_next_start(stage: Stage) -> None:
    """It landed; what keeps its worktree there is said, and when that is gone, so is the worktree."""
    stage.make(preferences=PARALLEL)
    words = ("parallel", "start", "--yes", "--agent", stage.agent())
    stage.gsd(*words, **_locked(stage)).require(DONE)
    assert stage.log()[0] == "feat(M001): Small files"
    kept = stage.gsd("inbox").out
    assert "M001 kept" in kept and "gsd doctor" in kept, kept
    (stage.root / ".git/worktrees/M001/locked").unlink()
    stage.gsd(*words).require(DONE)
    stage.require_landed()
    assert "Nothing waits" in stage.gsd("inbox").out


def _locked(stage: Stage) -> dict[str, str]:
    """A git that locks the worktree, as a person may, just before it is to be removed."""
    programs = stage.root.parent / "bin"
    programs.mkdir()
    (programs / "git").write_text(
        "#!/bin/sh\n"
        f"case \"$*\" in *'worktree remove'*) touch '{stage.root}/.git/worktrees/M001/locked';; esac\n"
        f'exec {_git()} "$@"\n'
    )
    (programs / "git").chmod(0o755)
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
