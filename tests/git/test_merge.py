"""What really happened to users at merge time: spec auto 6.7 and field-reports section 5."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import branches, commit, everything, head, plan_for, status, write
from milepost.git import merge, refs
from milepost.git.branches import enter_branch, leave_branch
from milepost.git.commits import CommitRefused, ConflictsLeft, SigningFailed
from milepost.git.merge import CheckFailed, CheckResult, Conflicted, Landed, NothingToLand, Outcome, Refused
from milepost.git.worktrees import BranchDiverged
from milepost.rules.merging import Side

ROADMAP = ".gsd/milestones/M001/M001-ROADMAP.md"
BRANCH = "milestone/M001"


def quiet(step: str, facts: Mapping[str, str]) -> None:
    pass


def land(project: Path, worktree: Path | None, **changes: object) -> Outcome:
    return merge.land(plan_for(project, worktree, **changes), journal=quiet)


def gone(project: Path) -> bool:
    return not (project / ".gsd/worktrees/M001").exists() and BRANCH not in branches(project)


def untouched(project: Path, worktree: Path, before: tuple[str, list[str], dict[str, bytes]]) -> bool:
    kept = worktree.exists() and BRANCH in branches(project)
    return kept and (head(project, "main"), status(project), everything(project)) == before


def state(project: Path) -> tuple[str, list[str], dict[str, bytes]]:
    return head(project, "main"), status(project), everything(project)


@pytest.mark.spec(id="PR-331")
def test_one_clean_commit(project: Path, worktree: Path) -> None:
    before, tip = head(project), head(worktree)
    done = land(project, worktree)
    assert isinstance(done, Landed)
    assert (done.commit, done.before, done.tip, done.kept) == (head(project), before, tip, ())
    assert run_git(project, "log", "-1", "--format=%P").split() == [before]
    message = run_git(project, "log", "-1", "--format=%B").strip()
    assert message.startswith("feat(M001): Store\n\nCompleted slices:\n- S01: Core\n\nBranch: milestone/M001\n\n")
    assert run_git(project, "log", "-1", "--format=%(trailers)").split("\n")[:3] == [
        "GSD-Milestone: M001", "GSD-Branch: milestone/M001", f"GSD-Tip: {tip}",
    ]  # fmt: skip
    assert status(project) == []
    assert (project / "src/store.py").read_text() == "store\n"
    assert gone(project)
    assert {b.label: b.commit for b in refs.backups(project, "M001")} == {"tip": tip, "target": before}
    assert run_git(project, "for-each-ref", "refs/gsd/landing") == ""


def test_merge_strategy_has_two_parents(project: Path, worktree: Path) -> None:
    before, tip = head(project), head(worktree)
    done = land(project, worktree, strategy="merge")
    assert isinstance(done, Landed)
    assert run_git(project, "log", "-1", "--format=%P").split() == [before, tip]
    assert gone(project)


@pytest.mark.spec(id="FM-81")
def test_target_is_not_checked_out_anywhere(project: Path, worktree: Path) -> None:
    run_git(project, "switch", "-qc", "mine")
    before = everything(project)
    done = land(project, worktree)
    assert isinstance(done, Landed)
    assert head(project, "main") == done.commit
    assert (everything(project), status(project)) == (before, [])


@pytest.mark.spec(id="FM-64")
def test_target_is_checked_out_in_another_worktree(project: Path, worktree: Path, tmp_path: Path) -> None:
    run_git(project, "switch", "-qc", "mine")
    run_git(project, "worktree", "add", "-q", str(tmp_path / "wt"), "main")
    assert isinstance(land(project, worktree), Landed)
    assert (tmp_path / "wt/src/store.py").exists()
    assert status(tmp_path / "wt") == []


@pytest.mark.spec(id="DV-24")
@pytest.mark.spec(id="FM-80")
def test_uncommitted_work_in_the_worktree_is_landed(project: Path, worktree: Path) -> None:
    """gsd-2#2233, PR#1988: the safety commit comes before the merge."""
    write(worktree, {"late.py": "1"})
    assert isinstance(land(project, worktree), Landed)
    assert (project / "late.py").exists()


