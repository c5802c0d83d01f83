"""Planning files that git does not carry."""

from pathlib import Path

import pytest

from conftest import run_git
from milepost.testing import projects
from milepost.worker import carry
from worker.shifts import prefer, shift_for

ROADMAP = "milestones/M001/M001-ROADMAP.md"


@pytest.fixture
def ignoring(tmp_path: Path) -> Path:
    """A project that ignores its state directory."""
    root = tmp_path / "project"
    projects.tiny(root, milestones=("M001", "M002"), plan_committed=False)
    (root / ".gitignore").write_text(".gsd\n")
    run_git(root, "add", ".gitignore")
    run_git(root, "commit", "-qm", "ignore")
    return root


def test_it_is_needed_where_git_ignores_the_plan(ignoring: Path) -> None:
    assert carry.needed("M001", shift_for(ignoring))


def test_it_is_not_needed_where_git_carries_the_plan(project: Path) -> None:
    assert not carry.needed("M001", shift_for(project))
    assert carry.needed("M001", shift_for(project, preferences=prefer(commit_docs=False)))


def test_in_come_the_milestone_and_the_registers(ignoring: Path, tmp_path: Path) -> None:
    projects.write(
        ignoring / ".gsd", {"journal/M001.jsonl": "x", "STATE.md": "x", "activity/1.jsonl": "x", "auto.lock": "x"}
    )
    carry.bring_in("M001", tmp_path / "tree", shift_for(ignoring))
    state = tmp_path / "tree/.gsd"
    assert (state / ROADMAP).read_bytes() == (ignoring / ".gsd" / ROADMAP).read_bytes()
    assert (state / "milestones/M001/slices/S01/tasks/T01-PLAN.md").exists()
    assert (state / "DECISIONS.md").exists()
    assert sorted(p.name for p in state.iterdir() if p.is_dir()) == ["milestones"]
    assert not (state / "milestones/M002").exists()
    assert not (state / "STATE.md").exists()


def test_what_is_in_the_worktree_already_is_newer(ignoring: Path, tmp_path: Path) -> None:
    projects.write(tmp_path / "tree/.gsd", {ROADMAP: "worked on\n"})
    carry.bring_in("M001", tmp_path / "tree", shift_for(ignoring))
    assert (tmp_path / "tree/.gsd" / ROADMAP).read_text() == "worked on\n"


def test_back_comes_what_changed(ignoring: Path, tmp_path: Path) -> None:
    shift = shift_for(ignoring)
    carry.bring_in("M001", tmp_path / "tree", shift)
    state = tmp_path / "tree/.gsd"
    projects.write(state, {ROADMAP: "done\n", "milestones/M001/M001-SUMMARY.md": "# M001\n", "DECISIONS.md": "# New\n"})
    projects.write(state, {"milestones/M002/M002-ROADMAP.md": "foreign\n", "metrics.json": "{}"})
    assert sorted(carry.bring_back("M001", tmp_path / "tree", shift)) == [
        "DECISIONS.md",
        ROADMAP,
        "milestones/M001/M001-SUMMARY.md",
    ]
    assert (ignoring / ".gsd" / ROADMAP).read_text() == "done\n"
    assert "foreign" not in (ignoring / ".gsd/milestones/M002/M002-ROADMAP.md").read_text()
    assert not (ignoring / ".gsd/metrics.json").exists()
    assert carry.bring_back("M001", tmp_path / "tree", shift) == ()


def test_where_git_carries_them_nothing_is_copied(project: Path, tmp_path: Path) -> None:
    shift = shift_for(project)
    carry.bring_in("M001", tmp_path / "tree", shift)
    assert not (tmp_path / "tree").exists()
    projects.write(tmp_path / "tree/.gsd", {ROADMAP: "changed\n"})
    assert carry.bring_back("M001", tmp_path / "tree", shift) == ()
    assert "changed" not in (project / ".gsd" / ROADMAP).read_text()


def test_a_milestone_in_a_directory_of_an_older_release(ignoring: Path, tmp_path: Path) -> None:
    home = ignoring / ".gsd/milestones"
    (home / "M001").rename(home / "M001-SMALL-FILES")
    carry.bring_in("M001", tmp_path / "tree", shift_for(ignoring))
    assert (tmp_path / "tree/.gsd/milestones/M001-SMALL-FILES/M001-ROADMAP.md").exists()


def test_a_link_that_leads_out_is_not_copied(ignoring: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret\n")
    (ignoring / ".gsd/milestones/M001/link.md").symlink_to(tmp_path / "secret.md")
    (ignoring / ".gsd/milestones/M001/gone.md").symlink_to(tmp_path / "nowhere.md")
    carry.bring_in("M001", tmp_path / "tree", shift_for(ignoring))
    assert not (tmp_path / "tree/.gsd/milestones/M001/link.md").exists()
