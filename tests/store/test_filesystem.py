"""Which file system a directory lies on, from the kernel's table and from marks of other programs."""

from pathlib import Path

import pytest

from milepost.store.filesystem import Mount, mount_of, synced_above

TABLE = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / {here} rw,relatime shared:5 - {type} server:/export/my\\040work rw,vers=4.2
31 22 0:41 / {here}-other rw - tmpfs tmpfs rw
not a line
"""


@pytest.mark.spec(id="FM-49")
@pytest.mark.parametrize(
    ("kind", "doubtful"),
    [
        ("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True), ("fuse", True),
        ("ext4", False), ("overlay", False), ("tmpfs", False), ("fuseblk", False), ("btrfs", False),
    ],
)  # fmt: skip
def test_the_deepest_mount_decides(tmp_path: Path, kind: str, doubtful: bool) -> None:
    table = tmp_path / "mountinfo"
    (tmp_path / "here/below").mkdir(parents=True)
    table.write_text(TABLE.format(here=tmp_path / "here", type=kind))
    found = mount_of(tmp_path / "here/below", str(table))
    assert found == Mount(type=kind, point=str(tmp_path / "here"), source="server:/export/my work")
    assert found.doubtful is doubtful
    above = mount_of(tmp_path, str(table))
    assert above is not None
    assert above.type == "ext4"


def test_of_two_mounts_at_one_place_the_later_hides_the_earlier(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text("1 1 0:1 / / rw - nfs a rw\n2 1 0:2 / / rw - ext4 b rw\n")
    found = mount_of(tmp_path, str(table))
    assert found is not None
    assert found.type == "ext4"


def test_the_real_table_says_something_of_every_directory(tmp_path: Path) -> None:
    if not Path("/proc/self/mountinfo").exists():
        assert mount_of(tmp_path) is None
        return
    found = mount_of(tmp_path)
    assert found is not None
    assert str(tmp_path.resolve()).startswith(found.point)


def test_without_a_table_nothing_is_said(tmp_path: Path) -> None:
    assert mount_of(tmp_path, str(tmp_path / "none")) is None


@pytest.mark.spec(id="FM-48")
@pytest.mark.parametrize("name", ["Dropbox", "Dropbox (Work)", "OneDrive - Acme", "Google Drive", "Nextcloud"])
def test_directories_of_synchronising_programs_are_known_by_name(tmp_path: Path, name: str) -> None:
    place = tmp_path / name / "code/project"
    place.mkdir(parents=True)
    assert synced_above(place) == str(tmp_path / name)


@pytest.mark.spec(id="FM-48")
def test_and_by_what_they_leave_there(tmp_path: Path) -> None:
    place = tmp_path / "code/project"
    place.mkdir(parents=True)
    assert synced_above(place) == ""
    (tmp_path / "code/.stfolder").mkdir()
    assert synced_above(place) == str(tmp_path / "code")
