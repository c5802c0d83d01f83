"""`merge_strategy: per-slice`: one slice's work on the target while the milestone goes on (PR-064, DV-03)."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import run_git
from git import doomed
from git.arrange import branches, commit, everything, head, plan_for, status, write
from milepost.git import bring_in, merge, proof, refs, slices, worktrees
from milepost.git import repo as repository
from milepost.git.commits import CommitRefused
from milepost.git.land_slice import (
    CheckFailed,
    CheckResult,
    Conflicted,
    NothingToLand,
    Refused,
    SliceLanding,
    SliceOutcome,
    land_slice,
)
from milepost.git.merge import Landed, Outcome
from milepost.rules.merging import Side

BRANCH = "milestone/M001"
ROADMAP = ".gsd__milestones__M001__M001-ROADMAP.md"
LINES = [f"line {n}\n" for n in range(1, 21)]

pytestmark = [pytest.mark.spec(id="PR-064"), pytest.mark.spec(id="DV-03")]


def quiet(step: str, facts: Mapping[str, str]) -> None:
    pass


def land_one(project: Path, worktree: Path, slice_id: str, commit: str, **changes: object) -> SliceOutcome:
    facts: dict[str, object] = {"message": f"feat(M001/{slice_id}): {slice_id} done\n"}
    return land_slice(plan_for(project, worktree, **(facts | changes)), slice_id, commit, journal=quiet)


def landed_one(project: Path, worktree: Path, slice_id: str, commit: str, **changes: object) -> SliceLanding:
    found = land_one(project, worktree, slice_id, commit, **changes)
    assert isinstance(found, SliceLanding), found
    return found


def land(project: Path, worktree: Path, **changes: object) -> Outcome:
    return merge.land(plan_for(project, worktree, **changes), journal=quiet)


def landed(project: Path, worktree: Path, **changes: object) -> Landed:
    found = land(project, worktree, **changes)
    assert isinstance(found, Landed), found
    return found


def take_up(worktree: Path, link: str) -> None:
    """What a worker does at the next boundary."""
    found = bring_in.begin(worktree.parents[2], worktree, BRANCH, link, mid="M001", target="main")
    assert isinstance(found, bring_in.Clean), found
    assert found.commit == head(worktree)
    assert status(worktree) == []


def subjects(project: Path, since: str) -> list[str]:
    return run_git(project, "log", "--reverse", "--format=%s", f"{since}..main").splitlines()


def state(project: Path) -> tuple[str, list[str], dict[str, bytes]]:
    return head(project, "main"), status(project), everything(project)


def app(*changes: tuple[int, str]) -> str:
    """The file that both slices write, with some lines changed."""
    lines = list(LINES)
    for number, text in changes:
        lines[number - 1] = f"{text}\n"
    return "".join(lines)


@pytest.fixture
def first(project: Path, worktree: Path) -> str:
    """S01 is done: it wrote lines 9 and 10 of a file that was there before."""
    return commit(worktree, "feat(S01/T02): lines", **{"src__app.py": app((9, "S01"), (10, "S01"))})


class TestOneSlice:
    @pytest.mark.spec(id="FM-80")
    def test_one_commit_that_is_no_landing_of_the_milestone(self, project: Path, worktree: Path, first: str) -> None:
        before = head(project)
        commit(worktree, next="S02 has begun")
        write(worktree, {"dirty": "uncommitted", "src/store.py": "changed since\n"})
        work, branch = (head(worktree), status(worktree), everything(worktree)), head(project, BRANCH)
        done = landed_one(project, worktree, "S01", first)
        assert run_git(project, "log", "-1", "--format=%s%n%P").split("\n")[:2] == ["feat(M001/S01): S01 done", before]
        assert run_git(project, "log", "-1", "--format=%(trailers)").split("\n")[:3] == [
            "GSD-Slice: M001/S01", f"GSD-Branch: {BRANCH}", f"GSD-Tip: {first}",
        ]  # fmt: skip
        assert (done.commit, done.before, done.tip, done.already) == (head(project), before, first, False)
        assert (project / "src/app.py").read_text() == app((9, "S01"), (10, "S01"))
        assert (project / "src/store.py").read_text() == "store\n"
        assert not (project / "next").exists()
        assert status(project) == []
        assert (head(worktree), status(worktree), everything(worktree)) == work
        assert head(project, BRANCH) == branch
        assert proof.landings(project, "M001", "main") == ()
        with pytest.raises(proof.NotLanded):
            proof.landed(project, "M001", "main", branch)
        assert run_git(project, "for-each-ref", "refs/gsd/landing") == ""
        assert {b.label: b.commit for b in refs.backups(project, "M001")} == {"S01-tip": first, "S01-target": before}

    def test_the_link_joins_both(self, project: Path, worktree: Path, first: str) -> None:
        commit(project, mine="1")
        done = landed_one(project, worktree, "S01", first)
        assert head(project, "refs/gsd/slices/M001/S01") == done.link
        assert run_git(project, "log", "-1", "--format=%P", done.link).split() == [first, done.commit]
        assert head(project, f"{done.link}^{{tree}}") == head(project, f"{done.commit}^{{tree}}")
        assert refs.merge_base(project, done.link, head(worktree)) == first
        found = slices.pending(project, "M001", head(worktree))
        assert found is not None
        assert found.commit == done.link
        take_up(worktree, done.link)
        assert (worktree / "mine").exists()
        assert slices.pending(project, "M001", head(worktree)) is None

    def test_again_is_a_no_op_that_says_so(self, project: Path, worktree: Path, first: str) -> None:
        done = landed_one(project, worktree, "S01", first)
        before, every_ref = state(project), run_git(project, "for-each-ref")
        again = landed_one(project, worktree, "S01", first)
        assert (again.already, again.commit, again.link) == (True, done.commit, done.link)
        assert (state(project), run_git(project, "for-each-ref")) == (before, every_ref)

    def test_a_lost_link_is_made_again(self, project: Path, worktree: Path, first: str) -> None:
        landed_one(project, worktree, "S01", first)
        run_git(project, "update-ref", "-d", "refs/gsd/slices/M001/S01")
        again = landed_one(project, worktree, "S01", first)
        assert head(project, "refs/gsd/slices/M001/S01") == again.link

    def test_a_slice_that_a_later_one_brought(self, project: Path, worktree: Path, first: str) -> None:
        second = commit(worktree, **{"src__app.py": app((9, "S02"))})
        done = landed_one(project, worktree, "S02", second)
        before = state(project)
        again = landed_one(project, worktree, "S01", first)
        assert (again.already, again.commit, again.tip, again.link) == (True, done.commit, second, done.link)
        assert state(project) == before

    @pytest.mark.spec(id="FM-81")
    def test_changes_of_the_users_elsewhere_stay(self, project: Path, worktree: Path, first: str) -> None:
        write(project, {"src/other.py": "staged", "notes": "untracked", "x.log": "ignored"})
        run_git(project, "add", "src/other.py")
        write(project, {"src/other.py": "staged and changed"})
        before = status(project)
        landed_one(project, worktree, "S01", first)
        assert status(project) == before
        assert run_git(project, "show", ":src/other.py") == "staged"
        assert (project / "src/other.py").read_text() == "staged and changed"

    @pytest.mark.spec(id="FM-82")
    def test_a_change_of_the_users_in_the_way_stops_it(self, project: Path, worktree: Path, first: str) -> None:
        write(project, {"src/app.py": "mine\n"})
        before = state(project)
        refused = land_one(project, worktree, "S01", first)
        assert isinstance(refused, Refused)
        assert [b.path for b in refused.paths] == ["src/app.py"]
        assert "M001/S01" in refused.reason
        assert state(project) == before
        assert slices.links(project) == ()

    @pytest.mark.spec(id="FM-84")
    def test_a_conflict_names_files_and_lines(self, project: Path, worktree: Path, first: str) -> None:
        commit(project, **{"src__app.py": app((9, "mine"))})
        before, tip = state(project), head(worktree)
        found = land_one(project, worktree, "S01", first)
        assert isinstance(found, Conflicted)
        assert [(f.path, f.target_lines, f.milestone_lines) for f in found.files] == [
            ("src/app.py", ((9, 10),), ((9, 10),))
        ]
        assert (state(project), head(worktree), status(worktree)) == (before, tip, [])

    def test_the_check_sees_the_merged_tree(self, project: Path, worktree: Path, first: str) -> None:
        commit(project, mine="1")
        commit(worktree, later="1")
        seen: list[set[str]] = []

        def check(place: Path) -> CheckResult:
            seen.append({path.name for path in place.iterdir()})
            return CheckResult(passed=False, detail="no")

        before = state(project)
        plan = plan_for(project, worktree, message="feat(M001/S01): Core\n")
        found = land_slice(plan, "S01", first, journal=quiet, check=check)
        assert found == CheckFailed(detail="no", inconclusive=False)
        assert "mine" in seen[0]
        assert "later" not in seen[0]
        assert state(project) == before

    @pytest.mark.spec(id="FM-97")
    def test_the_commit_message_hook_is_asked(self, project: Path, worktree: Path, first: str) -> None:
        hook = project / ".git/hooks/commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
        hook.chmod(0o755)
        before = state(project)
        with pytest.raises(CommitRefused, match="M001/S01"):
            land_one(project, worktree, "S01", first)
        assert state(project) == before

    def test_the_target_moves_meanwhile(self, project: Path, worktree: Path, first: str) -> None:
        moved: list[str] = []

        def somebody(step: str, facts: Mapping[str, str]) -> None:
            if (step, facts.get("label")) == ("pin", "S01-target") and not moved:
                moved.append(commit(project, elsewhere="1"))

        plan = plan_for(project, worktree, message="feat(M001/S01): Core\n")
        done = land_slice(plan, "S01", first, journal=somebody)
        assert isinstance(done, SliceLanding)
        assert done.before == moved[0]
        assert (project / "elsewhere").exists()

    @pytest.mark.spec(id="FM-98")
    @pytest.mark.spec(id="FM-99")
    def test_generated_files_and_registers_by_policy(self, project: Path, worktree: Path, first: str) -> None:
        text = "# Decisions\n\n| D001 | first |\n"
        done_at = commit(worktree, **{"a.map": "theirs", ".gsd__DECISIONS.md": f"{text}| D002 | theirs |\n"})
        commit(project, **{"a.map": "mine", ".gsd__DECISIONS.md": f"{text}| D002 | mine |\n"})
        done = landed_one(project, worktree, "S01", done_at, generated=("*.map",))
        assert {r.path: r.side for r in done.resolved} == {"a.map": Side.GENERATED, ".gsd/DECISIONS.md": Side.UNION}

    def test_nothing_that_the_target_lacks(self, project: Path, worktree: Path) -> None:
        nothing = head(project)
        assert isinstance(land_one(project, worktree, "S01", nothing), NothingToLand)
        run_git(project, "merge", "-q", "--squash", BRANCH)
        run_git(project, "commit", "-qm", "by hand")
        assert isinstance(land_one(project, worktree, "S01", head(worktree)), NothingToLand)
        assert slices.links(project) == ()

    def test_a_commit_that_the_branch_has_not(self, project: Path, worktree: Path, first: str) -> None:
        run_git(worktree, "commit", "-q", "--amend", "-m", "amended by an agent")
        before = state(project)
        refused = land_one(project, worktree, "S01", first)
        assert isinstance(refused, Refused)
        assert "not on milestone/M001" in refused.reason
        assert isinstance(land_one(project, worktree, "S01", "1" * 40), Refused)
        assert state(project) == before

    def test_no_such_branch_or_target(self, project: Path, worktree: Path, first: str) -> None:
        assert isinstance(land_one(project, worktree, "S01", first, target="gone"), Refused)
        assert isinstance(land_one(project, worktree, "S01", first, branch="milestone/M009", mid="M009"), Refused)

    def test_reverted_since(self, project: Path, worktree: Path, first: str) -> None:
        landed_one(project, worktree, "S01", first)
        run_git(project, "revert", "--no-edit", "HEAD")
        before = state(project)
        refused = land_one(project, worktree, "S01", first)
        assert isinstance(refused, Refused)
        assert "not on the target any more" in refused.reason
        assert state(project) == before


@pytest.fixture(params=["taken up", "not taken up"])
def linked(request: pytest.FixtureRequest) -> bool:
    """Whether the branch merges the link of S01 while it works on S02."""
    return request.param == "taken up"


class TestThenTheMilestone:
    def test_the_next_slice_rewrites_the_same_lines(
        self, project: Path, worktree: Path, first: str, linked: bool
    ) -> None:
        """A squash is no ancestor: without the link S02's version of these lines conflicts with S01's own."""
        before = head(project)
        commit(worktree, "feat(S02/T01): begun", begun="1")
        done = landed_one(project, worktree, "S01", first)
        if linked:
            take_up(worktree, done.link)
        commit(worktree, "feat(S02/T02): rewritten", **{"src__app.py": app((9, "S02"), (10, "S02 too"))})
        run_git(worktree, "rm", "-q", "src/store.py")
        tip = commit(worktree, "feat(S02/T03): moved", **{"src__moved.py": "store\n"})
        whole = landed(project, worktree)
        assert subjects(project, before) == ["feat(M001/S01): S01 done", "feat(M001): Store"]
        assert run_git(project, "diff", "--stat", tip, "main") == ""
        assert (whole.slices, whole.only_planning, whole.kept) == (("S01",), False, ())
        assert not worktree.exists()
        assert BRANCH not in branches(project)
        assert slices.links(project) == ()
        assert status(project) == []

    def test_without_what_landed_as_the_base_it_would_conflict(self, project: Path, worktree: Path, first: str) -> None:
        """The test above shows something only because git by itself stops here."""
        landed_one(project, worktree, "S01", first)
        commit(worktree, **{"src__app.py": app((9, "S02"), (10, "S02 too"))})
        asked = ["git", "-C", str(project), "merge-tree", "--write-tree", "main", BRANCH]
        assert subprocess.run(asked, check=False, capture_output=True).returncode == 1

    def test_every_slice_on_its_own_and_another_milestone_in_between(
        self, project: Path, worktree: Path, first: str, linked: bool
    ) -> None:
        before = head(project)
        other = worktrees.ensure(repository.inspect(project), "M002", "main").path
        commit(other, **{"src__app.py": app((19, "M002")), "m002": "1"})
        one = landed_one(project, worktree, "S01", first)
        if linked:
            take_up(worktree, one.link)
        landed(project, other, mid="M002", branch="milestone/M002", message="feat(M002): Later\n")
        second = commit(worktree, **{"src__app.py": (worktree / "src/app.py").read_text().replace("S01", "S02")})
        two = landed_one(project, worktree, "S02", second)
        if linked:
            take_up(worktree, two.link)
        commit(worktree, **{ROADMAP: "# M001: Store\n\n- [x] **S01: Core**\n- [x] **S02: More**\n"})
        whole = landed(project, worktree)
        assert subjects(project, before) == [
            "feat(M001/S01): S01 done", "feat(M002): Later", "feat(M001/S02): S02 done", "feat(M001): Store",
        ]  # fmt: skip
        assert (project / "src/app.py").read_text() == app((9, "S02"), (10, "S02"), (19, "M002"))
        assert whole.slices == ("S01", "S02")
        assert run_git(project, "show", "--format=", "--name-only").split() == [ROADMAP.replace("__", "/")]
        assert not whole.only_planning
        assert whole.kept == ()

    @pytest.mark.parametrize("strategy", ["squash", "merge"])
    def test_when_nothing_is_left_the_milestone_still_lands(
        self, project: Path, worktree: Path, first: str, linked: bool, strategy: str
    ) -> None:
        """Planning files that git does not carry: the last slice brought the last change."""
        before = head(project)
        done = landed_one(project, worktree, "S01", first, strategy=strategy)
        if linked:
            take_up(worktree, done.link)
        tip = head(worktree)
        whole = landed(project, worktree, strategy=strategy)
        log = run_git(project, "log", "--first-parent", "--reverse", "--format=%s", f"{before}..main").splitlines()
        assert log == ["feat(M001/S01): S01 done", "feat(M001): Store"]
        assert (whole.tip, whole.kept, whole.only_planning) == (tip, (), False)
        assert [found.tip for found in proof.landings(project, "M001", "main")] == [tip]
        assert not worktree.exists()
        assert BRANCH not in branches(project)
        assert landed(project, worktree).already

    @pytest.mark.spec(id="FM-83")
    def test_a_milestone_with_nothing_and_no_slices_is_still_refused(self, project: Path, worktree: Path) -> None:
        run_git(project, "merge", "-q", "--squash", BRANCH)
        run_git(project, "commit", "-qm", "by hand")
        assert isinstance(land(project, worktree), NothingToLand)
        assert worktree.exists()

    def test_the_users_edit_of_what_landed_stays(self, project: Path, worktree: Path, first: str, linked: bool) -> None:
        done = landed_one(project, worktree, "S01", first)
        commit(project, "polished", **{"src__app.py": app((9, "polished"), (10, "S01"))})
        if linked:
            take_up(worktree, done.link)
        commit(worktree, later="1")
        landed(project, worktree)
        assert (project / "src/app.py").read_text() == app((9, "polished"), (10, "S01"))

    def test_a_slice_reverted_on_the_target_is_said_and_not_left_out(
        self, project: Path, worktree: Path, first: str, linked: bool
    ) -> None:
        """The milestone may not count as landed with a part of it missing."""
        done = landed_one(project, worktree, "S01", first)
        if linked:
            take_up(worktree, done.link)
        second = commit(worktree, later="1")
        run_git(project, "revert", "--no-edit", done.commit)
        before = state(project)
        for refused in (land(project, worktree), land_one(project, worktree, "S02", second)):
            assert isinstance(refused, Refused)
            assert "M001/S01 was landed" in refused.reason
        assert state(project) == before
        assert worktree.exists()
        run_git(project, "revert", "--no-edit", "HEAD")
        landed(project, worktree)
        assert (project / "src/app.py").read_text() == app((9, "S01"), (10, "S01"))

    def test_a_revert_that_the_branch_has_taken_up_is_done_over_by_the_next_slice(
        self, project: Path, worktree: Path, first: str
    ) -> None:
        done = landed_one(project, worktree, "S01", first)
        take_up(worktree, done.link)
        run_git(project, "revert", "--no-edit", done.commit)
        run_git(worktree, "merge", "-q", "--no-edit", "main")
        assert (worktree / "src/app.py").read_text() == app()
        commit(worktree, **{"src__app.py": app((9, "S02"), (10, "S01"))})
        landed(project, worktree)
        assert (project / "src/app.py").read_text() == app((9, "S02"), (10, "S01"))

    def test_what_the_next_slice_removes_again_is_no_revert(
        self, project: Path, worktree: Path, first: str, linked: bool
    ) -> None:
        before = head(project)
        for number, name in ((1, "base"), (2, "scaffold"), (3, "house")):
            if name == "house":
                run_git(worktree, "rm", "-q", "scaffold")
            done_at = commit(worktree, name, **{name: "1"})
            done = landed_one(project, worktree, f"S0{number}", done_at)
            if linked:
                take_up(worktree, done.link)
        landed(project, worktree)
        assert subjects(project, before)[-1] == "feat(M001): Store"
        assert (project / "house").exists()
        assert not (project / "scaffold").exists()

    def test_the_target_was_brought_in_after_the_slice(self, project: Path, worktree: Path, first: str) -> None:
        """A branch that knows the target, but not yet its link."""
        second = commit(worktree, **{"src__app.py": app((9, "S02"), (10, "S02"))})
        commit(project, **{"other": "1", "src__other.py": "target\n"})
        run_git(worktree, "merge", "-q", "--no-edit", "main")
        landed_one(project, worktree, "S02", second)
        commit(worktree, **{"src__other.py": "again\n", "src__app.py": app((9, "S03"))})
        landed(project, worktree)
        assert (project / "src/other.py").read_text() == "again\n"
        assert (project / "src/app.py").read_text() == app((9, "S03"))


class TestPush:
    @pytest.fixture
    def remote(self, project: Path, tmp_path: Path) -> Path:
        run_git(tmp_path, "init", "-q", "--bare", "remote.git")
        run_git(project, "remote", "add", "origin", str(tmp_path / "remote.git"))
        return tmp_path / "remote.git"

    def test_pushed_and_verified(self, project: Path, worktree: Path, first: str, remote: Path) -> None:
        done = landed_one(project, worktree, "S01", first, push_to="origin")
        assert (done.pushed, done.push_error) == (True, "")
        assert head(remote, "main") == done.commit

    def test_not_pushed_is_said_and_the_next_run_pushes(
        self, project: Path, worktree: Path, first: str, remote: Path
    ) -> None:
        hook = remote / "hooks/pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        done = landed_one(project, worktree, "S01", first, push_to="origin")
        assert not done.pushed
        assert "rejected" in done.push_error
        hook.unlink()
        again = landed_one(project, worktree, "S01", first, push_to="origin")
        assert (again.already, again.pushed) == (True, True)
        assert head(remote, "main") == done.commit


STEPS = ("pin", "merge", "check", "pin", "publish", "checkout", "push", "link")
ANNOUNCED = [f"{step} {at}" for step in STEPS for at in ("begin", "done")]


class TestKilled:
    """SIGKILL before and after each effect: the next run lands it exactly once, and nothing of the user's is lost."""

    @pytest.fixture
    def busy(self, project: Path, worktree: Path, first: str, tmp_path: Path) -> Path:
        commit(worktree, **{"next.py": "S02\n"})
        commit(project, mine="1", staged="1")
        run_git(tmp_path, "init", "-q", "--bare", "remote.git")
        run_git(project, "remote", "add", "origin", str(tmp_path / "remote.git"))
        write(project, {"mine": "changed", "staged": "2", "src/note": "untracked", "x.log": "ignored"})
        run_git(project, "add", "staged")
        write(project, {"staged": "3"})
        write(worktree, {"dirty.py": "at work\n", "src/store.py": "at work\n"})
        return project

    def run(self, project: Path, worktree: Path, commit: str, fatal: int) -> tuple[int, list[str]]:
        def check(place: Path) -> CheckResult:
            return CheckResult(passed=(place / "src/store.py").exists() and not (place / "next.py").exists())

        def land(journal: doomed.Journal) -> str:
            plan = plan_for(project, worktree, push_to="origin", message="feat(M001/S01): Core\n")
            outcome = land_slice(plan, "S01", commit, journal=journal, check=check)
            return f"{type(outcome).__name__} {getattr(outcome, 'already', '')}"

        return doomed.run(land, fatal)

    def of_the_user(self, project: Path) -> tuple[dict[str, bytes], list[str], str]:
        files, names = everything(project), ("README.md", "mine", "staged", "src/note", "x.log")
        return {name: files[name] for name in names}, status(project), run_git(project, "show", ":staged")

    def test_every_step_was_walked(self, busy: Path, worktree: Path, first: str) -> None:
        assert self.run(busy, worktree, first, -1) == (0, [*ANNOUNCED, "SliceLanding False"])
        code, announced = self.run(busy, worktree, first, -1)
        assert (code, announced[-1]) == (0, "SliceLanding True")
        assert "publish begin" not in announced

    @pytest.mark.spec(id="FM-94")
    @pytest.mark.parametrize("fatal", range(len(ANNOUNCED)), ids=[name.replace(" ", "-") for name in ANNOUNCED])
    def test_killed_and_run_again(self, busy: Path, worktree: Path, first: str, fatal: int) -> None:
        before, user = head(busy), self.of_the_user(busy)
        work = head(worktree), status(worktree), everything(worktree)
        code, announced = self.run(busy, worktree, first, fatal)
        assert (code, announced[-1]) == (-9, ANNOUNCED[fatal])
        if fatal <= ANNOUNCED.index("publish begin"):
            assert head(busy) == before
            assert self.of_the_user(busy) == user
        code, announced = self.run(busy, worktree, first, -1)
        assert code == 0
        assert announced[-1].startswith("SliceLanding")
        assert subjects(busy, before) == ["feat(M001/S01): Core"]
        assert (busy / "src/app.py").read_text() == app((9, "S01"), (10, "S01"))
        assert self.of_the_user(busy) == user
        assert (head(worktree), status(worktree), everything(worktree)) == work
        assert run_git(busy, "for-each-ref", "refs/gsd/landing") == ""
        assert len(run_git(busy, "worktree", "list").splitlines()) == 2
        assert [found.slice for found in slices.links(busy)] == ["S01"]
        assert head(busy.parent / "remote.git", "main") == head(busy)
        assert [b.label for b in refs.backups(busy, "M001")] == ["S01-tip", "S01-target"]

    def test_killed_before_the_link_and_then_the_milestone_lands(self, busy: Path, worktree: Path, first: str) -> None:
        """Nobody runs it again: what landed is known from the target alone."""
        before = head(busy)
        self.run(busy, worktree, first, ANNOUNCED.index("publish done"))
        write(worktree, {"src/app.py": app((9, "S02"))})
        landed(busy, worktree)
        assert subjects(busy, before) == ["feat(M001/S01): Core", "feat(M001): Store"]
        assert (busy / "src/app.py").read_text() == app((9, "S02"))
        assert (busy / "mine").read_text() == "changed"
