from pathlib import Path

from git.arrange import write
from milepost.git.ignored import ignored


def test_ignore_rules_are_asked_for_a_path_that_need_not_exist(repo: Path) -> None:
    write(repo, {".gitignore": ".gsd/\n!.gsd/keep\n*.log\n", ".git/info/exclude": "local\n"})
    assert ignored(repo, ".gsd/milestones/M001/M001-ROADMAP.md")
    assert ignored(repo, "a b/ü.log")
    assert ignored(repo, "local")
    assert not ignored(repo, "src/app.py")


def test_a_tracked_file_is_never_ignored(repo: Path) -> None:
    write(repo, {".gitignore": "README.md\n"})
    assert not ignored(repo, "README.md")
