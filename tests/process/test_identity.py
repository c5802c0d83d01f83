import os
import subprocess
import time
from pathlib import Path

import pytest

from milepost.process import identity
from milepost.process.identity import Liveness, alive, liveness


def test_this_process_is_alive() -> None:
    me = identity.own()
    assert me.pid == os.getpid()
    assert me.start_ticks > 0
    assert me.boot_id
    assert liveness(me) is Liveness.ALIVE


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"start_ticks": 1}, Liveness.DEAD),
        ({"boot_id": "another boot"}, Liveness.DEAD),
        ({"pid": 2**22 + 5}, Liveness.DEAD),
        ({"host": "elsewhere"}, Liveness.UNKNOWN),
        ({"boot_id": ""}, Liveness.ALIVE),
        ({"start_ticks": 0}, Liveness.ALIVE),
    ],
)
def test_what_makes_it_another_process(changed: dict[str, object], expected: Liveness) -> None:
    other = identity.own()._replace(**changed)  # type: ignore[arg-type]
    assert liveness(other) is expected
    assert alive(other) is (expected is not Liveness.DEAD)


def test_a_process_that_ended_is_dead_even_before_it_is_collected() -> None:
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    try:
        known = identity.of(child.pid)
        assert alive(known)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not alive(known)
    finally:
        child.communicate()
    assert not alive(known)


@pytest.mark.parametrize(("ago_s", "before"), [(0, True), (60, False)])
def test_whether_a_process_may_have_written_a_file(tmp_path: Path, ago_s: int, before: bool) -> None:
    """Also when nobody has looked at it for a while: the times of its directory in /proc are those of a look."""
    file = tmp_path / "lock"
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    try:
        file.touch()
        os.utime(file, (time.time() - ago_s, time.time() - ago_s))
        time.sleep(1.2)
        assert identity.started_before(child.pid, file) is before
    finally:
        child.communicate()
    assert not identity.started_before(child.pid, file)
    assert not identity.started_before(os.getpid(), tmp_path / "none")