@pytest.mark.spec(id="FM-80")
def test_another_milestones_files_in_the_worktree_keep_it(project: Path, worktree: Path) -> None:
    write(worktree, {".gsd/milestones/M002/M002-SUMMARY.md": "made up"})
    done = land(project, worktree)
    assert isinstance(done, Landed)
    assert "M002-SUMMARY.md" in done.kept[0]
    assert (worktree / ".gsd/milestones/M002/M002-SUMMARY.md").exists()
    assert not (project / ".gsd/milestones/M002/M002-SUMMARY.md").exists()


@pytest.mark.spec(id="FM-87")
def test_squash_of_a_branch_whose_ref_is_behind_worktree_head(project: Path, worktree: Path) -> None:
    """gsd-2#1846."""
    run_git(worktree, "checkout", "-q", "--detach")
    commit(worktree, more="1")
    assert isinstance(land(project, worktree), Landed)
    assert (project / "more").exists()


@pytest.mark.spec(id="FM-87")
def test_worktree_head_diverged_from_its_branch_stops(project: Path, worktree: Path) -> None:
    run_git(worktree, "checkout", "-q", "--detach", "HEAD~1")
    commit(worktree, more="1")
    before = state(project)
    with pytest.raises(BranchDiverged):
        land(project, worktree)
    assert untouched(project, worktree, before)


