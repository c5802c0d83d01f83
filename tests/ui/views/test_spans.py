"""How long something took, in words."""

import pytest

from milepost.ui.views.spans import ago, seconds


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (-5, "0 s"), (999, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (3_599_999, "59 min"), (3_600_000, "1 h 0 min"),
        (7_800_000, "2 h 10 min"), (172_800_000, "2 days"),
    ],
)  # fmt: skip
def test_ago(ms: int, words: str) -> None:
    assert ago(ms) == words


@pytest.mark.parametrize(("ms", "words"), [(0, "0.0 s"), (840, "0.8 s"), (9_999, "10.0 s"), (12_400, "12 s")])
def test_seconds(ms: int, words: str) -> None:
    assert seconds(ms) == words
