import os
import signal
import subprocess
import sys

import anyio
import pytest

from milepost.process import kin, ladder, table

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def start(*code: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "\n".join(code)],
        start_new_session=True,
        stdout=subprocess.PIPE,
        env=env or {"PATH": os.environ["PATH"]},
    )


async def test_a_process_that_goes_on_term_is_not_killed() -> None:
    child = start(
        "import signal, sys, time",
        "signal.signal(15, lambda *_: sys.exit(7))",
        "print('up', flush=True)",
        "time.sleep(600)",
    )
    assert child.stdout is not None
    child.stdout.readline()
    remains = await ladder.end(kin.of(child.pid, ""), grace_s=10)
    assert child.wait() == 7
    assert remains == ladder.Remains(ended=0, survivors=())
    child.stdout.close()


async def test_ending_nothing_is_no_work() -> None:
    child = start("pass")
    known = kin.of(child.pid, "")
    child.communicate()
    assert await ladder.end(known) == ladder.Remains(ended=0, survivors=())


def test_a_process_that_took_over_the_number_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "600"]) as child:
        row = table.row(child.pid)
        assert row is not None
        ladder.send(row._replace(start=row.start - 1), signal.SIGKILL)
        assert child.poll() is None
        ladder.send(row, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL


async def test_it_ends_also_when_cancelled() -> None:
    child = start("import time", "print('up', flush=True)", "time.sleep(600)")
    assert child.stdout is not None
    child.stdout.readline()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await ladder.end(kin.of(child.pid, ""))
    assert child.wait() == -signal.SIGTERM
    child.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="found by their environment in /proc")
async def test_commands_of_a_dead_worker_are_found_and_ended() -> None:
    worker = start("pass")
    worker.communicate()
    mine = kin.marked({})[1][kin.MARK]
    orphan = start("import time", "time.sleep(600)", env={kin.MARK: f"/{worker.pid}-1-1/"})
    cared_for = start("import time", "time.sleep(600)", env={kin.MARK: f"/{worker.pid}-1-1/{mine[1:]}"})
    strange = start("import time", "time.sleep(600)", env={kin.MARK: "/what/is-this/"})
    try:
        assert orphan.pid in {row.pid for row in kin.orphans()}
        await ladder.end_orphans()
        assert orphan.wait() == -signal.SIGTERM
        assert (cared_for.poll(), strange.poll()) == (None, None)
    finally:
        for child in (orphan, cared_for, strange):
            child.kill()
            child.communicate()
