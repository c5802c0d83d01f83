"""One case per dispatch rule, and the rules' order where it matters."""

import pytest
from planned import Files, context, document, plan, roadmap, slice_document, task_document, tree

from milepost.formats import placeholder
from milepost.formats.preferences import Phases, Preferences
from milepost.rules.derive import derive
from milepost.rules.dispatch import GIVEN_UP, RULES, Decision, Dispatch, Halt, Level, decide

PASS = "---\nverdict: pass\n---\n"
REMEDIATE = "---\nverdict: needs-remediation\nremediation_round: 1\n---\n# V\n"
OVERRIDE = {
    "OVERRIDES.md": "## Override: 2026-03-17\n\n**Change:** x\n**Scope:** active\n**Applied-at:** M001\n\n---\n"
}
DONE_SLICE = (slice_document("S01", "SUMMARY"), slice_document("S01", "UAT", "## UAT Type\n\n- UAT mode: mixed\n"))
UAT = Preferences(uat_dispatch=True, phases=Phases(skip_reassess=True))
TWO = roadmap(slices="[x] S01, [ ] S02")
THRICE = roadmap(slices="[x] S01, [x] S03, [x] S04, [x] S05, [ ] S02")
FAILED = slice_document("S01", "UAT-RESULT", "---\nverdict: FAIL\n---\n")


def remedy(sid: str) -> Files:
    return slice_document(sid, "CONTEXT", "---\nremediates: S01\n---\n# Context\n")


def skip(**phases: bool) -> Preferences:
    return Preferences(phases=Phases(**phases))


CASES: dict[str, tuple[tuple[Files, ...], Preferences, str]] = {
    "all-complete-stops": ((document("SUMMARY"),), Preferences(), "info All milestones complete."),
    "blocked-stops": ((roadmap(depends="S01:S09"),), Preferences(), "error No slice eligible"),
    "nothing-active-stops": ((), Preferences(), "warning No milestones found."),
    "conflict-markers-stop": (
        (
            roadmap(),
            slice_document(
                "S01", "PLAN", "# S01: x\n\n## Tasks\n\n<<<<<<< ours\n- [ ] **T01: a**\n=======\n>>>>>>> x\n"
            ),
        ),
        Preferences(),
        "error S01-PLAN.md has conflict markers in it",
    ),
    "overrides-first": ((roadmap(), plan(), OVERRIDE), Preferences(), "rewrite-docs M001/S01"),
    "summarizing-completes-slice": ((roadmap(), plan(tasks="[x] T01")), Preferences(), "complete-slice M001/S01"),
    "finished-slice-is-tested": ((TWO, *DONE_SLICE), UAT, "run-uat M001/S01"),
    "failed-test-is-mended": ((TWO, *DONE_SLICE, FAILED), UAT, "execute-task M001/S03/T01"),
    "test-waits-for-verdict": (
        (TWO, *DONE_SLICE, slice_document("S01", "UAT-RESULT", "---\nverdict: PASS\n---\n")),
        UAT,
        "warning The acceptance test of M001/S01 waits for your verdict",
    ),
    "failed-test-stops": (
        (THRICE, *DONE_SLICE, FAILED, *(remedy(sid) for sid in ("S03", "S04", "S05"))),
        UAT,
        "error The acceptance test of M001/S01 ended fail after 3 remedies.",
    ),
    "validation-rounds-stop": (
        (TWO, document("VALIDATION", REMEDIATE), *(document(f"VALIDATION-R{n}", REMEDIATE) for n in (1, 2, 3))),
        Preferences(),
        "error The validation of M001 asks for remediation after 3 rounds of it.",
    ),
    "finished-slice-is-reassessed": ((TWO, *DONE_SLICE), Preferences(), "reassess-roadmap M001/S01"),
    "draft-waits-for-discussion": ((context(suffix="CONTEXT-DRAFT"),), Preferences(), "warning M001 has a draft"),
    "no-context-stops": ((document("ROADMAP", "# M001: T\n"),), Preferences(), "warning M001 has no context"),
    "milestone-is-researched": ((context(),), Preferences(), "research-milestone M001"),
    "milestone-is-planned": ((context(), document("RESEARCH")), Preferences(), "plan-milestone M001"),
    "slice-waits-for-discussion": (
        (roadmap(),),
        skip(require_slice_discussion=True),
        "warning M001/S01 is to be discussed",
    ),
    "slice-is-researched": ((roadmap(),), skip(skip_slice_research=False), "research-slice M001/S01"),
    "slice-is-planned": ((roadmap(), slice_document("S01", "RESEARCH")), Preferences(), "plan-slice M001/S01"),
    "blocker-replans-slice": (
        (roadmap(), plan(), slice_document("S01", "REPLAN-TRIGGER")),
        Preferences(),
        "replan-slice M001/S01",
    ),
    "task-without-plan-replans": ((roadmap(), plan(plans=False)), Preferences(), "plan-slice M001/S01"),
    "task-is-executed": ((roadmap(), plan()), Preferences(), "execute-task M001/S01/T01"),
    "validation-is-skipped": (
        (roadmap(slices="[x] S01"),),
        skip(skip_milestone_validation=True),
        "complete-milestone M001",
    ),
    "milestone-is-validated": ((roadmap(slices="[x] S01"),), Preferences(), "validate-milestone M001"),
    "milestone-is-completed": (
        (roadmap(slices="[x] S01"), document("VALIDATION", PASS)),
        Preferences(),
        "complete-milestone M001",
    ),
}


