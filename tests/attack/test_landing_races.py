"""What a person, or the project's own commands, do while a milestone is being landed."""

import pytest

from milepost.testing.projects import QUICK
from scenarios.stage import BLOCKED, DONE, Stage, picture

MEANWHILE = {
    "a commit on the target": ("echo u > u.txt; git add u.txt; git commit -qm user", (DONE,)),
    "another branch checked out": ("git switch -qc feature", (BLOCKED,)),
    "a file that is in the way": ("mkdir work; echo mine > work/M001-S01-T01.txt", (BLOCKED,)),
    "a change elsewhere": ("echo mine >> README.md; git add README.md; echo more >> README.md", (DONE,)),
    "the worktree removed": ("rm -rf {worktree}", (DONE,)),
    "work in the worktree": ("echo mine > {worktree}/mine.txt", (BLOCKED,)),
    "the target put elsewhere": (
        "git update-ref refs/heads/main $(git commit-tree HEAD^{{tree}} -m other)",
        (BLOCKED,),
    ),
    "garbage collection": ("git gc -q --prune=now; git pack-refs --all", (DONE,)),
    "the scratch checkout without its .git": ("rm $SCRATCH/.git", (DONE,)),
    "no scratch checkout": ("rm -r $SCRATCH", (DONE,)),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_nothing_of_theirs_is_lost(stage: Stage, meanwhile: str) -> None:
    deed, codes = MEANWHILE[meanwhile]
    check = stage.root.parent / "check.sh"
    stage.make(preferences=QUICK.replace("---\nphases", f"---\ngit:\n  pre_merge_check: {check}\nphases"))
    words = deed.format(worktree=stage.worktree)
    once = f'SCRATCH=$PWD; [ -e "{check}.ran" ] || {{ touch "{check}.ran"; cd "{stage.root}"; {words}; }}'
    check.write_text(f"#!/bin/sh\n{once}\nexit 0\n")
    check.chmod(0o755)

    ran = stage.auto("--no-sandbox")
    assert ran.code in codes, ran.said
    theirs = picture(stage.root, without=(".gsd", ".git", "src"))
    again = stage.auto("--no-sandbox")

    assert again.code in (DONE, BLOCKED), again.said
    assert stage.attempts() == 3
    after = picture(stage.root, without=(".gsd", ".git", "src"))
    assert {path: what for path, what in after.files.items() if path in theirs.files} == theirs.files
    assert not stage.git("for-each-ref", "refs/gsd/landing")
    assert not list((stage.state / "worktrees").glob(".check-*"))
    stage.git("fsck", "--connectivity-only")
    if meanwhile == "work in the worktree":
        assert stage.git("show", "main:mine.txt") == "mine\n"
