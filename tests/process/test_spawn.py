import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from milepost.process import kin, spawn, table
from milepost.process.spawn import Finished, SpawnFailed, run, which

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def env() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "SPAWN_TEST": os.urandom(8).hex()}


def of_test(env: Mapping[str, str]) -> list[int]:
    """Pids that carry this test's variable: everything a command of the test ever started."""
    wanted = f"SPAWN_TEST={env['SPAWN_TEST']}".encode()
    found = (row for row in table.rows() if row.state not in table.GONE)
    return [row.pid for row in found if wanted in table.environment(row.pid)]


async def python(code: str, tmp_path: Path, env: Mapping[str, str], **options: object) -> Finished:
    argv = (sys.executable, "-I", "-S", "-c", code)
    return await run(argv, cwd=tmp_path, env=env, **{"timeout_s": 20.0, "grace_s": 0.2, **options})  # type: ignore[arg-type]


async def test_both_streams_and_the_exit_code(tmp_path: Path, env: dict[str, str]) -> None:
    done = await run(("sh", "-c", "echo out; echo err >&2; exit 3"), cwd=tmp_path, env=env, timeout_s=20)
    assert (done.code, done.signal, done.stdout, done.stderr) == (3, None, "out\n", "err\n")
    assert (done.timed_out, done.leftovers, done.stdout_path) == (False, 0, None)


async def test_stdin_is_empty_and_cwd_is_given(tmp_path: Path, env: dict[str, str]) -> None:
    done = await run(("sh", "-c", "cat; pwd -P"), cwd=tmp_path, env=env, timeout_s=20)
    assert done.stdout == f"{tmp_path.resolve()}\n"


async def test_a_command_sees_only_the_given_environment(tmp_path: Path, env: dict[str, str]) -> None:
    done = await run(("env",), cwd=tmp_path, env=env, timeout_s=20)
    names = {line.split("=")[0] for line in done.stdout.splitlines()}
    assert names == {"PATH", "HOME", "SPAWN_TEST", kin.MARK}


async def test_death_by_signal(tmp_path: Path, env: dict[str, str]) -> None:
    done = await run(("sh", "-c", "kill -SEGV $$"), cwd=tmp_path, env=env, timeout_s=20)
    assert (done.code, done.signal, done.timed_out) == (None, signal.SIGSEGV, False)


async def test_a_hanging_command_ends_with_its_whole_group(tmp_path: Path, env: dict[str, str]) -> None:
    code = "import os, time; os.fork(); os.fork(); print('up', flush=True); time.sleep(600)"
    done = await python(code, tmp_path, env, timeout_s=0.5)
    assert (done.timed_out, done.code, done.signal) == (True, None, signal.SIGTERM)
    assert done.leftovers == 3
    assert done.stdout == "up\n" * 4
    assert of_test(env) == []


async def test_a_command_that_ignores_term_is_killed(tmp_path: Path, env: dict[str, str]) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    done = await python(code, tmp_path, env, timeout_s=0.5)
    assert (done.timed_out, done.signal) == (True, signal.SIGKILL)
    assert of_test(env) == []


async def test_a_stopped_command_is_ended(tmp_path: Path, env: dict[str, str]) -> None:
    done = await python("import os; os.kill(os.getpid(), 19)", tmp_path, env, timeout_s=0.3)
    assert done.timed_out
    assert of_test(env) == []


async def test_a_fork_that_outlives_its_parent_is_ended_and_counted(tmp_path: Path, env: dict[str, str]) -> None:
    code = "import os, time; os.fork() or time.sleep(600); print('parent ends')"
    done = await python(code, tmp_path, env)
    assert (done.code, done.leftovers) == (0, 1)
    assert of_test(env) == []


@pytest.mark.skipif(sys.platform != "linux", reason="found by their environment in /proc")
async def test_a_daemon_with_a_session_of_its_own_is_found(tmp_path: Path, env: dict[str, str]) -> None:
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait()
"""
    done = await python(code, tmp_path, env)
    assert (done.code, done.leftovers) == (0, 1)
    assert of_test(env) == []


async def test_a_process_that_forks_without_pause_cannot_outrun_the_ladder(tmp_path: Path, env: dict[str, str]) -> None:
    code = """
import os, signal, time
signal.signal(15, signal.SIG_IGN)
print(os.getpid(), flush=True)
start = time.monotonic()
while time.monotonic() - start < 30:
    if os.fork():
        os._exit(0)
