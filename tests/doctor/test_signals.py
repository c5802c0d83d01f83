"""Orders that nobody will obey, and what was put aside."""

import json
import os
import time
from pathlib import Path

import pytest

from doctor.project import codes, fixed, look, of, told, write
from doctor.test_sessions import BEACON, beacon
from milepost.doctor.finding import Severity
from milepost.store import mailbox
from milepost.store.lease import Holder, Lease

ORDER = ".gsd/parallel/M001.signal.json"
STOP = '{"signal": "stop", "sentAt": 1, "from": "coordinator"}'


@pytest.mark.spec(id="DV-29")
@pytest.mark.spec(id="DV-18")
@pytest.mark.spec(id="FM-41")
@pytest.mark.parametrize(
    "name", [ORDER, ".gsd/parallel/.M001.signal.claimed.7.0a0b0c0d", ".gsd/parallel/.M001.signal.again.7.0a0b0c0d"]
)
def test_an_order_that_nobody_will_take_is_removed(sound: Path, name: str) -> None:
    write(sound, {name: STOP})
    found = of(sound, "stale_signal")
    assert (found.path, found.severity) == (name, Severity.WARNING)
    assert "orders stop and nobody is there to obey it; the next run would" in found.message
    assert told(fixed(sound), "stale_signal") == "removed"
    assert not (sound / name).exists()
    assert look(sound) == []


def test_an_order_for_one_run_is_not_for_the_next(sound: Path) -> None:
    write(sound, {ORDER: json.dumps(json.loads(STOP) | {"run": "r1"})})
    assert "the next run would" not in of(sound, "stale_signal").message


def test_an_order_to_auto_mode(sound: Path) -> None:
    write(sound, {".gsd/parallel/auto.signal.json": STOP})
    lease = sound / ".gsd/parallel/auto.lease"
    with Lease(lease, "project", Holder(pid=os.getpid(), run="r")):
        assert codes(sound) == ["lease_held"]
    fixed(sound)
    assert not (sound / ".gsd/parallel/auto.signal.json").exists()


def test_an_order_to_a_living_worker_is_left(sound: Path) -> None:
    write(sound, {BEACON: beacon(os.getpid(), lastHeartbeat=time.time_ns() // 1_000_000), ORDER: STOP})
    assert codes(sound) == ["fleet_unattended"]
    fixed(sound)
    assert (sound / ORDER).is_file()


@pytest.mark.spec(id="FM-43")
def test_what_is_no_order_is_kept_shown_and_then_removed(sound: Path) -> None:
    write(sound, {ORDER: '{"signal": "dance"}\n'})
    assert mailbox.claim(sound / ".gsd/parallel", "M001", run="r1") is None
    found = of(sound, "corrupt_signal")
    assert found.path == f"{ORDER}.bad"
    assert '{"signal": "dance"}' in found.message
    fixed(sound)
    assert look(sound) == []


@pytest.mark.spec(id="FM-41")
def test_an_order_that_came_too_late_is_a_note(sound: Path) -> None:
    write(sound, {ORDER: json.dumps(json.loads(STOP) | {"run": "an-earlier-one"})})
    assert mailbox.claim(sound / ".gsd/parallel", "M001", run="r2") is None
    assert of(sound, "stale_signal").severity is Severity.INFO
    fixed(sound)
    assert look(sound) == []


def test_an_order_that_cannot_be_read(sound: Path) -> None:
    write(sound, {ORDER: "{"})
    assert "cannot be read" in of(sound, "stale_signal").message
    fixed(sound)
    assert look(sound) == []
