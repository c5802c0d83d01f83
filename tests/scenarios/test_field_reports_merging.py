"""What users lost when branches were merged (groups A and F), with several milestones at once."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import tool
from scenarios.fleet_stage import PAIR, PATIENCE_S, TRIO, FleetStage, Gate, task
from scenarios.stage import BLOCKED, DONE, PAUSED, git_lock, picture, wait_until

FIRST = task("M001")
SECOND = task("M002")


def complete(fleet: FleetStage, **plan: object) -> None:
    """Both milestones are complete in their worktrees, and nobody has merged them."""
    fleet.plan(parallel={"auto_merge": "manual"}, **plan)  # type: ignore[arg-type]
    fleet.fleet().require(PAUSED)


def reachable(fleet: FleetStage, *commits: str) -> bool:
    """Whether all of them are in the history of some ref."""
    return set(commits) <= set(fleet.git("rev-list", "--all").split())


def tip(fleet: FleetStage, mid: str) -> str:
    return fleet.git("rev-parse", f"milestone/{mid}").strip()


def by_name(results: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    return {str(result["milestoneId"]): result for result in results}


@pytest.mark.spec(id="FM-87")
def test_squash_of_a_branch_whose_ref_is_behind_worktree_head(fleet: FleetStage) -> None:
    """gsd-2#1846: 32 commits were orphaned by a merge of the branch's name."""
    complete(fleet)
    where = fleet.tree("M001")
    fleet.git("checkout", "-q", "--detach", where=where)
    for number in range(3):
        projects.write(where, {f"late-{number}.txt": f"{number}\n"})
        fleet.git("add", "-A", where=where)
        fleet.git("commit", "-qm", f"late {number}", where=where)
    head = fleet.git("rev-parse", "HEAD", where=where).strip()
    assert head != tip(fleet, "M001")
    fleet.parallel("merge").require(DONE)
    fleet.require_done(*PAIR)
    assert [fleet.git("show", f"main:late-{number}.txt") for number in range(3)] == ["0\n", "1\n", "2\n"]
    assert reachable(fleet, head)


@pytest.mark.spec(id="FM-82")
@pytest.mark.spec(id="PR-330")
def test_a_merge_that_fails_for_another_reason_than_a_conflict_deletes_nothing(fleet: FleetStage) -> None:
    """gsd-2#2003: errors other than conflicts were swallowed, and the worktree removed as after a success."""
    complete(fleet)
    tips = [tip(fleet, mid) for mid in PAIR]
    with git_lock(fleet.root, fleet.root / ".git/refs/heads/main.lock"):
        ran = fleet.parallel("merge").require(BLOCKED)
    assert "main.lock" in ran.out
    assert fleet.log() == ["first"]
    assert [tip(fleet, mid) for mid in PAIR] == tips
    assert all((fleet.tree(mid) / ".git").is_file() for mid in PAIR)
    fleet.parallel("merge").require(DONE)
    fleet.require_done(*PAIR)


@pytest.mark.spec(id="FM-83")
@pytest.mark.spec(id="FM-94")
@pytest.mark.parametrize("by_hand", ["merge", "squash"])
def test_already_up_to_date_or_nothing_to_commit_deletes_nothing(fleet: FleetStage, by_hand: str) -> None:
    """gsd-2#1792, #2003: what a person had merged by hand counted as a success, and was torn down without proof."""
    complete(fleet)
    commit = tip(fleet, "M001")
    if by_hand == "merge":
        fleet.git("merge", "-q", "--no-ff", "-m", "by hand", "milestone/M001")
    else:
        fleet.git("merge", "-q", "--squash", "milestone/M001")
        fleet.git("commit", "-qm", "by hand")
    results = by_name(fleet.merges())
    assert (results["M001"]["success"], results["M001"]["outcome"]) == (False, "nothing")
    assert "main already" in str(results["M001"]["reason"])
    assert results["M002"]["success"] is True
    assert tip(fleet, "M001") == commit
    assert (fleet.tree("M001") / ".git").is_file()
    [row] = fleet.waits()
    assert (row["kind"], row["milestoneId"]) == ("refused", "M001")


