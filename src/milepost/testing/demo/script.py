"""What the demo's agent does, unit by unit: the source that the shipped cassette is recorded from (`record.py`).

    python -m milepost.testing.demo.script > script.json

The sessions look, write, run the tests and sum up, as a model's do. Tokens and costs are round figures of this
script, not a bill.
"""

import json
import sys
from collections.abc import Iterator

from milepost.testing.demo.plans import ALL, ALONE, VERIFY, Milestone, Slice, Task, chosen
from milepost.testing.demo.project import SO_FAR
from milepost.testing.demo.written import EDITS, FILES

_MODEL = "recorded"
_WHEN = "completed_at: 2026-11-01T12:00:00Z"


def sessions(milestones: tuple[str, ...] = ALONE) -> list[dict[str, object]]:
    """Every session of these milestones, in the order of the plan."""
    return [session for milestone in chosen(milestones) for session in _milestone(milestone)]


def _milestone(milestone: Milestone) -> Iterator[dict[str, object]]:
    for part in milestone.slices:
        for task in part.tasks:
            yield _execute(milestone, part, task)
        yield _complete_slice(milestone, part)
        if part is not milestone.slices[-1]:
            yield _reassess(milestone, part)
    yield _validate(milestone)
    yield _complete_milestone(milestone)


def _session(unit: str, *steps: dict[str, object]) -> dict[str, object]:
    return {"unit": unit, "steps": list(_with_usage(steps))}


def _with_usage(steps: tuple[dict[str, object], ...]) -> Iterator[dict[str, object]]:
    """One request per tool call, each a little longer than the one before, most of it cached."""
    for number, step in enumerate(steps):
        fresh, cached = (6_000, 0) if number == 0 else (400, 6_000 + 400 * number)
        tokens = {"input": fresh, "output": 250, "cache_read": cached, "cache_write": 0}
        cost = {"micro_usd": fresh * 3 + 250 * 15 + cached * 3 // 10, "model": _MODEL}
        yield {"usage": {**tokens, **cost}}
        yield step


def _write(path: str, content: str) -> dict[str, object]:
    return {"tool": "write", "args": {"path": path, "content": content}}


def _edit(path: str, old: str, new: str) -> dict[str, object]:
    return {"tool": "edit", "args": {"path": path, "old": old, "new": new}}


def _shell(command: str) -> dict[str, object]:
    return {"tool": "shell", "args": {"command": command}}


def _base(milestone: Milestone, part: Slice | None = None) -> str:
    base = f".gsd/milestones/{milestone.id}"
    return f"{base}/slices/{part.id}" if part else base


def _execute(milestone: Milestone, part: Slice, task: Task) -> dict[str, object]:
    unit = f"{milestone.id}/{part.id}/{task.id}"
    summary = (
        f"---\nid: {task.id}\nparent: {part.id}\nmilestone: {milestone.id}\nprovides:\n  - {task.done}\nkey_files:\n"
        + "".join(f"  - {path}\n" for path in task.files)
        + "key_decisions: []\npatterns_established: []\nduration: 5m\nverification_result: passed\n"
        f"{_WHEN}\nblocker_discovered: false\n---\n# {task.id}: {task.title}\n\n**{task.done}**\n\n"
        f"## What Happened\n\n{task.done}, with tests.\n\n## Verification\n\n`{VERIFY}` passed.\n\n"
        "## Deviations\n\nNone.\n\n## Known Issues\n\nNone.\n"
    )
    return _session(
        f"execute-task/{unit}",
        {"tool": "list", "args": {"path": "wordtally"}},
        *(_write(path, content) for path, content in FILES.get(unit, {}).items()),
        *(_edit(*edit) for edit in EDITS.get(unit, ())),
        _shell(VERIFY),
        _write(f"{_base(milestone, part)}/tasks/{task.id}-SUMMARY.md", summary),
        {"text": f"{task.title}: done, and the tests pass."},
    )


def _complete_slice(milestone: Milestone, part: Slice) -> dict[str, object]:
    summary = (
        f"---\nid: {part.id}\nparent: {milestone.id}\nmilestone: {milestone.id}\nprovides:\n  - {part.gives}\n"
        "requires: []\naffects: []\nkey_files: []\nkey_decisions: []\npatterns_established:\n"
        f"  - one module, one test file\nverification_result: passed\n{_WHEN}\n---\n# {part.id}: {part.title}\n\n"
        f"**{part.title} works**\n\n## What Happened\n\nBoth tasks are done; {part.gives} is there.\n\n"
        f"## Verification\n\n`{VERIFY}` passed.\n"
    )
    uat = (
        f"# {part.id}: {part.title} — UAT\n\n## UAT Type\n\n- UAT mode: artifact-driven\n\n## Test Cases\n\n"
        f"### 1. Tests\n\n1. Run `{VERIFY}`\n2. **Expected:** OK\n"
    )
    return _session(
        f"complete-slice/{milestone.id}/{part.id}",
        _shell(VERIFY),
        _write(f"{_base(milestone, part)}/{part.id}-SUMMARY.md", summary),
        _write(f"{_base(milestone, part)}/{part.id}-UAT.md", uat),
        {"text": f"{part.id} is summed up."},
    )


def _reassess(milestone: Milestone, part: Slice) -> dict[str, object]:
    text = (
        f"---\ndate: 2026-11-01\ntriggering_slice: {part.id}\nverdict: no-change\n---\n# {part.id} Assessment\n\n"
        "The roadmap still covers every success criterion; S02 builds on count() as planned.\n"
    )
    return _session(
        f"reassess-roadmap/{milestone.id}/{part.id}",
        _write(f"{_base(milestone, part)}/{part.id}-ASSESSMENT.md", text),
        {"text": "The roadmap stands."},
    )


def _validate(milestone: Milestone) -> dict[str, object]:
    shown = zip(milestone.criteria, milestone.proofs, strict=True)
    checks = "".join(f"- [x] {criterion} — evidence: {proof}\n" for criterion, proof in shown)
    text = (
        f"---\nverdict: pass\nremediation_round: 0\n---\n# Milestone Validation: {milestone.id}\n\n"
        f"## Success Criteria Checklist\n\n{checks}\n## Verdict Rationale\n\n"
        f"`{VERIFY}` passes, and what was built does what it should.\n"
    )
    return _session(
        f"validate-milestone/{milestone.id}",
        _shell(VERIFY),
        _shell(milestone.tries),
        _write(f"{_base(milestone)}/{milestone.id}-VALIDATION.md", text),
        {"text": "All criteria hold."},
    )


def _complete_milestone(milestone: Milestone) -> dict[str, object]:
    number = sum(len(part.tasks) for part in milestone.slices)
    summary = (
        f"---\nid: {milestone.id}\nprovides:\n  - {milestone.gives}\nkey_decisions: []\n"
        f"patterns_established: []\nverification_result: passed\n{_WHEN}\n---\n"
        f"# {milestone.id}: {milestone.title}\n\n**{milestone.says}**\n\n## What Happened\n\n"
        f"Slices: {len(milestone.slices)}. Tasks: {number}.\n\n## Cross-Slice Verification\n\n`{VERIFY}` passed.\n"
    )
    return _session(
        f"complete-milestone/{milestone.id}",
        _shell(VERIFY),
        _write(f"{_base(milestone)}/{milestone.id}-SUMMARY.md", summary),
        _edit(".gsd/PROJECT.md", SO_FAR, f"{SO_FAR}- {milestone.id}: {milestone.says}.\n"),
        {"text": "The milestone is complete."},
    )


if __name__ == "__main__":
    json.dump(sessions(ALL), sys.stdout, indent=1)
