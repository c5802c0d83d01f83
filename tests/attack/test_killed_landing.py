"""Killed just as a landing became true: the branch has it, no checkout has followed, and files show what was before."""

from pathlib import Path

import pytest

from milepost.testing.projects import QUICK
from scenarios.stage import DONE, Stage

KILL_AT_PUBLISH = """#!/bin/sh
[ "$1" = committed ] || exit 0
grep -q refs/gsd/landing/ || exit 0
[ -e "{mark}" ] && exit 0
touch "{mark}"
kill -9 $(ps -o ppid= -p $PPID)
"""


def hooked(stage: Stage, mark: Path) -> None:
    hook = stage.root / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(KILL_AT_PUBLISH.format(mark=mark))
    hook.chmod(0o755)


@pytest.mark.parametrize("isolation", ["worktree", "branch"])
def test_the_next_run_follows_before_it_reads(stage: Stage, tmp_path: Path, isolation: str) -> None:
    """What main has is not overwritten by the old plan, and no unit is done again."""
    stage.make(preferences=QUICK.replace("---\nphases", f"---\ngit:\n  isolation: {isolation}\nphases"))
    hooked(stage, tmp_path / "mark")
    assert stage.auto().code == -9
    assert stage.log()[0].startswith("feat(M001)")
    attempts = stage.attempts()

    stage.auto().require(DONE)

    assert stage.attempts() == attempts
    assert stage.log() == ["feat(M001): Small files", "first"]
    assert stage.git("status", "--porcelain") == ""
    assert stage.branches() == ["main"]
    assert not stage.git("for-each-ref", "refs/gsd/landing")
