"""Small documents: keys a milestone needs, where work was left, replans, assessments."""

import pytest

from milepost.errors import FormatError
from milepost.formats import assessment, continue_, replan, secrets_manifest
from milepost.formats.assessment import Said

KEYS = """# Secrets

**Milestone:** M002
**Generated:** 2026-03-17

### STRIPE_API_KEY

**Service:** Stripe
**Dashboard:** https://dashboard.stripe.com/apikeys
**Format hint:** starts with sk_
**Status:** Collected

1. Open the dashboard
2. Create a key

### `OTHER_KEY`

**Service:** Other
**Status:** whatever
**Destination:** vercel

### Notes for people

words
"""


class TestSecretsManifest:
    def test_parse(self) -> None:
        manifest = secrets_manifest.parse(KEYS)
        assert (manifest.milestone, manifest.generated) == ("M002", "2026-03-17")
        first, second = manifest.secrets
        assert (first.name, first.service, first.status, first.destination) == (
            "STRIPE_API_KEY",
            "Stripe",
            "collected",
            "dotenv",
        )
        assert first.steps == ("Open the dashboard", "Create a key")
        assert (second.name, second.status, second.destination) == ("OTHER_KEY", "pending", "vercel")

    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_with_status(self, newline: str) -> None:
        text = KEYS.replace("\n", newline)
        after = secrets_manifest.with_status(text, "OTHER_KEY", "skipped")
        assert after == text.replace("whatever", "skipped")

    def test_no_such_key(self) -> None:
        with pytest.raises(FormatError):
            secrets_manifest.with_status(KEYS, "NONE", "skipped")


class TestContinue:
    def test_parse(self) -> None:
        head = "milestone: M001\nslice: S01\ntask: none\nstep: 2\ntotalSteps: 5\nstatus: compacted\nsavedAt: T\n"
        note = continue_.parse(f"---\n{head}---\n\n## Completed Work\nhalf\n\n## Next Action\nthe rest\n")
        assert (note.task, note.step, note.total_steps, note.status, note.saved_at) == ("", 2, 5, "compacted", "T")
        assert (note.completed_work, note.remaining_work, note.next_action) == ("half", "", "the rest")
        assert continue_.parse(continue_.render(note)) == note

    def test_nothing(self) -> None:
        assert continue_.parse("").status == "in_progress"


class TestReplan:
    def test_parse(self) -> None:
        head = "# S01 Replan\n\n**Milestone:** M001\n**Blocker Task:** T02\n"
        text = f"{head}\n## Blocker Description\n\nwhy\n\n## What Changed\n\nwhat\n"
        found = replan.parse(text)
        assert (found.milestone, found.blocker_task, found.blocker, found.changed) == ("M001", "T02", "why", "what")
        assert replan.parse("free text").milestone == ""

    def test_trigger_there_and_back(self) -> None:
        trigger = replan.Trigger(source="CAP-1", text="use X\ninstead", rationale="because", at="T")
        text = replan.render_trigger("S01", trigger)
        assert replan.parse_trigger(text) == trigger._replace(text="use X instead")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\nverdict: no-change\n---\n", Said.UNCHANGED),
        ("---\nverdict: no_changes_needed\n---\n", Said.UNCHANGED),
        ("---\nassessment: roadmap_unchanged\n---\n", Said.UNCHANGED),
        ("---\nverdict: modified\n---\n", Said.MODIFIED),
        ("---\nverdict: PASS\n---\n", Said.TEST_RESULT),
        ("---\nverdict: PARTIAL\n---\n", Said.TEST_RESULT),
        ("# S01\n\n**Verdict:** Roadmap confirmed — no changes needed.\n", Said.UNCHANGED),
        ("# S01\n\n**Verdict: Roadmap unchanged.**\n", Said.UNCHANGED),
        ("# S01\n\n## Verdict: No changes needed\n", Said.UNCHANGED),
        ("# S01\n\n**Result:** two slices modified\n", Said.MODIFIED),
        ("# S01\n\nAll is well.\n", Said.UNCLEAR),
        ("", Said.UNCLEAR),
    ],
)
def test_assessments(text: str, said: Said) -> None:
    assert assessment.parse(text).said is said