class TestUsersCheckout:
    """gsd-2#1752, CC#33850: the user has uncommitted work in main at merge time."""

    @pytest.mark.spec(id="DV-24")
    @pytest.mark.spec(id="FM-81")
    def test_changes_elsewhere_stay_byte_for_byte(self, project: Path, worktree: Path) -> None:
        write(project, {"src/other.py": "staged", "src/app.py": "changed\n", "notes": "untracked", "x.log": "ignored"})
        run_git(project, "add", "src/other.py")
        write(project, {"src/other.py": "staged and changed"})
        before, files = status(project), everything(project)
        assert isinstance(land(project, worktree), Landed)
        assert status(project) == before
        assert run_git(project, "show", ":src/other.py") == "staged"
        after = everything(project)
        assert {name: after[name] for name in files if name != ROADMAP} == {n: files[n] for n in files if n != ROADMAP}

    @pytest.mark.spec(id="FM-82")
    @pytest.mark.parametrize("how", ["changed", "staged", "deleted", "untracked", "ignored", "directory", "file above"])
    def test_a_change_in_a_file_of_the_milestone_stops_it(self, project: Path, worktree: Path, how: str) -> None:
        commit(worktree, **{"src__app.py": "theirs\n", "gen__out__a": "1"})
        write(worktree, {"x.log": "theirs", "place": "a file"})
        run_git(worktree, "add", "-f", "x.log", "place")
        run_git(worktree, "commit", "-qm", "more")
        match how:
            case "changed":
                write(project, {"src/app.py": "mine\n"})
            case "staged":
                write(project, {"src/app.py": "mine\n"})
                run_git(project, "add", "src/app.py")
            case "deleted":
                (project / "src/app.py").unlink()
            case "untracked":
                write(project, {"src/store.py": "mine\n"})
            case "ignored":
                write(project, {"x.log": "mine\n"})
            case "directory":
                write(project, {"place/mine": "1"})
            case "file above":
                write(project, {"gen": "mine"})
        before = state(project)
        refused = land(project, worktree)
        assert isinstance(refused, Refused)
        expected = {"untracked": "src/store.py", "ignored": "x.log", "directory": "place/mine", "file above": "gen"}
        assert [b.path for b in refused.paths] == [expected.get(how, "src/app.py")]
        assert refused.hint
        assert untouched(project, worktree, before)

    def test_then_it_lands_when_the_way_is_free(self, project: Path, worktree: Path) -> None:
        write(project, {"src/store.py": "mine\n"})
        assert isinstance(land(project, worktree), Refused)
        (project / "src/store.py").unlink()
        assert isinstance(land(project, worktree), Landed)
        assert gone(project)

    def test_an_untracked_file_that_is_the_same_is_not_in_the_way(self, project: Path, worktree: Path) -> None:
        """gsd-2#827: planning files that a person or an older release left in the root."""
        write(project, {"src/store.py": "store\n"})
        assert isinstance(land(project, worktree), Landed)
        assert status(project) == []

    def test_an_identical_link_is_not_in_the_way_and_another_is(self, project: Path, worktree: Path) -> None:
        os.symlink("app.py", worktree / "src/link")
        os.symlink("app.py", project / "src/link")
        assert isinstance(land(project, worktree), Landed)
        assert status(project) == []

    def test_a_link_in_place_of_a_directory_is_in_the_way(self, project: Path, worktree: Path, tmp_path: Path) -> None:
        commit(worktree, lib__a="1")
        os.symlink(tmp_path, project / "lib")
        refused = land(project, worktree)
        assert isinstance(refused, Refused)
        assert [b.path for b in refused.paths] == ["lib"]
        assert not (tmp_path / "a").exists()

    def test_a_directory_of_untracked_files_does_not_matter(self, project: Path, worktree: Path) -> None:
        write(project, {"src/mine.txt": "1"})
        assert isinstance(land(project, worktree), Landed)
        assert (project / "src/mine.txt").read_text() == "1"

    def test_a_touched_file_is_not_a_change(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"src__app.py": "theirs\n"})
        os.utime(project / "src/app.py", (1, 1))
        assert isinstance(land(project, worktree), Landed)

    def test_intent_to_add_and_odd_names(self, project: Path, worktree: Path) -> None:
        write(project, {"ta b/ü": "mine"})
        run_git(project, "add", "-N", "ta b/ü")
        commit(worktree, **{"ta b/ö": "theirs"})
        assert isinstance(land(project, worktree), Landed)
        assert (project / "ta b/ö").read_text() == "theirs"
        assert (project / "ta b/ü").read_text() == "mine"

    @pytest.mark.parametrize("operation", ["merge", "cherry-pick"])
    def test_an_operation_half_done(self, project: Path, worktree: Path, operation: str) -> None:
        """gsd-2#2912, #3052: it is the user's, and is not finished or aborted for them."""
        run_git(project, "switch", "-qc", "side")
        commit(project, **{"src__other.py": "side\n"})
        run_git(project, "switch", "-q", "main")
        commit(project, **{"src__other.py": "main\n"})
        os.system(f"git -C '{project}' {operation} side >/dev/null 2>&1")
        before = state(project)
        refused = land(project, worktree)
        assert isinstance(refused, Refused)
        assert operation in str(refused.paths[0])
        assert untouched(project, worktree, before)

    @pytest.mark.parametrize("kind", ["--merge", "--apply"])
    def test_a_rebase_of_the_target_is_half_done(self, project: Path, worktree: Path, kind: str) -> None:
        """aider-desk PR#916: the rebase could not end, since the branch was no longer where it began."""
        run_git(project, "switch", "-qc", "side")
        commit(project, **{"src__other.py": "side\n"})
        run_git(project, "switch", "-q", "main")
        commit(project, **{"src__other.py": "main\n"})
        os.system(f"git -C '{project}' rebase {kind} side >/dev/null 2>&1")
        before = state(project)
        refused = land(project, worktree)
        assert isinstance(refused, Refused)
        assert refused.reason == "main cannot be moved now"
        assert f"main is being rebased in {project}" in str(refused.paths[0])
        assert untouched(project, worktree, before)
        write(project, {"src/other.py": "both\n"})
        run_git(project, "add", "src/other.py")
        run_git(project, "-c", "core.editor=true", "rebase", "--continue")
        assert isinstance(land(project, worktree), Landed)
        assert (project / "src/other.py").read_text() == "both\n"

    @pytest.mark.spec(id="FM-85")
    def test_a_leftover_squash_message_is_no_obstacle(self, project: Path, worktree: Path) -> None:
        """gsd-2#1853."""
        (project / ".git/SQUASH_MSG").write_text("old")
        assert isinstance(land(project, worktree), Landed)

    def test_changed_between_the_look_and_the_move(
        self, project: Path, worktree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit(worktree, **{"src__app.py": "theirs\n"})
        before = head(project)

        def sly(step: str, facts: Mapping[str, str]) -> None:
            if (step, facts["at"]) == ("publish", "done"):
                write(project, {"src/app.py": "mine\n"})

        refused = merge.land(plan_for(project, worktree), journal=sly)
        assert isinstance(refused, Refused)
        assert [b.path for b in refused.paths] == ["src/app.py"]
        assert (head(project), status(project)) == (before, [" M src/app.py"])
        assert run_git(project, "for-each-ref", "refs/gsd/landing") == ""
        write(project, {"src/app.py": "".join(f"line {n}\n" for n in range(1, 21))})
        assert isinstance(land(project, worktree), Landed)


class TestConflicts:
    @pytest.mark.spec(id="PR-123")
    def test_code_conflict_names_files_and_lines(self, project: Path, worktree: Path) -> None:
        lines = [f"line {n}\n" for n in range(1, 21)]
        commit(worktree, **{"src__app.py": "".join([*lines[:9], "theirs\n", "more\n", *lines[10:]])})
        commit(project, **{"src__app.py": "".join(["top\n", *lines[:9], "mine\n", *lines[10:]])})
        before = state(project)
        found = land(project, worktree)
        assert isinstance(found, Conflicted)
        assert [(f.path, f.target_lines, f.milestone_lines) for f in found.files] == [
            ("src/app.py", ((11, 11),), ((10, 11),))
        ]
        assert str(worktree) in found.hint
        assert untouched(project, worktree, before)

    def test_deleted_here_changed_there(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"src__app.py": "theirs\n"})
        run_git(project, "rm", "-q", "src/app.py")
        run_git(project, "commit", "-qm", "gone")
        found = land(project, worktree)
        assert isinstance(found, Conflicted)
        assert str(found.files[0]) == "src/app.py (deleted on the target, changed by the milestone)"

    def test_resolved_in_the_milestones_worktree(self, project: Path, worktree: Path) -> None:
        commit(worktree, **{"src__app.py": "theirs\n"})
        commit(project, **{"src__app.py": "mine\n"})
        assert isinstance(land(project, worktree), Conflicted)
        os.system(f"git -C '{worktree}' merge main >/dev/null 2>&1")
        write(worktree, {"src/app.py": "both\n"})
        run_git(worktree, "commit", "-qam", "resolved")
        assert isinstance(land(project, worktree), Landed)
        assert (project / "src/app.py").read_text() == "both\n"

    @pytest.mark.spec(id="PR-122")
    @pytest.mark.spec(id="PR-178")
    @pytest.mark.spec(id="FM-99")
    def test_planning_only_conflicts_are_settled(self, project: Path, worktree: Path) -> None:
        """Registry and counter conflict classes (python-skills PR#88)."""
        first = "# Decisions\n\n| D001 | first |\n"
        commit(worktree, **{
            ROADMAP.replace("/", "__"): "milestone's\n", ".gsd__DECISIONS.md": f"{first}| D002 | theirs |\n",
            ".gsd__milestones__M002__M002-ROADMAP.md": "theirs\n", ".gsd__QUEUE-ORDER.json": '["M002"]',
        })  # fmt: skip
        commit(project, **{
            ROADMAP.replace("/", "__"): "root's\n", ".gsd__DECISIONS.md": f"{first}| D002 | mine |\n",
            ".gsd__milestones__M002__M002-ROADMAP.md": "mine\n", ".gsd__QUEUE-ORDER.json": '["M001"]',
        })  # fmt: skip
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert {r.path: r.side for r in done.resolved} == {
            ROADMAP: Side.MILESTONE, ".gsd/DECISIONS.md": Side.UNION,
            ".gsd/milestones/M002/M002-ROADMAP.md": Side.TARGET, ".gsd/QUEUE-ORDER.json": Side.TARGET,
        }  # fmt: skip
        assert (project / ROADMAP).read_text() == "milestone's\n"
        assert (project / ".gsd/DECISIONS.md").read_text().splitlines()[2:] == [
            "| D001 | first |", "| D002 | mine |", "| D002 | theirs |",
        ]  # fmt: skip
        assert (project / ".gsd/milestones/M002/M002-ROADMAP.md").read_text() == "mine\n"
        assert gone(project)

    @pytest.mark.spec(id="PR-122")
    def test_derived_files_are_never_merged(self, project: Path, worktree: Path) -> None:
        write(worktree, {".gsd/STATE.md": "theirs", ".gsd/metrics.json": "{}"})
        run_git(worktree, "add", "-f", ".gsd/STATE.md", ".gsd/metrics.json")
        run_git(worktree, "commit", "-qm", "the agent added run-time files")
        write(project, {".gsd/STATE.md": "live", ".gsd/metrics.json": "live"})
        before = status(project)
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert {r.path for r in done.resolved} == {".gsd/STATE.md", ".gsd/metrics.json"}
        assert (project / ".gsd/metrics.json").read_text() == "live"
        assert status(project) == before


