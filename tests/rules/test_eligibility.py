"""Which milestones may run at once: the rules, the reasons, and the report byte for byte."""

import pytest
from planned import Files, context, document, roadmap, slice_document, tree

from milepost.formats import placeholder
from milepost.model.state import State
from milepost.rules.derive import derive
from milepost.rules.eligibility import Cause, Facts, Overlap, Report, analyze, render
from milepost.testing.trees import DictTree

SUMMARY = "---\nstatus: complete\n---\n# M001: Title M001\n\nBuilt.\n"
ELIGIBLE = "All dependencies satisfied."


def complete(mid: str) -> Files:
    return {**roadmap(mid, "[x] S01"), **document("SUMMARY", SUMMARY, mid=mid)}


def open_(mid: str, depends: str = "", *files: str) -> Files:
    listed = "\n".join(f"- `{path}`" for path in files)
    text = f"# S01: Slice\n\n## Files Likely Touched\n\n{listed}\n"
    return {**roadmap(mid), **context(mid, depends), **slice_document("S01", "PLAN", text, mid=mid)}


def report(at: DictTree, facts: Facts | None = None) -> Report:
    return analyze(at, derive(at), facts or Facts())


def reasons(at: DictTree, facts: Facts | None = None) -> dict[str, str]:
    found = report(at, facts)
    return {entry.id: entry.reason for entry in (*found.eligible, *found.ineligible)}


def causes(at: DictTree, facts: Facts | None = None) -> dict[str, Cause]:
    found = report(at, facts)
    return {entry.id: entry.cause for entry in (*found.eligible, *found.ineligible)}


def titled(mid: str, title: str, depends: str = "", *files: str) -> Files:
    made = open_(mid, depends, *files)
    return {path: text.replace(f"# {mid}: Title {mid}", f"# {mid}: {title}") for path, text in made.items()}


DOCUMENTED = """\
# Parallel Eligibility Report

## Eligible for Parallel Execution (2)

- **M002** — Auth System
  All dependencies satisfied.
- **M003** — Dashboard UI
  All dependencies satisfied.

## Ineligible (2)

- **M001** — Core Types
  Already complete.
- **M004** — API Integration
  Blocked by incomplete dependencies: M002.

## File Overlap Warnings (1)

- **M002** <-> **M003** — 2 shared file(s):
  - `src/middleware.ts`
  - `src/types.ts`
"""


@pytest.mark.spec(id="PR-040")
@pytest.mark.spec(id="PR-041")
@pytest.mark.spec(id="PR-042")
@pytest.mark.spec(id="PR-044")
@pytest.mark.spec(id="PR-045")
@pytest.mark.spec(id="PR-046")
@pytest.mark.spec(id="DV-20")
def test_the_documented_example_byte_for_byte() -> None:
    at = tree(
        {path: text.replace("Title M001", "Core Types") for path, text in complete("M001").items()},
        titled("M002", "Auth System", "M001", "src/types.ts", "src/middleware.ts", "src/auth.ts"),
        titled("M003", "Dashboard UI", "M001", "src/ui.ts", "src/types.ts", "src/middleware.ts"),
        titled("M004", "API Integration", "M002", "src/types.ts"),
    )
    assert render(report(at)) == DOCUMENTED


@pytest.mark.spec(id="PR-044")
def test_a_report_without_milestones_that_may_run() -> None:
    assert render(report(tree(complete("M001")))) == (
        "# Parallel Eligibility Report\n\n"
        "## Eligible for Parallel Execution (0)\n\n"
        "No milestones are currently eligible for parallel execution.\n\n"
        "## Ineligible (1)\n\n"
        "- **M001** — Title M001\n  Already complete.\n"
    )


@pytest.mark.spec(id="PR-044")
def test_a_report_in_which_all_may_run_ends_with_that() -> None:
    assert render(report(tree(open_("M001")))) == (
        "# Parallel Eligibility Report\n\n"
        "## Eligible for Parallel Execution (1)\n\n"
        "- **M001** — Title M001\n  All dependencies satisfied.\n\n"
        "## Ineligible (0)\n\n"
        "All milestones are eligible.\n"
    )


