"""The target merged into a milestone's branch, in its worktree: parallel PR-196, DV-16, FM-84 to FM-86."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, everything, head, status, write
from milepost.git import bring_in, merge, refs, worktrees
from milepost.git import repo as repository
from milepost.git.bring_in import (
    Clean,
    NoCommonHistory,
    NotClean,
    NothingToConclude,
    Unfit,
    Unresolved,
    WrongBranch,
)
from milepost.git.commits import CommitRefused, ConflictsLeft, SigningFailed
from milepost.git.merge import Landed
from milepost.rules.merging import Side

BRANCH = "milestone/M001"
ROADMAP = ".gsd/milestones/M001/M001-ROADMAP.md"
LINES = [f"line {n}\n" for n in range(1, 21)]
NOTES = "refs/gsd/bring-in"


def begin(project: Path, worktree: Path, **options: object) -> Clean | Unfit:
    return bring_in.begin(project, worktree, BRANCH, head(project, "main"), mid="M001", **options)  # type: ignore[arg-type]


def conclude(worktree: Path, **options: object) -> str:
    return bring_in.conclude(worktree, BRANCH, "merge(M001): by hand\n", **options)  # type: ignore[arg-type]


def changed(line: int, text: str) -> str:
    return "".join([*LINES[: line - 1], f"{text}\n", *LINES[line:]])


def clash(project: Path, worktree: Path) -> None:
    """Line 3 of app.py differs on both sides; the target has more that fits."""
    commit(worktree, **{"src__app.py": changed(3, "milestone"), "src__mine.py": "mine\n"})
    commit(project, **{"src__app.py": changed(3, "target"), "src__other.py": "changed\n", "new__file": "new\n"})


def looks(where: Path) -> tuple[str, list[str], dict[str, bytes]]:
    return head(where), status(where), everything(where)


def notes(project: Path) -> str:
    return run_git(project, "for-each-ref", "--format=%(refname)", NOTES)


def parents(where: Path) -> list[str]:
    return run_git(where, "log", "-1", "--format=%P").split()


class TestClean:
    def test_a_merge_commit_on_the_branch(self, project: Path, worktree: Path) -> None:
        commit(project, **{"src__other.py": "changed\n", "new__file": "new\n"})
        tip, user = head(worktree), looks(project)
        done = begin(project, worktree)
        assert done == Clean(commit=head(worktree))
        assert parents(worktree) == [tip, head(project)]
        assert run_git(worktree, "log", "-1", "--format=%B").strip() == "merge(M001): bring main in"
        assert run_git(worktree, "symbolic-ref", "HEAD").strip() == f"refs/heads/{BRANCH}"
        assert (worktree / "new/file").read_text() == "new\n"
        assert (worktree / "src/store.py").exists()
        assert status(worktree) == []
        assert looks(project) == user
        assert notes(project) == ""
        assert not bring_in.unfinished(worktree)

    def test_again_there_is_nothing_to_do(self, project: Path, worktree: Path) -> None:
        commit(project, new="1")
        begin(project, worktree)
        before = looks(worktree)
        assert begin(project, worktree) == Clean(commit=None)
        assert looks(worktree) == before

    def test_message_and_name_are_given(self, project: Path, worktree: Path) -> None:
        commit(project, new="1")
        begin(project, worktree, message="merge(M001): take the rest\n\nWhy not.\n")
        assert run_git(worktree, "log", "-1", "--format=%B").startswith("merge(M001): take the rest\n\nWhy not.\n")

    def test_a_commit_that_is_no_branch(self, project: Path, worktree: Path) -> None:
        onto = commit(project, new="1")
        commit(project, newer="1")
        done = bring_in.begin(project, worktree, BRANCH, onto, mid="M001")
        assert isinstance(done, Clean)
        assert run_git(worktree, "log", "-1", "--format=%s").strip() == f"merge(M001): bring {onto[:10]} in"
        assert not (worktree / "newer").exists()

    def test_odd_names(self, project: Path, worktree: Path) -> None:
        names = ["mit Leerzeichen.txt", "наш/файл.txt", "a\nb", 'q"uote', "-dash", "[x]*"]
        write(project, dict.fromkeys(names, "target\n"))
        commit(project)
        assert isinstance(begin(project, worktree), Clean)
        assert {name: (worktree / name).read_text() for name in names} == dict.fromkeys(names, "target\n")
        assert status(worktree) == []

    @pytest.mark.spec(id="FM-99")
    def test_planning_files_by_policy(self, project: Path, worktree: Path) -> None:
        """DECISIONS keep lines of both, own files stay, another milestone's come from the target."""
        later = ".gsd/milestones/M002/M002-ROADMAP.md"
        write(worktree, {".gsd/DECISIONS.md": "# Decisions\n\n| D001 | first |\n| D002 | mine |\n", ROADMAP: "mine\n"})
        run_git(worktree, "add", "-A")
        run_git(worktree, "commit", "-qm", "plan")
        write(project, {".gsd/DECISIONS.md": "# Decisions\n\n| D001 | first |\n| D003 | theirs |\n"})
        commit(project, **{ROADMAP.replace("/", "__"): "theirs\n", later.replace("/", "__"): "theirs\n"})
        done = begin(project, worktree)
        assert isinstance(done, Clean)
        assert {r.path: r.side for r in done.resolved} == {".gsd/DECISIONS.md": Side.UNION, ROADMAP: Side.MILESTONE}
        assert (worktree / ".gsd/DECISIONS.md").read_text().endswith("| D003 | theirs |\n| D002 | mine |\n")
        assert (worktree / ROADMAP).read_text() == "mine\n"
        assert (worktree / later).read_text() == "theirs\n"

    @pytest.mark.spec(id="FM-98")
    def test_built_files_are_the_milestones(self, project: Path, worktree: Path) -> None:
        for where in (worktree, project):
            write(where, dict.fromkeys(["dist/app.js.map", "src/__pycache__/b"], where.name))
            commit(where)
        done = begin(project, worktree, generated=("*.map", "__pycache__/"))
        assert isinstance(done, Clean)
        assert {r.path for r in done.resolved} == {"dist/app.js.map", "src/__pycache__/b"}
        assert {r.side for r in done.resolved} == {Side.GENERATED}
        assert (worktree / "dist/app.js.map").read_text() == "M001"
        assert isinstance(begin(project, worktree), Clean)

    @pytest.mark.spec(id="FM-98")
    def test_a_built_file_that_both_renamed_has_no_markers(self, project: Path, worktree: Path) -> None:
        lines = "".join(f"{n}\n" for n in range(30))
        commit(project, **{"dist__app.111.map": lines})
        begin(project, worktree)
        for where, name in ((worktree, "222"), (project, "333")):
            run_git(where, "mv", "dist/app.111.map", f"dist/app.{name}.map")
            commit(where, **{f"dist__app.{name}.map": f"{lines}{name}\n"})
        assert isinstance(begin(project, worktree, generated=("*.map",)), Clean)
        assert [path.name for path in (worktree / "dist").iterdir()] == ["app.222.map"]
        assert (worktree / "dist/app.222.map").read_text() == f"{lines}222\n"

    def test_a_derived_file_stays_as_the_branch_has_it(self, project: Path, worktree: Path) -> None:
        """A worker is writing it: neither the merge nor its precondition may be about it."""
        for where in (project, worktree):
            write(where, {".gsd/metrics.json": "{}", ".gsd/event-log.jsonl": "1\n"})
            run_git(where, "add", "-f", ".gsd")
            run_git(where, "commit", "-qm", "tracked by accident")
        commit(project, **{".gsd__metrics.json": "{1}", "new": "1"})
        write(worktree, {".gsd/metrics.json": "{2}"})
        assert isinstance(begin(project, worktree), Clean)
        assert (worktree / ".gsd/metrics.json").read_text() == "{2}"
        assert status(worktree) == [" M .gsd/metrics.json"]

    @pytest.mark.spec(id="FM-97")
    def test_hooks_and_signing(self, project: Path, worktree: Path, tmp_path: Path) -> None:
        """A pre-commit hook is about somebody's changes; the message is the project's business."""
        hooks = tmp_path / "hooks"
        hooks.mkdir()
        write(hooks, {"pre-commit": "#!/bin/sh\nexit 1\n", "commit-msg": '#!/bin/sh\necho "Change-Id: I1" >>"$1"\n'})
        for hook in hooks.iterdir():
            hook.chmod(0o755)
        run_git(project, "config", "core.hooksPath", str(hooks))
        commit_quietly(project, new="1")
        assert isinstance(begin(project, worktree), Clean)
        assert "Change-Id: I1" in run_git(worktree, "log", "-1", "--format=%B")
        write(hooks, {"commit-msg": "#!/bin/sh\necho no merges here >&2\nexit 1\n"})
        commit_quietly(project, newer="1")
        before = looks(worktree)
        with pytest.raises(CommitRefused, match="no merges here"):
            begin(project, worktree)
        (hooks / "commit-msg").unlink()
        run_git(project, "config", "commit.gpgSign", "true")
        run_git(project, "config", "gpg.program", "false")
        with pytest.raises(SigningFailed):
            begin(project, worktree)
        assert (looks(worktree), notes(project)) == (before, "")

    def test_after_an_earlier_landing_of_the_same_branch(self, project: Path, worktree: Path) -> None:
        """A squash leaves no trace in git's ancestry; what landed is not merged once more."""
        commit(worktree, **{"src__app.py": changed(3, "milestone")})
        tip = head(worktree)
        run_git(project, "merge", "-q", "--squash", BRANCH)
        run_git(project, "commit", "-qm", f"landed\n\nGSD-Milestone: M001\nGSD-Branch: {BRANCH}\nGSD-Tip: {tip}")
        commit(project, **{"src__app.py": changed(3, "reviewed")})
        commit(worktree, more="1")
        assert isinstance(begin(project, worktree), Clean)
        assert (worktree / "src/app.py").read_text() == changed(3, "reviewed")
        assert parents(worktree)[1] == head(project)