class TestNothing:
    @pytest.mark.spec(id="FM-83")
    def test_nothing_to_commit_deletes_nothing(self, project: Path, worktree: Path) -> None:
        """gsd-2#2003, #1792."""
        run_git(worktree, "reset", "-q", "--hard", "main")
        before = state(project)
        assert isinstance(land(project, worktree), NothingToLand)
        assert untouched(project, worktree, before)

    @pytest.mark.spec(id="FM-83")
    def test_the_same_content_is_on_the_target_already(self, project: Path, worktree: Path) -> None:
        run_git(project, "merge", "-q", "--squash", BRANCH)
        run_git(project, "commit", "-qm", "by hand")
        before = state(project)
        assert isinstance(land(project, worktree), NothingToLand)
        assert untouched(project, worktree, before)

    def test_merged_and_later_reverted_on_main(self, project: Path, worktree: Path) -> None:
        run_git(project, "merge", "-q", "--no-ff", "-m", "by hand", BRANCH)
        run_git(project, "revert", "--no-edit", "-m", "1", "HEAD")
        before = state(project)
        refused = land(project, worktree)
        assert isinstance(refused, Refused)
        assert "not on the target any more" in refused.reason
        assert untouched(project, worktree, before)

    def test_landed_and_later_reverted_on_main(self, project: Path, worktree: Path) -> None:
        write(worktree, {"inner/x": "1"})
        run_git(worktree / "inner", "init", "-q")
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert done.kept
        run_git(project, "revert", "--no-edit", "HEAD")
        before = state(project)
        refused = land(project, worktree)
        assert isinstance(refused, Refused)
        assert "not on the target any more" in refused.reason
        assert untouched(project, worktree, before)

    @pytest.mark.spec(id="FM-96")
    def test_only_planning_is_said(self, project: Path, worktree: Path) -> None:
        """gsd-2#1906."""
        run_git(worktree, "rm", "-q", "src/store.py")
        run_git(worktree, "commit", "-qm", "no code")
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert done.only_planning

    def test_no_such_branch_or_target(self, project: Path, worktree: Path) -> None:
        assert isinstance(land(project, worktree, target="gone"), Refused)
        assert isinstance(land(project, None, branch="milestone/M009", mid="M009"), Refused)
        assert worktree.exists()