@pytest.mark.spec(id="PR-012")
@pytest.mark.spec(id="PR-041")
def test_milestones_that_are_not_neighbours_run_together() -> None:
    at = tree(open_("M001"), open_("M002", "M001"), open_("M003"), open_("M004", "M003"), open_("M005"))
    assert [entry.id for entry in report(at).eligible] == ["M001", "M003", "M005"]


def test_the_order_of_the_queue_is_kept_in_both_lists_and_in_the_pairs() -> None:
    order = {"QUEUE-ORDER.json": '{"order": ["M003", "M001"]}'}
    at = tree(order, open_("M001", "", "a.py"), open_("M002", "M009"), open_("M003", "", "a.py"), complete("M004"))
    found = report(at)
    assert [entry.id for entry in found.eligible] == ["M003", "M001"]
    assert [entry.id for entry in found.ineligible] == ["M002", "M004"]
    assert found.overlaps == (Overlap(a="M003", b="M001", files=("a.py",)),)


@pytest.mark.spec(id="PR-042")
@pytest.mark.spec(id="PR-043")
@pytest.mark.spec(id="PR-045")
@pytest.mark.spec(id="DV-20")
def test_touching_the_same_files_warns_and_changes_neither_eligibility_nor_reason() -> None:
    at = tree(open_("M001", "", "src/a.py"), open_("M002", "", "src/a.py"))
    found = report(at)
    assert [(entry.id, entry.reason) for entry in found.eligible] == [("M001", ELIGIBLE), ("M002", ELIGIBLE)]
    assert found.overlaps == (Overlap(a="M001", b="M002", files=("src/a.py",)),)
    assert "WARNING" not in render(found)


@pytest.mark.spec(id="PR-346")
def test_only_milestones_that_may_run_are_compared_each_pair_once() -> None:
    at = tree(
        open_("M001", "", "a.py", "b.py"),
        open_("M002", "", "b.py", "c.py"),
        open_("M003", "", "c.py", "a.py"),
        open_("M004", "M001", "a.py"),
    )
    assert [(pair.a, pair.b, pair.files) for pair in report(at).overlaps] == [
        ("M001", "M002", ("b.py",)),
        ("M001", "M003", ("a.py",)),
        ("M002", "M003", ("c.py",)),
    ]


@pytest.mark.spec(id="DV-28")
@pytest.mark.spec(id="PR-346")
def test_paths_are_shown_without_their_own_ticks_and_planning_files_not_at_all() -> None:
    at = tree(
        open_("M001", "", "src/types.ts", "src/api/", ".gsd/DECISIONS.md"),
        open_("M002", "", "src/**/*.ts", "src/api/routes.py", ".gsd/DECISIONS.md"),
    )
    assert render(report(at)).partition("## File Overlap Warnings (1)\n\n")[2] == (
        "- **M001** <-> **M002** — 3 shared file(s):\n  - `src/api/`\n  - `src/api/routes.py`\n  - `src/types.ts`\n"
    )


@pytest.mark.spec(id="PR-041")
@pytest.mark.spec(id="PR-046")
@pytest.mark.spec(id="PR-347")
@pytest.mark.parametrize(
    ("depends", "unmet"),
    [
        ("M001", ""),
        ("M002", "M002"),
        ("M001, M002", "M002"),
        ("M003, M002", "M003, M002"),
        ("M009", "M009"),
        ("M001-ab12cd", "M001-ab12cd"),
        ('"M002"', "M002"),
        ("M002, M002", "M002"),
    ],
)
def test_dependencies(depends: str, unmet: str) -> None:
    at = tree(complete("M001"), open_("M002"), open_("M003"), open_("M004", depends))
    expected = f"Blocked by incomplete dependencies: {unmet}." if unmet else ELIGIBLE
    assert reasons(at)["M004"] == expected
    entry = next(entry for entry in (*report(at).eligible, *report(at).ineligible) if entry.id == "M004")
    assert entry.waits_for == tuple(unmet.split(", ") if unmet else ())


