"""Which side of a merge a planning file is taken from.

    src/app.py                           code: only git and people decide
    .gsd/STATE.md                        derived: the target's, or none
    .gsd/milestones/M001/…               the milestone's, when M001 lands
    .gsd/milestones/M002/…               the target's, when M001 lands
    .gsd/quick/1-fix-it/…                the quick task's, when it lands; the target's, when M001 does
    .gsd/DECISIONS.md                    lines of both sides
    .gsd/preferences.md, *.json          the target's
    dist/app.js.map                      built, by a pattern of the project: the milestone's

Pure. Source: DESIGN "Parallel"; spec auto 6.7; parallel FM-98, FM-99.
"""

from collections.abc import Sequence
from enum import StrEnum

from milepost.model.work import owner as owner_of
from milepost.rules.generated import is_generated
from milepost.rules.staging import is_runtime


class Side(StrEnum):
    """What is done with a path that both sides changed."""

    CODE = "code"
    """Nothing; a conflict stops the merge."""
    MILESTONE = "milestone"
    TARGET = "target"
    UNION = "union"
    """Lines of both sides, the target's first."""
    DERIVED = "derived"
    """Never merged, even without a conflict: the target keeps what it has."""
    GENERATED = "generated"
    """Built, not written: in a conflict the milestone's, whole."""


_REGISTERS = frozenset({"decisions.md", "knowledge.md", "requirements.md", "project.md", "queue.md", "overrides.md"})
_PERSONAL = frozenset({"preferences.md", "captures.md", "agent-instructions.md"})


def side(path: str, *, mid: str, state_dir: str, generated: Sequence[str] = ()) -> Side:
    """How a repository path is merged when milestone `mid` lands. generated: patterns of built files."""
    if not path.startswith(f"{state_dir}/"):
        return Side.GENERATED if is_generated(path, generated) else Side.CODE
    inside = path[len(state_dir) + 1 :]
    if is_runtime(inside):
        return Side.DERIVED
    owner = owner_of(inside)
    if owner is not None:
        return Side.MILESTONE if owner == mid else Side.TARGET
    name = inside.lower()
    if name in _REGISTERS:
        return Side.UNION
    return Side.TARGET if name in _PERSONAL or name.endswith((".json", ".jsonl")) else Side.MILESTONE


def is_planning(path: str, *, state_dir: str) -> bool:
    """Whether a path belongs to the plan and not to what is built."""
    return path == state_dir or path.startswith(f"{state_dir}/")