class TestAgain:
    @pytest.mark.spec(id="FM-94")
    def test_merge_executed_twice(self, project: Path, worktree: Path) -> None:
        """gsd-2#2648."""
        first = land(project, worktree)
        assert isinstance(first, Landed)
        second = land(project, worktree)
        assert isinstance(second, Landed)
        assert (second.commit, second.already) == (first.commit, True)
        assert head(project) == first.commit

    def test_work_after_a_landing_lands_by_itself(self, project: Path, worktree: Path) -> None:
        write(worktree, {"inner/x": "1"})
        run_git(worktree / "inner", "init", "-q")
        assert isinstance(land(project, worktree), Landed)
        commit(project, **{"src__store.py": "polished on main\n"})
        run_git(worktree, "rm", "-rq", "--cached", "--ignore-unmatch", "inner")
        write(worktree, {"src/late.py": "1"})
        run_git(worktree, "add", "src/late.py")
        run_git(worktree, "commit", "-qm", "late")
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert not done.already
        assert (project / "src/store.py").read_text() == "polished on main\n"
        assert run_git(project, "show", "--format=", "--name-only").split() == ["src/late.py"]

    def test_the_target_moves_meanwhile(self, project: Path, worktree: Path) -> None:
        moved: list[str] = []

        def somebody(step: str, facts: Mapping[str, str]) -> None:
            if (step, facts.get("label")) == ("pin", "target") and not moved:
                moved.append(commit(project, elsewhere="1"))

        done = merge.land(plan_for(project, worktree), journal=somebody)
        assert isinstance(done, Landed)
        assert done.before == moved[0]
        assert (project / "elsewhere").exists()

    def test_a_branch_from_before_does_not_delete_a_shipped_feature(self, project: Path, worktree: Path) -> None:
        """jeffkliu.com: a stale base."""
        commit(project, feature="shipped")
        assert isinstance(land(project, worktree), Landed)
        assert (project / "feature").read_text() == "shipped"