def decided(parts: tuple[Files, ...], prefs: Preferences) -> Decision:
    files = tree(*parts)
    return decide(derive(files), files, prefs)


def words(decision: Decision) -> str:
    return str(decision.unit) if isinstance(decision, Dispatch) else f"{decision.level} {decision.reason}"


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_rule(rule: str) -> None:
    parts, prefs, expected = CASES[rule]
    decision = decided(parts, prefs)
    assert decision.rule == rule
    assert words(decision).startswith(expected)


@pytest.mark.parametrize(
    ("parts", "hint"),
    [((), "gsd new-milestone"), ((roadmap(), document("PARKED")), "gsd unpark M001")],
)
def test_with_no_milestone_the_hint_says_what_to_do(parts: tuple[Files, ...], hint: str) -> None:
    decision = decided(parts, Preferences())
    assert isinstance(decision, Halt)
    assert decision.hint.startswith(hint)


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert set(CASES) == {rule.name for rule in RULES}


@pytest.mark.parametrize(
    ("parts", "prefs", "expected"),
    [
        ((context(), OVERRIDE), Preferences(), "rewrite-docs M001"),
        ((context(),), skip(skip_research=True), "plan-milestone M001"),
        ((roadmap(),), skip(skip_slice_research=True), "plan-slice M001/S01"),
        ((roadmap(),), skip(skip_research=True), "plan-slice M001/S01"),
        ((roadmap(), document("RESEARCH")), skip(skip_slice_research=False), "plan-slice M001/S01"),
        ((TWO, *DONE_SLICE), skip(skip_reassess=True, skip_slice_research=True), "plan-slice M001/S02"),
        (
            (TWO, *DONE_SLICE, slice_document("S01", "ASSESSMENT")),
            skip(skip_slice_research=True),
            "plan-slice M001/S02",
        ),
        ((TWO,), skip(skip_slice_research=True), "plan-slice M001/S02"),
        (
            (roadmap(), slice_document("S01", "CONTEXT")),
            skip(require_slice_discussion=True, skip_research=True),
            "plan-slice M001/S01",
        ),
        ((roadmap(slices="[x] S01"), *DONE_SLICE), UAT, "run-uat M001/S01"),
        ((roadmap(), plan(tasks="[x] T01"), *DONE_SLICE), UAT, "complete-slice M001/S01"),
    ],
)
def test_preferences_and_files_choose(parts: tuple[Files, ...], prefs: Preferences, expected: str) -> None:
    assert words(decided(parts, prefs)) == expected