@pytest.mark.spec(id="FM-80")
@pytest.mark.spec(id="DV-24")
def test_dirty_worktree_at_teardown_and_an_auto_commit_that_fails_because_of_a_lock(fleet: FleetStage) -> None:
    """gsd-2#2233, #1853: the safety commit came after the merge or not at all, and the files went with the worktree."""
    complete(fleet)
    where = fleet.tree("M001")
    projects.write(where, {"left.txt": "not committed yet\n"})
    lock = fleet.root / ".git/worktrees/M001/index.lock"
    with git_lock(where, lock):
        ran = fleet.parallel("merge").require(BLOCKED)
    assert "index.lock" in ran.out
    assert fleet.landed() == ["M002"], "the others are merged all the same"
    assert (where / "left.txt").read_text() == "not committed yet\n"
    fleet.parallel("merge").require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.git("show", "main:left.txt") == "not committed yet\n"


class Check:
    """A pre-merge check that waits for the test, and the fleet that waits with it."""

    def __init__(self, fleet: FleetStage) -> None:
        base = fleet.root.parent
        self.gate = Gate(base / "checking", base / "go-on")
        script = base / "check.sh"
        script.write_text(f"touch '{self.gate.begun}'\nuntil test -f '{self.gate.go}'; do sleep 0.05; done\n")
        fleet.plan(git={"pre_merge_check": f"sh {script}"})
        self.process = fleet.begin("--no-sandbox")
        self.gate.wait()


def merging(fleet: FleetStage) -> list[int]:
    """Processes of a merge."""
    found = []
    for pid in fleet.pids():
        with suppress(OSError):  # Gone since it was listed.
            if b"\0merge\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


@pytest.mark.spec(id="FM-85")
@pytest.mark.spec(id="FM-18")
@pytest.mark.parametrize("who", ["the coordinator", "everything"])
def test_kill_of_the_coordinator_during_a_merge_with_a_leftover_squash_msg(fleet: FleetStage, who: str) -> None:
    """gsd-2#1853: a kill in the middle of a merge left SQUASH_MSG, and every later merge failed or took its words."""
    check = Check(fleet)
    words = "Squashed commit of the following:\n\ncommit of long ago\n"
    (fleet.root / ".git/SQUASH_MSG").write_text(words)
    before = picture(fleet.root)
    if who == "everything":
        fleet.kill_everything()
    else:
        os.kill(check.process.pid, signal.SIGKILL)
        check.process.communicate()
        assert merging(fleet), "a merge is a process of its own and ends by itself"
    assert fleet.log() == ["first"]
    assert picture(fleet.root) == before
    check.gate.open()
    fleet.fleet("--no-sandbox").require(DONE)
    fleet.require_done(*PAIR)
    assert "long ago" not in fleet.git("log", "--format=%B")
    assert (fleet.root / ".git/SQUASH_MSG").read_text() == words
    assert not fleet.pids()


@pytest.mark.spec(id="FM-90")
def test_an_in_progress_rebase_of_the_users_at_merge_time(fleet: FleetStage) -> None:
    """aider-desk PR#916: a rebase that was under way was aborted, or merged into."""
    fleet.plan(parallel={"auto_merge": "manual"})
    gate = fleet.hold(FIRST)
    process = fleet.begin()
    gate.wait()
    fleet.git("switch", "-qc", "side")
    projects.write(fleet.root, {"README.md": "# Side\n"})
    fleet.git("commit", "-qam", "side")
    fleet.git("switch", "-q", "main")
    projects.write(fleet.root, {"README.md": "# Main\n"})
    fleet.git("commit", "-qam", "mine")
    fleet.git("rebase", "side", ok=(1,))
    before, there = picture(fleet.root), sorted(os.listdir(fleet.root / ".git/rebase-merge"))
    gate.open()
    fleet.end(process).require(PAUSED)

    ran = fleet.parallel("merge").require(BLOCKED)
    assert "main is being rebased in" in ran.out
    assert picture(fleet.root) == before
    assert sorted(os.listdir(fleet.root / ".git/rebase-merge")) == there
    assert "rebase is half done" in fleet.fleet().require(BLOCKED).err
    projects.write(fleet.root, {"README.md": "# Both\n"})
    fleet.git("add", "README.md")
    fleet.git("-c", "core.editor=true", "rebase", "--continue")
    fleet.parallel("merge").require(DONE)
    fleet.require_done(*PAIR)
    assert (fleet.root / "README.md").read_text() == "# Both\n"