def commit_quietly(where: Path, **files: str) -> None:
    write(where, files)
    run_git(where, "add", "-A")
    run_git(where, "commit", "-qnm", "work")


class TestPreconditions:
    @pytest.mark.parametrize("how", ["changed", "staged", "deleted", "untracked"])
    def test_work_in_the_worktree_is_named_and_kept(self, project: Path, worktree: Path, how: str) -> None:
        commit(project, new="1")
        path = "src/store.py" if how != "untracked" else "src/ä b.py"
        (worktree / path).unlink(missing_ok=True) if how == "deleted" else write(worktree, {path: "work"})
        if how == "staged":
            run_git(worktree, "add", "-A")
        before = looks(worktree)
        with pytest.raises(NotClean, match="src/") as stopped:
            begin(project, worktree, leave=True)
        assert [blocked.path for blocked in stopped.value.paths] == [path]
        assert (looks(worktree), notes(project)) == (before, "")

    def test_what_no_commit_would_take_may_stay(self, project: Path, worktree: Path) -> None:
        stays = {".env": "KEY=1", ".gsd/milestones/M002/M002-NOTES.md": "1", ".gsd/metrics.json": "{}", "x.log": "1"}
        write(worktree, stays)
        commit(project, new="1")
        assert isinstance(begin(project, worktree), Clean)
        assert {name: (worktree / name).read_text() for name in stays} == stays

    @pytest.mark.parametrize("leave", [False, True])
    def test_unless_the_target_brings_another(self, project: Path, worktree: Path, leave: bool) -> None:
        write(worktree, {".env": "KEY=mine"})
        clash(project, worktree) if leave else None
        run_git(worktree, "rm", "-q", "--cached", ".env") if leave else None
        run_git(worktree, "commit", "-qm", "not that") if leave else None
        commit(project, **{".env": "KEY=theirs"})
        before = looks(worktree)
        with pytest.raises(NotClean) as stopped:
            begin(project, worktree, leave=leave)
        assert [blocked.path for blocked in stopped.value.paths] == [".env"]
        assert (looks(worktree), notes(project)) == (before, "")

    def test_another_branch_and_no_branch(self, project: Path, worktree: Path) -> None:
        commit(project, new="1")
        run_git(worktree, "switch", "-qc", "mine")
        with pytest.raises(WrongBranch):
            begin(project, worktree)
        run_git(worktree, "checkout", "-q", "--detach")
        with pytest.raises(WrongBranch):
            begin(project, worktree)

    @pytest.mark.parametrize("operation", ["merge", "cherry-pick"])
    def test_something_else_is_half_done(self, project: Path, worktree: Path, operation: str) -> None:
        clash(project, worktree)
        subprocess.run(["git", "-C", worktree, operation, "main"], check=False, capture_output=True)
        commit(project, more="1")
        before = looks(worktree)
        with pytest.raises(NotClean, match=f"a {operation} is half done"):
            begin(project, worktree, leave=True)
        assert looks(worktree) == before

    def test_no_common_history(self, project: Path, worktree: Path) -> None:
        run_git(project, "switch", "-q", "--orphan", "apart")
        onto = commit(project, apart="1")
        with pytest.raises(NoCommonHistory):
            bring_in.begin(project, worktree, BRANCH, onto, mid="M001")