"""
    done = await python(code, tmp_path, env)
    assert done.code == 0
    with anyio.fail_after(5), pytest.raises(ProcessLookupError):  # noqa: PT012 (the collector of zombies may be slow)
        while True:
            os.killpg(int(done.stdout), 0)
            await anyio.sleep(0.01)


async def test_a_grandchild_that_closed_nothing_does_not_hold_the_end(tmp_path: Path, env: dict[str, str]) -> None:
    done = await run(("sh", "-c", "sleep 600 & echo started"), cwd=tmp_path, env=env, timeout_s=20, grace_s=0.2)
    assert (done.code, done.stdout, done.leftovers) == (0, "started\n", 1)


async def test_a_pipeline_that_ends_a_little_later_is_not_a_leftover(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_SETTLE_S", 10.0)
    done = await run(("sh", "-c", "(sleep 0.15; echo late) & exit 0"), cwd=tmp_path, env=env, timeout_s=20)
    assert (done.stdout, done.leftovers) == ("late\n", 0)


async def test_a_flood_is_capped_in_memory_and_whole_on_disk(tmp_path: Path, env: dict[str, str]) -> None:
    import resource

    code = "import os\nfor _ in range(1600): os.write(1, b'x' * 65535 + b'\\n')\nos.write(1, b'the end\\n')"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = await python(code, tmp_path, env, spool=tmp_path / "deep" / "gate", timeout_s=60.0)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert done.code == 0
    assert done.stdout_bytes == 1600 * 65536 + 8
    assert len(done.stdout) < 10_400
    assert done.stdout.endswith("the end\n")
    assert done.stdout_path == tmp_path / "deep" / "gate.stdout"
    assert done.stdout_path.stat().st_size == done.stdout_bytes
    assert done.stderr_path is None
    assert grown_kib < 20_000


async def test_an_endless_flood_ends_at_its_time(tmp_path: Path, env: dict[str, str]) -> None:
    done = await run(("sh", "-c", "yes & yes >&2"), cwd=tmp_path, env=env, timeout_s=0.3, grace_s=0.2)
    assert done.timed_out
    assert done.stdout_bytes > 100_000
    assert done.stderr_bytes > 100_000
    assert of_test(env) == []


async def test_bytes_that_are_no_text_are_replaced(tmp_path: Path, env: dict[str, str]) -> None:
    done = await python("import os; os.write(1, bytes(range(256)))", tmp_path, env)
    assert done.stdout_bytes == 256
    assert done.stdout.startswith("\x00\x01")
    assert "\ufffd" in done.stdout


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("no-such-program-here", "-x"), "no-such-program-here: no such program"),
        (("./missing.sh",), "./missing.sh: no such program"),
        (("./plain.txt",), "./plain.txt: not executable"),
        (("./garbage",), "./garbage: Exec format error"),
        ((), "(empty command): the command is empty"),
        (("echo", "a\0b"), "echo: embedded null byte"),
    ],
)
async def test_what_cannot_start(argv: tuple[str, ...], says: str, tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "plain.txt").write_text("words")
    (tmp_path / "garbage").write_bytes(b"\x7fnot a program")
    (tmp_path / "garbage").chmod(0o755)
    with pytest.raises(SpawnFailed) as failure:
        await run(argv, cwd=tmp_path, env=env, timeout_s=20)
    assert str(failure.value) == says


async def test_a_directory_that_is_not_there(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(SpawnFailed, match="no such directory"):
        await run(("true",), cwd=tmp_path / "gone", env=env, timeout_s=20)


async def test_a_script_of_the_worktree_is_found_from_its_directory(tmp_path: Path, env: dict[str, str]) -> None:
    script = tmp_path / "check.sh"
    script.write_text("#!/bin/sh\necho checked\n")
    script.chmod(0o755)
    done = await run(("./check.sh",), cwd=tmp_path, env=env, timeout_s=20)
    assert done.stdout == "checked\n"
    assert which("check.sh", cwd=tmp_path, env=env) is None
    assert which("check.sh", cwd=tmp_path, env={"PATH": "."}) == str(tmp_path / "check.sh")


async def test_cancelled_in_the_middle_nothing_is_left(tmp_path: Path, env: dict[str, str]) -> None:
    code = "import os, time; os.fork(); os.setsid() if os.fork() == 0 else 0; open('up', 'w'); time.sleep(600)"
    async with anyio.create_task_group() as group:
        group.start_soon(python, code, tmp_path, env)
        while not (tmp_path / "up").exists() or len(of_test(env)) < 4:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert of_test(env) == []


async def test_no_descriptor_stays_open(tmp_path: Path, env: dict[str, str]) -> None:
    await run(("true",), cwd=tmp_path, env=env, timeout_s=20)
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        await run(("true",), cwd=tmp_path, env=env, timeout_s=20)
        with pytest.raises(SpawnFailed):
            await run(("./missing",), cwd=tmp_path, env=env, timeout_s=20)
    assert len(os.listdir("/dev/fd")) == before


async def test_many_at_once(tmp_path: Path, env: dict[str, str]) -> None:
    ends: list[int | None] = []

    async def one(code: int) -> None:
        ends.append((await run(("sh", "-c", f"exit {code}"), cwd=tmp_path, env=env, timeout_s=60)).code)

    async with anyio.create_task_group() as group:
        for code in range(12):
            group.start_soon(one, code)
    assert sorted(code or 0 for code in ends) == list(range(12))


async def test_a_mark_is_added_to_those_of_spawns_around(tmp_path: Path, env: dict[str, str]) -> None:
    done = await run(("sh", "-c", "echo $MILEPOST_SPAWN"), cwd=tmp_path, env={**env, kin.MARK: "/1-2-3/"}, timeout_s=20)
    assert done.stdout.startswith(f"/1-2-3/{os.getpid()}-")
