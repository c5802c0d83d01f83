"""A lease whose file is deleted stays one, and is put back."""

import threading
from pathlib import Path

import pytest

from milepost.formats.journal import CapReset
from milepost.store import lease
from milepost.store.journal import Journal
from milepost.store.lease import SHARERS, UNKNOWN, Lease, LeaseLost
from store.children import fork, in_child, kill, wait
from store.leases import free, hold_in_child, mine, refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parallel" / "M001.lease"


@pytest.fixture
def guard(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "M001.jsonl"


@pytest.mark.parametrize("shared", [False, True])
def test_who_deletes_the_file_has_not_opened_the_door(shared: bool, path: Path, guard: Path) -> None:
    child = hold_in_child(path, shared=shared, guard=guard)
    try:
        path.unlink()
        assert lease.holder(path, guard) == (SHARERS if shared else UNKNOWN)
        refused(path, guard=guard)
        # That try may have left an empty file.
        assert lease.holder(path, guard) == (SHARERS if shared else UNKNOWN)
        refused(path, guard=guard)
    finally:
        kill(child)
    assert lease.holder(path, guard) is None


@pytest.mark.parametrize("gone", ["lease", "guard", "directory", "replaced"])
@pytest.mark.parametrize("shared", [False, True])
def test_what_was_deleted_is_put_back(shared: bool, gone: str, path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), shared=shared, guard=guard) as held:
        assert not held.restore()
        (guard if gone == "guard" else path).unlink()
        if gone == "directory":
            path.parent.rmdir()
        if gone == "replaced":
            path.write_text('{"pid": 1, "run": "r-other"}')
        assert held.restore()
        assert not held.restore()
        assert lease.holder(path) == (SHARERS if shared else mine())
        assert in_child(lambda: refused(path)) == 0
        assert in_child(lambda: refused(guard)) == 0
    assert free(path, guard=guard)


def test_without_a_guard_it_is_put_back_too(path: Path) -> None:
    with Lease(path, "M001", mine()) as held:
        path.unlink()
        assert held.restore()
        refused(path)


@pytest.mark.parametrize("guarded", [False, True])
def test_when_somebody_else_took_it_meanwhile_it_is_lost(guarded: bool, path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), guard=guard if guarded else None) as held:
        path.unlink()
        if guarded:
            guard.unlink()
        child = hold_in_child(path, guard=guard if guarded else None)
        try:
            with pytest.raises(LeaseLost, match="somebody else took M001 over"):
                held.restore()
            found = lease.holder(path)
            assert found is not None
            assert found.pid == child
        finally:
            kill(child)


def test_it_is_put_back_though_others_try_to_take_it(path: Path, guard: Path, tmp_path: Path) -> None:
    def knock() -> None:
        while not (tmp_path / "over").exists():
            refused(path, guard=guard)

    with Lease(path, "M001", mine(), guard=guard) as held:
        child = fork(knock)
        for _ in range(5):
            path.unlink()
            assert held.restore()
        (tmp_path / "over").touch()
        assert wait(child) == 0


def test_what_is_not_held_cannot_be_put_back(path: Path) -> None:
    made = Lease(path, "M001", mine())
    with pytest.raises(LeaseLost):
        made.restore()
    with pytest.raises(LeaseLost):
        made.detach()


def test_the_journal_is_written_while_it_is_the_guard(path: Path, guard: Path) -> None:
    journal = Journal(guard.parent.parent, "M001")
    with Lease(path, "M001", mine(), guard=guard):
        journal.append(CapReset(at_ms=1, run="r", unit="*"))
        assert in_child(lambda: journal.append_unless(lambda events: None, CapReset(at_ms=2, run="r", unit="*"))) == 0
        assert len(journal.own()) == 2
        refused(path, guard=guard)


def test_two_threads_put_it_back_once(path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), guard=guard) as held:
        path.unlink()
        found: list[bool] = []
        threads = [threading.Thread(target=lambda: found.append(held.restore())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [False, False, False, True]
