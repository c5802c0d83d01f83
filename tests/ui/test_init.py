"""`gsd init`: make what is missing, touch nothing else."""

from pathlib import Path

import pytest

from conftest import run_git
from milepost.ui.cli.main import main

Out = pytest.CaptureFixture[str]


def subjects(repo: Path) -> list[str]:
    return run_git(repo, "log", "--format=%s").splitlines()


@pytest.fixture
def here(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(repo)
    return repo


@pytest.mark.covers("command:init")
@pytest.mark.parametrize(("program", "state"), [("gsd", ".gsd"), ("sf", ".sf")])
def test_a_state_directory_is_made_and_committed(program: str, state: str, here: Path, capsys: Out) -> None:
    assert main(["init"], program) == 0
    assert (here / state / "milestones").is_dir()
    assert subjects(here) == ["chore: init gsd", "first"]
    assert run_git(here, "show", "--name-only", "--format=", "HEAD").split() == [".gitignore", f"{state}/PROJECT.md"]
    assert f"{state}/journal/" in (here / ".gitignore").read_text()
    out = capsys.readouterr().out
    assert f"{state}/PROJECT.md" in out
    assert f"{program} auto" in out


def test_the_second_time_nothing_changes(here: Path, capsys: Out) -> None:
    main(["init"], "gsd")
    head = run_git(here, "rev-parse", "HEAD")
    text = (here / ".gitignore").read_bytes()
    assert main(["init"], "gsd") == 0
    assert (run_git(here, "rev-parse", "HEAD"), (here / ".gitignore").read_bytes()) == (head, text)
    assert "is there already; nothing changed" in capsys.readouterr().out


def test_work_of_the_user_stays_as_it_is(here: Path) -> None:
    (here / "README.md").write_text("mine\n")
    (here / "staged.txt").write_text("staged\n")
    run_git(here, "add", "staged.txt")
    (here / ".gitignore").write_bytes(b"*.log\r\ncaf\xe9")
    assert main(["init"], "gsd") == 0
    assert (here / ".gitignore").read_bytes().startswith(b"*.log\r\ncaf\xe9")
    assert run_git(here, "status", "--porcelain").splitlines() == [" M README.md", "A  staged.txt"]


def test_taking_the_plan_out_of_gitignore_is_said(here: Path, capsys: Out) -> None:
    (here / ".gitignore").write_text(".gsd\n*.o\n")
    assert main(["init"], "gsd") == 0
    assert ".gitignore hid .gsd/ and does no longer" in capsys.readouterr().out
    main(["init"], "gsd")
    assert "hid" not in capsys.readouterr().out


def test_no_commit(here: Path) -> None:
    assert main(["init", "--no-commit"], "gsd") == 0
    assert subjects(here) == ["first"]
    assert (here / ".gsd/PROJECT.md").exists()


@pytest.mark.parametrize("name", ["PROJECT.md", "project.md"])
def test_a_project_document_that_is_there_stays(name: str, here: Path) -> None:
    (here / ".gsd").mkdir()
    (here / ".gsd" / name).write_text("ours\n")
    assert main(["init"], "gsd") == 0
    assert [p.read_text() for p in (here / ".gsd").glob("*.md")] == ["ours\n"]


def test_at_the_root_also_from_below(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "src").mkdir()
    monkeypatch.chdir(here / "src")
    assert main(["init"], "gsd") == 0
    assert (here / ".gsd/PROJECT.md").exists()
    assert not (here / "src/.gsd").exists()


def test_planning_files_that_are_not_committed_here(here: Path, private_machine: Path) -> None:
    (private_machine / ".gsd").mkdir()
    (private_machine / ".gsd/PREFERENCES.md").write_text("---\ngit:\n  commit_docs: false\n---\n")
    assert main(["init"], "gsd") == 0
    assert subjects(here) == ["first"]
    assert ".gsd" not in run_git(here, "status", "--porcelain", "-uall").replace(".gitignore", "")


@pytest.mark.covers("key:git.manage_gitignore")
@pytest.mark.parametrize("wanted", [True, False])
def test_gitignore_is_kept_by_whom_the_settings_say(wanted: bool, here: Path) -> None:
    (here / ".gsd").mkdir()
    (here / ".gsd/PREFERENCES.md").write_text(f"---\ngit: {{manage_gitignore: {str(wanted).lower()}}}\n---\n")
    assert main(["init"], "gsd") == 0
    assert (here / ".gitignore").exists() == wanted
    main(["doctor", "fix"], "gsd")
    assert (here / ".gitignore").exists() == wanted


def test_outside_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"], "gsd") != 0
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / ".gsd").exists()


def test_a_repository_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    run_git(tmp_path, "init", "-q", "-b", "main")
    monkeypatch.chdir(tmp_path)
    assert main(["init"], "gsd") != 0
    assert capsys.readouterr().err.startswith("gsd: ")
    assert not (tmp_path / ".gsd").exists()
