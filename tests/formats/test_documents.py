"""The smaller documents: context, summary, validation, requirements, overrides, order, notes, STATE.md."""

import pytest

from milepost.formats import (
    context,
    overrides,
    parked,
    placeholder,
    queue,
    requirements,
    state_md,
    summary,
    uat,
    validation,
)
from milepost.model.state import Counts, Phase, Progress, Ref, RegistryEntry, State, Status, Tally


@pytest.mark.parametrize(
    ("front", "waits"),
    [
        ("depends_on: [M001, M002-ab12cd]", ("M001", "M002-ab12cd")),
        ("depends_on: [\"M001\", 'M002']", ("M001", "M002")),
        ('depends_on:\n  - M001\n  - "M002"', ("M001", "M002")),
        ("depends_on:\n- M001", ("M001",)),
        ("depends_on: M001", ("M001",)),
        ("depends_on: M001, M002", ("M001", "M002")),
        ("dependsOn: [M001]", ("M001",)),
        ("depends_on: []", ()),
        ("depends_on: [none]", ()),
        ("depends_on:", ()),
        ("title: x", ()),
    ],
)
def test_depends_on(front: str, waits: tuple[str, ...]) -> None:
    text = f"---\n{front}\n---\n# M003: Sync engine — Context\n\n**Depends on:** M009\n"
    assert context.depends_on(text) == waits
    assert context.depends_on(text.replace("\n", "\r\n")) == waits
    assert context.title(text) == "Sync engine"


def test_prose_is_no_dependency() -> None:
    assert context.depends_on("# M003: x\n\n**Depends on:** M001\n") == ()


TASK = """---
id: T01
provides:
  - schema: three tables
key_files:
  - src/db.py
  - {{file}}
key_decisions: one
verification_result: passed
blocker_discovered: TRUE
---
# T01: Schema and migrations

**Added versioned schema**

## What Happened
Much.

## Diagnostics
Look at the log.
"""


def test_summary() -> None:
    found = summary.parse(TASK)
    assert (found.title, found.one_liner, found.status) == ("Schema and migrations", "Added versioned schema", "")
    assert (found.provides, found.key_files, found.key_decisions) == (
        ("schema: three tables",),
        ("src/db.py",),
        ("one",),
    )
    assert (found.diagnostics, found.sections["What Happened"]) == ("Look at the log.", "Much.")
    assert found.blocker_discovered
    assert summary.blocker_discovered(TASK)
    assert found.verification_result == "passed"
    assert summary.parse("").verification_result == "untested"
    assert summary.parse("# S01\n\nplain **bold** text\n").one_liner == ""


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("# M001: T\n", False),
        ("---\nstatus: complete\n---\nverification failed at first\n", False),
        ("---\nstatus: done\n---\n", False),
        ("---\nstatus: pending\n---\n", True),
        ("---\nstatus: blocked\n---\n", True),
        ("---\nstatus: odd\n---\n", False),
        ("# BLOCKER — auto-mode recovery failed\n", True),
        ("The final Verification  failed.\n", True),
        ("Status: not complete\n", True),
        ("The status page is not complete yet.\n", False),
    ],
)
def test_a_summary_that_says_it_failed(text: str, failed: bool) -> None:
    assert summary.reports_failure(text) is failed


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("---\nverdict: pass\n---\n", "pass"),
        ("---\r\nverdict: passed\r\n---\r\n", "pass"),
        ('---\nverdict: "pass"\n---\n', "pass"),
        ("---\nverdict: 'needs-attention'\n---\n", "needs-attention"),
        ("---\nverdict: PASS\n---\n", "pass"),
        ("---\nverdict: ✅ Pass\n---\n", "pass"),
        ("---\nverdict: needs_remediation\n---\n", "needs-remediation"),
        ("---\nverdict: needs remediation\n---\n", "needs-remediation"),
        ("---\nverdict: pass (with notes)\n---\n", "pass"),
        ("---\nverdict: pass-with-notes\n---\n", "pass"),
        ("---\nverdict: fail\n---\n", "needs-remediation"),
        ("---\nverdict: maybe\n---\n**Verdict:** pass\n", None),
        ("---\nround: 1\n---\n**Verdict:** pass\n", None),
        ("\n---\nverdict: pass\n---\n", "pass"),
        ("# V\n\n**Verdict:** PASS\n", "pass"),
        ("# V\n\n**Verdict:** ✅ PASS\n", "pass"),
        ("# V\n\n**Verdict** needs-remediation\n", "needs-remediation"),
        ("# V\n\n**Verdict**: `needs-attention`\n", "needs-attention"),
        ("# V\n\nVerdict: pass\n", None),
        ("", None),
    ],
)
def test_verdicts(text: str, verdict: str | None) -> None:
    assert validation.verdict(text) == verdict


@pytest.mark.parametrize(
    "text", ["---\nverdict: needs-remediation\nremediation_round: 2\n---\nv\n", "**Verdict:** needs-remediation\n"]
)
def test_a_reopened_validation_has_no_verdict_and_keeps_the_rest(text: str) -> None:
    again = validation.reopen(text)
    assert validation.verdict(again) is None
    assert "needs-remediation" in again
    assert validation.remediation_round(again) == validation.remediation_round(text)
    assert validation.verdict(validation.render_skipped("M001")) == "pass"


