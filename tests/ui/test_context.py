"""Which project a command is about."""

from pathlib import Path

import pytest

from milepost.ui.cli import context
from milepost.ui.cli.context import NoProject, Where


@pytest.mark.parametrize(
    "below", ["", "src", "src/deep", ".gsd/milestones/M001", ".gsd/worktrees/M001", ".gsd/worktrees/M001/src"]
)
def test_the_nearest_above(below: str, project: Path, private_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / below).mkdir(parents=True, exist_ok=True)
    if "worktrees" in below:
        (project / ".gsd/worktrees/M001/.gsd").mkdir()
    monkeypatch.chdir(project / below)
    assert context.find("gsd") == Where(root=str(project), state_dir=".gsd", home=str(private_machine / ".gsd"))


@pytest.mark.parametrize(
    ("made", "program", "chosen"),
    [
        ([".gsd"], "sf", ".gsd"),
        ([".sf"], "gsd", ".sf"),
        ([".gsd", ".sf"], "gsd", ".gsd"),
        ([".gsd", ".sf"], "sf", ".sf"),
    ],
)
def test_both_dialects(
    made: list[str], program: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in made:
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    found = context.find(program)
    assert found.state_dir == chosen
    assert found.home.endswith(f"/{chosen}")


def test_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".gsd").write_text("a file")
    with pytest.raises(NoProject) as raised:
        context.find("sf")
    assert str(raised.value) == f"{tmp_path}: no .sf/ here or above"
    assert raised.value.hint == 'sf new-project "…" begins one from an idea; or git init, then sf init.'
    (tmp_path / ".git").mkdir()
    with pytest.raises(NoProject) as raised:
        context.find("sf")
    assert raised.value.hint == 'sf init makes one; sf new-project "…" begins it from an idea.'


def test_the_directory_of_global_settings_is_no_project(private_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (private_machine / ".gsd").mkdir()
    (private_machine / "code").mkdir()
    monkeypatch.chdir(private_machine / "code")
    with pytest.raises(NoProject):
        context.find("gsd")
    (private_machine / ".gsd/milestones").mkdir()
    assert context.find("gsd").root == str(private_machine)


def test_a_current_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(NoProject, match="does not exist any more"):
        context.find("gsd")


@pytest.mark.parametrize(("name", "variable"), [(".gsd", "GSD_HOME"), (".sf", "SF_HOME")])
def test_where_global_settings_lie(
    name: str, variable: str, private_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert context.home(name) == str(private_machine / name)
    monkeypatch.setenv(variable, "/elsewhere")
    assert context.home(name) == "/elsewhere"
    monkeypatch.setenv(variable, "")
    assert context.home(name) == str(private_machine / name)


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/p/.gsd/worktrees/M001", "/p"),
        ("/p/.sf/worktrees/M001/a/b", "/p"),
        ("/p/.gsd/worktrees", "/p/.gsd/worktrees"),
        ("/p/worktrees/x", "/p/worktrees/x"),
    ],
)
def test_tails_inside_worktrees_are_cut_off(path: str, root: str) -> None:
    assert context.outside_worktrees(path) == root
