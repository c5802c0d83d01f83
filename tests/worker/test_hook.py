"""The project's own program for new worktrees: where it runs, what it is told, and how it may fail."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from milepost.process import table
from milepost.worker import places
from milepost.worker.hook import run_post_create
from milepost.worker.shift import Shift
from worker.shifts import prefer, said, shift_for

pytestmark = pytest.mark.anyio


@pytest.fixture
def worktree(project: Path) -> Path:
    place = project / ".gsd/worktrees/M001"
    place.mkdir(parents=True)
    return place


def with_hook(project: Path, script: str, name: str = "setup.sh", **changes: object) -> Shift:
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return shift_for(project, preferences=prefer(worktree_post_create=name), **changes)


def runs(worktree: Path) -> bool:
    """Whether the process runs that wrote down its number."""
    row = table.row(int((worktree / "pid").read_text()))
    return row is not None and row.state not in table.GONE


@pytest.mark.spec(id="PR-325")
async def test_a_relative_hook_is_the_projects_and_runs_in_the_worktree(project: Path, worktree: Path) -> None:
    script = 'printf "%s\\n" "$0" "$PWD" "$SOURCE_DIR" "$WORKTREE_DIR" "$#" > out'
    shift = with_hook(project, script, "tools/new worktree.sh")
    assert await run_post_create(worktree, shift)
    lines = (worktree / "out").read_text().splitlines()
    assert lines == [str(project / "tools/new worktree.sh"), *map(str, (worktree, project, worktree)), "0"]
    assert said(shift) == ""


@pytest.mark.spec(id="PR-325")
async def test_an_absolute_hook(project: Path, worktree: Path, tmp_path: Path) -> None:
    shift = with_hook(project, "echo here > out", str(tmp_path / "elsewhere.sh"))
    assert await run_post_create(worktree, shift)
    assert (worktree / "out").read_text() == "here\n"


async def test_without_a_hook_nothing_is_run(project: Path, worktree: Path) -> None:
    assert await run_post_create(worktree, shift_for(project))
    assert list(worktree.iterdir()) == []


@pytest.mark.spec(id="PR-325")
@pytest.mark.spec(id="FM-74")
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo no npm >&2; exit 3", "worktree_post_create failed (3): no npm"),
        ("echo only; echo here; exit 1", "worktree_post_create failed (1): here"),
        ("exit 7", "worktree_post_create failed (7)"),
        ("kill -9 $$", "worktree_post_create failed (signal 9)"),
    ],
)
async def test_a_failure_is_a_warning_with_its_status(script: str, says: str, project: Path, worktree: Path) -> None:
    shift = with_hook(project, script)
    assert await run_post_create(worktree, shift)
    assert said(shift) == says


@pytest.mark.spec(id="PR-325")
async def test_one_that_takes_too_long_is_ended(project: Path, worktree: Path) -> None:
    shift = with_hook(project, "echo began; sleep 600")
    assert await run_post_create(worktree, shift, timeout_s=0.3)
    assert said(shift) == "worktree_post_create failed (ended after 0.3 s): began"


async def test_one_that_reads_gets_nothing_and_does_not_wait(project: Path, worktree: Path) -> None:
    shift = with_hook(project, 'read answer; echo "got <$answer> $?" > out')
    assert await run_post_create(worktree, shift)
    assert (worktree / "out").read_text().startswith("got <> ")


async def test_what_it_leaves_running_is_ended_and_said(project: Path, worktree: Path) -> None:
    shift = with_hook(project, 'sleep 600 & echo "$!" > pid')
    assert await run_post_create(worktree, shift)
    assert "left processes running, which were ended: 1" in said(shift)
    assert not runs(worktree)


@pytest.mark.parametrize("mode", [0o644, None])
async def test_one_that_cannot_be_started(mode: int | None, project: Path, worktree: Path) -> None:
    shift = with_hook(project, "true")
    if mode is None:
        (project / "setup.sh").unlink()
    else:
        (project / "setup.sh").chmod(mode)
    assert await run_post_create(worktree, shift)
    assert "worktree_post_create did not start: " in said(shift)


async def test_it_is_no_shell_that_reads_the_setting(project: Path, worktree: Path) -> None:
    shift = shift_for(project, preferences=prefer(worktree_post_create="touch out; true"))
    assert await run_post_create(worktree, shift)
    assert "did not start" in said(shift)
    assert list(worktree.iterdir()) == []


async def test_it_sees_ports_and_name_and_no_secret(
    project: Path, worktree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "hush-hush-hush")
    shift = with_hook(project, 'echo "$GSD_PORT_BASE <$DEPLOY_TOKEN>" > out; echo hush-hush-hush >&2; exit 1')
    shift = replace(shift, env={**shift.env, "GSD_PORT_BASE": "20010"}, secrets=("hush-hush-hush",))
    assert await run_post_create(worktree, shift)
    assert (worktree / "out").read_text() == "20010 <>\n"
    assert "hush-hush-hush" not in said(shift)


async def test_a_stop_ends_it(project: Path, worktree: Path) -> None:
    shift = with_hook(project, "echo $$ > pid; sleep 600")
    finished: list[bool] = []

    async def run() -> None:
        finished.append(await run_post_create(worktree, shift))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            while not (worktree / "pid").exists() or not (worktree / "pid").read_text().strip():  # noqa: ASYNC110
                await anyio.sleep(0.02)
            shift.stop.set()
    assert finished == [False]
    assert not runs(worktree)
    assert said(shift) == ""


async def test_a_hook_that_was_cut_short_is_run_again(project: Path) -> None:
    script = 'echo "$WORKTREE_DIR" >> "$SOURCE_DIR/../hook.log"'
    stopped = with_hook(project, "sleep 600")
    stopped.stop.set()
    await places.enter("M001", stopped)
    await places.enter("M001", with_hook(project, script))
    await places.enter("M001", with_hook(project, script))
    assert (project.parent / "hook.log").read_text() == f"{project}/.gsd/worktrees/M001\n"