@pytest.mark.spec(id="FM-81")
@pytest.mark.spec(id="FM-82")
@pytest.mark.spec(id="DV-24")
def test_user_has_uncommitted_work_in_main_at_merge_time(fleet: FleetStage) -> None:
    """gsd-2#1752, CC#33850: two days of uncommitted work were lost to a merge that moved the checkout."""
    fleet.plan()
    fleet.also(SECOND, tool("edit", path="src/app.txt", old="two", new="2"))
    gate = fleet.hold(FIRST)
    process = fleet.begin()
    gate.wait()
    projects.write(fleet.root, {"README.md": "# Mine, not committed\n", "src/app.txt": "one\ntwo of mine\nthree\n"})
    fleet.git("add", "README.md")
    mine = {path: data for path, data in picture(fleet.root).files.items() if not path.startswith("work/")}
    staged = picture(fleet.root).staged
    gate.open()
    ran = fleet.end(process).require(BLOCKED)
    assert fleet.landed() == ["M001"], "what is not in the way of the user's work is merged"
    now = picture(fleet.root)
    assert {path: data for path, data in now.files.items() if not path.startswith("work/")} == mine
    assert now.staged == staged
    assert "src/app.txt" in ran.out
    [row] = fleet.waits()
    assert (row["kind"], row["milestoneId"]) == ("refused", "M002")
    assert "src/app.txt" in str(row)
    paid = fleet.attempts()
    fleet.git("commit", "-qm", "the part that is done")
    fleet.git("checkout", "-q", "--", "src/app.txt")
    fleet.fleet().require(DONE)
    assert fleet.attempts() == paid
    fleet.require_done(*PAIR)


@pytest.mark.spec(id="FM-98")
@pytest.mark.spec(id="FM-99")
@pytest.mark.spec(id="FM-84")
@pytest.mark.spec(id="PR-122")
@pytest.mark.spec(id="PR-123")
@pytest.mark.spec(id="PR-124")
@pytest.mark.spec(id="PR-196")
@pytest.mark.spec(id="DV-16")
def test_registry_counter_and_generated_file_conflict_classes(fleet: FleetStage) -> None:
    """python-skills PR#88: a side was picked for registries, counters and built files, and components were dropped."""
    fleet.plan(milestones=PAIR)
    projects.write(
        fleet.root,
        {"registry.txt": "first\nlast\n", "VERSION": "7\n", "dist/app.js.map": "0\n", "CHANGES.md": "# Changes\n"},
    )
    fleet.git("add", "-A")
    fleet.git("commit", "-qm", "registry, counter and built file")
    for mid in PAIR:
        fleet.also(
            task(mid),
            tool("write", path="registry.txt", content=f"first\ncomponent {mid}\nlast\n"),
            tool("write", path="VERSION", content=f"8 by {mid}\n"),
            tool("write", path="dist/app.js.map", content=f"built by {mid}\n"),
            tool("write", path=".gsd/DECISIONS.md", content=f"# Decisions Register\n\n- {mid} decided\n"),
        )
    ran = fleet.fleet().require(BLOCKED)
    [first] = fleet.landed()
    [second] = set(PAIR) - {first}
    assert f"component {first}" in fleet.git("show", "main:registry.txt")
    # What a rule settles is said.
    assert f"{second}: settled dist/app.js.map: generated, the milestone's version" in ran.out
    assert f"{second}: settled .gsd/DECISIONS.md: lines of both sides" in ran.out
    [row] = [row for row in fleet.waits() if row["kind"] == "conflict"]
    assert row["milestoneId"] == second
    # Code is never settled by a rule: every file is named, with its lines, and nothing is half taken.
    assert sorted(str(line).partition(" ")[0] for line in row["details"]) == ["VERSION", "registry.txt"]  # type: ignore[union-attr]
    where = fleet.tree(second)
    projects.write(where, {"registry.txt": "first\ncomponent M001\ncomponent M002\nlast\n", "VERSION": "9\n"})
    fleet.parallel("merge", second).require(DONE)
    fleet.require_done(*PAIR)
    decisions = fleet.git("show", "main:.gsd/DECISIONS.md")
    assert all(f"{mid} decided" in decisions for mid in PAIR)
    assert fleet.git("show", "main:registry.txt").count("component") == 2
    assert fleet.git("show", "main:dist/app.js.map") == f"built by {second}\n"


