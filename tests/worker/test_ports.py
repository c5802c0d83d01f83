"""A block of ports and a name for each worktree of a machine."""

import os
import re
import signal
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from milepost.worker import ports
from milepost.worker.ports import lease, worktree_name

FIRST, LAST = 21_000, 21_099
"""Ten blocks of ten, for tests that use all of them."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


def overlap(one: ports.PortLease, other: ports.PortLease) -> set[int]:
    assert one.base is not None
    assert other.base is not None
    return set(range(one.base, one.base + one.count)) & set(range(other.base, other.base + other.count))


def test_the_same_worktree_gets_the_same_block_again(home: Path) -> None:
    with lease(home, "shop-m001", 10) as first:
        assert first.base is not None
        assert ports.FIRST <= first.base <= ports.LAST - 9
        assert first.note == ""
    with lease(home, "shop-m001", 10) as again:
        assert again.base == first.base


def test_a_block_that_is_held_goes_to_nobody_else(home: Path, stack: ExitStack) -> None:
    first = stack.enter_context(lease(home, "shop-m001", 10))
    same_name = stack.enter_context(lease(home, "shop-m001", 10))
    assert not overlap(first, same_name)


def test_blocks_of_different_sizes_do_not_overlap(home: Path, stack: ExitStack) -> None:
    sizes = (25, 10, 3, 31)
    held = [stack.enter_context(lease(home, f"w{size}", size, first=FIRST, last=LAST + 200)) for size in sizes]
    assert all(one.base is not None for one in held)
    assert not any(overlap(one, other) for at, one in enumerate(held) for other in held[:at])


def test_when_all_are_taken_there_are_none_and_it_is_said(home: Path, stack: ExitStack) -> None:
    for number in range(10):
        assert stack.enter_context(lease(home, f"w{number}", 10, first=FIRST, last=LAST)).base is not None
    late = stack.enter_context(lease(home, "late", 10, first=FIRST, last=LAST))
    assert late.base is None
    assert "no 10 in a row are free between 21000 and 21099" in late.note
    assert late.env(".gsd") == {"GSD_WORKTREE_NAME": "late"}


def test_more_than_there_are(home: Path) -> None:
    assert lease(home, "big", 101, first=FIRST, last=LAST).base is None


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_that_a_stranger_listens_on_is_passed_over(
    family: socket.AddressFamily, address: str, home: Path
) -> None:
    with lease(home, "shop-m001", 10) as usual:
        assert usual.base is not None
    with socket.socket(family, socket.SOCK_STREAM) as server:
        try:
            server.bind((address, usual.base + 7))
        except OSError:
            pytest.skip(f"{address} cannot be listened on here")
        server.listen()
        with lease(home, "shop-m001", 10) as moved:
            assert moved.base is not None
            assert not overlap(moved, usual)


def test_a_process_that_is_killed_leaves_its_block_free(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from milepost.worker.ports import lease;"
        "held = lease(Path(sys.argv[1]), 'shop-m001', 10); print(held.base, flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    base = int(child.stdout.readline())
    with lease(home, "shop-m001", 10) as meanwhile:
        assert meanwhile.base != base
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with lease(home, "shop-m001", 10) as after:
        assert after.base == base


def test_a_command_does_not_keep_the_block_of_a_dead_worker(home: Path) -> None:
    with lease(home, "shop-m001", 10) as held:
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with lease(home, "shop-m001", 10) as again:
            assert again.base == held.base
    finally:
        child.kill()
        child.wait()


def test_racing_processes_get_blocks_of_their_own(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from milepost.worker.ports import lease;"
        "held = lease(Path(sys.argv[1]), 'same', 10); print(held.base, flush=True); sys.stdin.read()"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    bases = [racer.stdout.readline() for racer in racers if racer.stdout]
    for racer in racers:
        racer.communicate()
    assert len(set(bases)) == 4


@pytest.mark.parametrize("kind", ["file", "read-only"])
def test_where_nothing_can_be_written_there_are_no_ports(kind: str, home: Path) -> None:
    if kind == "file":
        home.write_text("")
    else:
        home.mkdir(mode=0o555)
        if os.access(home, os.W_OK):
            pytest.skip("nothing is read-only for this user")
    got = lease(home, "shop-m001", 10)
    assert got.base is None
    assert got.note.startswith("no ports for shop-m001: ")
    got.close()


def test_the_variables(home: Path) -> None:
    with lease(home, "shop-m001", 10) as held:
        assert held.env(".gsd") == {
            "GSD_WORKTREE_NAME": "shop-m001",
            "GSD_PORT_BASE": str(held.base),
            "GSD_PORT_COUNT": "10",
        }
        assert held.env(".sf") == held.env(".gsd") | {
            name.replace("GSD_", "SF_"): value for name, value in held.env(".gsd").items()
        }


@pytest.mark.parametrize(
    ("path", "milestone", "starts"),
    [
        ("shop", "M001", "shop-m001-"),
        ("My Shop (new)", "M002-ab12cd", "my-shop-new-m002-ab12cd-"),
        ("Проект", "M001", "project-m001-"),
        ("Café", "M001", "cafe-m001-"),
        (unicodedata.normalize("NFD", "Café"), "M001", "cafe-m001-"),
        ("a" * 80, "M002-ab12cd", "a" * 21),
        ("-x-", "M001", "x-m001-"),
    ],
)
def test_names(path: str, milestone: str, starts: str, tmp_path: Path) -> None:
    name = worktree_name(tmp_path / path, milestone)
    assert name.startswith(starts)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len(name) <= 40


def test_two_projects_of_one_name_and_one_project_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a/shop").mkdir(parents=True)
    (tmp_path / "b/shop").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/shop")
    assert worktree_name(tmp_path / "a/shop", "M001") != worktree_name(tmp_path / "b/shop", "M001")
    assert worktree_name(tmp_path / "link", "M001") == worktree_name(tmp_path / "a/shop", "M001")
