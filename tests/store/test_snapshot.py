"""Reading a real directory: laziness, worktrees, links, and files that are no documents."""

import os
from pathlib import Path

import pytest

from milepost.errors import FormatError
from milepost.formats import tree as layout
from milepost.store.snapshot import LIMIT_BYTES, Snapshot


def write(root: Path, path: str, data: str | bytes = "text\n") -> Path:
    file = root / ".gsd" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def test_text_has_lf_and_no_bom_and_keeps_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    write(tmp_path, "A.md", b"\xef\xbb\xbfa\r\nb\rc\n\xff")
    assert Snapshot(str(tmp_path)).text("A.md") == "a\nb\nc\n\udcff"


def test_what_is_missing_or_of_another_kind_reads_as_nothing(tmp_path: Path) -> None:
    write(tmp_path, "milestones/M001/M001-ROADMAP.md/inside")
    write(tmp_path, "file.md")
    snapshot = Snapshot(str(tmp_path))
    assert snapshot.text("none.md") is None
    assert snapshot.text("milestones/M001/M001-ROADMAP.md") is None
    assert snapshot.text("file.md/deeper.md") is None
    assert snapshot.names("file.md") == snapshot.names("none") == ()
    assert not snapshot.is_dir("file.md")
    assert Snapshot(str(tmp_path / "nowhere")).names("") == ()


@pytest.mark.parametrize(
    ("data", "words"), [(b"a\0b", "NUL"), ("text".encode("utf-16"), "NUL"), (b"x" * (LIMIT_BYTES + 1), "larger")]
)
def test_what_is_no_document_is_named_and_refused(tmp_path: Path, data: bytes, words: str) -> None:
    write(tmp_path, "milestones/M001/M001-ROADMAP.md", data)
    with pytest.raises(FormatError, match=words) as caught:
        Snapshot(str(tmp_path)).text("milestones/M001/M001-ROADMAP.md")
    assert caught.value.path == ".gsd/milestones/M001/M001-ROADMAP.md"


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "A.md")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("milepost.store.snapshot.os.open", refuse)
    with pytest.raises(FormatError, match=r"\.gsd/A\.md: cannot be read \(Permission denied\)"):
        Snapshot(str(tmp_path)).text("A.md")


def test_a_pipe_in_the_place_of_a_document_is_no_document_and_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / ".gsd").mkdir()
    os.mkfifo(tmp_path / ".gsd" / "A.md")
    assert Snapshot(str(tmp_path)).text("A.md") is None


def test_answers_hold_for_one_snapshot(tmp_path: Path) -> None:
    file = write(tmp_path, "A.md", "old")
    snapshot = Snapshot(str(tmp_path))
    assert (snapshot.text("A.md"), snapshot.names("")) == ("old", ("A.md",))
    file.write_text("new")
    write(tmp_path, "B.md")
    assert (snapshot.text("A.md"), snapshot.names("")) == ("old", ("A.md",))
    assert Snapshot(str(tmp_path)).text("A.md") == "new"


def test_reading_changes_nothing_and_asks_only_for_what_is_needed(tmp_path: Path) -> None:
    write(tmp_path, "milestones/M001/M001-ROADMAP.md", "# M001: T\n")
    write(tmp_path, "milestones/M001/broken.md", b"\0")
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert layout.milestone_file(Snapshot(str(tmp_path)), "M001", "ROADMAP")
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def worktree(root: Path, mid: str) -> Path:
    home = root / ".gsd" / "worktrees" / mid
    (home / ".gsd" / "milestones" / mid).mkdir(parents=True)
    (home / ".git").write_text("gitdir: elsewhere\n")
    return home


def test_a_milestone_with_a_worktree_is_read_there_and_the_rest_at_the_root(tmp_path: Path) -> None:
    for mid in ("M001", "M002"):
        write(tmp_path, f"milestones/{mid}/{mid}-CONTEXT.md", "root")
    home = worktree(tmp_path, "M001")
    write(home, "milestones/M001/M001-CONTEXT.md", "tree")
    write(home, "milestones/M002/M002-CONTEXT.md", "tree")
    snapshot = Snapshot(str(tmp_path))
    assert snapshot.text("milestones/M001/M001-CONTEXT.md") == "tree"
    assert snapshot.text("milestones/M002/M002-CONTEXT.md") == "root"
    assert snapshot.homes == {"M001": str(home / ".gsd")}
    assert snapshot.where("milestones/M001/x.md") == str(home / ".gsd/milestones/M001/x.md")


def test_a_milestone_may_exist_in_its_worktree_only(tmp_path: Path) -> None:
    write(worktree(tmp_path, "M003"), "milestones/M003/M003-CONTEXT.md", "tree")
    assert layout.milestone_ids(Snapshot(str(tmp_path))) == ("M003",)


def test_a_directory_that_is_no_worktree_or_holds_no_plan_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "milestones/M001/M001-CONTEXT.md", "root")
    (worktree(tmp_path, "M001") / ".git").unlink()
    (tmp_path / ".gsd/worktrees/M002").mkdir()
    (tmp_path / ".gsd/worktrees/M002/.git").write_text("gitdir: x\n")
    assert Snapshot(str(tmp_path)).homes == {}
    assert Snapshot(str(tmp_path)).text("milestones/M001/M001-CONTEXT.md") == "root"


def test_given_homes_are_taken_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, "milestones/M001/M001-CONTEXT.md", "root")
    worktree(tmp_path, "M001")
    assert Snapshot(str(tmp_path), homes={}).text("milestones/M001/M001-CONTEXT.md") == "root"


def test_the_state_directory_may_be_a_link_and_links_out_of_it_are_not_followed(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    real.mkdir()
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "S.md").write_text("secret")
    project = tmp_path / "project"
    project.mkdir()
    (project / ".gsd").symlink_to(real)
    (real / "A.md").write_text("fine")
    (real / "inner.md").symlink_to(real / "A.md")
    (real / "outer.md").symlink_to(secret / "S.md")
    (real / "milestones").mkdir()
    (real / "milestones" / "M001").symlink_to(secret)
    snapshot = Snapshot(str(project))
    assert (snapshot.text("A.md"), snapshot.text("inner.md")) == ("fine", "fine")
    assert snapshot.text("outer.md") is None
    assert snapshot.text("milestones/M001/S.md") is None
    assert not snapshot.is_dir("milestones/M001")
    assert snapshot.names("milestones/M001") == ()
    assert layout.milestone_ids(snapshot) == ()


@pytest.mark.parametrize("path", ["../outside.md", "milestones/../../outside.md", "/outside.md"])
def test_no_path_leaves_the_directory(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside.md").write_text("secret")
    (tmp_path / ".gsd").mkdir()
    assert Snapshot(str(tmp_path)).text(path) is None


def test_another_state_directory(tmp_path: Path) -> None:
    (tmp_path / ".sf").mkdir()
    (tmp_path / ".sf" / "A.md").write_text("a")
    assert Snapshot(str(tmp_path), ".sf").text("A.md") == "a"
