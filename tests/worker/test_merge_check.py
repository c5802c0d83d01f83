"""What is run on the merged tree, and where it may write."""

from pathlib import Path

import pytest

from milepost.worker import merge_check
from worker.shifts import prefer, said, shift_for

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("wanted", "checked"), [(False, False), ("", False), (True, True), ("make", True)])
def test_whether_anything_is_checked(wanted: bool | str, checked: bool, project: Path) -> None:
    shift = shift_for(project, preferences=prefer(pre_merge_check=wanted))
    assert (merge_check.check("M001", shift) is not None) is checked


@pytest.mark.parametrize(("line", "passed"), [("true", True), ("false", False), ("no-such-runner", None)])
async def test_three_verdicts(line: str, passed: bool | None, project: Path, tmp_path: Path) -> None:
    shift = shift_for(project, preferences=prefer(pre_merge_check=line))
    run = merge_check.check("M001", shift)
    assert run is not None
    (tmp_path / "tree").mkdir()
    assert (await run(tmp_path / "tree")).passed is passed
    assert (project / ".gsd/runtime/gates/pre-merge-M001.json").exists()


async def test_it_runs_in_the_tree_it_is_given_without_credentials(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    line = "sh -c 'pwd > where; echo \"key=$OPENAI_API_KEY\" >> where'"
    run = merge_check.check("M001", shift_for(project, preferences=prefer(pre_merge_check=line)))
    assert run is not None
    (tmp_path / "tree").mkdir()
    assert (await run(tmp_path / "tree")).passed
    assert (tmp_path / "tree/where").read_text() == f"{tmp_path}/tree\nkey=\n"


async def test_scripts_of_package_json_are_found(project: Path, tmp_path: Path) -> None:
    shift = shift_for(project, preferences=prefer(pre_merge_check=True))
    run = merge_check.check("M001", shift)
    assert run is not None
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/package.json").write_text('{"scripts": {"test": "exit 0"}}')
    await run(tmp_path / "tree")
    assert "merged unchecked" not in said(shift)
