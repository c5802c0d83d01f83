"""Conflicts in built files at merge time: the milestone's version is taken, and said (FM-98)."""

from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, head, plan_for, write
from milepost.git import merge
from milepost.git.merge import Conflicted, Landed, Outcome
from milepost.rules.merging import Side

PATTERNS = ("*.map", "*.tsbuildinfo", "__pycache__/", "*.pyc", ".DS_Store")


def land(project: Path, worktree: Path, patterns: tuple[str, ...] = PATTERNS) -> Outcome:
    return merge.land(plan_for(project, worktree, generated=patterns), journal=lambda step, facts: None)


@pytest.mark.spec(id="FM-98")
def test_the_milestones_version_and_it_is_reported(project: Path, worktree: Path) -> None:
    """gsd-2#2777; python-skills PR#88: generated-file conflict class."""
    built = ["dist/app.js.map", "tsconfig.tsbuildinfo", "src/__pycache__/app.pyc", ".DS_Store"]
    write(worktree, dict.fromkeys(built, "\0milestone"))
    write(project, dict.fromkeys(built, "\0target"))
    commit(worktree)
    commit(project)
    done = land(project, worktree)
    assert isinstance(done, Landed)
    assert {r.path: (r.side, r.conflicted) for r in done.resolved} == dict.fromkeys(built, (Side.GENERATED, True))
    assert f"{built[0]}: generated, the milestone's version" in {str(r) for r in done.resolved}
    assert [(project / name).read_text() for name in built] == ["\0milestone"] * 4


@pytest.mark.spec(id="FM-98")
def test_the_list_is_the_projects_own(project: Path, worktree: Path) -> None:
    commit(worktree, **{"out.gen": "milestone"})
    commit(project, **{"out.gen": "target"})
    found = land(project, worktree)
    assert isinstance(found, Conflicted)
    assert [file.path for file in found.files] == ["out.gen"]
    done = land(project, worktree, ("*.gen",))
    assert isinstance(done, Landed)
    assert (project / "out.gen").read_text() == "milestone"


def test_code_beside_it_still_stops_and_is_named_alone(project: Path, worktree: Path) -> None:
    commit(worktree, **{"a.map": "milestone", "src__app.py": "milestone\n"})
    commit(project, **{"a.map": "target", "src__app.py": "target\n"})
    before = head(project)
    found = land(project, worktree)
    assert isinstance(found, Conflicted)
    assert [file.path for file in found.files] == ["src/app.py"]
    assert (head(project), (project / "a.map").read_text()) == (before, "target")


@pytest.mark.parametrize("who", ["milestone", "target"])
def test_deleted_by_one(project: Path, worktree: Path, who: str) -> None:
    commit(project, **{"a.map": "1\n2\n3\n"})
    run_git(worktree, "merge", "-q", "--no-edit", "main")
    deletes, changes = (worktree, project) if who == "milestone" else (project, worktree)
    run_git(deletes, "rm", "-q", "a.map")
    commit(deletes)
    commit(changes, **{"a.map": "changed"})
    assert isinstance(land(project, worktree), Landed)
    assert (project / "a.map").exists() is (who == "target")


@pytest.mark.spec(id="FM-98")
def test_named_after_its_contents_by_both(project: Path, worktree: Path) -> None:
    """A bundler's file: both sides gave it another name."""
    lines = "".join(f"{n}\n" for n in range(30))
    commit(project, **{"dist__app.111.map": lines})
    run_git(worktree, "merge", "-q", "--no-edit", "main")
    for where, name in ((worktree, "222"), (project, "333")):
        run_git(where, "mv", "dist/app.111.map", f"dist/app.{name}.map")
        commit(where, **{f"dist__app.{name}.map": f"{lines}{name}\n"})
    assert isinstance(land(project, worktree, ()), Conflicted)
    done = land(project, worktree)
    assert isinstance(done, Landed)
    assert [path.name for path in (project / "dist").iterdir()] == ["app.222.map"]
    assert (project / "dist/app.222.map").read_text() == f"{lines}222\n"


def test_a_directory_in_place_of_a_generated_file_is_for_people(project: Path, worktree: Path) -> None:
    commit(worktree, **{"a.map__x": "1"})
    commit(project, **{"a.map": "file"})
    assert isinstance(land(project, worktree), Conflicted)


@pytest.mark.parametrize("who", ["milestone", "target"])
def test_a_derived_file_that_one_deleted_stays_as_the_target_has_it(project: Path, worktree: Path, who: str) -> None:
    write(project, {".gsd/STATE.md": "1"})
    run_git(project, "add", "-f", ".gsd/STATE.md")
    run_git(project, "commit", "-qm", "tracked by accident")
    run_git(worktree, "merge", "-q", "--no-edit", "main")
    deletes, changes = (worktree, project) if who == "milestone" else (project, worktree)
    run_git(deletes, "rm", "-q", ".gsd/STATE.md")
    commit(deletes)
    write(changes, {".gsd/STATE.md": "2"})
    run_git(changes, "add", "-u")
    run_git(changes, "commit", "-qm", "changed")
    assert isinstance(land(project, worktree), Landed)
    assert (project / ".gsd/STATE.md").exists() is (who == "milestone")


def test_without_a_conflict_git_merges_it(project: Path, worktree: Path) -> None:
    lines = [f"{n}\n" for n in range(20)]
    commit(project, **{"a.map": "".join(lines)})
    run_git(worktree, "merge", "-q", "--no-edit", "main")
    commit(worktree, **{"a.map": "".join([*lines[:-1], "milestone\n"])})
    commit(project, **{"a.map": "".join(["target\n", *lines[1:]])})
    done = land(project, worktree)
    assert isinstance(done, Landed)
    assert done.resolved == ()
    assert (project / "a.map").read_text() == "".join(["target\n", *lines[1:-1], "milestone\n"])