@pytest.mark.parametrize(
    ("mode", "verdict", "goes_on"),
    [
        ("artifact-driven", "PASS", True),
        ("artifact-driven", "surfaced-for-human-review", False),
        ("mixed", "PASS", False),
        ("live-runtime", "PARTIAL", False),
        ("runtime-executable", "PASS", True),
        ("browser-executable", "PASS", True),
        ("a kind of its own", "PASS", True),
        ("human-experience", "surfaced-for-human-review", False),
        ("", "passed", True),
    ],
)
def test_test_results(mode: str, verdict: str, goes_on: bool) -> None:
    test = slice_document("S01", "UAT", f"## UAT Type\n\n- UAT mode: {mode}\n")
    result = slice_document("S01", "UAT-RESULT", f"---\nverdict: {verdict}\n---\n")
    assert isinstance(decided((TWO, test, result), UAT), Dispatch) == goes_on


def test_a_result_kept_in_the_assessment_counts_and_a_reassessment_does_not() -> None:
    test = slice_document("S01", "UAT")
    kept = slice_document("S01", "ASSESSMENT", "---\nverdict: PASS\n---\n")
    other = slice_document("S01", "ASSESSMENT", "---\nverdict: no-change\n---\n")
    assert words(decided((TWO, test, kept), UAT)) == "plan-slice M001/S02"
    assert words(decided((TWO, test, other), UAT)) == "run-uat M001/S01"


def test_skipping_validation_is_an_effect_and_never_replaces_a_report() -> None:
    prefs = skip(skip_milestone_validation=True)
    decision = decided((roadmap(slices="[x] S01"),), prefs)
    assert isinstance(decision, Dispatch)
    (effect,) = decision.effects
    assert effect.path == "milestones/M001/M001-VALIDATION.md"
    assert "verdict: pass" in effect.text
    written = decided((roadmap(slices="[x] S01"), document("VALIDATION", "I could not decide.\n")), prefs)
    assert words(written) == "validate-milestone M001"


def test_a_verdict_that_asked_for_remediation_is_spent_once_there_is_a_slice_for_it() -> None:
    decision = decided((TWO, document("VALIDATION", REMEDIATE)), skip(skip_slice_research=True))
    assert isinstance(decision, Dispatch)
    kept, effect = decision.effects
    assert kept == ("milestones/M001/M001-VALIDATION-R1.md", REMEDIATE, kept.reason)
    assert effect.text == REMEDIATE.replace("verdict:", "last_outcome:")
    after = decided((roadmap(slices="[x] S01, [x] S02"), document("VALIDATION", effect.text)), Preferences())
    assert words(after) == "validate-milestone M001"


@pytest.mark.parametrize(
    "parts",
    [
        (context(), document("RESEARCH", placeholder.render("u", "no network"))),
        (TWO, *DONE_SLICE, slice_document("S01", "ASSESSMENT", placeholder.render("u", "no network"))),
        (
            roadmap(),
            plan(),
            slice_document("S01", "REPLAN-TRIGGER"),
            slice_document("S01", "REPLAN", placeholder.render("u", "no network")),
        ),
    ],
)
def test_a_unit_that_was_given_up_waits_for_a_person(parts: tuple[Files, ...]) -> None:
    decision = decided(parts, Preferences())
    assert isinstance(decision, Halt)
    assert decision.rule == GIVEN_UP
    assert decision.level is Level.ERROR
    assert "no network" in decision.reason
    assert ".md" in decision.hint


def test_deciding_writes_nothing_and_is_repeatable() -> None:
    files = tree(roadmap(), plan(), task_document("T09"))
    state = derive(files)
    assert decide(state, files, Preferences()) == decide(state, files, Preferences())