@pytest.mark.spec(id="PR-347")
@pytest.mark.parametrize(
    "front",
    ["depends_on: [M001]", "dependsOn: [M001]", "depends_on: M001", "depends_on:\n  - M001", "depends_on:\n  - 'M001'"],
)
def test_dependencies_come_from_the_frontmatter_of_the_context(front: str) -> None:
    brief = document("CONTEXT", f"---\n{front}\n---\n# M002: Brief\n\nWhy.\n", mid="M002")
    assert reasons(tree(open_("M001"), brief))["M002"] == "Blocked by incomplete dependencies: M001."


@pytest.mark.spec(id="PR-347")
def test_a_dependency_told_in_prose_is_none() -> None:
    brief = document("CONTEXT", "# M002: Brief\n\n**Depends on:** M001\n", mid="M002")
    assert reasons(tree(open_("M001"), brief))["M002"] == ELIGIBLE


@pytest.mark.spec(id="PR-041")
def test_a_summary_that_says_it_failed_satisfies_nobody() -> None:
    failed = {**roadmap("M001", "[x] S01"), **document("SUMMARY", "---\nstatus: failed\n---\n# M001: T\n")}
    assert reasons(tree(failed, open_("M002", "M001"))) == {
        "M001": ELIGIBLE,
        "M002": "Blocked by incomplete dependencies: M001.",
    }


@pytest.mark.spec(id="PR-041")
def test_a_parked_dependency_is_not_complete() -> None:
    at = tree(complete("M001"), document("PARKED", "Later.\n"), open_("M002", "M001"))
    assert causes(at) == {"M001": Cause.PARKED, "M002": Cause.BLOCKED}


@pytest.mark.spec(id="PR-041")
@pytest.mark.spec(id="FM-93")
def test_complete_in_its_worktree_is_not_enough_before_it_is_on_the_target() -> None:
    at = tree(complete("M001"), open_("M002", "M001"))
    before, after = Facts(unmerged=frozenset({"M001"})), Facts(landed=frozenset({"M001"}))
    assert reasons(at, before) == {
        "M001": "Already complete; it waits to be merged.",
        "M002": "Blocked by incomplete dependencies: M001.",
    }
    assert reasons(at, after) == {"M001": "Already complete.", "M002": ELIGIBLE}


@pytest.mark.spec(id="FM-93")
def test_what_is_merged_is_not_eligible_again_when_the_files_at_hand_are_older() -> None:
    at = tree(open_("M001"), open_("M002", "M001"))
    facts = Facts(landed=frozenset({"M001"}))
    assert reasons(at, facts) == {"M001": "Already merged: the target contains it.", "M002": ELIGIBLE}


@pytest.mark.spec(id="FM-93")
def test_a_milestone_whose_merge_failed_waits_for_its_merge_and_is_not_worked_on_again() -> None:
    at = tree(open_("M001"))
    assert causes(at, Facts(unmerged=frozenset({"M001"}))) == {"M001": Cause.UNMERGED}


def test_undone_satisfies_nobody_and_is_named() -> None:
    at = tree(complete("M001"), open_("M002", "M001"))
    facts = Facts(landed=frozenset({"M001"}), undone=frozenset({"M001"}))
    assert reasons(at, facts) == {
        "M001": "Undone: it was merged, and a person took it back out of the target.",
        "M002": "Blocked by incomplete dependencies: M001.",
    }


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("", "Held by a person."),
        ("paused with gsd parallel pause M001.", "Held by a person: paused with gsd parallel pause M001."),
        ("two\n lines", "Held by a person: two lines."),
    ],
)
def test_held(why: str, reason: str) -> None:
    assert reasons(tree(open_("M001"), complete("M002")), Facts(held={"M001": why, "M002": why})) == {
        "M001": reason,
        "M002": "Already complete.",
    }


