import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.process import confine, confine_exec
from milepost.process.confine import Confinement
from milepost.process.environment import scrubbed
from milepost.process.spawn import Finished, SpawnFailed, run

pytestmark = pytest.mark.anyio
held = pytest.mark.skipif(
    confine.available() == "", reason="nothing confines commands here: no Landlock, no bubblewrap"
)
landlock = pytest.mark.skipif(confine.available() != "landlock", reason="the kernel has no Landlock (Linux 5.19)")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    made = tmp_path / "inside"
    made.mkdir()
    return made


async def shell(script: str, inside: Path, *, network: bool = True) -> Finished:
    cage = Confinement(writable=(inside, inside / "missing"), network=network)
    env = scrubbed(os.environ)
    return await run(("sh", "-c", script), cwd=inside, env=env, timeout_s=30, confine=cage)


@held
@pytest.mark.parametrize(
    "script",
    [
        "echo x > new",
        "mkdir -p a/b && echo x > a/b/c && mv a/b/c . && rm -r a",
        "echo x > f && ln -s f l && ln f h && chmod +x f && truncate -s 0 f",
        "mkfifo p && rm p",
        "echo x > /dev/null",
        'echo x > "$TMPDIR/scratch" && test "$TMP" = "$TMPDIR"',
        "cat /etc/passwd > copy",
        "python3 -I -c 'import multiprocessing as m; m.Semaphore(); m.Queue()'",
    ],
)
async def test_what_is_given_may_be_written(script: str, inside: Path) -> None:
    done = await shell(script, inside)
    assert (done.code, done.stderr) == (0, "")
    assert done.confined == confine.available()


@held
@pytest.mark.parametrize(
    "script",
    [
        "echo x > ../outside",
        "echo x >> ../kept",
        "rm ../kept",
        "mv ../kept stolen",
        "mv ../kept ../other",
        "ln ../kept alias && echo x > alias",
        "ln -s .. up && echo x > up/outside",
        "ln -s ../kept link && echo x > link",
        "mkdir ../made",
        "ln -s /etc/passwd ../link",
        "echo x > $HOME/.profile",
        "truncate -s 0 ../kept",
        "cd .. && rm -rf kept",
    ],
)
async def test_nothing_else_may_be_written(script: str, inside: Path) -> None:
    kept = inside.parent / "kept"
    kept.write_text("as it was")
    before = sorted(os.listdir(inside.parent))
    done = await shell(script, inside)
    assert done.code != 0
    assert kept.read_text() == "as it was"
    assert sorted(os.listdir(inside.parent)) == before
    assert not (Path(os.environ["HOME"]) / ".profile").exists()


@held
async def test_a_child_that_ran_away_is_confined_too(inside: Path) -> None:
    await shell("setsid sh -c 'echo x > ../outside' & wait; echo x > ours", inside)
    assert (inside / "ours").exists()
    assert not (inside.parent / "outside").exists()


@held
async def test_the_temporary_directory_goes_with_the_command(inside: Path) -> None:
    done = await shell('touch "$TMPDIR/x"; mkdir "$TMPDIR/d"; echo "$TMPDIR"', inside)
    assert done.stdout.strip().split("/")[-1].startswith("milepost-")
    assert not Path(done.stdout.strip()).exists()


