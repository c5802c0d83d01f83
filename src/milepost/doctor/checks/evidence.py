"""Boxes and the documents that should stand behind them, both ways round.

Half of all real projects have gaps of this kind in finished work, so nothing here is an error. And nothing here is
ever mended: a summary that the doctor wrote would be evidence of nothing, and a box that it ticked would make
skipped work count as done (spec auto 8.3, #1650). Source: spec auto 7, in-the-wild 12.
"""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.outline import Milestone, Part, milestones
from milepost.doctor.places_in_text import line_of
from milepost.doctor.site import Site
from milepost.formats import placeholder, plan, summary
from milepost.formats.tree import milestone_file, read
from milepost.rules.attempts import open_attempts
from milepost.rules.done import task_planned
from milepost.unit import unsettled


def look(site: Site) -> Iterator[Finding]:
    """Milestones, their slices, their tasks."""
    for found in milestones(site):
        yield from _milestone(site, found)
        for part in found.parts(site):
            yield from _slice(site, found, part)
            for task in part.tasks:
                yield from _task(site, part, task)
            yield from _unlisted_tasks(site, part)


def _milestone(site: Site, found: Milestone) -> Iterator[Finding]:
    path = milestone_file(site.tree, found.mid, "SUMMARY")
    if not _stands(site, path):
        return
    still = [entry.id for entry in found.slices if not entry.done]
    if still:
        yield _gap(
            site,
            "milestone_summary_with_open_slices",
            path or "",
            f"is there while {_listed(still)} in the roadmap {'is' if len(still) == 1 else 'are'} open",
            Severity.WARNING,
            hint=_waits(site, found.mid) or "Tick what is done, or take the summary away and let gsd auto go on.",
        )
    if found.slices and not read(site.tree, milestone_file(site.tree, found.mid, "VALIDATION")):
        words = "is there without a validation before it"
        yield _gap(site, "milestone_summary_without_validation", path or "", words, Severity.INFO)


def _slice(site: Site, found: Milestone, part: Part) -> Iterator[Finding]:
    severity = Severity.INFO if part.closed else Severity.WARNING
    where, line = found.roadmap or "", line_of(found.text, part.sid)
    report = part.document(site, "SUMMARY")
    if not part.done:
        if _stands(site, report):
            words = f"is there, but {part.sid} is not ticked in the roadmap"
            yield _gap(
                site, "slice_summary_without_done_checkbox", report or "", words, severity, hint=_tick(site, part)
            )
        return
    if not report:
        words = f"{part.sid} is ticked and has no summary"
        yield _gap(site, "slice_checked_missing_summary", where, words, severity, line=line)
    elif not part.document(site, "UAT"):
        words = f"{part.sid} is ticked and has no acceptance test"
        yield _gap(site, "slice_checked_missing_uat", where, words, Severity.INFO, line=line)
    if not part.plan:
        yield _gap(site, "missing_slice_plan", where, f"{part.sid} is ticked and has no plan", Severity.INFO, line=line)
    still = [task.id for task in part.tasks if not task.done]
    if still:
        words = f"{_listed(still)} not ticked, though the slice is"
        yield _gap(site, "slice_checked_with_open_tasks", part.plan or "", words, Severity.INFO)
    yield from _unanswered(site, part)


def _unanswered(site: Site, part: Part) -> Iterator[Finding]:
    if part.document(site, "REPLAN"):
        return
    for task in part.tasks:
        path = part.task_document(site, task.id, "SUMMARY")
        if summary.blocker_discovered(read(site.tree, path)):
            words = f"found a blocker, and {part.sid} was finished without a new plan"
            yield _gap(site, "blocker_discovered_no_replan", path or "", words, Severity.INFO)


def _task(site: Site, part: Part, task: plan.Task) -> Iterator[Finding]:
    at_rest = part.done or part.closed
    severity = Severity.INFO if at_rest else Severity.WARNING
    report, path = part.task_document(site, task.id, "SUMMARY"), part.plan or ""
    if task.done and not report:
        words, hint = f"{task.id} is ticked and has no summary", "" if at_rest else _UNTICK
        line = line_of(part.text, task.id)
        yield _gap(site, "task_done_missing_summary", path, words, severity, line=line, hint=hint)
    if not task.done and _stands(site, report):
        words, hint = (
            f"is there, but {task.id} is not ticked; it counts as done",
            "" if at_rest else _tick(site, part, task.id),
        )
        yield _gap(site, "task_summary_without_done_checkbox", report or "", words, severity, hint=hint)
    elif not task.done and not at_rest and not task_planned(site.tree, part.mid, part.sid, task.id):
        words, line = f"{task.id} has no plan of its own ({task.id}-PLAN.md)", line_of(part.text, task.id)
        yield _gap(site, "missing_task_plan", path, words, Severity.WARNING, line=line, hint=_PLAN)


def _unlisted_tasks(site: Site, part: Part) -> Iterator[Finding]:
    if not part.plan:
        return
    home = f"{part.plan.rpartition('/')[0]}/tasks"
    known = {task.id for task in part.tasks}
    for name in site.tree.names(home):
        tid = name.partition("-")[0]
        if name.endswith("-SUMMARY.md") and tid.startswith("T") and tid not in known:
            words = f"reports {tid}, which the plan does not list"
            yield _gap(site, "unlisted_task", f"{home}/{name}", words, Severity.INFO)


def _stands(site: Site, path: str | None) -> bool:
    """Whether a document is there and is not a note that the work was given up."""
    text = read(site.tree, path)
    return bool(text) and placeholder.reason(text) is None


def _listed(ids: list[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def _tick(site: Site, part: Part, tid: str = "") -> str:
    """What to do about a summary without its box."""
    return _waits(site, "/".join(filter(None, (part.mid, part.sid, tid)))) or _TICK


def _waits(site: Site, unit: str) -> str:
    """Who is about to decide whether the unit is done, so that no person has to; empty: nobody."""
    if not any(started.unit == unit for started in open_attempts(site.events)):
        return ""
    return _AT_WORK if site.crew.solo or site.crew.on(unit.split("/", 1)[0]) else unsettled.settles()


_PLAN = "gsd auto plans the slice again when it comes to it."
_AT_WORK = "A run is at work on it, and ticks it when its gate has passed."
_TICK = "If it is done, tick it; if not, take the summary away."
_UNTICK = "If it was not done, untick it and gsd auto does it; nothing is made up for it."


def _gap(site: Site, code: str, path: str, words: str, severity: Severity, *, line: int = 0, hint: str = "") -> Finding:
    return Finding(code=code, severity=severity, path=site.tree.shown(path), line=line, message=words, hint=hint)


CHECKS = (Check(name="evidence", look=look),)
