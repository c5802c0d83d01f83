"""An agent that turns the worktree's own `.git` against the program, from inside what a sandbox lets it write."""

from pathlib import Path

import pytest

from milepost.testing.projects import raw_shell, steps
from scenarios.stage import DONE, Stage, picture

TASK = "execute-task/M001/S01/T01"

EVIL = """
set -e
real=$(sed 's/gitdir: //' .git)
cp -r "$real/../.." evil.git
rm -rf evil.git/worktrees evil.git/hooks
git --git-dir=evil.git config core.bare false
git --git-dir=evil.git config filter.bad.clean "sh -c 'echo ran >> {mark}; cat'"
echo "ref: refs/heads/milestone/M001" > evil.git/HEAD
cp "$real/index" evil.git/index
mkdir evil.git/hooks
printf '#!/bin/sh\\necho ran >> {mark}\\n' > evil.git/hooks/pre-commit
chmod +x evil.git/hooks/pre-commit
cp evil.git/hooks/pre-commit evil.git/hooks/post-index-change
echo '*.txt filter=bad' > .gitattributes
echo more >> src/app.txt
"""

WAYS = {
    "a file that points elsewhere": 'echo "gitdir: $PWD/evil.git" > .git',
    "a directory": "rm .git && mv evil.git .git",
    "a link": "rm .git && ln -s evil.git .git",
}


@pytest.mark.parametrize("way", WAYS)
def test_git_never_runs_with_a_repository_of_the_agents(stage: Stage, tmp_path: Path, way: str) -> None:
    stage.make()
    mark = tmp_path / "mark"
    before = picture(stage.root)
    deed = EVIL.format(mark=mark) + WAYS[way]
    stage.replay(TASK, [raw_shell("sh", "-c", deed), *steps(TASK)], steps(TASK))
    ran = stage.auto()
    assert not mark.exists(), ran.said
    ran.require(DONE)
    assert picture(stage.root).files.keys() >= before.files.keys()


def test_a_git_file_that_is_gone_is_put_back(stage: Stage) -> None:
    stage.make(tasks=2)
    stage.replay(TASK, [raw_shell("rm", ".git"), *steps(TASK)])
    before = picture(stage.root)
    ran = stage.auto()
    after = picture(stage.root)
    assert {p: d for p, d in after.files.items() if p in before.files} == before.files
    ran.require(DONE)
