"""What the plan lint says of roadmaps and plans that nobody has begun yet: now it costs one session to mend them.

What is begun is worked with as it is. Source: spec auto 2.11, 2.16, 2.17; issue "From an idea to a plan".
"""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.outline import Milestone, Part, milestones
from milepost.doctor.site import Site
from milepost.formats import placeholder
from milepost.model.units import Unit, UnitKind
from milepost.prompts.shrink import budgets
from milepost.rules import plan_lint
from milepost.rules._derive_slice import task_reported

_SAID_ELSEWHERE = " more than once"
"""How the finding ends that the check of roadmaps has too, with the line."""


def look(site: Site) -> Iterator[Finding]:
    """Milestone by milestone: the roadmap while no work was done on it, then each plan without a finished task."""
    for found in milestones(site):
        if found.complete or not found.slices or placeholder.reason(found.text) is not None:
            continue
        parts = tuple(found.parts(site))
        if not any(part.done or _begun(site, part) for part in parts):
            yield from _linted(site, Unit(UnitKind.PLAN_MILESTONE, found.mid))
        for part in parts:
            if _waits(site, found, part):
                yield from _linted(site, Unit(UnitKind.PLAN_SLICE, f"{part.mid}/{part.sid}"))


def _waits(site: Site, found: Milestone, part: Part) -> bool:
    """Whether there is a plan that can be read and that nobody works on."""
    if part.done or not part.tasks or placeholder.reason(part.text) is not None or _begun(site, part):
        return False
    task = site.state.active_task
    at_work = bool(site.crew.solo or site.crew.on(found.mid))
    return not (at_work and task and site.state.active_slice and site.state.active_slice.id == part.sid)


def _begun(site: Site, part: Part) -> bool:
    return any(task.done or task_reported(site.tree, part.mid, part.sid, task.id) for task in part.tasks)


def _linted(site: Site, unit: Unit) -> Iterator[Finding]:
    gate = bool(site.settings.preferences.verification_commands)
    most = budgets(site.place.executor_window).max_tasks
    for found in plan_lint.lint(unit, site.tree, max_tasks=most, gate=gate):
        if found.problem.endswith(_SAID_ELSEWHERE):
            continue
        yield Finding(
            code="plan_lint",
            severity=Severity.WARNING if found.error else Severity.INFO,
            path=site.tree.shown(found.path),
            message=found.problem,
            hint=f"gsd dispatch plan {unit.id} has the agent write it again and tells it so; or correct the file.",
            milestone=unit.milestone,
        )


CHECKS = (Check(name="unbegun", look=look),)
