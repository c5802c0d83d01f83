"""Adding, moving, setting aside and taking out milestones. Source: spec auto 1.5, 2.25, 7; PR-191."""

import json
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, ERROR, INTERRUPTED, PAUSED, Stage, finish, picture, wait_until

MIDS = ("M001", "M002", "M003")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Three milestones, of which the third waits for the second."""
    stage = Stage(root=tmp_path / "project").make(milestones=MIDS, depends={"M003": ["M002"]})
    listed = "# Project\n\n## Milestone Sequence\n\n" + "".join(f"- [ ] {mid}: Small\n" for mid in MIDS)
    (stage.state / "PROJECT.md").write_text(listed)
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "project")
    return stage


def _order(stage: Stage) -> list[str]:
    return [str(entry["id"]) for entry in json.loads(stage.gsd("queue", "--json").out)]


def _clean(stage: Stage) -> bool:
    return not stage.git("status", "--porcelain", "--untracked-files=no")


@pytest.mark.covers("command:queue", "command:queue move")
def test_a_milestone_is_moved_and_only_its_own_files_are_committed(stage: Stage) -> None:
    (stage.root / "src/app.txt").write_text("staged\n")
    stage.git("add", "src/app.txt")
    (stage.root / "README.md").write_text("changed\n")
    before = picture(stage.root)
    ran = stage.gsd("queue", "move", "M002", "--first").require(DONE)
    assert ran.out.index("1. M002") < ran.out.index("2. M001")
    assert _order(stage) == ["M002", "M001", "M003"]
    assert picture(stage.root) == before
    assert stage.log()[0] == "docs: reorder queue"
    changed = stage.git("show", "--name-only", "--format=", "HEAD").split()
    assert changed == [".gsd/PROJECT.md", ".gsd/QUEUE-ORDER.json"]
    assert (stage.state / "PROJECT.md").read_text().index("M002") < (stage.state / "PROJECT.md").read_text().index(
        "M001"
    )


@pytest.mark.covers("command:queue order")
def test_an_order_that_violates_a_dependency_is_refused_or_drops_it(stage: Stage) -> None:
    commits = len(stage.log())
    refused = stage.gsd("queue", "order", "M003", "M002").require(BLOCKED)
    assert "M003 waits for M002, which would come after it" in refused.err
    assert len(stage.log()) == commits
    assert _order(stage) == list(MIDS)
    done = stage.gsd("queue", "order", "M003", "M002", "--drop-dependency").require(DONE)
    assert "Dropped: M003 no longer waits for M002." in done.out
    assert _order(stage) == ["M003", "M002", "M001"]
    assert "M002" not in stage.path("M003-CONTEXT.md", "M003").read_text()
    assert _clean(stage)


@pytest.mark.parametrize(
    ("args", "order"),
    [
        (("M001", "--last"), "M002 M003 M001"),
        (("M001", "--behind", "M002"), "M002 M001 M003"),
        (("M002", "--before", "M001"), "M002 M001 M003"),
    ],
)
def test_where_to(stage: Stage, args: tuple[str, ...], order: str) -> None:
    stage.gsd("queue", "move", *args).require(DONE)
    assert _order(stage) == order.split()


@pytest.mark.parametrize("args", [("M009", "--first"), ("M001", "--before", "M009"), ("M001",), ("nonsense", "--last")])
def test_what_cannot_be_moved(stage: Stage, args: tuple[str, ...]) -> None:
    assert stage.gsd("queue", "move", *args).code in (ERROR, BLOCKED)
    assert not (stage.state / "QUEUE-ORDER.json").exists()


@pytest.mark.covers("command:queue add")
def test_a_milestone_is_added_at_the_end_without_a_model(stage: Stage) -> None:
    stage.gsd("queue", "move", "M001", "--last").require(DONE)
    ran = stage.gsd("queue", "add", "Export to CSV.", "--after", "M003").require(DONE)
    assert ran.out.startswith("M004 is in the queue.")
    assert _order(stage) == ["M002", "M003", "M001", "M004"]
    assert stage.path("M004-CONTEXT.md", "M004").read_text() == (
        "---\ndepends_on: [M003]\n---\n# M004: Export to CSV\n\nExport to CSV.\n"
    )
    assert "- [ ] M004: Export to CSV" in (stage.state / "PROJECT.md").read_text()
    assert stage.log()[0] == "docs: queue M004"
    (stage.root.parent / "more.md").write_text("# Import\n\nFrom CSV.\n")
    stage.gsd("queue", "add", "--context", "../more.md", "--draft").require(DONE)
    assert stage.path("M005-CONTEXT-DRAFT.md", "M005").read_text() == "# M005: Import\n\nFrom CSV.\n"
    assert _clean(stage)
    assert stage.gsd("queue", "add").code == ERROR
    assert stage.gsd("queue", "add", "x", "--after", "M099").code == ERROR


def test_nothing_is_committed_where_that_is_not_safe_or_not_wanted(stage: Stage) -> None:
    stage.git("checkout", "-q", "--detach")
    ran = stage.gsd("queue", "move", "M001", "--last").require(DONE)
    assert "Not committed: " in ran.out
    assert _order(stage) == ["M002", "M003", "M001"]


@pytest.mark.covers("command:park", "command:unpark")
def test_a_parked_milestone_is_passed_over_until_it_is_taken_up_again(stage: Stage) -> None:
    stage.gsd("park", "M001", "--reason", "waiting for the vendor").require(DONE)
    assert "waiting for the vendor" in stage.path("M001-PARKED.md").read_text()
    assert stage.log()[0] == "docs(M001): parked"
    assert "parked already" in stage.gsd("park", "M001").require(BLOCKED).err
    stage.auto("--max-units", "1")
    assert [event["unit"] for event in stage.events("attempt-started")] == ["M002/S01/T01"]
    stage.gsd("unpark", "M001").require(DONE)
    assert not stage.path("M001-PARKED.md").exists()
    assert "not parked" in stage.gsd("unpark", "M001").require(BLOCKED).err
    assert _clean(stage)
    assert "active" in stage.gsd("queue").out.splitlines()[2]


def test_what_is_complete_is_neither_parked_nor_discarded(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    stage.auto().require(DONE)
    for command in (["park"], ["discard", "--yes"]):
        assert "M001 is complete" in stage.gsd(*command, "M001").require(BLOCKED).err


def test_what_is_at_work_is_left_alone(stage: Stage) -> None:
    stage.replay("execute-task/M001/S01/T01", [projects.hang()])
    running = stage.start()
    wait_until(lambda: stage.events("attempt-started"), seconds=60)
    for command in (["park"], ["discard", "--yes"]):
        assert "auto mode is at M001" in stage.gsd(*command, "M001").require(BLOCKED).err
    stage.gsd("park", "M003").require(DONE)
    stage.gsd("stop")
    assert finish(running, seconds=60).code in (INTERRUPTED, PAUSED)


@pytest.mark.covers("command:discard")
def test_a_discarded_milestone_can_be_had_back_with_its_work(stage: Stage) -> None:
    stage.auto("--max-units", "1").require(DONE)
    (stage.worktree / "half.txt").write_text("half\n")
    tip = stage.git("rev-parse", "milestone/M001").strip()
    files = {
        path.name: path.read_bytes() for path in (stage.state / "milestones" / "M001").rglob("*") if path.is_file()
    }
    stage.gsd("queue", "move", "M001", "--last").require(DONE)

    asked = stage.gsd("discard", "M001").require(BLOCKED)
    assert "add --yes" in asked.err
    assert stage.worktree.exists()
    done = stage.gsd("discard", "M001", "--yes").require(DONE)
    assert "gsd discard --restore M001" in done.out
    assert not stage.worktree.exists()
    assert "milestone/M001" not in stage.branches()
    assert _order(stage) == ["M002", "M003"]
    assert "M001" not in (stage.state / "PROJECT.md").read_text()
    assert stage.log()[0] == "docs: discard M001"
    assert _clean(stage)
    kept = next(ref for ref in stage.backups() if ref.endswith("-discarded-work"))
    assert stage.git("show", f"{kept}:half.txt") == "half\n"
    stage.gsd("queue", "add", "Another").require(DONE)
    assert _order(stage) == ["M002", "M003", "M004"]

    stage.gsd("discard", "--restore", "M001").require(DONE)
    assert stage.git("rev-parse", "milestone/M001").strip() == tip
    home = stage.state / "milestones" / "M001"
    assert {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()} == files
    assert "M001" in (stage.state / "PROJECT.md").read_text()
    assert _clean(stage)
    assert stage.gsd("discard", "--restore", "M001").code == BLOCKED
    stage.gsd("queue", "move", "M001", "--first").require(DONE)
    stage.auto("--max-units", "2")
    assert stage.attempts("M001/S01/T01") == 1  # what was paid for is not paid for again


@pytest.mark.covers("command:discard", "command:park")
def test_a_parked_milestone_is_parked_still_when_it_is_had_back(stage: Stage) -> None:
    stage.auto("--max-units", "1").require(DONE)
    stage.gsd("park", "M001", "--reason", "later").require(DONE)
    stage.gsd("discard", "M001", "--yes").require(DONE)
    stage.gsd("discard", "--restore", "M001").require(DONE)
    assert "M001 — Small files — parked" in stage.gsd("queue").out
    assert _clean(stage)
    stage.gsd("unpark", "M001").require(DONE)
    assert "M001 — Small files — parked" not in stage.gsd("queue").out


@pytest.mark.covers("command:discard")
@pytest.mark.parametrize(
    ("order", "then", "back"),
    [
        ("M003 M001 M002", (), "M003 M001 M002"),
        ("M001 M003 M002", ("queue", "move", "M002", "--first"), "M001 M002 M003"),
        ("M003 M001 M002", ("discard", "M003", "--yes"), "M001 M002"),
    ],
    ids=["as it was", "others were moved", "the one before is gone"],
)
def test_a_milestone_that_is_had_back_comes_where_it_was(
    order: str, then: tuple[str, ...], back: str, tmp_path: Path
) -> None:
    stage = Stage(root=tmp_path / "free").make(milestones=("M001", "M002", "M003"))
    stage.gsd("queue", "order", *order.split()).require(DONE)
    stage.gsd("discard", "M001", "--yes").require(DONE)
    if then:
        stage.gsd(*then).require(DONE)
    stage.gsd("discard", "--restore", "M001").require(DONE)
    assert _order(stage) == back.split()
    assert _clean(stage)


def test_who_waits_for_a_discarded_milestone_is_named(stage: Stage) -> None:
    assert "M003 waits for M002" in stage.gsd("discard", "M002", "--yes").require(DONE).out
    assert stage.gsd("discard", "M002", "--yes").code == BLOCKED