REQUIREMENTS = """# Requirements

## Active

### R001 — Offline
- Class: core-capability
- Status: blocked
- Primary owning slice: M001/S02

### R002 - Fast
- Primary owning slice: none yet

### UI-01: Pretty
- Note: x

### No id here

## Validated
### R003 – Small

## Out of Scope
### R004 — Cloud

## Traceability
### R009 — not one
"""


def test_requirements() -> None:
    counts = requirements.counts(REQUIREMENTS)
    assert counts == Counts(active=3, validated=1, deferred=0, out_of_scope=1, blocked=1)
    assert counts.total == 5
    found = requirements.parse(REQUIREMENTS.replace("\n", "\r\n"))
    assert [(r.id, r.title, r.state) for r in found] == [
        ("R001", "Offline", "active"),
        ("R002", "Fast", "active"),
        ("UI-01", "Pretty", "active"),
        ("R003", "Small", "validated"),
        ("R004", "Cloud", "out-of-scope"),
    ]
    assert (found[0].owner, found[1].owner) == ("M001/S02", "")
    assert requirements.counts("") == Counts()


OVERRIDES = """# Overrides

## Override: 2026-03-17T10:00:00.000Z

**Change:** use PostgreSQL

```sql
select 1
```
**Scope:** active
**Applied-at:** M001/S02/T01

---

## Override: 2026-03-18T10:00:00.000Z

**Change:** no
**Scope:** resolved
**Applied-at:** M001

---
"""


def test_overrides() -> None:
    first, second = overrides.parse(OVERRIDES)
    assert (first.at, first.applied_at, first.scope, second.scope) == (
        "2026-03-17T10:00:00.000Z",
        "M001/S02/T01",
        "active",
        "resolved",
    )
    assert "select 1" in first.change
    assert overrides.active(OVERRIDES) == (first,)
    crlf = OVERRIDES.replace("\n", "\r\n")
    assert overrides.resolve_all(crlf) == crlf.replace("**Scope:** active", "**Scope:** resolved")
    assert overrides.active(overrides.resolve_all(OVERRIDES)) == ()
    assert overrides.parse(overrides.render(second)) == (second,)
    assert overrides.parse("") == overrides.active("nothing active here") == ()


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ('{"order": ["M003", "M001"], "updatedAt": "x"}', ("M003", "M001")),
        ('{"order": []}', ()),
        ('{"order": [1, "M001"]}', ("M001",)),
        ('{"order": "M001"}', ()),
        ('["M001"]', ()),
        ("{", ()),
        ("", ()),
    ],
)
def test_queue_order(text: str, order: tuple[str, ...]) -> None:
    assert queue.parse(text) == order


def test_arranged_ids() -> None:
    present = ["M010", "M002", "M001", "M001-zz00aa", "M1"]
    assert queue.arrange(present, ["M010", "M099", "M010"]) == ("M010", "M1", "M001", "M001-zz00aa", "M002")
    assert queue.parse(queue.render(["M002"], "now")) == ("M002",)


def test_parked_and_placeholder() -> None:
    note = parked.Parked(parked_at="2026-03-17", reason="waiting: for a vendor")
    assert parked.parse(parked.render("M001", note)) == note
    assert (
        placeholder.reason(placeholder.render("execute-task M001/S01/T01", "it: failed\nthrice")) == "it: failed thrice"
    )
    assert placeholder.reason("---\nstatus: done\n---\nblocked\n") is None
    assert placeholder.reason("# T\n") is None


@pytest.mark.parametrize(
    ("bullet", "mode"),
    [
        ("- UAT mode: live-runtime (needs a key)", "live-runtime"),
        ("- **UAT mode:** Mixed", "mixed"),
        ("- UAT mode: nothing known", "artifact-driven"),
        ("prose", "artifact-driven"),
    ],
)
def test_uat_mode(bullet: str, mode: str) -> None:
    assert uat.mode(f"# U\n\n## UAT Type\n\n{bullet}\n") == mode


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        ("PASS", "pass"),
        ("FAIL", "fail"),
        ("PARTIAL", "partial"),
        ("surfaced-for-human-review", "surfaced-for-human-review"),
        ("no-change", None),
    ],
)
def test_uat_verdict(verdict: str, result: str | None) -> None:
    assert uat.verdict(f"---\nverdict: {verdict}\n---\n") == result
    assert uat.verdict("") is None


def test_state_md() -> None:
    state = State(
        phase=Phase.EXECUTING,
        next_action="Execute T01: a in slice S02.",
        registry=(RegistryEntry("M001", "Store", Status.COMPLETE), RegistryEntry("M002", "UI", Status.ACTIVE)),
        requirements=Counts(active=3),
        progress=Progress(milestones=Tally(1, 2)),
        active_milestone=Ref("M002", "UI"),
    )
    text = state_md.render(state)
    assert text.splitlines() == [
        "# GSD State",
        "",
        "**Active Milestone:** M002: UI",
        "**Active Slice:** None",
        "**Phase:** executing",
        "**Requirements Status:** 3 active · 0 validated · 0 deferred · 0 out of scope",
        "",
        "## Milestone Registry",
        "- ✅ **M001:** Store",
        "- 🔄 **M002:** UI",
        "",
        "## Recent Decisions",
        "- None recorded",
        "",
        "## Blockers",
        "- None",
        "",
        "## Next Action",
        "Execute T01: a in slice S02.",
    ]
