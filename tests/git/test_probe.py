"""Conflicts to come are found while the work is still in the worktrees, and the look leaves nothing behind."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, head, plan_for, status, write
from milepost.git import merge, worktrees
from milepost.git import repo as repository
from milepost.git.aside import aside
from milepost.git.land_slice import SliceLanding, land_slice
from milepost.git.probe import Clash, Known, forecast, look_ahead, tip_with_work
from milepost.git.run import GitFailed, git

LINES = [f"line {n}\n" for n in range(1, 21)]


def app(*changes: tuple[int, str]) -> str:
    lines = list(LINES)
    for number, text in changes:
        lines[number - 1] = f"{text}\n"
    return "".join(lines)


@pytest.fixture
def other(project: Path) -> Path:
    """M002's worktree."""
    return worktrees.ensure(repository.inspect(project), "M002", "main").path


def ahead(project: Path, *, known: Known | None = None, **places: Path) -> tuple[Clash, ...]:
    return look_ahead(project, places, "main", state_dir=".gsd", generated=("*.map",), known=known)


def shown(clashes: tuple[Clash, ...]) -> list[str]:
    return [str(clash) for clash in clashes]


def git_directory(project: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of the repository itself, with its time: objects, refs, indexes of all worktrees, locks."""
    found = [path for path in (project / ".git").rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


class TestTipWithWork:
    def test_clean_is_the_tip_itself(self, project: Path, worktree: Path) -> None:
        before = git_directory(project)
        assert tip_with_work(worktree) == head(worktree)
        assert git_directory(project) == before

    def test_everything_that_is_not_ignored(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"old ü": "1", "gone": "1"})
        write(worktree, {"src/app.py": "changed\n", "new/ö": "untracked", "x.log": "ignored", "staged": "1"})
        run_git(worktree, "add", "staged")
        write(worktree, {"staged": "2"})
        (worktree / "gone").unlink()
        (worktree / "old ü").rename(worktree / "renamed")
        (worktree / "src/other.py").unlink()
        write(worktree, {"src/other.py/inside": "a directory now"})
        before = status(worktree)
        made = tip_with_work(worktree)
        assert run_git(project, "log", "-1", "--format=%P", made).split() == [head(worktree)]
        changed = run_git(project, "diff", "--name-status", "--no-renames", "-z", "HEAD..." + made).split("\0")
        found = dict(zip(changed[1::2], changed[::2], strict=False))
        assert {name: found.get(name) for name in ("src/app.py", "new/ö", "staged", "renamed", "src/other.py/inside")} == {
            "src/app.py": "M", "new/ö": "A", "staged": "A", "renamed": "A", "src/other.py/inside": "A",
        }  # fmt: skip
        assert run_git(project, "show", f"{made}:staged") == "2"
        names = run_git(project, "ls-tree", "-r", "--name-only", "-z", made).split("\0")
        assert not {"gone", "old ü", "x.log", "src/other.py"} & set(names)
        assert status(worktree) == before

    def test_neither_index_nor_lock_is_touched(self, project: Path, worktree: Path) -> None:
        """A worker's own git may hold the lock at any moment, and must never find it held by a look."""
        write(worktree, {"src/app.py": "changed\n", "new": "1"})
        os.utime(worktree / "src/other.py", (1, 1))
        lock = project / ".git/worktrees/M001/index.lock"
        lock.write_text("a worker's git is at it")
        before = git_directory(project)
        with aside(project) as env:
            made = tip_with_work(worktree, env=env)
            assert git(project, "show", f"{made}:new", env=env).out == "1"
        assert git_directory(project) == before

    def test_the_same_files_make_the_same_commit(self, project: Path, worktree: Path) -> None:
        write(worktree, {"new": "1"})
        first = tip_with_work(worktree)
        os.utime(worktree / "new", (1, 1))
        assert tip_with_work(worktree) == first
        write(worktree, {"new": "2"})
        assert tip_with_work(worktree) != first

    def test_what_nobody_would_commit_is_left_out(self, project: Path, worktree: Path) -> None:
        write(worktree, {".env": "KEY=1", "id_rsa": "key", ".gsd/runtime/x": "1", ".gsd/metrics.json": "{}"})
        write(worktree, {"huge.bin": "x" * 2_000_001, "inner/x": "1"})
        run_git(worktree / "inner", "init", "-q")
        assert tip_with_work(worktree) == head(worktree)

    def test_thousands_of_untracked_files_are_left_out_and_tracked_ones_are_not(self, worktree: Path) -> None:
        write(worktree, {f"downloaded/{n}": "" for n in range(2_001)})
        write(worktree, {"src/app.py": "changed\n"})
        made = tip_with_work(worktree)
        assert run_git(worktree, "diff", "--name-only", "HEAD", made).split() == ["src/app.py"]

    def test_a_merge_that_is_being_resolved(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"src__app.py": app((9, "mine"))})
        commit(project, **{"src__app.py": app((9, "theirs"))})
        os.system(f"git -C '{worktree}' merge main >/dev/null 2>&1")
        before = status(worktree)
        made = tip_with_work(worktree)
        assert "<<<<<<<" in run_git(worktree, "show", f"{made}:src/app.py")
        assert status(worktree) == before == ["UU src/app.py"]

    def test_files_that_change_under_it(self, project: Path, worktree: Path) -> None:
        """An agent writes while it is looked at: files come, go, shrink, and become directories."""
        end, round_ = threading.Event(), 0
        index = project / ".git/worktrees/M001/index"
        before = index.read_bytes()

        def agent() -> None:
            nonlocal round_
            while not end.is_set():
                round_ += 1
                for n in range(5):
                    place = worktree / f"busy{n}"
                    shutil.rmtree(place, ignore_errors=True)
                    place.unlink(missing_ok=True)
                    if (n + round_) % 3 == 0:
                        place.mkdir()
                        (place / "x").write_text("1")
                    else:
                        place.write_bytes(b"x" * ((n * 7_919 * round_) % 50_000))

        writer = threading.Thread(target=agent)
        writer.start()
        try:
            with aside(project) as env:
                for _ in range(25):
                    made = tip_with_work(worktree, env=env)
                    assert git(project, "cat-file", "-t", made, env=env).line == "commit"
        finally:
            end.set()
            writer.join()
        assert round_ > 1
        assert index.read_bytes() == before
        assert head(worktree) == head(project, "milestone/M001")

    def test_a_file_that_git_cannot_take_does_not_hide_the_others(self, project: Path, worktree: Path) -> None:
        run_git(worktree, "config", "filter.broken.clean", "false")
        run_git(worktree, "config", "filter.broken.required", "true")
        write(worktree, {".gitattributes": "*.enc filter=broken\n", "a.enc": "1", "new": "1"})
        made = tip_with_work(worktree)
        assert run_git(worktree, "diff", "--name-only", "HEAD", made).split() == [".gitattributes", "new"]

    def test_no_commit_at_all(self, tmp_path: Path) -> None:
        run_git(tmp_path, "init", "-q", "empty")
        with pytest.raises(GitFailed):
            tip_with_work(tmp_path / "empty")


