"""`routing-history.json`: what was learnt about tiers, for GSD and for people. Written only.

    {
      "version": 1,
      "patterns": {"execute-task": {"light": {"success": 3, "fail": 1}, "standard": …, "heavy": …}},
      "feedback": [{"unitType": "execute-task", "unitId": "M001/S01/T01", "tier": "light", "rating": "under",
                    "timestamp": "2026-03-17T11:00:00.000Z"}],
      "updatedAt": "2026-03-17T11:00:00.000Z",
      "writer": "milepost"
    }

A projection of the journal. Source: spec auto 5.14.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from milepost.formats.journal import Rated
from milepost.model.moments import iso

WRITER: Final = "milepost"
_TIERS: Final = ("light", "standard", "heavy")


def encode(
    patterns: Mapping[str, Mapping[str, tuple[int, int]]], feedback: Sequence[Rated], *, updated_ms: int
) -> bytes:
    """The file's bytes. patterns: name → tier → successes and failures."""
    content = {
        "version": 1,
        "patterns": {name: _counts(tiers) for name, tiers in sorted(patterns.items())},
        "feedback": [
            {
                "unitType": said.kind,
                "unitId": said.unit,
                "tier": said.tier,
                "rating": said.rating,
                "timestamp": iso(said.at_ms),
            }
            for said in feedback
        ],
        "updatedAt": iso(updated_ms),
        "writer": WRITER,
    }
    return json.dumps(content, indent=2).encode() + b"\n"


def is_ours(data: bytes) -> bool:
    """Whether a file was written by this program."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("writer") == WRITER


def _counts(tiers: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    counts = {tier: tiers.get(tier, (0, 0)) for tier in _TIERS}
    return {tier: {"success": success, "fail": fail} for tier, (success, fail) in counts.items()}
