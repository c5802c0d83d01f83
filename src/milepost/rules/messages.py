"""Texts of the commits that are made automatically.

    feat(S01/T02): Added versioned schema with forward migrations

    - src/db.py

    GSD-Unit: execute-task M001/S01/T02
    GSD-Attempt: …

Pure. Source: spec auto 6.5, 6.7; parallel PR-064.
"""

import re
from collections.abc import Iterable

from milepost.formats.roadmap import Slice
from milepost.formats.summary import Summary
from milepost.model.units import Unit, UnitKind
from milepost.model.work import short

BUDGET = 68
"""Characters of type, scope and description together; a subject line of 72 with its punctuation."""
_FILES = 8
_ELLIPSIS = "…"

_FAMILIES = (
    ("fix", "fix|fixed|fixes|bug|patch|hotfix|repair|correct"),
    ("refactor", "refactor|restructure|reorganize"),
    ("docs", "doc|docs|documentation|readme|changelog"),
    ("test", "test|tests|testing|spec|coverage"),
    ("perf", "perf|performance|optimize|speed|cache"),
    ("chore", "chore|cleanup|clean up|dependencies|deps|bump|config|ci|archive|remove|delete"),
)
_TYPES = tuple((kind, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for kind, words in _FAMILIES)


def commit_type(text: str) -> str:
    """`fix`, `refactor`, `docs`, `test`, `perf`, `chore` by the first family with a word in `text`; else `feat`."""
    return next((kind for kind, words in _TYPES if words.search(text)), "feat")


def unit_commit(
    unit: Unit, *, summary: Summary | None = None, attempt: str = "", kind: str = "", wish: str = ""
) -> str:
    """The message of a unit's commit, ending in trailers.

    kind: the commit type (`git.commit_type`); empty: inferred from the words of the summary.
    A task with a summary gets `type(SID/TID): description`, a quick task its wish; any other unit says only
    which it was.
    """
    subject, files = _chore(unit, kind), tuple[str, ...]()
    if unit.kind is UnitKind.EXECUTE_TASK and summary is not None:
        subject = _described(unit, summary, kind) or subject
        files = summary.key_files[:_FILES]
    elif unit.kind in (UnitKind.QUICK_TASK, UnitKind.QUICK) and wish:
        subject = _wished(unit.milestone, wish, kind)
    listed = "\n".join(f"- {_one_line(name)}" for name in files if _one_line(name))
    trailers = f"GSD-Unit: {unit.type} {unit.id}" + (f"\nGSD-Attempt: {attempt}" if attempt else "")
    return "\n\n".join(part for part in (subject, listed, trailers) if part) + "\n"


def milestone_commit(mid: str, title: str, slices: Iterable[Slice], branch: str) -> str:
    """The message of a milestone's one commit on the integration branch, without trailers.

    title: the roadmap's heading; a leading id, with or without the unique suffix, is not repeated in the subject.
    """
    done = "\n".join(f"- {one.id}: {_one_line(one.title)}" for one in slices if one.done)
    parts = [f"feat({mid}): {without_id(mid, title) or mid}"]
    parts += [f"Completed slices:\n{done}"] if done else []
    return "\n\n".join([*parts, f"Branch: {branch}"]) + "\n"


def quick_commit(key: str, wish: str, told: str, branch: str, kind: str = "") -> str:
    """The message of a quick task's one commit on the user's branch. told: what its summary says, in a sentence."""
    subject, words = _wished(key, wish, kind), _one_line(told)
    whole = wish.strip() if _one_line(wish) not in subject else ""
    return "\n\n".join(part for part in (subject, whole, words, f"Branch: {branch}") if part) + "\n"


def slice_commit(mid: str, sid: str, title: str, branch: str) -> str:
    """The message of one slice's commit on the integration branch, when slices are merged on their own."""
    return f"feat({mid}/{sid}): {_one_line(title) or sid}\n\nBranch: {branch}\n"


def without_id(mid: str, title: str) -> str:
    """A title without the `M001:` or `M001-ab12cd —` in front of it."""
    bare = re.escape(mid.partition("-")[0])
    return re.sub(rf"^\s*{bare}(?:-[a-z0-9]{{6}})?\s*(?:[:—–-]\s*|$)", "", _one_line(title)).strip()


def planning_commit(mid: str) -> str:
    """The message under which planning files are committed before a milestone starts."""
    return f"docs({mid}): planning files\n"


def _chore(unit: Unit, kind: str) -> str:
    return f"{kind or 'chore'}({unit.id}): auto-commit after {unit.type}"


def _wished(key: str, wish: str, kind: str) -> str:
    prefix = f"{kind or commit_type(wish)}({short(key)})"
    return f"{prefix}: {_cut(_one_line(wish), BUDGET - len(prefix))}"


def _described(unit: Unit, summary: Summary, kind: str) -> str:
    """The subject in words; empty when the summary has none."""
    title = re.sub(r"^\s*T\d+\s*[:—–-]\s*", "", _one_line(summary.title))
    text = _one_line(summary.one_liner) or title
    prefix = f"{kind or commit_type(f'{title} {summary.one_liner}')}({unit.slice}/{unit.task})"
    return f"{prefix}: {_cut(text, BUDGET - len(prefix))}" if text else ""


def _cut(text: str, budget: int) -> str:
    return text if len(text) <= budget else text[: max(budget - 1, 1)].rstrip() + _ELLIPSIS


def _one_line(text: str) -> str:
    return " ".join(text.split())
