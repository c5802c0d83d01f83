"""What workers say of themselves, read by whoever asks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from milepost.formats.status import CurrentUnit, Status, WorkerState, encode
from milepost.model.ids import BadId
from milepost.store import beacons
from milepost.store.beacons import Beacon
from store.children import fork, kill, wait

GOOD = {"pid": 7, "state": "running", "cost": 1.25, "lastHeartbeat": 1_763_760_000_000}


def status(mid: str = "M001", **changes: object) -> Status:
    made = Status(
        milestone_id=mid,
        pid=7,
        state=WorkerState.RUNNING,
        current_unit=CurrentUnit(type="execute-task", id="M001/S01/T01", started_at=1_763_760_000_000),
        completed_units=3,
        cost=1.25,
        last_heartbeat=1_763_760_000_000,
        started_at=1_763_759_000_000,
        worktree_path="/project/.gsd/worktrees/M001",
    )
    return msgspec.structs.replace(made, **changes)


def put(state: Path, name: str, said: object) -> None:
    path = state / "parallel" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(said if isinstance(said, str) else json.dumps(said))


@pytest.mark.spec(id="PR-345")
@pytest.mark.spec(id="PR-300")
def test_all_workers_in_order(tmp_path: Path) -> None:
    put(tmp_path, "M002.status.json", {**GOOD, "cost": None})
    put(tmp_path, "M001.status.json", {**GOOD, "more": {"x": 1}})
    put(tmp_path, "M003.signal.json", GOOD)
    put(tmp_path, ".M004.status.json.tmp", GOOD)
    assert beacons.read(str(tmp_path)) == (
        Beacon("M001", 7, "running", 1.25, 1_763_760_000_000),
        Beacon("M002", 7, "running", None, 1_763_760_000_000),
    )


@pytest.mark.spec(id="PR-302")
@pytest.mark.parametrize("made", [False, True])
def test_without_a_directory_there_is_nobody(made: bool, tmp_path: Path) -> None:
    if made:
        (tmp_path / "parallel").write_text("a file")
    assert beacons.read(str(tmp_path)) == ()
    assert beacons.load(tmp_path / "parallel") == ()


BAD = [
    "", "{", "[]", "null", "3", "[" * 100_000, "\udcff",
    {**GOOD, "pid": "x"}, {**GOOD, "pid": None}, {**GOOD, "cost": []},
    '{"pid": Infinity, "state": "running", "lastHeartbeat": 1}',
    '{"pid": 7, "state": "running", "lastHeartbeat": 1, "cost": NaN}',
    '{"pid": 7, "state": "running", "lastHeartbeat": 1, "cost": 1e999}',
    {"pid": 7, "state": "running"},
    {**GOOD, "milestoneId": "M002"},
    " " * 2_000_000,
]  # fmt: skip


@pytest.mark.spec(id="PR-301")
@pytest.mark.parametrize("said", BAD)
def test_what_cannot_be_read_is_passed_over(said: object, tmp_path: Path) -> None:
    if said == "\udcff":
        put(tmp_path, "M001.status.json", "")
        (tmp_path / "parallel" / "M001.status.json").write_bytes(b'{"pid": 7, "state": "\xff"')
    else:
        put(tmp_path, "M001.status.json", said)
    put(tmp_path, "M002.status.json", GOOD)
    beacons.publish(tmp_path / "parallel", status("M003"))
    assert [beacon.milestone_id for beacon in beacons.read(str(tmp_path))] == ["M002", "M003"]
    assert beacons.load(tmp_path / "parallel") == (status("M003"),)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.spec(id="PR-301")
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, dangling, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_hangs_nobody(make: Callable[[Path], None], tmp_path: Path) -> None:
    box = tmp_path / "parallel"
    beacons.publish(box, status("M002"))
    make(box / "M001.status.json")
    assert [beacon.milestone_id for beacon in beacons.read(str(tmp_path))] == ["M002"]
    assert beacons.load(box) == (status("M002"),)


@pytest.mark.spec(id="PR-030")
@pytest.mark.spec(id="PR-300")
def test_all_that_a_worker_says_is_read(tmp_path: Path) -> None:
    more = status("M002", title="Second", doing="working", fleet="f-1", last_progress=5, current_unit=None)
    beacons.publish(tmp_path, more)
    beacons.publish(tmp_path, status())
    assert beacons.load(tmp_path) == (status(), more)
    said = json.loads((tmp_path / "M001.status.json").read_text())
    (tmp_path / "M001.status.json").write_text(json.dumps({**said, "ofAnotherVersion": [1]}))
    assert beacons.load(tmp_path) == (status(), more)


@pytest.mark.spec(id="PR-301")
@pytest.mark.spec(id="FM-48")
@pytest.mark.parametrize("name", ["M001 2.status.json", "M002.status.json", "M001.status 2.json"])
def test_a_copy_under_another_name_is_no_worker(name: str, tmp_path: Path) -> None:
    beacons.publish(tmp_path / "parallel", status())
    (tmp_path / "parallel" / name).write_bytes(encode(status(pid=8)))
    assert beacons.load(tmp_path / "parallel") == (status(),)
    assert [beacon.pid for beacon in beacons.read(str(tmp_path))] == [7]


def test_the_directory_is_made_and_nothing_else_left(tmp_path: Path) -> None:
    box = tmp_path / "a" / "parallel"
    for _ in range(3):
        beacons.publish(box, status())
    assert os.listdir(box) == ["M001.status.json"]
    with pytest.raises(BadId):
        beacons.publish(box, status("../M001"))


@pytest.mark.spec(id="PR-032")
@pytest.mark.spec(id="PR-307")
@pytest.mark.spec(id="FM-44")
def test_who_reads_while_others_write_sees_whole_records(tmp_path: Path) -> None:
    beacons.publish(tmp_path, status())

    def work(pid: int) -> None:
        for number in range(1_000_000):
            beacons.publish(tmp_path, status(pid=pid, reason="x" * (number % 5_000)))

    children = [fork(lambda pid=pid: work(pid)) for pid in (7, 8)]  # type: ignore[misc]
    seen: set[tuple[Status, ...]] = set()
    deadline = time.monotonic() + 60
    while len(seen) < 200 and time.monotonic() < deadline:
        seen.add(beacons.load(tmp_path))
    for child in children:
        kill(child)
    assert {len(found) for found in seen} == {1}
    assert len(seen) == 200
    # A writer that was killed in the middle leaves the last whole record.
    assert len(beacons.load(tmp_path)) == 1


def test_a_link_out_of_the_box_is_not_written_through(tmp_path: Path) -> None:
    box = tmp_path / "parallel"
    box.mkdir()
    (tmp_path / "mine").write_text("mine")
    (box / "M001.status.json").symlink_to(tmp_path / "mine")
    assert wait(fork(lambda: beacons.publish(box, status()))) == 0
    assert (tmp_path / "mine").read_text() == "mine"
    assert beacons.load(box) == (status(),)


@pytest.mark.spec(id="PR-345")
def test_reading_the_costs_imports_little() -> None:
    code = "import sys; from milepost.store import beacons; beacons.read('/nowhere'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(Path(beacons.__file__).parents[2])})  # fmt: skip
    assert set(done.stdout.split()).isdisjoint(
        {"msgspec", "pathlib", "dataclasses", "subprocess", "tempfile", "logging"}
    )