def test_parked() -> None:
    note = document("PARKED", '---\nparked_at: 2026-03-17T10:00:00.000Z\nreason: "the vendor is late"\n---\n# M001\n')
    assert reasons(tree(open_("M001"), note, open_("M002"), document("PARKED", "", mid="M002"))) == {
        "M001": "Parked (the vendor is late): remove milestones/M001/M001-PARKED.md to take it up again.",
        "M002": "Parked: remove milestones/M002/M002-PARKED.md to take it up again.",
    }


GHOST = "Ghost: its directory holds neither a context nor a roadmap nor a summary."
UNPLANNED = "Unplanned: it has no roadmap with slices and no context; write milestones/M001/M001-CONTEXT.md."
DRAFT = "Needs discussion: turn milestones/M001/M001-CONTEXT-DRAFT.md into milestones/M001/M001-CONTEXT.md."
GIVEN_UP = "Planning was given up (no model); remove milestones/M001/M001-ROADMAP.md to have it tried again."
STUB = document("ROADMAP", "# M001: T\n\n**Vision:** v\n\n## Slices\n")
NOTE = document("ROADMAP", placeholder.render("plan-milestone M001", "no model"))


@pytest.mark.spec(id="DV-28")
@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"milestones/M001/": ""}, GHOST),
        ({"milestones/M001/slices/": ""}, GHOST),
        ({"milestones/M001/M001-META.json": "{}"}, GHOST),
        ({"milestones/M001/": "", "worktrees/M001/": ""}, GHOST),
        (document("ROADMAP", ""), UNPLANNED),
        (document("ROADMAP", "# M001: T\n"), UNPLANNED),
        (document("CONTEXT", " \n"), UNPLANNED),
        (STUB, UNPLANNED),
        (document("CONTEXT-DRAFT", ""), UNPLANNED),
        (context(suffix="CONTEXT-DRAFT"), DRAFT),
        ({**context(suffix="CONTEXT-DRAFT"), **STUB}, DRAFT),
        (NOTE, GIVEN_UP),
        ({**NOTE, **context()}, GIVEN_UP),
        (context(), ELIGIBLE),
        ({**context(), **STUB}, ELIGIBLE),
        (roadmap(), ELIGIBLE),
        ({**roadmap(), **context(suffix="CONTEXT-DRAFT")}, ELIGIBLE),
        (roadmap(slices="[x] S01"), ELIGIBLE),
    ],
)
def test_only_what_a_worker_can_work_on_is_eligible(files: Files, reason: str) -> None:
    assert reasons(tree(files)) == {"M001": reason}


@pytest.mark.spec(id="DV-28")
def test_an_empty_stub_is_not_accepted_as_a_plan() -> None:
    """gsd-2#3405."""
    assert causes(tree(STUB, open_("M002"))) == {"M002": Cause.ELIGIBLE, "M001": Cause.UNPLANNED}


def test_an_unplanned_milestone_that_waits_is_told_to_wait_first() -> None:
    draft = context("M002", "M001", suffix="CONTEXT-DRAFT")
    assert reasons(tree(open_("M001"), draft))["M002"] == "Blocked by incomplete dependencies: M001."


def test_a_milestone_that_only_lacks_its_summary_is_eligible_behind_another_that_is_open() -> None:
    """Derivation shows it as complete then, and nobody but a worker of its own would ever write the summary."""
    validated = document("VALIDATION", "---\nverdict: pass\n---\n", mid="M002")
    at = tree(open_("M001"), roadmap("M002", "[x] S01"), validated)
    assert causes(at) == {"M001": Cause.ELIGIBLE, "M002": Cause.ELIGIBLE}