class TestCheck:
    def test_it_sees_the_merged_tree_and_may_refuse(self, project: Path, worktree: Path) -> None:
        """Post-merge tests on the combination (gastown merge queue)."""
        commit(project, main="1")
        seen: list[set[str]] = []
        before = state(project)

        def check(place: Path) -> CheckResult:
            seen.append({p.name for p in place.iterdir()} | {p.name for p in (place / "src").iterdir()})
            return CheckResult(passed=False, detail="no")

        found = merge.land(plan_for(project, worktree), journal=quiet, check=check)
        assert found == CheckFailed(detail="no", inconclusive=False)
        assert {"main", "store.py"} <= seen[0]
        assert untouched(project, worktree, before)
        assert [p.name for p in worktree.parent.iterdir()] == ["M001"]

    def test_inconclusive_is_no_pass(self, project: Path, worktree: Path) -> None:
        found = merge.land(
            plan_for(project, worktree), journal=quiet, check=lambda _: CheckResult(passed=None, detail="crashed")
        )
        assert found == CheckFailed(detail="crashed", inconclusive=True)

    def test_a_scratch_that_a_killed_run_left_is_removed(self, project: Path, worktree: Path) -> None:
        run_git(project, "worktree", "add", "-q", "--detach", str(worktree.parent / ".check-M001"))
        passed = merge.land(plan_for(project, worktree), journal=quiet, check=lambda _: CheckResult(passed=True))
        assert isinstance(passed, Landed)
        assert list(worktree.parent.iterdir()) == []


class TestPush:
    @pytest.fixture
    def remote(self, project: Path, tmp_path: Path) -> Path:
        run_git(tmp_path, "init", "-q", "--bare", "remote.git")
        run_git(project, "remote", "add", "origin", str(tmp_path / "remote.git"))
        run_git(project, "push", "-q", "origin", "main")
        return tmp_path / "remote.git"

    def test_pushed_and_verified(self, project: Path, worktree: Path, remote: Path) -> None:
        done = land(project, worktree, push_to="origin")
        assert isinstance(done, Landed)
        assert (done.pushed, done.push_error) == (True, "")
        assert head(remote, "main") == done.commit

    @pytest.mark.spec(id="FM-100")
    def test_push_configured_but_nothing_pushed_is_visible(self, project: Path, worktree: Path, remote: Path) -> None:
        """gsd-pi#2153: 189 commits that were never pushed."""
        hook = remote / "hooks/pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
        hook.chmod(0o755)
        done = land(project, worktree, push_to="origin")
        assert isinstance(done, Landed)
        assert not done.pushed
        assert "rejected" in done.push_error
        assert head(project) == done.commit

    @pytest.mark.spec(id="FM-100")
    def test_no_such_remote_and_none_that_answers(self, project: Path, worktree: Path) -> None:
        done = land(project, worktree, push_to="nowhere")
        assert isinstance(done, Landed)
        assert "nowhere" in done.push_error

    @pytest.mark.spec(id="FM-100")
    def test_the_remote_is_ahead(self, project: Path, worktree: Path, remote: Path, tmp_path: Path) -> None:
        run_git(tmp_path, "clone", "-q", "-b", "main", str(remote), "other")
        commit(tmp_path / "other", elsewhere="1")
        run_git(tmp_path / "other", "push", "-q", "origin", "main")
        done = land(project, worktree, push_to="origin")
        assert isinstance(done, Landed)
        assert done.push_error
        assert not done.pushed


