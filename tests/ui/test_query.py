"""`gsd headless query`: one line of JSON from files alone. Acceptance 8: nothing is written, nothing heavy imported."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import run_git
from milepost.store import preferences
from milepost.testing import projects
from ui.command import run, said_at

HEAVY = {
    "anyio", "argparse", "asyncio", "dataclasses", "inspect", "logging", "msgspec", "pathlib", "pydantic_ai",
    "subprocess", "tempfile", "yaml",
}  # fmt: skip


def query(project: Path, **env: str) -> dict[str, dict[str, object]]:
    found = run("headless", "query", cwd=project, **env)
    assert (found.code, found.err) == (0, "")
    assert found.out.count("\n") == 1
    answer = json.loads(found.out)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.covers("command:headless query")
def test_the_answer(project: Path) -> None:
    answer = query(project)
    assert list(answer) == ["state", "next", "cost"]
    assert answer["state"]["phase"] == "executing"
    assert answer["state"]["activeTask"] == {"id": "T01", "title": "Write T01"}
    assert answer["next"]["unitId"] == "M001/S01/T01"
    assert answer["cost"] == {"workers": [], "total": 0}


def test_workers_and_a_price_nobody_knows(project: Path) -> None:
    beacon = {"pid": 7, "state": "running", "cost": 1.5, "lastHeartbeat": 9}
    for mid, cost in (("M001", 1.5), ("M002", 0.25)):
        projects.write(project, {f".gsd/parallel/{mid}.status.json": json.dumps({**beacon, "cost": cost})})
    assert query(project)["cost"]["total"] == 1.75
    projects.write(project, {".gsd/parallel/M002.status.json": json.dumps({**beacon, "cost": None})})
    cost = query(project)["cost"]
    assert cost["total"] is None
    assert cost["workers"][0] == {"milestoneId": "M001", **beacon}  # type: ignore[index]


@pytest.mark.parametrize("settings", [True, False])
def test_nothing_heavy_is_imported(settings: bool, project: Path, private_machine: Path) -> None:
    if settings:
        # A run keeps what it has read of the settings; without that YAML has to be imported.
        assert preferences.write_cache(str(project), str(private_machine / ".gsd"))
    else:
        (project / ".gsd/PREFERENCES.md").unlink()
    code = "from milepost.ui.cli.main import gsd; import sys; sys.argv[1:] = ['headless', 'query']; gsd()"
    # Without site packages' start-up files, which may import anything.
    packages = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}; "
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-I", "-S", "-c", packages + code],
        cwd=project, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "milepost.rules.derive" in modules
    assert not HEAVY & modules
    assert not {name for name in modules if name.split(".")[0] in HEAVY}


def test_no_file_changes(project: Path, tmp_path: Path) -> None:
    """On a copy that nobody may write, every time stays, git's directory included."""
    copy = tmp_path / "copy"
    run_git(project, "worktree", "add", "-q", ".gsd/worktrees/M001", "-b", "milestone/M001")
    shutil.copytree(project, copy, symlinks=True)
    projects.write(copy, {"PREFERENCES.md": "", ".gsd/preferences.md": "---\nmode: solo\n---\n"})
    for path in [*copy.rglob("*"), copy]:
        path.chmod(path.stat().st_mode & ~0o222)
    before, git = said_at(copy), said_at(copy / ".git")
    try:
        for command in (["headless", "query"], ["status"], ["status", "--json"]):
            assert run(*command, cwd=copy, python=("-B",)).code == 0
        assert run("headless", "query", cwd=copy / "src", python=("-B",)).code == 0
        assert said_at(copy) == before
        assert said_at(copy / ".git") == git
    finally:
        for path in [copy, *copy.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)


def test_it_needs_no_git(project: Path) -> None:
    with_git = query(project)
    shutil.rmtree(project / ".git")
    assert query(project, PATH="/nowhere") == with_git


def test_a_bad_preference_is_said_aside(project: Path) -> None:
    projects.write(project, {".gsd/PREFERENCES.md": "---\nbudget_ceiling: many\n---\n"})
    found = run("headless", "query", cwd=project)
    assert found.code == 0
    assert "budget_ceiling" in found.err
    assert json.loads(found.out)["state"]["phase"] == "executing"


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"# \x1b[31m"])
def test_damaged_documents(text: bytes, project: Path) -> None:
    (project / ".gsd/milestones/M001/M001-ROADMAP.md").write_bytes(text)
    assert query(project)["state"]["activeMilestone"]
