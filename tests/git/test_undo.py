"""`gsd undo milestone`: what a landing brought is out, what came later stays, and nobody takes it for landed."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import run_git
from git import doomed
from git.arrange import commit, everything, head, plan_for, status, write
from milepost.git import bring_in, merge, proof, publish, refs, worktrees
from milepost.git import repo as repository
from milepost.git.commits import CommitRefused, SigningFailed
from milepost.git.land_slice import SliceLanding, land_slice
from milepost.git.merge import Landed, Outcome
from milepost.git.undo import Conflicted, Refused, Undone, landed_commits, undo

BRANCH = "milestone/M001"
ROADMAP = ".gsd/milestones/M001/M001-ROADMAP.md"
LINES = [f"line {n}\n" for n in range(1, 21)]
BOTH = pytest.mark.parametrize("strategy", ["squash", "merge"])


def quiet(step: str, facts: Mapping[str, str]) -> None:
    pass


def land(project: Path, worktree: Path | None, **changes: object) -> Outcome:
    return merge.land(plan_for(project, worktree, **changes), journal=quiet)


def landed(project: Path, worktree: Path, **changes: object) -> Landed:
    found = land(project, worktree, **changes)
    assert isinstance(found, Landed), found
    return found


def take_out(project: Path, what: object = None, **options: object) -> Undone | Conflicted | Refused:
    commits = what if what is not None else landed_commits(project, "M001", "main")
    return undo(project, "M001", "main", commits, **{"title": "Store", **options})  # type: ignore[arg-type]


def taken_out(project: Path, what: object = None, **options: object) -> Undone:
    found = take_out(project, what, **options)
    assert isinstance(found, Undone), found
    return found


def changed(line: int, text: str, lines: list[str] = LINES) -> str:
    return "".join([*lines[: line - 1], f"{text}\n", *lines[line:]])


def looks(where: Path) -> tuple[str, list[str], dict[str, bytes]]:
    return head(where), status(where), everything(where)


def notes(project: Path) -> str:
    return run_git(project, "for-each-ref", "--format=%(refname)", "refs/gsd/landing")


def restored(project: Path, tip: str) -> Path:
    """The branch as it was, in a worktree again."""
    run_git(project, "branch", BRANCH, tip)
    return worktrees.ensure(repository.inspect(project), "M001", "main").path


@BOTH
def test_the_project_is_as_before(project: Path, worktree: Path, strategy: str) -> None:
    commit(worktree, **{"src__app.py": changed(3, "milestone"), "src__with space ü.py": "1"})
    before = head(project)
    done = landed(project, worktree, strategy=strategy)
    found = taken_out(project)
    assert found == Undone(commit=head(project), target="main", before=done.commit, landed=(done.commit,))
    assert run_git(project, "diff", before, "HEAD") == ""
    assert status(project) == []
    assert not (project / "src/store.py").exists()
    assert "- [ ] **S01" in (project / ROADMAP).read_text()
    assert run_git(project, "log", "-1", "--format=%P").split() == [done.commit]
    assert run_git(project, "log", "-1", "--format=%B").strip() == (
        f"revert(M001): take Store back out\n\nThis reverts commit {done.commit}.\n\n"
        f"GSD-Undo: M001\nGSD-Undone-Commit: {done.commit}"
    )
    pins = {pin.label: pin.commit for pin in refs.backups(project, "M001")}
    assert pins["tip"] == done.tip
    assert done.commit in {pin.commit for pin in refs.backups(project, "M001") if pin.label == "target"}
    assert notes(project) == ""


@BOTH
def test_later_work_stays_also_in_the_same_file(project: Path, worktree: Path, strategy: str) -> None:
    commit(worktree, **{"src__app.py": changed(3, "milestone")})
    done = landed(project, worktree, strategy=strategy)
    both = changed(15, "later", changed(3, "milestone").splitlines(keepends=True))
    commit(project, **{"src__app.py": both, "src__later.py": "later\n"})
    taken_out(project)
    assert (project / "src/app.py").read_text() == changed(15, "later")
    assert (project / "src/later.py").exists()
    assert not (project / "src/store.py").exists()
    with pytest.raises(proof.NotLanded, match="not on the target any more"):
        proof.landed(project, "M001", "main", done.tip)
    assert landed_commits(project, "M001", "main") == ()


@pytest.mark.parametrize("how", ["squash", "merge", "slices"])
class TestItCanLandAgain:
    """It does not count as landed after it was undone, and all of it comes when it lands once more."""

    def land_first(self, project: Path, worktree: Path, how: str) -> str:
        if how == "slices":
            first = commit(worktree, one="1")
            plan = plan_for(project, worktree, message="feat(M001/S01): one\n")
            assert isinstance(land_slice(plan, "S01", first, journal=quiet), SliceLanding)
            commit(worktree, two="2")
        return landed(project, worktree, **({} if how == "slices" else {"strategy": how})).tip

    def test_the_same_work_is_refused_with_the_way(self, project: Path, worktree: Path, how: str) -> None:
        """Nothing lands again by itself what a person took out."""
        tip = self.land_first(project, worktree, how)
        done = taken_out(project)
        assert landed_commits(project, "M001", "main") == ()
        refused = land(project, None)
        assert isinstance(refused, Refused)
        assert f"git revert {done.commit[:10]}" in refused.hint
        again = restored(project, tip)
        before = looks(project)
        refused = land(project, again)
        assert isinstance(refused, Refused)
        assert "not on the target any more" in refused.reason
        assert looks(project) == before
        assert (head(again), again.exists()) == (tip, True)

    def test_by_reverting_the_revert(self, project: Path, worktree: Path, how: str) -> None:
        tip = self.land_first(project, worktree, how)
        files = everything(project)
        done = taken_out(project)
        run_git(project, "revert", "--no-edit", done.commit)
        commit(project, **{"src__store.py": "store\nmore\n"})
        assert proof.landed(project, "M001", "main", tip)
        assert set(landed_commits(project, "M001", "main")) == set(done.landed)
        assert isinstance(take_out(project), Conflicted)
        commit(project, **{"src__store.py": "store\n"})
        assert everything(project) == files
        assert not taken_out(project).already
        assert landed_commits(project, "M001", "main") == ()

    def test_with_more_work_and_the_target_brought_in(self, project: Path, worktree: Path, how: str) -> None:
        tip = self.land_first(project, worktree, how)
        before = set(run_git(project, "ls-tree", "-r", "--name-only", "main").splitlines())
        taken_out(project)
        commit(project, later="1")
        again = restored(project, tip)
        found = bring_in.begin(project, again, BRANCH, head(project), mid="M001")
        assert isinstance(found, bring_in.Clean)
        assert (again / "src/store.py").exists()
        assert (again / "later").exists()
        commit(again, mended="1")
        landed(project, again)
        now = set(run_git(project, "ls-tree", "-r", "--name-only", "main").splitlines())
        assert now == before | {"later", "mended"}
        assert len(landed_commits(project, "M001", "main")) >= 1

    def test_done_anew_from_the_target(self, project: Path, worktree: Path, how: str) -> None:
        self.land_first(project, worktree, how)
        taken_out(project)
        fresh = worktrees.ensure(repository.inspect(project), "M001", "main").path
        assert not (fresh / "src/store.py").exists()
        commit(fresh, **{"src__store.py": "better\n"})
        landed(project, fresh)
        assert (project / "src/store.py").read_text() == "better\n"
        taken_out(project)
        assert not (project / "src/store.py").exists()


@BOTH
def test_more_work_without_bringing_the_target_in(project: Path, worktree: Path, strategy: str) -> None:
    """A merge commit leaves an ancestry that outlives its undoing; the first half must not be lost for it."""
    commit(worktree, **{"src__app.py": changed(3, "milestone")})
    tip = landed(project, worktree, strategy=strategy).tip
    taken_out(project)
    commit(project, **{"src__app.py": changed(15, "later")})
    again = restored(project, tip)
    commit(again, mended="1")
    landed(project, again, strategy=strategy)
    assert (project / "src/store.py").exists()
    assert (project / "mended").exists()
    assert (project / "src/app.py").read_text() == changed(
        15, "later", changed(3, "milestone").splitlines(keepends=True)
    )


def test_a_milestone_with_its_slices(project: Path, worktree: Path) -> None:
    """Newest first, whatever order they are given in, and in one commit."""
    before = head(project)
    commit(worktree, **{"src__app.py": changed(3, "one")})
    plan = plan_for(project, worktree, message="feat(M001/S01): one\n")
    one = land_slice(plan, "S01", head(worktree), journal=quiet)
    commit(worktree, **{"src__app.py": changed(3, "two")})
    two = land_slice(plan, "S02", head(worktree), journal=quiet)
    commit(project, later="1")
    commit(worktree, rest="1")
    last = landed(project, worktree)
    assert isinstance(one, SliceLanding)
    assert isinstance(two, SliceLanding)
    newest_first = (last.commit, two.commit, one.commit)
    assert landed_commits(project, "M001", "main") == newest_first
    found = taken_out(project, (two.commit, last.commit, one.commit))
    assert found.landed == newest_first
    assert run_git(project, "diff", "--name-only", before, "main").split() == ["later"]
    assert run_git(project, "log", "--format=%s", f"{last.commit}..main").splitlines() == [
        "revert(M001): take Store back out"
    ]
    assert landed_commits(project, "M001", "main") == ()


class TestConflicts:
    def test_files_and_lines_and_nothing_changed(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"src__app.py": changed(3, "milestone")})
        landed(project, worktree)
        commit(project, **{"src__app.py": changed(3, "mended"), "src__store.py": "store\nmore\n"})
        write(project, {"README.md": "my edit", "note": "mine"})
        before = looks(project)
        found = take_out(project)
        assert isinstance(found, Conflicted)
        assert set(found.details) == {
            "src/app.py lines 3 (changed since)", "src/store.py (changed since; M001 brought it)",
        }  # fmt: skip
        assert [file.path for file in found.files] == ["src/app.py", "src/store.py"]
        assert found.hint.startswith("By hand, on main: git revert ")
        assert looks(project) == before
        assert notes(project) == ""

    def test_then_by_hand(self, project: Path, worktree: Path) -> None:
        """`git revert`, resolved by a person: it does not count as landed either."""
        commit(worktree, **{"src__app.py": changed(3, "milestone")})
        done = landed(project, worktree, strategy="merge")
        commit(project, **{"src__app.py": changed(3, "mended")})
        found = take_out(project)
        assert isinstance(found, Conflicted)
        argv = found.hint.partition("git ")[2].split()
        subprocess.run(["git", "-C", project, *argv], check=False, capture_output=True)
        write(project, {"src/app.py": changed(3, "neither")})
        run_git(project, "commit", "-qa", "--no-edit")
        with pytest.raises(proof.NotLanded):
            proof.landed(project, "M001", "main", done.tip)
        assert landed_commits(project, "M001", "main") == ()

    def test_deleted_since(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"src__app.py": changed(3, "milestone")})
        landed(project, worktree)
        run_git(project, "rm", "-q", "src/app.py", "src/store.py")
        run_git(project, "commit", "-qm", "gone")
        found = take_out(project)
        assert isinstance(found, Conflicted)
        assert found.details == ("src/app.py (deleted since; M001 changed it)",)

    def test_odd_ones(self, project: Path, worktree: Path) -> None:
        commit(project, **{"logo.bin": "\0old"})
        commit(worktree, **{"logo.bin": "\0new"})
        run_git(worktree, "mv", "src/app.py", "src/moved.py")
        run_git(worktree, "commit", "-qm", "moved")
        run_git(worktree, "merge", "-q", "-s", "ours", "--no-edit", "main")
        landed(project, worktree)
        commit(project, **{"logo.bin": "\0later"})
        run_git(project, "mv", "src/moved.py", "src/again.py")
        run_git(project, "commit", "-qm", "moved again")
        before = looks(project)
        found = take_out(project)
        assert isinstance(found, Conflicted)
        assert {file.path for file in found.files} == {"logo.bin", "src/moved.py", "src/again.py", "src/app.py"}
        assert looks(project) == before

    def test_registers_and_built_files_keep_what_they_have(self, project: Path, worktree: Path) -> None:
        start = "# Decisions\n\n| D001 |"
        write(worktree, {".gsd/DECISIONS.md": f"{start} ours |\n", "dist/a.map": "1", ".gsd/NOTES.md": "1\n"})
        commit(worktree, **{ROADMAP.replace("/", "__"): "# M001: Store\n\nall done\n"})
        landed(project, worktree)
        write(project, {".gsd/DECISIONS.md": f"{start} corrected |\n", "dist/a.map": "2"})
        commit(project, **{ROADMAP.replace("/", "__"): "# M001: Store\n\nall done, and edited\n"})
        found = taken_out(project, generated=("*.map",))
        assert set(found.settled) == {
            ".gsd/DECISIONS.md: kept as it is, changed since", "dist/a.map: kept as it is, changed since",
            f"{ROADMAP}: as it was before M001",
        }  # fmt: skip
        assert (project / ".gsd/DECISIONS.md").read_text() == f"{start} corrected |\n"
        assert (project / "dist/a.map").read_text() == "2"
        assert "- [ ] **S01" in (project / ROADMAP).read_text()
        assert not (project / ".gsd/NOTES.md").exists()
        assert landed_commits(project, "M001", "main") == ()

    def test_registers_are_reversed_where_it_fits(self, project: Path, worktree: Path) -> None:
        rows = [f"| D{n:03} | a decision |\n" for n in range(1, 9)]
        commit(project, **{".gsd__DECISIONS.md": "".join(rows)})
        bring_in.begin(project, worktree, BRANCH, head(project), mid="M001")
        commit(worktree, **{".gsd__DECISIONS.md": "".join([rows[0], "| D009 | ours |\n", *rows[1:]])})
        landed(project, worktree)
        commit(project, **{".gsd__DECISIONS.md": "".join([rows[0], "| D009 | ours |\n", *rows[1:], "| D010 | x |\n"])})
        assert taken_out(project).settled == ()
        assert (project / ".gsd/DECISIONS.md").read_text() == "".join([*rows, "| D010 | x |\n"])


class TestUsersCheckout:
    def test_changes_elsewhere_stay(self, project: Path, worktree: Path) -> None:
        landed(project, worktree)
        write(
            project, {"src/other.py": "staged", "src/app.py": "changed\n", "notes ü": "untracked", "x.log": "ignored"}
        )
        run_git(project, "add", "src/other.py")
        write(project, {"src/other.py": "staged and changed"})
        before, files = status(project), everything(project)
        taken_out(project)
        assert status(project) == before
        assert run_git(project, "show", ":src/other.py") == "staged"
        after = everything(project)
        assert set(files) - set(after) == {"src/store.py"}
        assert {name: after[name] for name in after if name != ROADMAP} == {
            name: files[name] for name in after if name != ROADMAP
        }

    @pytest.mark.parametrize("how", ["changed", "staged", "deleted", "untracked"])
    def test_a_change_in_the_way_stops_it(self, project: Path, worktree: Path, how: str) -> None:
        run_git(worktree, "rm", "-q", "src/other.py")
        run_git(worktree, "commit", "-qm", "gone")
        landed(project, worktree)
        path = "src/other.py" if how == "untracked" else "src/store.py"
        if how == "deleted":
            (project / path).unlink()
        else:
            write(project, {path: "mine\n"})
        if how == "staged":
            run_git(project, "add", path)
        before = looks(project)
        refused = take_out(project)
        assert isinstance(refused, Refused)
        assert [blocked.path for blocked in refused.paths] == [path]
        assert "gsd undo milestone M001" in refused.hint
        assert (looks(project), notes(project)) == (before, "")
        run_git(project, "checkout", "-q", "HEAD", "--", path) if how != "untracked" else (project / path).unlink()
        taken_out(project)

    def test_a_merge_of_the_users_is_half_done(self, project: Path, worktree: Path) -> None:
        landed(project, worktree)
        run_git(project, "switch", "-qc", "side", "HEAD~1")
        commit(project, **{"src__app.py": "side\n"})
        run_git(project, "switch", "-q", "main")
        commit(project, **{"src__app.py": "main\n"})
        subprocess.run(["git", "-C", project, "merge", "side"], check=False, capture_output=True)
        before = looks(project)
        refused = take_out(project)
        assert isinstance(refused, Refused)
        assert "a merge is half done here" in str(refused.paths[0])
        assert looks(project) == before

    def test_the_target_is_not_checked_out(self, project: Path, worktree: Path) -> None:
        landed(project, worktree)
        run_git(project, "switch", "-qc", "mine")
        before = looks(project)
        found = taken_out(project)
        assert head(project, "main") == found.commit
        assert looks(project) == before

    def test_the_target_is_checked_out_elsewhere(self, project: Path, worktree: Path, tmp_path: Path) -> None:
        landed(project, worktree)
        run_git(project, "switch", "-qc", "mine")
        run_git(project, "worktree", "add", "-q", str(tmp_path / "w t"), "main")
        taken_out(project)
        assert not (tmp_path / "w t/src/store.py").exists()
        assert status(tmp_path / "w t") == []

    def test_changed_while_it_was_taken_out(self, project: Path, worktree: Path) -> None:
        landed(project, worktree)
        before = head(project)

        def busy(step: str, facts: Mapping[str, str]) -> None:
            if (step, facts["at"]) == ("publish", "done"):
                write(project, {"src/store.py": "my edit\n"})

        refused = take_out(project, journal=busy)
        assert isinstance(refused, Refused)
        assert "nothing was moved" in refused.reason
        assert (head(project), (project / "src/store.py").read_text()) == (before, "my edit\n")
        assert notes(project) == ""

    def test_the_target_moves_meanwhile(self, project: Path, worktree: Path) -> None:
        done = landed(project, worktree)
        moved: list[str] = []

        def busy(step: str, facts: Mapping[str, str]) -> None:
            if (step, facts["at"]) == ("pin", "begin") and not moved:
                moved.append(commit(project, later="1"))

        found = taken_out(project, journal=busy)
        assert run_git(project, "rev-list", f"{done.commit}..main").split() == [found.commit, *moved]
        assert (project / "later").exists()

    def test_it_never_stops_moving(self, project: Path, worktree: Path) -> None:
        landed(project, worktree)

        def busy(step: str, facts: Mapping[str, str]) -> None:
            if (step, facts["at"]) == ("pin", "begin"):
                run_git(project, "commit", "-q", "--allow-empty", "-m", "later")

        refused = take_out(project, journal=busy)
        assert isinstance(refused, Refused)
        assert "moved 5 times" in refused.reason


class TestNothingToTakeOut:
    def test_again(self, project: Path, worktree: Path) -> None:
        done = landed(project, worktree)
        first = taken_out(project)
        before = looks(project)
        again = taken_out(project, done.commit)
        assert (again.commit, again.already, again.before) == (first.commit, True, first.before)
        assert looks(project) == before

    def test_not_on_this_target(self, project: Path, worktree: Path) -> None:
        run_git(project, "branch", "old")
        done = landed(project, worktree)
        for commits, target in (("0" * 40, "main"), (done.commit, "old"), ((), "main"), (done.commit, "none")):
            refused = undo(project, "M001", target, commits)
            assert isinstance(refused, Refused)
            assert refused.hint

    def test_reverted_by_hand_before(self, project: Path, worktree: Path) -> None:
        done = landed(project, worktree)
        run_git(project, "revert", "--no-commit", done.commit)
        run_git(project, "commit", "-qm", "in other words")
        refused = take_out(project, done.commit)
        assert isinstance(refused, Refused)
        assert "nothing of M001 any more" in refused.reason
        assert landed_commits(project, "M001", "main") == ()


@pytest.mark.spec(id="FM-97")
def test_hooks_and_signing(project: Path, worktree: Path, tmp_path: Path) -> None:
    landed(project, worktree)
    hooks = tmp_path / "hooks"
    write(hooks, {"pre-commit": "#!/bin/sh\nexit 1\n", "commit-msg": "#!/bin/sh\necho no reverts >&2\nexit 1\n"})
    for hook in hooks.iterdir():
        hook.chmod(0o755)
    run_git(project, "config", "core.hooksPath", str(hooks))
    before = looks(project)
    with pytest.raises(CommitRefused, match="no reverts"):
        take_out(project)
    (hooks / "commit-msg").unlink()
    run_git(project, "config", "commit.gpgSign", "true")
    run_git(project, "config", "gpg.program", "false")
    with pytest.raises(SigningFailed):
        take_out(project)
    assert (looks(project), notes(project)) == (before, "")
    run_git(project, "config", "commit.gpgSign", "false")
    taken_out(project)


@pytest.mark.parametrize("there", [True, False])
def test_pushing_is_said(project: Path, worktree: Path, tmp_path: Path, there: bool) -> None:
    landed(project, worktree)
    run_git(tmp_path, "init", "-q", "--bare", "remote.git")
    run_git(project, "remote", "add", "origin", str(tmp_path / ("remote.git" if there else "none.git")))
    found = taken_out(project, push_to="origin")
    assert found.pushed is there
    assert bool(found.push_error) is not there
    if there:
        assert head(tmp_path / "remote.git", "main") == found.commit


STEPS = ("merge", "pin", "publish", "checkout", "push")
ANNOUNCED = [f"{step} {at}" for step in STEPS for at in ("begin", "done")]


class TestKilled:
    @pytest.fixture
    def busy(self, project: Path, worktree: Path, tmp_path: Path) -> Path:
        """Landed, with later work; the user has staged, changed, untracked and ignored files; there is a remote."""
        commit(worktree, **{"src__app.py": changed(3, "milestone")})
        run_git(worktree, "rm", "-q", "src/other.py")
        run_git(worktree, "commit", "-qm", "gone")
        landed(project, worktree)
        commit(project, mine="1", staged="1")
        run_git(tmp_path, "init", "-q", "--bare", "remote.git")
        run_git(project, "remote", "add", "origin", str(tmp_path / "remote.git"))
        write(project, {"mine": "changed", "staged": "2", "src/note": "untracked", "x.log": "ignored"})
        run_git(project, "add", "staged")
        write(project, {"staged": "3"})
        return project

    def run(self, project: Path, landing: str, fatal: int = -1) -> tuple[int, list[str]]:
        def take_out(journal: doomed.Journal) -> str:
            outcome = undo(project, "M001", "main", landing, title="Store", push_to="origin", journal=journal)
            return f"{type(outcome).__name__} {getattr(outcome, 'already', '')}"

        return doomed.run(take_out, fatal)

    def of_the_user(self, project: Path) -> tuple[dict[str, bytes], list[str], str]:
        files = everything(project)
        names = ("README.md", "mine", "staged", "src/note", "x.log")
        return {name: files[name] for name in names}, status(project), run_git(project, "show", ":staged")

    @pytest.mark.parametrize("fatal", range(len(ANNOUNCED)), ids=[name.replace(" ", "-") for name in ANNOUNCED])
    @pytest.mark.parametrize("by", ["undo", "complete"])
    def test_and_run_again(self, busy: Path, fatal: int, by: str) -> None:
        """By the same command, or by whatever lands next."""
        (landing,) = landed_commits(busy, "M001", "main")
        before, user = head(busy), self.of_the_user(busy)
        code, announced = self.run(busy, landing, fatal)
        assert (code, announced[-1]) == (-9, ANNOUNCED[fatal])
        early = fatal <= ANNOUNCED.index("publish begin")
        if early:
            assert (head(busy), self.of_the_user(busy)) == (before, user)
        if by == "complete":
            assert merge.complete(plan_for(busy, None), journal=quiet) is None
            assert (publish.noted(busy), self.of_the_user(busy)) == ((), user)
        code, announced = self.run(busy, landing)
        assert (code, announced[-1]) == (0, f"Undone {not early}")
        assert run_git(busy, "log", "--format=%s", f"{before}..main").splitlines() == [
            "revert(M001): take Store back out"
        ]
        assert self.of_the_user(busy) == user
        assert (busy / "src/other.py").read_text() == "other\n"
        assert (busy / "src/app.py").read_text() == "".join(LINES)
        assert not (busy / "src/store.py").exists()
        assert notes(busy) == ""
        assert head(busy.parent / "remote.git", "main") == head(busy)

    def test_every_step_was_walked(self, busy: Path) -> None:
        (landing,) = landed_commits(busy, "M001", "main")
        assert self.run(busy, landing) == (0, [*ANNOUNCED, "Undone False"])

    def test_before_the_files_follow_and_then_edited_by_the_user(self, busy: Path) -> None:
        (landing,) = landed_commits(busy, "M001", "main")
        self.run(busy, landing, ANNOUNCED.index("publish done"))
        write(busy, {"src/store.py": "my edit\n"})
        _, announced = self.run(busy, landing)
        assert announced[-1].startswith("Refused")
        assert (busy / "src/store.py").read_text() == "my edit\n"
        write(busy, {"src/store.py": "store\n"})
        assert self.run(busy, landing)[1][-1] == "Undone True"
        assert not (busy / "src/store.py").exists()

    def test_a_landing_that_was_killed_is_completed_first(self, project: Path, worktree: Path) -> None:
        def fatal(step: str, facts: Mapping[str, str]) -> None:
            if (step, facts["at"]) == ("checkout", "begin"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            merge.land(plan_for(project, worktree), journal=fatal)
        assert publish.noted(project) == ("M001",)
        taken_out(project)
        assert status(project) == []
        assert not (project / "src/store.py").exists()