class TestOthers:
    @pytest.mark.spec(id="DV-25")
    @pytest.mark.spec(id="FM-89")
    @pytest.mark.parametrize("name", ["master", "trunk"])
    def test_any_default_branch(self, project: Path, worktree: Path, name: str) -> None:
        run_git(project, "branch", "-m", "main", name)
        assert isinstance(land(project, worktree, target=name), Landed)

    def test_branch_mode(self, project: Path) -> None:
        """gsd-2#4389."""
        enter_branch(project, "M001", "main")
        commit(project, made="1")
        leave_branch(project, "main")
        assert isinstance(land(project, None), Landed)
        assert (project / "made").exists()
        assert gone(project)

    def test_a_branch_that_is_still_checked_out_is_kept(self, project: Path) -> None:
        enter_branch(project, "M001", "main")
        commit(project, made="1")
        done = land(project, None)
        assert isinstance(done, Landed)
        assert "checked out" in done.kept[0]

    def test_the_commit_message_hook_is_asked(self, project: Path, worktree: Path) -> None:
        hook = project / ".git/hooks/commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text('#!/bin/sh\ngrep -q \'M001\' "$1" && { echo Change-Id: I1 >> "$1"; }\nexit 0\n')
        hook.chmod(0o755)
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert "Change-Id: I1" in run_git(project, "log", "-1", "--format=%(trailers)")

    def test_the_commit_message_hook_may_refuse(self, project: Path, worktree: Path) -> None:
        hook = project / ".git/hooks/commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho subject too long >&2\nexit 1\n")
        hook.chmod(0o755)
        before = state(project)
        with pytest.raises(CommitRefused, match="subject too long"):
            land(project, worktree)
        assert untouched(project, worktree, before)

    def test_signing_that_cannot_ask(self, project: Path, worktree: Path) -> None:
        run_git(project, "config", "commit.gpgSign", "true")
        run_git(project, "config", "gpg.program", "false")
        before = state(project)
        with pytest.raises(SigningFailed):
            land(project, worktree)
        assert untouched(project, worktree, before)

    def test_planning_files_that_git_ignores_are_brought_home_and_pinned(self, project: Path, worktree: Path) -> None:
        write(project, {".git/info/exclude": ".gsd/\n"})
        write(worktree, {".gsd/milestones/M001/M001-SUMMARY.md": "done\n"})
        called: list[bool] = []
        done = merge.land(
            plan_for(project, worktree, commit_docs=False), journal=quiet, bring_home=lambda: called.append(True)
        )
        assert isinstance(done, Landed)
        assert called == [True]
        pinned = next(b for b in refs.backups(project, "M001") if b.label == "planning")
        assert run_git(project, "show", f"{pinned.commit}:.gsd/milestones/M001/M001-SUMMARY.md") == "done\n"

    @pytest.mark.parametrize("tracked", [True, False])
    def test_run_time_files_that_nothing_ignores_go_with_the_worktree(
        self, project: Path, worktree: Path, tracked: bool
    ) -> None:
        if tracked:
            commit(worktree, **{".gsd__metrics.json": "{}", ".gsd__runtime__x": "1"})
            run_git(worktree, "add", "-f", ".gsd")
        write(worktree, {".gsd/metrics.json": "{1}", ".gsd/activity/001-x.jsonl": "{}"})
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert done.kept == ()
        assert not (project / ".gsd/activity").exists()

    def test_a_conflict_that_is_being_resolved_in_the_worktree_is_not_committed(
        self, project: Path, worktree: Path
    ) -> None:
        commit(worktree, **{"src__app.py": "theirs\n"})
        commit(project, **{"src__app.py": "mine\n"})
        os.system(f"git -C '{worktree}' merge main >/dev/null 2>&1")
        before, tip = state(project), head(worktree)
        with pytest.raises(ConflictsLeft, match=r"src/app\.py"):
            land(project, worktree)
        assert untouched(project, worktree, before)
        assert (head(worktree), status(worktree)) == (tip, ["UU src/app.py"])

    def test_a_submodule_whose_commit_is_only_there_keeps_the_worktree(
        self, project: Path, worktree: Path, tmp_path: Path
    ) -> None:
        """gsd-2#2337."""
        write(tmp_path / "lib", {"x": "1"})
        run_git(tmp_path / "lib", "init", "-q", "-b", "main")
        commit(tmp_path / "lib")
        add = ("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"), "lib")
        run_git(worktree, *add)
        run_git(worktree, "commit", "-qm", "submodule")
        commit(worktree / "lib", "only here", y="1")
        done = land(project, worktree)
        assert isinstance(done, Landed)
        assert "lib" in done.kept[0]
        assert (worktree / "lib/y").exists()
        run_git(worktree / "lib", "push", "-q", "origin", "HEAD:side")
        assert isinstance(again := land(project, worktree), Landed)
        assert again.kept == ()