@pytest.mark.spec(id="PR-123")
class TestUnfit:
    def test_said_with_lines_and_nothing_changed(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        before, user = looks(worktree), looks(project)
        found = begin(project, worktree)
        assert isinstance(found, Unfit)
        assert not found.left
        (file,) = found.conflicts
        assert str(file) == "src/app.py lines 3 (in the milestone 3)"
        assert (looks(worktree), looks(project), notes(project)) == (before, user, "")
        assert not bring_in.unfinished(worktree)
        with pytest.raises(NothingToConclude):
            conclude(worktree)

    def test_sides_are_named_from_the_milestone(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"src__other.py": "changed\n"})
        run_git(project, "rm", "-q", "src/other.py")
        run_git(project, "commit", "-qm", "gone")
        found = begin(project, worktree)
        assert isinstance(found, Unfit)
        assert str(found.conflicts[0]) == "src/other.py (deleted on the target, changed by the milestone)"


@pytest.mark.spec(id="PR-196")
@pytest.mark.spec(id="FM-84")
class TestLeft:
    @pytest.mark.spec(id="FM-85")
    def test_as_git_leaves_its_own(self, project: Path, worktree: Path) -> None:
        """And the root has nothing of it: no unmerged file, no MERGE_HEAD, no SQUASH_MSG."""
        clash(project, worktree)
        tip, user = head(worktree), looks(project)
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        assert found.left
        assert (worktree / "src/app.py").read_text() == changed(
            3, "<<<<<<< milestone/M001\nmilestone\n=======\ntarget\n>>>>>>> main"
        )
        assert sorted(status(worktree)) == ["A  new/file", "M  src/other.py", "UU src/app.py"]
        assert head(worktree) == tip
        assert head(worktree, "MERGE_HEAD") == head(project)
        assert [run_git(worktree, "show", f":{stage}:src/app.py") for stage in (2, 3)] == [
            changed(3, "milestone"), changed(3, "target"),
        ]  # fmt: skip
        assert run_git(worktree, "show", ":1:src/app.py") == "".join(LINES)
        merge_msg = (Path(run_git(worktree, "rev-parse", "--absolute-git-dir").strip()) / "MERGE_MSG").read_text()
        assert merge_msg == "merge(M001): bring main in\n\n# Conflicts:\n#\tsrc/app.py\n"
        assert looks(project) == user
        assert not [name for name in ("MERGE_HEAD", "MERGE_MSG", "SQUASH_MSG") if (project / ".git" / name).exists()]
        assert bring_in.unfinished(worktree)
        assert "All conflicts fixed" not in run_git(worktree, "status")

    @pytest.mark.spec(id="FM-86")
    def test_another_milestone_lands_meanwhile_with_its_own_files_only(
        self, project: Path, worktree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """gsd-2#2929: after a conflict the working directory was another one, and the next merge took what was there."""
        other = worktrees.ensure(repository.inspect(project), "M002", "main").path
        commit(other, **{"src__second.py": "2\n"})
        clash(project, worktree)
        monkeypatch.chdir(project / "src")
        begin(project, worktree, leave=True)
        write(worktree, {"src/stray.py": "half\n"})
        write(project, {"src/mine.txt": "the user's\n"})
        with pytest.raises(Unresolved):
            conclude(worktree)
        assert Path.cwd() == project / "src"
        before = looks(worktree)
        second = replace(plan(project, other), mid="M002", branch="milestone/M002")
        assert isinstance(merge.land(second, journal=lambda step, facts: None), Landed)
        assert run_git(project, "show", "--format=", "--name-only", "main").split() == ["src/second.py"]
        assert (project / "src/mine.txt").read_text() == "the user's\n"
        assert looks(worktree) == before

    def test_a_project_path_with_spaces_and_other_letters(self, project: Path, tmp_path: Path) -> None:
        run_git(tmp_path, "clone", "-q", str(project), "mein Projekt ü")
        root = tmp_path / "mein Projekt ü"
        there = worktrees.ensure(repository.inspect(root), "M001", "main").path
        clash(root, there)
        assert isinstance(begin(root, there, leave=True), Unfit)
        write(there, {"src/app.py": "both\n"})
        conclude(there)
        assert (parents(there)[1], status(there)) == (head(root), [])

    def test_asked_again_it_is_said_again(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        first = begin(project, worktree, leave=True)
        write(worktree, {"src/app.py": "half resolved\n"})
        before = looks(worktree)
        for leave in (True, False):
            assert begin(project, worktree, leave=leave) == first
        assert looks(worktree) == before

    def test_planning_files_are_settled_already(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        commit(worktree, **{".gsd__DECISIONS.md": "# Decisions\n\n| D001 | first |\n| D002 | mine |\n"})
        commit(project, **{".gsd__DECISIONS.md": "# Decisions\n\n| D001 | first |\n| D003 | theirs |\n"})
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        assert [file.path for file in found.conflicts] == ["src/app.py"]
        assert [r.path for r in found.resolved] == [".gsd/DECISIONS.md"]
        assert (worktree / ".gsd/DECISIONS.md").read_text().endswith("| D003 | theirs |\n| D002 | mine |\n")
        assert "M  .gsd/DECISIONS.md" in status(worktree)

    @pytest.mark.parametrize("style", ["diff3", "zdiff3"])
    def test_the_style_that_a_person_wants(self, project: Path, worktree: Path, style: str) -> None:
        run_git(project, "config", "merge.conflictStyle", style)
        clash(project, worktree)
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        assert str(found.conflicts[0]) == "src/app.py lines 3 (in the milestone 3)"
        lines = (worktree / "src/app.py").read_text().splitlines()
        assert lines[2] == "<<<<<<< milestone/M001"
        assert [line[:8] for line in lines if line[:7] in ("|||||||", "=======")] == ["||||||| ", "======="]
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert refused.value.places == tuple(f"src/app.py:{n}" for n in (3, 5, 7, 9))

    def test_names_with_spaces_and_other_letters(self, project: Path, worktree: Path) -> None:
        name = "mit Leerzeichen/файл ü.txt"
        write(project, {name: "0\n"})
        commit(project)
        begin(project, worktree)
        for where in (project, worktree):
            write(where, {name: f"{where.name}\n"})
            commit(where)
        begin(project, worktree, leave=True)
        assert "<<<<<<< milestone/M001\n" in (worktree / name).read_text()
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert refused.value.places == tuple(f"{name}:{n}" for n in (1, 3, 5))
        write(worktree, {name: "both\n"})
        conclude(worktree)
        assert run_git(worktree, "show", f"HEAD:{name}") == "both\n"

    def test_a_person_may_commit_with_git(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        begin(project, worktree, leave=True)
        write(worktree, {"src/app.py": "both\n"})
        run_git(worktree, "commit", "-qam", "by hand")
        assert not bring_in.unfinished(worktree)
        assert conclude(worktree) == head(worktree)
        assert begin(project, worktree) == Clean(commit=None)
        assert notes(project) == ""

    def test_a_person_may_give_it_up_with_git(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        before = looks(worktree)
        begin(project, worktree, leave=True)
        run_git(worktree, "merge", "--abort")
        assert looks(worktree) == before
        assert not bring_in.unfinished(worktree)
        assert isinstance(begin(project, worktree), Unfit)
        assert notes(project) == ""

    def test_line_ends_of_the_checkout(self, project: Path, worktree: Path) -> None:
        run_git(project, "config", "core.autocrlf", "true")
        clash(project, worktree)
        run_git(worktree, "checkout", "-q", ".")
        begin(project, worktree, leave=True)
        assert b"\r\n<<<<<<< milestone/M001\r\nmilestone\r\n" in (worktree / "src/app.py").read_bytes()
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert len(refused.value.places) == 3


@pytest.mark.spec(id="DV-16")
@pytest.mark.spec(id="FM-84")
class TestConclude:
    @pytest.fixture
    def left(self, project: Path, worktree: Path) -> Path:
        clash(project, worktree)
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        assert found.left
        return worktree

    @pytest.mark.spec(id="PR-124")
    def test_resolved_committed_and_landed(self, project: Path, left: Path) -> None:
        tip, target, user = head(left), head(project), looks(project)
        write(left, {"src/app.py": changed(3, "both")})
        made = conclude(left)
        assert made == head(left)
        assert parents(left) == [tip, target]
        assert run_git(left, "log", "-1", "--format=%B").strip() == "merge(M001): by hand"
        assert status(left) == []
        assert (looks(project), notes(project)) == (user, "")
        assert not bring_in.unfinished(left)
        done = merge.land(plan(project, left), journal=lambda step, facts: None)
        assert isinstance(done, Landed)
        assert (project / "src/app.py").read_text() == changed(3, "both")
        assert (project / "src/other.py").read_text() == "changed\n"

    def test_nothing_touched(self, left: Path) -> None:
        before = looks(left)
        with pytest.raises(Unresolved) as refused:
            conclude(left)
        assert refused.value.places == ("src/app.py:3", "src/app.py:5", "src/app.py:7")
        assert bring_in.unresolved(left) == refused.value.places
        assert "gsd parallel merge M001" in refused.value.hint
        assert looks(left) == before

    @pytest.mark.parametrize("added", [False, True], ids=["edited", "added"])
    @pytest.mark.parametrize(
        ("text", "places"),
        [
            ("<<<<<<< milestone/M001\nmilestone\n=======\ntarget\n>>>>>>> main\n", (1, 3, 5)),
            ("milestone\n=======\ntarget\n", (2,)),
            ("a\n>>>>>>> main\n", (2,)),
            ("a\n<<<<<<< HEAD\nb\n", (2,)),
            ("a\r\n||||||| 12\r\nb\r\n", (2,)),
        ],
    )
    def test_a_marker_is_never_committed(
        self, project: Path, left: Path, text: str, places: tuple[int, ...], added: bool
    ) -> None:
        write(left, {"src/app.py": text})
        if added:
            run_git(left, "add", "-A")
        tip = head(left)
        with pytest.raises(Unresolved) as refused:
            conclude(left)
        assert refused.value.places == tuple(f"src/app.py:{n}" for n in places)
        assert (head(left), (left / "src/app.py").read_bytes()) == (tip, text.encode())

    @pytest.mark.parametrize("added", [False, True])
    def test_nor_in_a_file_that_was_not_in_conflict(self, left: Path, added: bool) -> None:
        """Somebody moved the file, or resolved by copying."""
        write(left, {"src/app.py": "both\n", "src/copy.py": "a\n<<<<<<< milestone/M001\n", "src/other.py": "=======\n"})
        if added:
            run_git(left, "add", "-A")
        with pytest.raises(Unresolved) as refused:
            conclude(left)
        assert refused.value.places == ("src/copy.py:2", "src/other.py:1")

    def test_markers_that_are_text_may_be_committed(self, project: Path, worktree: Path) -> None:
        page = "# Conflicts\n\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n\n1\n2\n"
        commit(project, page=page)
        begin(project, worktree)
        commit(worktree, page=page + "mine\n")
        commit(project, page=page + "theirs\n")
        begin(project, worktree, leave=True)
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert {"page:11", "page:15"} <= set(refused.value.places)
        write(worktree, {"page": page + "both\n"})
        conclude(worktree)
        assert run_git(worktree, "show", "HEAD:page") == page + "both\n"

    def test_what_else_the_person_did_is_taken(self, left: Path) -> None:
        write(left, {"src/app.py": "both\n", "src/store.py": "mended\n", "src/ne w.py": "1", "x.log": "ignored"})
        (left / "src/mine.py").unlink()
        conclude(left)
        assert status(left) == []
        assert run_git(left, "show", "HEAD:src/store.py") == "mended\n"
        names = run_git(left, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
        assert "src/ne w.py" in names
        assert not {"src/mine.py", "x.log"} & set(names)

    def test_what_no_commit_of_the_milestone_takes_is_left(self, project: Path, worktree: Path) -> None:
        """While what the target brings of another milestone is in the merge, as the target has it."""
        other = ".gsd/milestones/M002/M002-ROADMAP.md"
        clash(project, worktree)
        commit(project, **{other.replace("/", "__"): "theirs\n"})
        begin(project, worktree, leave=True)
        stray = {other: "made up\n", ".gsd/milestones/M002/M002-SUMMARY.md": "made up\n", ".env": "KEY=1"}
        write(worktree, {**stray, "src/app.py": "both\n"})
        run_git(worktree, "add", "-f", ".gsd/milestones/M002", ".env")
        conclude(worktree)
        assert run_git(worktree, "show", f"HEAD:{other}") == "theirs\n"
        names = run_git(worktree, "ls-tree", "-r", "--name-only", "HEAD").split()
        assert not {".env", ".gsd/milestones/M002/M002-SUMMARY.md"} & set(names)
        assert {name: (worktree / name).read_text() for name in stray} == stray

    def test_planning_files_stay_out_where_they_are_not_committed(self, left: Path) -> None:
        write(left, {"src/app.py": "both\n", ".gsd/milestones/M001/M001-NOTES.md": "1"})
        conclude(left, commit_docs=False)
        assert status(left) == ["?? .gsd/milestones/M001/M001-NOTES.md"]

    @pytest.mark.parametrize("added", [False, True])
    def test_deletion_is_a_decision(self, left: Path, added: bool) -> None:
        (left / "src/app.py").unlink()
        if added:
            run_git(left, "rm", "-q", "src/app.py")
        conclude(left)
        assert "src/app.py" not in run_git(left, "ls-tree", "-r", "--name-only", "HEAD").split()

    def test_one_side_as_it_is(self, left: Path) -> None:
        run_git(left, "checkout", "-q", "--theirs", "src/app.py")
        conclude(left)
        assert run_git(left, "show", "HEAD:src/app.py") == changed(3, "target")

    @pytest.mark.spec(id="FM-97")
    def test_a_hook_of_the_project_may_refuse(self, project: Path, left: Path, tmp_path: Path) -> None:
        hook = tmp_path / "hooks/pre-commit"
        write(tmp_path, {"hooks/pre-commit": "#!/bin/sh\necho style >&2\nexit 1\n"})
        hook.chmod(0o755)
        run_git(project, "config", "core.hooksPath", str(hook.parent))
        write(left, {"src/app.py": "both\n"})
        with pytest.raises(CommitRefused, match="style"):
            conclude(left)
        assert bring_in.unfinished(left)
        hook.unlink()
        assert conclude(left) == head(left)
        assert len(parents(left)) == 2

    def test_a_hook_refuses_a_merge_that_keeps_all_of_ours(self, project: Path, left: Path) -> None:
        """Nothing differs from the branch then, which is no reason to be silent."""
        run_git(left, "restore", "--source=HEAD", "--staged", "--worktree", ".")
        hooks = project / ".git/hooks"
        write(hooks, {"pre-commit": "#!/bin/sh\nexit 1\n"})
        (hooks / "pre-commit").chmod(0o755)
        with pytest.raises(CommitRefused):
            conclude(left)
        (hooks / "pre-commit").unlink()
        conclude(left)
        assert len(parents(left)) == 2

    def test_signing_that_would_ask(self, project: Path, left: Path) -> None:
        run_git(project, "config", "commit.gpgSign", "true")
        run_git(project, "config", "gpg.program", "false")
        write(left, {"src/app.py": "both\n"})
        with pytest.raises(SigningFailed):
            conclude(left)
        run_git(project, "config", "commit.gpgSign", "false")
        assert conclude(left) == head(left)

    def test_a_merge_that_a_person_began(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        subprocess.run(["git", "-C", worktree, "merge", "main"], check=False, capture_output=True)
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert refused.value.places == ("src/app.py:3", "src/app.py:5", "src/app.py:7")
        write(worktree, {"src/app.py": "both\n"})
        conclude(worktree)
        assert (parents(worktree)[1], status(worktree)) == (head(project), [])

    def test_the_target_has_moved_on(self, project: Path, left: Path) -> None:
        """What was begun is ended; the rest comes with the next one."""
        commit(project, later="1")
        with pytest.raises(NotClean, match="half done"):
            begin(project, left)
        write(left, {"src/app.py": "both\n"})
        conclude(left)
        done = begin(project, left)
        assert isinstance(done, Clean)
        assert (left / "later").exists()

    def test_another_branch(self, left: Path) -> None:
        with pytest.raises(WrongBranch):
            bring_in.conclude(left, "milestone/M002", "x")

    def test_a_landing_does_not_commit_what_is_half_resolved(self, project: Path, left: Path) -> None:
        """All added, markers and all: git would take it for resolved."""
        run_git(left, "add", "-A")
        user, tip = looks(project), head(left)
        with pytest.raises(ConflictsLeft, match="half done"):
            merge.land(plan(project, left), journal=lambda step, facts: None)
        assert (looks(project), head(left)) == (user, tip)


def plan(project: Path, worktree: Path) -> merge.MergePlan:
    return merge.MergePlan(
        root=project, mid="M001", branch=BRANCH, target="main", message="feat(M001): Store\n", worktree=worktree
    )


@pytest.mark.spec(id="FM-84")
class TestOddConflicts:
    """A side's own file is kept until somebody says what is right; nothing here is a matter of lines."""

    def test_binary(self, project: Path, worktree: Path) -> None:
        for where in (worktree, project):
            write(where, {"logo.bin": f"\0{where.name}"})
            commit(where)
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        assert (worktree / "logo.bin").read_text() == "\0M001"
        assert status(worktree) == ["AA logo.bin"]
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert refused.value.places == ("logo.bin:1",)
        run_git(worktree, "add", "logo.bin")
        conclude(worktree)
        assert run_git(worktree, "show", "HEAD:logo.bin") == "\0M001"

    @pytest.mark.parametrize("who", ["milestone", "target"])
    @pytest.mark.parametrize("keep", [False, True])
    def test_deleted_by_one(self, project: Path, worktree: Path, who: str, keep: bool) -> None:
        deletes, changes = (worktree, project) if who == "milestone" else (project, worktree)
        run_git(deletes, "rm", "-q", "src/other.py")
        run_git(deletes, "commit", "-qm", "gone")
        commit(changes, **{"src__other.py": "changed\n"})
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        assert (worktree / "src/other.py").read_text() == "changed\n"
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert refused.value.places == ("src/other.py:1",)
        run_git(worktree, "add", "src/other.py") if keep else (worktree / "src/other.py").unlink()
        conclude(worktree)
        assert ("src/other.py" in run_git(worktree, "ls-tree", "-r", "--name-only", "HEAD").split()) is keep
        assert status(worktree) == []

    @pytest.mark.parametrize("who", ["milestone", "target"])
    def test_renamed_and_deleted(self, project: Path, worktree: Path, who: str) -> None:
        renames, deletes = (worktree, project) if who == "milestone" else (project, worktree)
        run_git(renames, "mv", "src/app.py", "src/moved app.py")
        run_git(renames, "commit", "-qm", "moved")
        run_git(deletes, "rm", "-q", "src/app.py")
        run_git(deletes, "commit", "-qm", "gone")
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert refused.value.places == ("src/moved app.py:1",)
        (worktree / "src/moved app.py").unlink()
        conclude(worktree)
        assert status(worktree) == []

    def test_renamed_by_both(self, project: Path, worktree: Path) -> None:
        for where, name in ((worktree, "mine"), (project, "theirs")):
            run_git(where, "mv", "src/app.py", f"src/{name}.py")
            commit(where, **{f"src__{name}.py": changed(3, name)})
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        assert {file.path for file in found.conflicts} == {"src/app.py", "src/mine.py", "src/theirs.py"}
        assert "milestone/M001:src/mine.py\n" in (worktree / "src/mine.py").read_text()
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert {place.partition(":")[0] for place in refused.value.places} == {"src/mine.py", "src/theirs.py"}
        write(worktree, {"src/mine.py": "both\n"})
        (worktree / "src/theirs.py").unlink()
        conclude(worktree)
        names = run_git(worktree, "ls-tree", "-r", "--name-only", "HEAD", "src").split()
        assert names == ["src/mine.py", "src/other.py", "src/store.py"]
        assert status(worktree) == []

    @pytest.mark.parametrize("who", ["milestone", "target"])
    def test_a_file_against_a_directory(self, project: Path, worktree: Path, who: str) -> None:
        has_file, has_directory = (worktree, project) if who == "milestone" else (project, worktree)
        commit(has_file, place="a file\n")
        commit(has_directory, place__inner="1\n")
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        label = "milestone_M001" if who == "milestone" else "main"
        assert [file.path for file in found.conflicts] == [f"place~{label}"]
        assert (worktree / f"place~{label}").read_text() == "a file\n"
        assert (worktree / "place/inner").read_text() == "1\n"
        with pytest.raises(Unresolved):
            conclude(worktree)
        (worktree / f"place~{label}").rename(worktree / "kept")
        conclude(worktree)
        assert run_git(worktree, "show", "HEAD:kept") == "a file\n"
        assert status(worktree) == []

    def test_links(self, project: Path, worktree: Path) -> None:
        os.symlink("app.py", worktree / "src/link")
        os.symlink("other.py", project / "src/link")
        commit(worktree), commit(project)
        begin(project, worktree, leave=True)
        assert (worktree / "src/link").readlink() == Path("app.py")
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert refused.value.places == ("src/link:1",)
        (worktree / "src/link").unlink()
        os.symlink("store.py", worktree / "src/link")
        conclude(worktree)
        assert run_git(worktree, "show", "HEAD:src/link") == "store.py"

    def test_markers_of_another_size(self, project: Path, worktree: Path) -> None:
        commit(project, **{".gitattributes": "*.py conflict-marker-size=12\n"})
        begin(project, worktree)
        clash(project, worktree)
        begin(project, worktree, leave=True)
        assert "<<<<<<<<<<<< milestone/M001\n" in (worktree / "src/app.py").read_text()
        with pytest.raises(Unresolved) as refused:
            conclude(worktree)
        assert len(refused.value.places) == 3


class TestAbandon:
    def test_the_worktree_is_as_its_branch_and_the_work_is_kept(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        before = looks(worktree)
        begin(project, worktree, leave=True)
        write(worktree, {"src/app.py": "half resolved\n", "src/other.py": "edited\n", "idea": "untracked\n"})
        ref = bring_in.abandon(worktree)
        assert ref is not None
        assert head(worktree) == before[0]
        assert status(worktree) == ["?? idea"]
        assert everything(worktree) == before[2] | {"idea": b"untracked\n"}
        assert not bring_in.unfinished(worktree)
        assert run_git(project, "show", f"{ref}:src/app.py") == "half resolved\n"
        assert run_git(project, "show", f"{ref}:src/other.py") == "edited\n"
        assert run_git(project, "show", f"{ref}:idea") == "untracked\n"
        assert [b.label for b in refs.backups(project, "M001")] == ["abandoned"]
        assert notes(project) == ""

    def test_nothing_to_give_up(self, project: Path, worktree: Path) -> None:
        write(worktree, {"src/app.py": "mine\n"})
        before = looks(worktree)
        assert bring_in.abandon(worktree) is None
        assert looks(worktree) == before

    def test_it_can_be_begun_again(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        first = begin(project, worktree, leave=True)
        bring_in.abandon(worktree)
        assert begin(project, worktree, leave=True) == first

    def test_odd_conflicts_and_a_merge_by_hand(self, project: Path, worktree: Path) -> None:
        clash(project, worktree)
        for where, name in ((worktree, "one"), (project, "two")):
            run_git(where, "mv", "src/app.py", f"src/{name}.py")
            run_git(where, "commit", "-qm", "moved")
        commit(worktree, place="a file\n")
        commit(project, place__inner="1\n")
        before = looks(worktree)
        begin(project, worktree, leave=True)
        assert bring_in.abandon(worktree)
        assert looks(worktree) == before
        subprocess.run(["git", "-C", worktree, "merge", "main"], check=False, capture_output=True)
        assert bring_in.abandon(worktree)
        assert looks(worktree) == before

    def test_run_time_files_stay(self, project: Path, worktree: Path) -> None:
        write(worktree, {".gsd/metrics.json": "{}"})
        run_git(worktree, "add", "-f", ".gsd/metrics.json")
        run_git(worktree, "commit", "-qm", "tracked by accident")
        clash(project, worktree)
        begin(project, worktree, leave=True)
        write(worktree, {".gsd/metrics.json": "{1}"})
        bring_in.abandon(worktree)
        assert (worktree / ".gsd/metrics.json").read_text() == "{1}"
        assert status(worktree) == [" M .gsd/metrics.json"]

    def test_a_submodule_in_conflict(self, project: Path, worktree: Path, tmp_path: Path) -> None:
        library = tmp_path / "lib"
        library.mkdir()
        run_git(library, "init", "-q", "-b", "main")
        for number in range(3):
            commit(library, x=str(number))
        run_git(project, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
        commit(project)
        begin(project, worktree)
        for where, revision in ((project, "HEAD~1"), (worktree, "HEAD~2")):
            entry = f"160000,{head(library, revision)},lib"
            run_git(where, "update-index", "--cacheinfo", entry)
            run_git(where, "commit", "-qm", "another")
        before = head(worktree), run_git(worktree, "ls-files", "-s", "lib")
        found = begin(project, worktree, leave=True)
        assert isinstance(found, Unfit)
        with pytest.raises(Unresolved):
            conclude(worktree)
        bring_in.abandon(worktree)
        assert (head(worktree), run_git(worktree, "ls-files", "-s", "lib")) == before
