"""Who holds what, by the kernel's word."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doctor.project import codes, fixed, look, of, write
from fleet.stand import Fleet, wait_until
from milepost.doctor.finding import Severity
from milepost.process import identity
from milepost.store import lease
from milepost.store.lease import Holder, Lease


def mine(**more: object) -> Holder:
    own = identity.own()
    known = {"pid": own.pid, "run": "r-7", "host": own.host, "boot_id": own.boot_id, "start_ticks": own.start_ticks}
    return Holder(**(known | more))  # type: ignore[arg-type]


@pytest.mark.spec(id="FM-32")
def test_a_held_lease_names_its_holder_and_since_when(sound: Path) -> None:
    since = int(time.time() * 1000) - 3_700_000
    with Lease(sound / ".gsd/parallel/M001.lease", "M001", mine(started_at=since)):
        found = of(sound, "lease_held")
    assert found.severity is Severity.INFO
    assert f"pid {os.getpid()}, run r-7, since " in found.message
    assert "(1 h 1 min)" in found.message


@pytest.mark.spec(id="FM-32")
def test_a_lease_whose_record_is_of_somebody_else_names_who_really_has_it(sound: Path) -> None:
    path = sound / ".gsd/parallel/M001.lease"
    holding = "import fcntl, sys, time; f = open(sys.argv[1], 'r+'); fcntl.flock(f, 2); print('held', flush=True); time.sleep(99)"
    write(sound, {".gsd/parallel/M001.lease": ""})
    child = subprocess.Popen([sys.executable, "-c", holding, str(path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        found = of(sound, "lease_holder_unclear")
        assert f"pid {child.pid}" in found.message
        assert "cannot be read" in found.message
        path.write_bytes(b'{"pid": 999999999, "run": "r-1"}\n')
        assert "names pid 999999999, which is gone" in of(sound, "lease_holder_unclear").message
    finally:
        child.kill()
        child.communicate()


@pytest.mark.spec(id="FM-31")
@pytest.mark.spec(id="FM-47")
def test_the_lease_of_a_killed_worker_is_free_at_once(fleet: Fleet) -> None:
    worker = fleet.start(role="worker", milestone="M001")
    path = fleet.state / "parallel/M001.lease"
    assert f"pid {worker.pid}" in of(fleet.root, "lease_held").message
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    found = of(fleet.root, "lease_left")
    assert found.severity is Severity.INFO
    assert f"was held by pid {worker.pid}, run r1, which is gone; it is free" in found.message
    assert lease.holder(path, fleet.state / "journal/M001.jsonl") is None
    with Lease(path, "M001", mine(), guard=fleet.state / "journal/M001.jsonl"):
        pass
    assert "lease_left" not in codes(fleet.root)


def test_a_lease_file_without_holder_is_no_damage(sound: Path) -> None:
    write(sound, {".gsd/parallel/M001.lease": ""})
    assert look(sound) == []


def test_records_of_nobody(sound: Path) -> None:
    write(
        sound, {".gsd/parallel/M001.lease": "{", ".gsd/parallel/auto.lease": '{"pid": 0, "run": "s", "shared": true}'}
    )
    said = [found.message for found in look(sound) if found.code == "lease_left"]
    assert said == ["has a record that cannot be read; it is free", "was held by several together; it is free"]


def test_a_holder_whose_lease_file_was_deleted_is_still_known(fleet: Fleet) -> None:
    worker = fleet.start(role="worker", milestone="M001")
    (fleet.state / "parallel/M001.lease").unlink()
    found = of(fleet.root, "lease_holder_unclear")
    assert f"pid {worker.pid}" in found.message
    fixed(fleet.root)
    worker.kill()
    worker.wait()
    wait_until(lambda: "lease_holder_unclear" not in codes(fleet.root))