@held
async def test_exit_code_output_and_arguments_pass_through(inside: Path) -> None:
    cage = Confinement(writable=(inside,))
    argv = (sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(125)", "--", "--writable", "/", "a b")
    done = await run(argv, cwd=inside, env=scrubbed(os.environ), timeout_s=30, confine=cage)
    assert (done.code, done.stdout) == (125, "['--', '--writable', '/', 'a b']\n")


@held
async def test_git_reads_in_a_worktree_and_cannot_write_to_its_repository(repo: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    run_git(repo, "worktree", "add", "-q", "-b", "work", str(tree))
    (tree / "README.md").write_text("# Changed\n")
    looked = await shell("git status --short && git diff --stat && git log --oneline", tree)
    assert (looked.code, looked.stderr) == (0, "")
    assert looked.stdout.startswith(" M README.md\n")
    before = run_git(repo, "for-each-ref")
    for script in ("git add README.md", "git commit -qam x", "git branch other", "git stash", "git checkout -q -- ."):
        assert (await shell(script, tree)).code != 0
    assert run_git(repo, "for-each-ref") == before
    assert (tree / "README.md").read_text() == "# Changed\n"


def run_git(where: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", str(where), *args], check=True, capture_output=True, text=True).stdout


def can_connect() -> bool:
    return confine_exec.abi() >= 4 or confine.available() == "bubblewrap"


@held
@pytest.mark.skipif(not can_connect(), reason="Landlock 4 is needed to refuse connections")
async def test_without_network_nothing_is_reached(inside: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)"
        script = f'{sys.executable} -I -S -c "{code}"'
        assert (await shell(script, inside)).code == 0
        assert (await shell(script, inside, network=False)).code != 0


@landlock
@pytest.mark.skipif(confine_exec.abi() < 6, reason="Landlock 6 is needed to refuse signals")
async def test_processes_outside_cannot_be_ended(inside: Path) -> None:
    other = subprocess.Popen(["sleep", "600"])  # noqa: ASYNC220
    try:
        done = await shell(f"kill -9 {other.pid}", inside)
        assert done.code != 0
        assert other.poll() is None
        assert (await shell("sleep 600 & kill -9 $!", inside)).code == 0
    finally:
        other.kill()
        other.wait()


@held
async def test_a_confined_command_that_hangs_is_ended_whole(inside: Path) -> None:
    cage = Confinement(writable=(inside,))
    script = "setsid sleep 600 & sleep 600"
    done = await run(("sh", "-c", script), cwd=inside, env=scrubbed(os.environ), timeout_s=0.5, confine=cage)
    assert done.timed_out
    assert done.leftovers >= 1


@landlock
async def test_what_cannot_be_confined_is_not_run(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = inside / "launcher.py"
    launcher.write_text("import sys; sys.stderr.write('milepost: cannot confine: no\\n'); sys.exit(125)")
    monkeypatch.setattr(confine, "_LAUNCHER", launcher)
    with pytest.raises(SpawnFailed, match="sh: milepost: cannot confine: no"):
        await shell("touch ran", inside)
    assert not (inside / "ran").exists()


@landlock
def test_an_old_kernel_is_refused_by_the_launcher(inside: Path) -> None:
    script = (
        "import sys, confine_exec; confine_exec.abi = lambda: 1; sys.exit(confine_exec.main(['--', '/bin/touch', 'x']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=inside,
        env={"PYTHONPATH": str(Path(confine_exec.__file__).parent)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (125, "milepost: cannot confine: Landlock 2 is needed, the kernel has 1\n")
    assert not (inside / "x").exists()


async def test_where_nothing_confines_the_command_runs_and_says_so(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confine, "available", lambda: "")
    done = await shell("echo x > ../outside", inside)
    assert (done.code, done.confined) == (0, "")
    assert "not confined" in confine.describe()


async def test_no_room_for_a_temporary_directory(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "available", lambda: "landlock")
    cage = Confinement(writable=(inside,))
    env = {**scrubbed(os.environ), "TMPDIR": str(inside / "missing")}
    with pytest.raises(SpawnFailed, match="true: no temporary directory for it: No such file or directory"):
        await run(("true",), cwd=inside, env=env, timeout_s=30, confine=cage)


@pytest.mark.parametrize(
    ("by", "code", "stderr", "expected"),
    [
        ("landlock", 125, "milepost: cannot confine: no\n", "milepost: cannot confine: no"),
        ("landlock", 125, "my own 125", ""),
        ("landlock", 1, "milepost: cannot confine: no\n", ""),
        (
            "bubblewrap",
            1,
            "bwrap: No permissions to create new namespace\n",
            "bwrap: No permissions to create new namespace",
        ),
        ("bubblewrap", 1, "1 failed", ""),
        ("", 125, "milepost: cannot confine: no\n", ""),
    ],
)
def test_refused(by: str, code: int, stderr: str, expected: str) -> None:
    assert confine.refused(code, stderr, by) == expected
