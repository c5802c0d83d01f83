"""What has a branch of its own and lands by itself, a milestone or a quick task, and what is named after it.

    key        M001                 quick-1-fix-the-typo
    branch     milestone/M001       gsd/quick/1-fix-the-typo
    home       milestones/M001…     quick/1-fix-the-typo

Worktree, journal, backup refs and trailers carry the key. All names follow from it, so that what a killed run left is
found without asking anybody. Source: spec auto 1.2, 6.3, 7 (`/gsd quick`); decision 0027.
"""

import re
from typing import Final

from milepost.model.ids import BadId, milestone_of_directory, require_milestone

SLUG_CHARS: Final = 40
_QUICK: Final = re.compile(rf"quick-([1-9]\d*)-(?=.{{1,{SLUG_CHARS}}}\Z)([a-z0-9]+(?:-[a-z0-9]+)*)\Z")
_MILESTONE_BRANCH: Final = "milestone/"
_QUICK_BRANCH: Final = "gsd/quick/"
_NOTHING: Final = "task"


def is_quick(key: str) -> bool:
    """Whether a key is that of a quick task."""
    return _QUICK.match(key) is not None


def quick_key(number: int, text: str) -> str:
    """The key of a new quick task."""
    return f"quick-{number}-{slug(text)}"


def slug(text: str) -> str:
    """`text` as lower-case words of plain letters, at most 40 characters, cut between words where there is a gap."""
    import unicodedata  # only a new task needs it, a query does not

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    whole = "-".join(re.findall(r"[a-z0-9]+", plain))
    if len(whole) > SLUG_CHARS:
        cut = whole[: SLUG_CHARS + 1].rpartition("-")[0]
        whole = cut or whole[:SLUG_CHARS]
    return whole or _NOTHING


def require_key(text: str) -> str:
    """`text`, if it is the key of a milestone or of a quick task; raises BadId otherwise."""
    return text if is_quick(text) else require_milestone(text)


def number(key: str) -> int:
    """The number of a quick task; raises BadId for another key."""
    found = _QUICK.match(key)
    if found is None:
        raise BadId(f"{key!r} is no quick task", hint="gsd quick --list")
    return int(found[1])


def short(key: str) -> str:
    """The key without its words: `quick-1`; a milestone's id is short already."""
    return f"quick-{number(key)}" if is_quick(key) else key


def branch_of(key: str) -> str:
    """`milestone/M001`, `gsd/quick/1-fix-the-typo`."""
    return f"{_QUICK_BRANCH}{key.removeprefix('quick-')}" if is_quick(key) else f"{_MILESTONE_BRANCH}{key}"


def key_of(branch: str) -> str:
    """The key that a branch of ours is named after; another branch's own name."""
    if branch.startswith(_QUICK_BRANCH) and is_quick(key := f"quick-{branch.removeprefix(_QUICK_BRANCH)}"):
        return key
    return branch.removeprefix(_MILESTONE_BRANCH)


def is_branch(branch: str) -> bool:
    """Whether a branch is that of a milestone or of a quick task."""
    return key_of(branch) != branch


def home(key: str) -> str:
    """The directory of a quick task, below the state directory."""
    return f"quick/{number(key)}-{key.split('-', 2)[2]}"


def document(key: str, name: str) -> str:
    """A file of a quick task, below the state directory: `SUMMARY.md` is `quick/1-fix-the-typo/1-SUMMARY.md`."""
    return f"{home(key)}/{number(key)}-{name}"


def owner(inside: str) -> str | None:
    """Whose a path below the state directory is: a milestone's, a quick task's; None: the project's."""
    top, *parts = inside.split("/")
    if len(parts) < 2:
        return None
    if top == "milestones":
        return milestone_of_directory(parts[0])
    return f"quick-{parts[0]}" if top == "quick" else None


def of_directory(name: str) -> bool:
    """Whether a directory below `worktrees/` is named after a key."""
    return is_quick(name) or milestone_of_directory(name) == name
