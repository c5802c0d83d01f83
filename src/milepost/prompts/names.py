"""The words a template may use: ids, exact paths, limits. Source: spec auto 1.2, 4.2, 5.17."""

from milepost.formats import plan, roadmap, validation
from milepost.formats.tree import (
    milestone_dir,
    milestone_file,
    milestone_path,
    read,
    root_file,
    slice_file,
    slice_home,
    slice_path,
    task_file,
    task_path,
)
from milepost.model import work
from milepost.model.units import UnitKind
from milepost.prompts.blanks import Values, fill
from milepost.prompts.brief import Desk
from milepost.prompts.shrink import DEFAULT_WINDOW, budgets

_ROOT = ("PROJECT", "REQUIREMENTS", "DECISIONS", "KNOWLEDGE", "OVERRIDES")
_MILESTONE = {
    "context": "CONTEXT",
    "draft": "CONTEXT-DRAFT",
    "later": "LATER",
    "roadmap": "ROADMAP",
    "research": "RESEARCH",
    "validation": "VALIDATION",
    "milestone_summary": "SUMMARY",
    "secrets": "SECRETS",
}
_SLICE = {
    "slice_context": "CONTEXT",
    "slice_research": "RESEARCH",
    "plan": "PLAN",
    "slice_summary": "SUMMARY",
    "uat": "UAT",
    "uat_result": "UAT-RESULT",
    "replan": "REPLAN",
    "assessment": "ASSESSMENT",
}
_TASK = {"task_plan": "PLAN", "task_summary": "SUMMARY"}


def names(desk: Desk) -> Values:
    """Every name with its value for this unit, None where it has none. `inlined` is the composer's to add."""
    values: dict[str, str | None] = {**_ids(desk), **_limits(desk), **_paths(desk)}
    values["prior_summaries"] = _prior_summaries(desk) if desk.tid else None
    values["documents"] = _documents(desk)
    values["round"] = _round(desk)
    values |= _errand(desk)
    values["small"] = fill("blocks/small", values)
    values["where"] = _where(desk, values)
    return values


def _ids(desk: Desk) -> dict[str, str | None]:
    unit = desk.unit
    return {
        "state_dir": desk.workplace.state_dir,
        "cwd": desk.workplace.cwd,
        "branch": desk.workplace.branch,
        "gate": " && ".join(f"`{line}`" for line in desk.gate) or _own_gate(desk),
        "attempt": str(desk.extras.attempt),
        "now": desk.extras.now or "<UTC time, like 2026-03-17T11:00:00Z>",
        "milestone": unit.milestone,
        "slice": unit.slice,
        "task": unit.task,
        "subject": unit.task or unit.slice or unit.milestone,
        "slice_or_first": unit.slice or "S01",
    }


def _own_gate(desk: Desk) -> str:
    quick = desk.unit.kind is UnitKind.QUICK
    return "the tests of package.json, where there is one" if quick else "the commands of the task's Verify line"


def _errand(desk: Desk) -> dict[str, str | None]:
    """What triages, quick tasks and hooks are told."""
    extras, mid = desk.extras, desk.unit.milestone
    home = milestone_dir(desk.tree, mid) or f"milestones/{mid}"
    return {
        "captures_file": extras.captures_file or desk.shown("CAPTURES.md"),
        "triage": desk.shown(f"{home}/{mid}-TRIAGE.json"),
        "others": ", ".join(extras.others) or "none",
        "asked": extras.asked or "(nothing was said)",
        "hook": desk.unit.name or "a hook",
        "quick_summary": desk.shown(work.document(mid, "SUMMARY.md")) if work.is_quick(mid) else None,
        "hook_file": f"; its result goes to `{extras.artifact}`" if extras.artifact else "",
        "unit_id": desk.unit.id,
    }


