"""Ignored files that a new worktree gets a copy of."""

import os
import socket
import stat
import unicodedata
from pathlib import Path

import pytest

from conftest import run_git
from milepost.git.include import copy_included

IGNORE = ".env*\nconf/\nnode_modules/\ndata\n*.local\ngeschützt/\n.gsd/\n"


@pytest.fixture
def tree(repo: Path) -> Path:
    """A worktree of `repo`, where the state directory of ours would have it."""
    (repo / ".gitignore").write_text(IGNORE)
    run_git(repo, "add", ".gitignore")
    run_git(repo, "commit", "-qm", "ignore")
    place = repo / ".gsd/worktrees/M001"
    run_git(repo, "worktree", "add", "-q", "-b", "milestone/M001", str(place))
    return place


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def seen(tree: Path) -> str:
    return run_git(tree, "status", "--porcelain", "--untracked-files=all")


@pytest.mark.spec(id="FM-74")
@pytest.mark.parametrize(
    ("listed", "copied"),
    [
        (".env\n", {".env", "node_modules/x/.env"}),
        ("/.env\n", {".env"}),
        ("conf/\n", {"conf/a.json", "conf/deep/b.json", "conf/secret.json"}),
        ("conf/*\n!conf/secret.json\n", {"conf/a.json", "conf/deep/b.json"}),
        ("# words\n\n.env*\n!.env.production\n", {".env", ".env.local", "node_modules/x/.env"}),
        ("**/b.json\r\n", {"conf/deep/b.json"}),
        ("node_modules/x/index.js\n", {"node_modules/x/index.js"}),
        ("geschützt/\n", {"geschützt/schlüssel.txt"}),
        ("README.md\nnot-there\n", set()),
        ("", set()),
    ],
)
def test_what_a_list_names(listed: str, copied: set[str], repo: Path, tree: Path) -> None:
    write(repo, {
        ".worktreeinclude": listed, ".env": "1", ".env.local": "2", ".env.production": "3", "conf/a.json": "{}",
        "conf/deep/b.json": "{}", "conf/secret.json": "{}", "node_modules/x/.env": "4",
        "node_modules/x/index.js": "5", "geschützt/schlüssel.txt": "6", "untracked.txt": "7",
    })  # fmt: skip
    assert set(copy_included(repo, tree)) == copied
    assert all((tree / path).read_text() == (repo / path).read_text() for path in copied)
    assert seen(tree) == ""


def test_without_a_list_nothing_is_copied(repo: Path, tree: Path) -> None:
    write(repo, {".env": "1"})
    assert copy_included(repo, tree) == ()


def test_mode_and_time_are_kept(repo: Path, tree: Path) -> None:
    write(repo, {".worktreeinclude": "*.local\n", "run.local": "#!/bin/sh\n"})
    (repo / "run.local").chmod(0o700)
    os.utime(repo / "run.local", (1_000_000, 1_000_000))
    copy_included(repo, tree)
    found = (tree / "run.local").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (0o700, 1_000_000)


def test_names_that_are_no_text_and_names_in_either_form(repo: Path, tree: Path) -> None:
    odd = os.fsdecode(b"\xff\xfe.local")
    forms = [unicodedata.normalize(form, "é.local") for form in ("NFC", "NFD")]
    write(repo, {".worktreeinclude": "*.local\n", odd: "1", "new\nline.local": "2", " a'\"b.local": "3"})
    for name in forms:
        write(repo, {name: name})
    copy_included(repo, tree)
    assert {path.name for path in tree.glob("*.local")} == {path.name for path in repo.glob("*.local")}


def test_a_copy_that_was_killed_is_finished_by_the_next(repo: Path, tree: Path) -> None:
    write(repo, {".worktreeinclude": ".env\n", ".env": "KEY=whole\n"})
    write(tree, {".gsd/runtime/include.tmp": "KEY=wh"})
    assert copy_included(repo, tree) == (".env",)
    assert (tree / ".env").read_text() == "KEY=whole\n"
    assert not (tree / ".gsd/runtime/include.tmp").exists()