def test_branch_from_before_a_squash_deletes_no_shipped_feature_with_green_checks(fleet: FleetStage) -> None:
    """jeffkliu.com: a branch from before a squash merge took a shipped feature out again, and every check was green."""
    fleet.plan(slices=2, parallel={"merge_strategy": "per-slice"}, git={"pre_merge_check": "'test -d src'"})
    fleet.also(FIRST, tool("edit", path="src/app.txt", old="two\n", new="two\nfeature\n"))
    later = "execute-task/M001/S02/T01"
    gate = fleet.hold(later)
    sibling = fleet.hold(SECOND)
    process = fleet.begin()
    gate.wait()
    sibling.wait()
    # The first slice is shipped by a squash; both branches are from before it.
    wait_until(lambda: "feature" in (fleet.root / "src/app.txt").read_text(), seconds=PATIENCE_S)
    assert "feature" not in (fleet.tree("M002") / "src/app.txt").read_text()
    # And the user builds on it.
    projects.write(fleet.root, {"src/app.txt": "one\ntwo\nfeature, better\nthree\n"})
    fleet.git("commit", "-qam", "on top of the feature")
    gate.open()
    sibling.open()
    fleet.end(process).require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.git("show", "main:src/app.txt") == "one\ntwo\nfeature, better\nthree\n"
    for commit in fleet.git("rev-list", "--first-parent", "main").split()[:-1]:
        gone = fleet.git("diff", "--name-only", "--diff-filter=D", f"{commit}^", commit).split()
        assert gone == []


@pytest.mark.spec(id="FM-95")
def test_post_merge_tests_on_the_combination(fleet: FleetStage) -> None:
    """gastown's merge queue: two milestones that are green alone and red together; the second is named."""
    check = fleet.root.parent / "check.sh"
    check.write_text("test $(cat limit-*.txt | wc -l) -lt 2\n")
    fleet.plan(TRIO, git={"pre_merge_check": f"sh {check}"})
    for mid in PAIR:
        fleet.also(task(mid), tool("write", path=f"limit-{mid}.txt", content="one more\n"))
    fleet.fleet().require(BLOCKED)
    assert len(fleet.landed()) == 2
    [second] = set(TRIO) - set(fleet.landed())
    assert second in PAIR
    assert "M003" in fleet.landed(), "the queue goes on behind it"
    [row] = fleet.waits()
    assert (row["kind"], row["milestoneId"]) == ("refused", second)
    assert "the check before merging failed" in str(row["reason"])
    assert (fleet.tree(second) / f"limit-{second}.txt").exists()
    assert fleet.git("status", "--porcelain") == ""
    # Put right where it was made, it goes through.
    (fleet.tree(second) / f"limit-{second}.txt").unlink()
    fleet.parallel("merge").require(DONE)
    fleet.require_done(*TRIO)