def _limits(desk: Desk) -> dict[str, str | None]:
    window = desk.extras.window_tokens if desk.extras.window_tokens > 0 else DEFAULT_WINDOW
    limits = budgets(window)
    return {
        "window_tokens": str(window),
        "verification_chars": str(limits.verification),
        "min_tasks": "2",
        "max_tasks": str(limits.max_tasks),
    }


def _paths(desk: Desk) -> dict[str, str | None]:
    tree, mid, sid, tid = desk.tree, desk.unit.milestone, desk.sid, desk.tid
    found: dict[str, str | None] = {}
    for name in _ROOT:
        found[name.lower()] = desk.shown(root_file(tree, name) or f"{name}.md")
    found["milestone_dir"] = desk.shown(milestone_dir(tree, mid) or f"milestones/{mid}")
    for name, suffix in _MILESTONE.items():
        found[name] = desk.shown(milestone_path(tree, mid, suffix))
    found["tasks_dir"] = f"{desk.shown(slice_home(tree, mid, sid))}/tasks" if sid else None
    for name, suffix in _SLICE.items():
        found[name] = desk.shown(slice_path(tree, mid, sid, suffix)) if sid else None
    for name, suffix in _TASK.items():
        found[name] = desk.shown(task_path(tree, mid, sid, tid, suffix)) if tid else None
    return found


def _round(desk: Desk) -> str:
    """The remediation round a validation written now is in: one more than that of the one before."""
    earlier = read(desk.tree, milestone_file(desk.tree, desk.unit.milestone, "VALIDATION"))
    return str(validation.remediation_round(earlier) + 1) if earlier else "0"


def _where(desk: Desk, values: Values) -> str:
    where = fill("blocks/where", values)
    return f"{where}\n{fill('blocks/again', values)}" if desk.extras.attempt > 1 else where


def earlier_summaries(desk: Desk) -> tuple[str, ...]:
    """Paths of the summaries of the tasks before this one, in the order of the plan."""
    mid, sid = desk.unit.milestone, desk.sid
    listed = plan.tasks(read(desk.tree, slice_file(desk.tree, mid, sid, "PLAN")))
    ids = [task.id for task in listed]
    before = ids[: ids.index(desk.tid)] if desk.tid in ids else ids
    found = (task_file(desk.tree, mid, sid, tid, "SUMMARY") for tid in before)
    return tuple(path for path in found if path)


def _prior_summaries(desk: Desk) -> str:
    return ", ".join(f"`{desk.shown(path)}`" for path in earlier_summaries(desk)) or "none"


def _documents(desk: Desk) -> str:
    """What new instructions may have to be worked into: the documents that exist, one bullet each."""
    tree, mid = desk.tree, desk.unit.milestone
    roots = (root_file(tree, name) for name in ("PROJECT", "REQUIREMENTS", "DECISIONS"))
    open_paths = (*roots, milestone_file(tree, mid, "ROADMAP"), *_slice_documents(desk))
    context = milestone_file(tree, mid, "CONTEXT")
    lines = [f"- `{desk.shown(path)}`" for path in open_paths if path]
    return "\n".join([*lines, *([f"- `{desk.shown(context)}` (read-only)"] if context else [])]) or "- none"


def _slice_documents(desk: Desk) -> tuple[str, ...]:
    """The active slice's plan and the plans of its unfinished tasks."""
    tree, mid = desk.tree, desk.unit.milestone
    sid = desk.sid or _active_slice(desk)
    path = slice_file(tree, mid, sid, "PLAN") if sid else None
    if path is None:
        return ()
    plans = (task_file(tree, mid, sid, task.id, "PLAN") for task in plan.tasks(read(tree, path)) if not task.done)
    return (path, *(found for found in plans if found))


def _active_slice(desk: Desk) -> str:
    text = read(desk.tree, milestone_file(desk.tree, desk.unit.milestone, "ROADMAP"))
    return next((entry.id for entry in roadmap.slices(text) if not entry.done), "")
