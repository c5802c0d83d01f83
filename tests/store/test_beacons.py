"""What workers say of themselves, read by whoever asks."""

import json
import os
from pathlib import Path

import pytest

from milepost.store import beacons
from milepost.store.beacons import Beacon

GOOD = {"pid": 7, "state": "running", "cost": 1.25, "lastHeartbeat": 1_763_760_000_000}


def put(state: Path, name: str, said: object) -> None:
    path = state / "parallel" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(said if isinstance(said, str) else json.dumps(said))


def test_all_workers_in_order(tmp_path: Path) -> None:
    put(tmp_path, "M002.status.json", {**GOOD, "cost": None})
    put(tmp_path, "M001.status.json", {**GOOD, "more": {"x": 1}})
    put(tmp_path, "M003.signal.json", GOOD)
    put(tmp_path, ".M004.status.json.tmp", GOOD)
    assert beacons.read(str(tmp_path)) == (
        Beacon("M001", 7, "running", 1.25, 1_763_760_000_000),
        Beacon("M002", 7, "running", None, 1_763_760_000_000),
    )


@pytest.mark.parametrize("made", [False, True])
def test_without_a_directory_there_is_nobody(made: bool, tmp_path: Path) -> None:
    if made:
        (tmp_path / "parallel").write_text("a file")
    assert beacons.read(str(tmp_path)) == ()


BAD = [
    "", "{", "[]", "null", "3", "[" * 100_000, "\udcff",
    {**GOOD, "pid": "x"}, {**GOOD, "pid": None}, {**GOOD, "cost": []},
    '{"pid": Infinity, "state": "running", "lastHeartbeat": 1}',
    '{"pid": 7, "state": "running", "lastHeartbeat": 1, "cost": NaN}',
    '{"pid": 7, "state": "running", "lastHeartbeat": 1, "cost": 1e999}',
    {"pid": 7, "state": "running"},
]  # fmt: skip


@pytest.mark.parametrize("said", BAD)
def test_what_cannot_be_read_is_passed_over(said: object, tmp_path: Path) -> None:
    if said == "\udcff":
        put(tmp_path, "M001.status.json", "")
        (tmp_path / "parallel" / "M001.status.json").write_bytes(b'{"pid": 7, "state": "\xff"')
    else:
        put(tmp_path, "M001.status.json", said)
    put(tmp_path, "M002.status.json", GOOD)
    assert [beacon.milestone_id for beacon in beacons.read(str(tmp_path))] == ["M002"]


def test_a_directory_of_that_name_is_passed_over(tmp_path: Path) -> None:
    os.makedirs(tmp_path / "parallel" / "M001.status.json")
    assert beacons.read(str(tmp_path)) == ()
