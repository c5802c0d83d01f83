"""What the state is, for every branch of the derivation."""

import pytest
from planned import Files, context, document, plan, roadmap, slice_document, task_document, tree

from milepost.formats import placeholder
from milepost.rules.derive import Phase, State, Status, derive

PASS = "---\nverdict: pass\n---\n"


def at(state: State) -> tuple[str, str, str, str]:
    refs = (state.active_milestone, state.active_slice, state.active_task)
    return (*(ref.id if ref else "" for ref in refs), state.phase.value)  # type: ignore[return-value]


def registry(state: State) -> list[str]:
    return [f"{entry.id} {entry.status}" for entry in state.registry]


CASES: dict[str, tuple[tuple[Files, ...], tuple[str, str, str, str]]] = {
    "nothing": ((), ("", "", "", "pre-planning")),
    "only other directories": (({"milestones/notes/a.md": "x"},), ("", "", "", "pre-planning")),
    "a ghost": (({"milestones/M001/M001-META.json": "{}"},), ("", "", "", "pre-planning")),
    "a ghost with a worktree": (
        ({"milestones/M001/M001-META.json": "{}", "worktrees/M001/a": ""},),
        ("M001", "", "", "pre-planning"),
    ),
    "context only": ((context(),), ("M001", "", "", "pre-planning")),
    "draft only": ((context(suffix="CONTEXT-DRAFT"),), ("M001", "", "", "needs-discussion")),
    "context beats draft": ((context(), context(suffix="CONTEXT-DRAFT")), ("M001", "", "", "pre-planning")),
    "empty roadmap": ((context(), document("ROADMAP", " \n")), ("M001", "", "", "pre-planning")),
    "roadmap without slices": ((document("ROADMAP", "# M001: T\n\n## Slices\n"),), ("M001", "", "", "pre-planning")),
    "no plan": ((roadmap(),), ("M001", "S01", "", "planning")),
    "blank plan": ((roadmap(), slice_document("S01", "PLAN", "\n")), ("M001", "S01", "", "planning")),
    "plan without tasks": ((roadmap(), slice_document("S01", "PLAN")), ("M001", "S01", "", "planning")),
    "plan, empty tasks directory": (
        (roadmap(), plan(plans=False), {"milestones/M001/slices/S01/tasks/": ""}),
        ("M001", "S01", "", "planning"),
    ),
    "plan, no tasks directory": ((roadmap(), plan(plans=False)), ("M001", "S01", "T01", "executing")),
    "first open task": ((roadmap(), plan(tasks="[x] T01, [ ] T02, [ ] T03")), ("M001", "S01", "T02", "executing")),
    "a summary is as good as a tick": (
        (roadmap(), plan(tasks="[ ] T01, [ ] T02"), task_document("T01")),
        ("M001", "S01", "T02", "executing"),
    ),
    "an empty summary is not": (
        (roadmap(), plan(tasks="[ ] T01, [ ] T02"), task_document("T01", text="\n")),
        ("M001", "S01", "T01", "executing"),
    ),
    "all tasks done": ((roadmap(), plan(tasks="[x] T01")), ("M001", "S01", "", "summarizing")),
    "second slice": ((roadmap(slices="[x] S01, [ ] S02"),), ("M001", "S02", "", "planning")),
    "dependency picks a later slice": (
        (roadmap(slices="[ ] S01, [ ] S02", depends="S01:S02"),),
        ("M001", "S02", "", "planning"),
    ),
    "slices wait for each other": (
        (roadmap(slices="[ ] S01, [ ] S02", depends="S01:S02 S02:S01"),),
        ("M001", "", "", "blocked"),
    ),
    "unknown dependency": ((roadmap(depends="S01:S07"),), ("M001", "", "", "blocked")),
    "dependency in another milestone, open": (
        (roadmap(mid="M002", depends="S01:M001/S01"), roadmap(), document("PARKED")),
        ("M002", "", "", "blocked"),
    ),
    "dependency in another milestone, ticked": (
        (roadmap(mid="M002", depends="S01:M001/S01"), roadmap(slices="[x] S01, [ ] S02"), document("PARKED")),
        ("M002", "S01", "", "planning"),
    ),
    "dependency in another milestone, complete": (
        (roadmap(mid="M002", depends="S01:M001/S01"), document("SUMMARY")),
        ("M002", "S01", "", "planning"),
    ),
    "all slices done": ((roadmap(slices="[x] S01"),), ("M001", "", "", "validating-milestone")),
    "unreadable verdict": (
        (roadmap(slices="[x] S01"), document("VALIDATION", "---\nverdict: maybe\n---\n")),
        ("M001", "", "", "validating-milestone"),
    ),
    "verdict pass": (
        (roadmap(slices="[x] S01"), document("VALIDATION", PASS)),
        ("M001", "", "", "completing-milestone"),
    ),
    "verdict needs-attention": (
        (roadmap(slices="[x] S01"), document("VALIDATION", "---\nverdict: needs-attention\n---\n")),
        ("M001", "", "", "completing-milestone"),
    ),
    "verdict needs-remediation": (
        (roadmap(slices="[x] S01"), document("VALIDATION", "---\nverdict: needs-remediation\n---\n")),
        ("M001", "", "", "blocked"),
    ),
    "remediation slice open": (
        (roadmap(slices="[x] S01, [ ] S02"), document("VALIDATION", "---\nverdict: needs-remediation\n---\n")),
        ("M001", "S02", "", "planning"),
    ),
    "complete": ((roadmap(slices="[x] S01"), document("SUMMARY")), ("", "", "", "complete")),
    "complete although unticked": ((roadmap(), document("SUMMARY")), ("", "", "", "complete")),
    "complete without a roadmap": ((document("SUMMARY"),), ("", "", "", "complete")),
    "a summary that reports failure": (
        (roadmap(slices="[x] S01"), document("VALIDATION", PASS), document("SUMMARY", "# BLOCKER — it broke\n")),
        ("M001", "", "", "completing-milestone"),
    ),
    "parked": ((roadmap(), document("PARKED")), ("", "", "", "pre-planning")),
    "next after parked": ((roadmap(), document("PARKED"), roadmap(mid="M002")), ("M002", "S01", "", "planning")),
    "blocker": (
        (
            roadmap(),
            plan(tasks="[x] T01, [ ] T02"),
            task_document("T01", text="---\nblocker_discovered: true\n---\n# T\n"),
        ),
        ("M001", "S01", "T02", "replanning-slice"),
    ),
    "blocker, replanned": (
        (
            roadmap(),
            plan(tasks="[x] T01, [ ] T02"),
            task_document("T01", text="---\nblocker_discovered: true\n---\n# T\n"),
            slice_document("S01", "REPLAN"),
        ),
        ("M001", "S01", "T02", "executing"),
    ),
    "replan trigger": (
        (roadmap(), plan(), slice_document("S01", "REPLAN-TRIGGER")),
        ("M001", "S01", "T01", "replanning-slice"),
    ),
    "the successor's layout": (({"phases/01-tracer/01-ROADMAP.md": "x"},), ("", "", "", "pre-planning")),
    "legacy names": (
        (
            {
                "milestones/M001-FLIGHT-SIM/roadmap.md": roadmap()["milestones/M001/M001-ROADMAP.md"],
                "milestones/M001-FLIGHT-SIM/slices/S01-core/plan.md": "## Tasks\n- [ ] **T01: a**\n",
            },
        ),
        ("M001", "S01", "T01", "executing"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_state(name: str) -> None:
    parts, expected = CASES[name]
    assert at(derive(tree(*parts))) == expected


GIVEN_UP = placeholder.render("a unit", "the gate failed three times")


@pytest.mark.parametrize(
    "parts",
    [
        (document("ROADMAP", GIVEN_UP),),
        (roadmap(), slice_document("S01", "PLAN", GIVEN_UP)),
        (roadmap(), plan(), task_document("T01", text=GIVEN_UP)),
        (roadmap(), plan(tasks="[x] T01"), slice_document("S01", "SUMMARY", GIVEN_UP)),
        (roadmap(slices="[x] S01"), document("VALIDATION", GIVEN_UP)),
        (roadmap(slices="[x] S01"), document("VALIDATION", PASS), document("SUMMARY", GIVEN_UP)),
    ],
)
def test_a_note_in_the_place_of_an_artifact_blocks_with_its_reason(parts: tuple[Files, ...]) -> None:
    state = derive(tree(context(), *parts))
    assert state.phase is Phase.BLOCKED
    assert "the gate failed three times" in state.blockers[0]


def test_progress_counts_milestones_slices_and_tasks() -> None:
    state = derive(
        tree(
            roadmap(),
            document("SUMMARY"),
            roadmap(mid="M002", slices="[x] S01, [ ] S02"),
            plan("S02", "[x] T01, [ ] T02", "M002"),
        )
    )
    assert state.progress.milestones == (1, 2)
    assert state.progress.slices == (1, 2)
    assert state.progress.tasks == (1, 2)


def test_dependencies_keep_a_milestone_waiting_and_a_later_one_goes_first() -> None:
    state = derive(tree(context(depends="M002"), roadmap(), roadmap(mid="M002")))
    assert registry(state) == ["M001 pending", "M002 active"]
    assert state.registry[0].depends_on == ("M002",)


def test_all_that_is_left_waits() -> None:
    state = derive(tree(context(depends="M009, M002"), roadmap(), document("SUMMARY", mid="M002")))
    assert state.phase is Phase.BLOCKED
    assert state.blockers == ("M001 is waiting on unmet deps: M009",)


def test_a_parked_milestone_meets_no_dependency() -> None:
    parked = (roadmap(), document("PARKED"), document("SUMMARY"))
    state = derive(tree(*parked, context(mid="M002", depends="M001"), roadmap(mid="M002")))
    assert registry(state) == ["M001 parked", "M002 pending"]


def test_a_draft_names_dependencies_too() -> None:
    state = derive(tree(context(depends="M002", suffix="CONTEXT-DRAFT"), context(mid="M002")))
    assert at(state) == ("M002", "", "", "pre-planning")


def test_a_validated_milestone_behind_the_active_one_counts_as_complete() -> None:
    state = derive(tree(roadmap(), roadmap(mid="M002", slices="[x] S01"), document("VALIDATION", PASS, mid="M002")))
    assert registry(state) == ["M001 active", "M002 complete"]


def test_complete_names_the_last_and_the_requirements_that_are_left() -> None:
    left = {"REQUIREMENTS.md": "## Active\n### R001 — a\n"}
    state = derive(tree(roadmap(), document("SUMMARY"), left))
    assert state.last_completed_milestone == ("M001", "Title M001")
    assert state.next_action.startswith("All milestones complete. 1 active requirement in")


def test_queue_order_decides_which_is_active() -> None:
    order = {"QUEUE-ORDER.json": '{"order": ["M002", "M009"]}'}
    assert registry(derive(tree(roadmap(), roadmap(mid="M002"), order))) == ["M002 active", "M001 pending"]


def test_ids_are_exact() -> None:
    state = derive(tree(roadmap(mid="M007-trfeo8"), document("SUMMARY", mid="M007")))
    assert registry(state) == ["M007 complete", "M007-trfeo8 active"]


def test_lock_shows_one_milestone_with_dependencies_over_all() -> None:
    files = tree(
        roadmap(), document("SUMMARY"), roadmap(mid="M002"), context(mid="M003", depends="M001"), roadmap(mid="M003")
    )
    state = derive(files, lock="M003")
    assert registry(state) == ["M003 active"]
    assert at(derive(files, lock="M009"))[3] == "blocked"
    assert at(derive(tree(context(depends="M002"), roadmap(), roadmap(mid="M002")), lock="M001"))[3] == "blocked"


def test_titles_fall_back_from_roadmap_to_brief_to_id() -> None:
    files = tree(document("ROADMAP", "# M001: \n\n## Slices\n- [ ] **S01: a**\n"), context())
    assert derive(files).registry[0].title == "Brief M001"
    assert derive(tree(document("ROADMAP", "# M001: \n"))).registry[0].title == "M001"


def test_interrupted_work_is_said() -> None:
    state = derive(tree(roadmap(), plan(), slice_document("S01", "CONTINUE")))
    assert state.next_action.startswith("Resume interrupted work on T01")


def test_the_successors_layout_is_named() -> None:
    state = derive(tree({"phases/01-tracer/01-ROADMAP.md": "x"}))
    assert "phases/" in state.blockers[0]
    assert state.registry == ()


def test_statuses_are_wire_names() -> None:
    assert [status.value for status in Status] == ["complete", "active", "pending", "parked"]