class TestLookAhead:
    def test_uncommitted_work_of_two_milestones(self, project: Path, worktree: Path, other: Path) -> None:
        write(worktree, {"src/app.py": app((9, "M001"), (10, "M001"))})
        write(other, {"src/app.py": "".join(["top\n", *app((9, "M002")).splitlines(keepends=True)])})
        found = ahead(project, M001=worktree, M002=other)
        assert shown(found) == ["M001 and M002 do not fit: src/app.py lines 9-10 (in M002 10-11)"]
        assert (found[0].paths, found[0].files[0].places) == (("src/app.py",), ("src/app.py:9",))

    def test_each_against_the_target(self, project: Path, worktree: Path, other: Path) -> None:
        write(worktree, {"src/app.py": app((9, "M001"))})
        write(other, {"src/app.py": app((19, "M002"))})
        commit(project, **{"src__app.py": app((9, "main"))})
        assert shown(ahead(project, M001=worktree, M002=other)) == [
            "M001 and main do not fit: src/app.py lines 9 (in main 9)"
        ]

    def test_the_names_stand_in_the_order_given(self, project: Path, worktree: Path, other: Path) -> None:
        """Whatever the commits are called: answers are kept by commit, in one order."""
        known: Known = {}
        for number in range(4):
            write(worktree, {"src/app.py": "".join(["top\n", *LINES[:8], f"M001 {number}\n", *LINES[9:]])})
            write(other, {"src/app.py": app((9, f"M002 {number}"))})
            assert shown(ahead(project, known=known, M001=worktree, M002=other)) == [
                "M001 and M002 do not fit: src/app.py lines 10 (in M002 9)"
            ]
            assert shown(ahead(project, known=known, M002=other, M001=worktree)) == [
                "M002 and M001 do not fit: src/app.py lines 9 (in M001 10)"
            ]

    def test_deleted_here_changed_there_and_binary(self, project: Path, worktree: Path, other: Path) -> None:
        (worktree / "src/app.py").unlink()
        write(worktree, {"logo": "\0a"})
        write(other, {"src/app.py": "changed\n", "logo": "\0b"})
        (found,) = ahead(project, M001=worktree, M002=other)
        assert str(found) == "M001 and M002 do not fit: logo; src/app.py (deleted in M001)"
        (found,) = ahead(project, M002=other, M001=worktree)
        assert str(found) == "M002 and M001 do not fit: logo; src/app.py (deleted in M001)"

    @pytest.mark.spec(id="FM-98")
    @pytest.mark.spec(id="FM-99")
    def test_what_policy_settles_is_no_news(self, project: Path, worktree: Path, other: Path) -> None:
        first = "# Decisions\n\n| D001 | first |\n"
        for where, who in ((worktree, "M001"), (other, "M002")):
            write(where, {".gsd/DECISIONS.md": f"{first}| D002 | {who} |\n", "dist/a.map": who})
            write(where, {".gsd/QUEUE-ORDER.json": f'["{who}"]'})
        assert ahead(project, M001=worktree, M002=other) == ()
        found = look_ahead(project, {"M001": worktree, "M002": other}, "main", state_dir=".gsd")
        assert [clash.paths for clash in found] == [("dist/a.map",)]

    def test_nothing_of_a_look_is_left(self, project: Path, worktree: Path, other: Path, tmp_path: Path) -> None:
        write(worktree, {"src/app.py": app((9, "M001")), "new": "1"})
        write(other, {"src/app.py": app((9, "M002")), "new": "2"})
        commit(project, **{"src__app.py": app((9, "main"))})
        before = git_directory(project)
        assert len(ahead(project, M001=worktree, M002=other)) == 3
        assert git_directory(project) == before

    def test_what_it_says_is_what_the_merge_says(self, project: Path, worktree: Path, other: Path) -> None:
        """The warning comes true, in the same file and lines; or it is avoided, and nothing is said any more."""
        write(worktree, {"src/app.py": app((9, "M001"), (10, "M001"))})
        write(other, {"src/app.py": app((9, "M002"))})
        (said,) = ahead(project, M001=worktree, M002=other)
        landed = merge.land(
            plan_for(project, other, mid="M002", branch="milestone/M002"), journal=lambda step, facts: None
        )
        assert isinstance(landed, merge.Landed)
        stopped = merge.land(plan_for(project, worktree), journal=lambda step, facts: None)
        assert isinstance(stopped, merge.Conflicted)
        assert [(file.path, file.milestone_lines) for file in stopped.files] == [
            (file.path, file.a_lines) for file in said.files
        ]
        os.system(f"git -C '{worktree}' merge main >/dev/null 2>&1")
        write(worktree, {"src/app.py": app((9, "both"), (10, "M001"))})
        run_git(worktree, "commit", "-qam", "resolved")
        assert ahead(project, M001=worktree) == ()

    def test_a_worktree_that_cannot_be_read_is_left_out(self, project: Path, worktree: Path, other: Path) -> None:
        write(worktree, {"src/app.py": app((9, "M001"))})
        commit(project, **{"src__app.py": app((9, "main"))})
        (other / ".git").unlink()
        found = ahead(project, M001=worktree, M002=other, M003=project / "gone", M004=project)
        assert [(clash.a, clash.b) for clash in found] == [("M001", "main")]

    def test_a_git_file_that_leads_elsewhere_is_not_followed(
        self, project: Path, worktree: Path, tmp_path: Path
    ) -> None:
        run_git(tmp_path, "init", "-q", "evil")
        evil, proof = tmp_path / "evil", tmp_path / "proof"
        commit(evil, **{"src__app.py": "evil\n"})
        run_git(evil, "config", "filter.evil.clean", f"touch '{proof}'; cat")
        (worktree / ".git").write_text(f"gitdir: {evil / '.git'}\n")
        write(worktree, {".gitattributes": "* filter=evil\n", "src/app.py": "changed\n"})
        assert ahead(project, M001=worktree) == ()
        assert not proof.exists()

    @pytest.mark.parametrize("name", ["with space and ü", "line\nend", 'quo"te'])
    def test_any_project_path(self, project: Path, worktree: Path, tmp_path: Path, name: str) -> None:
        place = tmp_path / name
        run_git(tmp_path, "clone", "-q", str(project), str(place))
        run_git(place, "worktree", "add", "-q", "-b", "milestone/M001", str(tmp_path / "wt"))
        commit(place, **{"src__app.py": app((9, "main"))})
        write(tmp_path / "wt", {"src/app.py": app((9, "M001"))})
        found = look_ahead(place, {"M001": tmp_path / "wt"}, "main", state_dir=".gsd")
        assert [clash.paths for clash in found] == [("src/app.py",)]

    def test_a_repository_that_borrows_its_objects(self, project: Path, worktree: Path, tmp_path: Path) -> None:
        run_git(tmp_path, "clone", "-q", "--shared", str(project), "borrowing")
        place = tmp_path / "borrowing"
        run_git(place, "worktree", "add", "-q", "-b", "milestone/M001", str(tmp_path / "wt"))
        commit(place, **{"src__app.py": app((9, "main"))})
        write(tmp_path / "wt", {"src/app.py": app((9, "M001"))})
        assert len(look_ahead(place, {"M001": tmp_path / "wt"}, "main", state_dir=".gsd")) == 1


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The merges that git is asked for, by way of a `git` on PATH that notes what it is called with."""
    real, directory = shutil.which("git"), Path(os.environ["HOME"]) / "bin"
    directory.mkdir(exist_ok=True)
    log = directory / "log"
    log.write_text("")
    (directory / "git").write_text(f'#!/bin/sh\necho "$*" >> "{log}"\nexec {real} "$@"\n')
    (directory / "git").chmod(0o755)
    calls: list[str] = []
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{directory}:{os.environ['PATH']}")
        yield calls
    calls += [line for line in log.read_text().splitlines() if "merge-tree" in line]


class TestForecast:
    def test_answers_are_kept(
        self, project: Path, worktree: Path, other: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(worktree, {"src/app.py": app((9, "M001"))})
        write(other, {"src/app.py": app((9, "M002"))})
        known: Known = {}
        with counted(monkeypatch) as first:
            said = ahead(project, known=known, M001=worktree, M002=other)
        with counted(monkeypatch) as again:
            assert ahead(project, known=known, M001=worktree, M002=other) == said
        write(other, {"src/app.py": app((19, "M002"))})
        with counted(monkeypatch) as changed:
            assert ahead(project, known=known, M001=worktree, M002=other) == ()
        assert (len(first), len(again), len(changed)) == (3, 0, 2)

    def test_old_answers_are_dropped(self, project: Path, worktree: Path) -> None:
        known: Known = {(f"{n}", f"{n}"): () for n in range(5_000)}
        forecast(project, {"M001": head(worktree)}, "main", state_dir=".gsd", known=known)
        assert len(known) == 1

    def test_the_target_may_be_a_commit_or_gone(self, project: Path, worktree: Path) -> None:
        tip = commit(worktree, **{"src__app.py": app((9, "M001"))})
        onto = commit(project, **{"src__app.py": app((9, "main"))})
        (found,) = forecast(project, {"M001": tip}, onto, state_dir=".gsd")
        assert found.b == onto
        assert forecast(project, {"M001": tip}, "gone", state_dir=".gsd") == ()

    def test_no_common_history_is_not_compared(self, project: Path, worktree: Path) -> None:
        run_git(project, "checkout", "-q", "--orphan", "alone")
        alone = commit(project, x="1")
        assert forecast(project, {"M001": head(worktree), "M002": alone}, "main", state_dir=".gsd") == ()

    def test_a_rename_is_seen(self, project: Path, worktree: Path, other: Path) -> None:
        run_git(worktree, "mv", "src/app.py", "src/main.py")
        write(other, {"src/app.py": app((9, "M002"))})
        assert ahead(project, M001=worktree, M002=other) == ()
        write(worktree, {"src/main.py": app((9, "M001"))})
        assert [clash.paths for clash in ahead(project, M001=worktree, M002=other)] == [("src/main.py",)]


class TestAfterASlice:
    """`merge_strategy: per-slice`: what landed of a milestone does not clash with what it goes on to make of it."""

    @pytest.fixture
    def landed(self, project: Path, worktree: Path) -> SliceLanding:
        done_at = commit(worktree, **{"src__app.py": app((9, "S01"))})
        plan = plan_for(project, worktree, message="feat(M001/S01): Core\n")
        found = land_slice(plan, "S01", done_at, journal=lambda step, facts: None)
        assert isinstance(found, SliceLanding)
        return found

    @pytest.mark.spec(id="PR-064")
    def test_the_next_slice_in_the_same_lines(self, project: Path, worktree: Path, landed: SliceLanding) -> None:
        write(worktree, {"src/app.py": app((9, "S02"))})
        before = git_directory(project)
        assert ahead(project, M001=worktree) == ()
        assert git_directory(project) == before
        run_git(project, "update-ref", "-d", "refs/gsd/slices/M001/S01")
        assert len(ahead(project, M001=worktree)) == 1

    def test_another_milestone_that_has_the_target(self, project: Path, worktree: Path, landed: SliceLanding) -> None:
        write(worktree, {"src/app.py": app((9, "S02"))})
        other = worktrees.ensure(repository.inspect(project), "M002", "main").path
        write(other, {"src/app.py": app((9, "S01"), (19, "M002"))})
        assert ahead(project, M001=worktree, M002=other) == ()
        write(other, {"src/app.py": app((9, "M002"))})
        assert shown(ahead(project, M001=worktree, M002=other)) == [
            "M001 and M002 do not fit: src/app.py lines 9 (in M002 9)"
        ]

    def test_a_link_that_will_not_fit_is_a_clash_with_the_target(
        self, project: Path, worktree: Path, landed: SliceLanding
    ) -> None:
        commit(project, **{"src__app.py": app((9, "somebody"))})
        write(worktree, {"src/app.py": app((9, "S02"))})
        assert [(clash.a, clash.b) for clash in ahead(project, M001=worktree)] == [("M001", "main")]