def test_links(repo: Path, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    write(repo, {".worktreeinclude": "*.local\ndata\n", "a.local": "1"})
    for name, to in {
        "inside.local": "a.local",
        "out.local": "../shared/x",
        "fixed.local": "/etc/hostname",
        "broken.local": "nowhere",
        "data": "../shared",
    }.items():
        (repo / name).symlink_to(to)
    assert len(copy_included(repo, tree)) == 6
    assert (tree / "inside.local").resolve() == tree.resolve() / "a.local"
    assert os.readlink(tree / "out.local") == str(tmp_path / "shared/x")
    assert os.readlink(tree / "fixed.local") == "/etc/hostname"
    assert os.readlink(tree / "broken.local") == "nowhere"
    assert (tree / "data").resolve() == tmp_path / "shared"


def test_the_state_directory_never_goes_along_not_even_as_a_link(repo: Path, tmp_path: Path) -> None:
    (repo / ".gitignore").write_text(".gsd\n.env\n")
    run_git(repo, "add", ".gitignore")
    run_git(repo, "commit", "-qm", "ignore")
    (tmp_path / "plans").mkdir()
    (repo / ".gsd").symlink_to(tmp_path / "plans")
    write(repo, {".worktreeinclude": ".*\n", ".env": "1"})
    run_git(repo, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    assert copy_included(repo, tmp_path / "other") == (".env",)
    assert not (tmp_path / "other/.gsd").is_symlink()


def test_pipes_and_sockets_are_passed_over_and_what_is_there_stays(repo: Path, tree: Path) -> None:
    write(repo, {".worktreeinclude": "conf/\n.env\n", "conf/a.json": "{}", ".env": "1"})
    os.mkfifo(repo / "conf/pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.path.relpath(repo / "conf/socket"))
    server.close()
    write(tree, {".env": "its own"})
    problems: list[str] = []
    assert copy_included(repo, tree, on_problem=problems.append) == ("conf/a.json",)
    assert problems == []
    assert (tree / ".env").read_text() == "its own"


def test_a_file_where_a_directory_should_be(repo: Path, tree: Path) -> None:
    write(repo, {".worktreeinclude": "conf/\n.env\n", "conf/a.json": "{}", "conf/b.json": "{}", ".env": "1"})
    write(tree, {"conf": "a file"})
    problems: list[str] = []
    assert copy_included(repo, tree, on_problem=problems.append) == (".env",)
    (problem,) = problems
    assert problem.startswith(".worktreeinclude: not copied: conf/a.json (")
    assert (tree / "conf").read_text() == "a file"


def test_nothing_is_written_through_a_link_that_leads_out(repo: Path, tree: Path, tmp_path: Path) -> None:
    write(repo, {".worktreeinclude": "conf/\n", "conf/a.json": "{}", "conf/deep/b.json": "{}"})
    (tmp_path / "elsewhere").mkdir()
    (tree / "conf").symlink_to(tmp_path / "elsewhere")
    assert copy_included(repo, tree) == ()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_repository_inside_is_not_taken_apart(repo: Path, tree: Path) -> None:
    inner = repo / "conf/inner"
    inner.mkdir(parents=True)
    run_git(inner, "init", "-q")
    write(repo, {".worktreeinclude": "conf/\n", "conf/inner/file": "1", "conf/a.json": "{}"})
    problems: list[str] = []
    assert copy_included(repo, tree, on_problem=problems.append) == ("conf/a.json",)
    assert not (tree / "conf/inner").exists()
    assert problems == [".worktreeinclude: not copied: conf/inner/ (a repository of its own)"]


def test_very_many_files(repo: Path, tree: Path) -> None:
    write(repo, {".worktreeinclude": "node_modules/\n"})
    write(repo, {f"node_modules/p{n % 50}/lib/f{n}.js": str(n) for n in range(3_000)})
    assert len(copy_included(repo, tree)) == 3_000
    assert (tree / "node_modules/p7/lib/f2957.js").read_text() == "2957"
