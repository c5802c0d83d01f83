"""What a triage session wrote, read liberally."""

import pytest

from milepost.formats import triage
from milepost.formats.triage import Decision

ONE = '{"captureId": "CAP-1", "classification": "inject", "resolution": "a task", "rationale": "in scope"}'
READ = (Decision("CAP-1", "inject", "a task", "in scope"),)


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"[{ONE}]",
        f'{{"captures": [{ONE}]}}',
        f"Sure:\n```json\n[{ONE}]\n```\nDone.",
        f"```\n{ONE}\n```",
        f"I think [this] is it: {ONE} and nothing else",
        f'[{ONE}, {{"captureId": "CAP-2", "classification": "burn"}}, 7]',
        f'[{ONE}, {{"captureId": "CAP-1", "classification": "note"}}]',
        ONE.replace("inject", "INJECT").replace("captureId", "id"),
    ],
    ids=["object", "list", "below a key", "fence", "bare fence", "prose", "unknown class", "twice", "loose"],
)
def test_forms(text: str) -> None:
    assert triage.parse(text) == READ


@pytest.mark.parametrize(
    "text", ["", "no", "[1, 2]", '{"captureId": "CAP-1"}', "[" * 50_000, '{"classification": "note"}']
)
def test_nothing_usable(text: str) -> None:
    assert triage.parse(text) == ()