@pytest.mark.spec(id="PR-041")
def test_circles_are_named_and_what_waits_for_one_only_waits() -> None:
    at = tree(open_("M001", "M003"), open_("M002", "M001"), open_("M003", "M002"), open_("M004", "M001"), open_("M005"))
    blocked = "Blocked by incomplete dependencies:"
    assert reasons(at) == {
        "M001": f"{blocked} M003. They wait for each other: M001 → M003 → M002 → M001.",
        "M002": f"{blocked} M001. They wait for each other: M002 → M001 → M003 → M002.",
        "M003": f"{blocked} M002. They wait for each other: M003 → M002 → M001 → M003.",
        "M004": f"{blocked} M001.",
        "M005": ELIGIBLE,
    }


def test_a_milestone_that_depends_on_itself_is_blocked() -> None:
    said = "Blocked by incomplete dependencies: M001. It depends on itself."
    assert reasons(tree(open_("M001", "M001"))) == {"M001": said}


def test_a_circle_that_completion_has_broken_is_none() -> None:
    done = {**complete("M001"), **context("M001", "M002")}
    assert reasons(tree(done, open_("M002", "M001"))) == {"M001": "Already complete.", "M002": ELIGIBLE}
    waiting = Facts(unmerged=frozenset({"M001"}))
    assert reasons(tree(done, open_("M002", "M001")), waiting)["M002"] == "Blocked by incomplete dependencies: M001."


def test_a_long_chain_and_a_large_circle() -> None:
    count = 400
    ring = [open_(f"M{n:03}", f"M{(n + 1) % count:03}") for n in range(count)]
    found = reasons(tree(*ring))
    assert all(why.count(" → ") == count for why in found.values())


class Watched(DictTree):
    """Notes what is asked for."""

    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self.asked: set[str] = set()

    def names(self, directory: str) -> tuple[str, ...]:
        self.asked.add(directory)
        return super().names(directory)

    def text(self, path: str) -> str | None:
        self.asked.add(path)
        return super().text(path)

    def is_dir(self, path: str) -> bool:
        self.asked.add(path)
        return super().is_dir(path)


@pytest.mark.spec(id="FM-50")
def test_a_dependency_that_is_a_path_is_never_looked_up() -> None:
    at = Watched(open_("M001", "../../etc, M002/../M001, /etc/passwd"))
    found = analyze(at, _nothing_known(at), Facts())
    assert found.ineligible[0].waits_for == ("../../etc", "M002/../M001", "/etc/passwd")
    assert at.asked
    assert not [path for path in at.asked if ".." in path or "etc" in path]


def _nothing_known(at: DictTree) -> State:
    return derive(DictTree({}))


def test_a_milestone_that_the_state_does_not_name_goes_by_its_id() -> None:
    at = tree(open_("M001"))
    assert analyze(at, _nothing_known(at), Facts()).eligible[0].title == "M001"


def test_a_project_without_milestones() -> None:
    assert render(report(DictTree({}))).count("(0)") == 2


def test_a_title_cannot_move_the_cursor_or_break_the_line() -> None:
    at = tree(titled("M001", "Red \x1b[31m\udc80 alert"))
    shown = render(report(at))
    assert "- **M001** — Red \ufffd[31m\ufffd alert\n" in shown
    assert shown.encode()


def test_a_milestone_with_a_legacy_directory_is_found() -> None:
    files = {path.replace("milestones/M001/", "milestones/M001-OLD-NAME/"): text for path, text in STUB.items()}
    assert reasons(tree(files)) == {"M001": UNPLANNED.replace("M001/M001", "M001-OLD-NAME/M001")}


@pytest.mark.spec(id="PR-046")
def test_every_reason_is_one_line() -> None:
    note = document("PARKED", '---\nreason: "a\tb"\n---\n', mid="M003")
    at = tree(open_("M001", "M009"), complete("M002"), open_("M003"), note, STUB)
    for entry in report(at).ineligible:
        assert entry.reason.endswith(".")
        assert "\n" not in entry.reason
