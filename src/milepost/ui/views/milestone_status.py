"""`gsd status M002`: one milestone: where it stands and why, its slices and tasks, what it cost."""

from milepost.model import money
from milepost.model.words import counted
from milepost.ui.views import dashboard, overview, spending, why_milestone, why_unit
from milepost.ui.views.plan_tree import Branch
from milepost.ui.views.situation import Situation
from milepost.ui.views.story import Section, Story


def story(mid: str, here: Situation) -> Story:
    """All of it. mid: a milestone of the registry."""
    stem = next(stem for stem in here.plan() if stem.entry.id == mid)
    word, cause = why_milestone.standing(stem.entry, here)
    tried = [a for a in here.attempts if a.milestone == mid]
    booked = spending.of_milestone(here.events, mid)
    spent = spending.whole(booked)
    flying = [a for a in here.at_work if a.milestone == mid]
    done = sum(part.done for part in stem.slices)
    tasks = [task for part in stem.slices for task in part.tasks]
    ready = sum(task.done for task in tasks)
    facts = [("Why", cause), ("Progress", f"{done}/{len(stem.slices)} slices, {ready}/{len(tasks)} tasks")]
    facts += [("Unit", f"{a.named}: {dashboard.in_flight(a, here)}") for a in flying]
    facts.append(
        (
            "Cost",
            f"{spending.show(spent)} in {counted(len(tried), 'attempt')}, {money.show_tokens(spent.tokens)} tokens",
        )
    )
    kinds = overview.by_kind(booked)
    tree = tuple(line for part in stem.slices for line in branch(part))
    return Story(
        says=f"{mid} ({stem.entry.title}) is {word}.",
        sections=(
            Section(title="", facts=tuple(facts)),
            *([Section(title="Plan", table=tree)] if tree else []),
            *([Section(title="", table=tuple(overview.table(kinds).splitlines()))] if kinds else []),
        ),
        document={
            "milestone": mid,
            "title": stem.entry.title,
            "state": word,
            "cause": cause,
            "slices": [
                {"id": s.id, "title": s.title, "done": s.done, "tasks": [{"id": t.id, "done": t.done} for t in s.tasks]}
                for s in stem.slices
            ],
            "inFlight": [why_unit.document(a, here) for a in flying],
            "cost": money.to_usd(spent.micro_usd),
            "unpricedRequests": spent.unpriced,
            "tokens": spent.tokens,
        },
    )


def branch(part: Branch, left: str = "  ") -> list[str]:
    """A slice and its tasks, with what is done."""
    needs = f" (needs {', '.join(part.depends)})" if part.depends else ""
    lines = [f"{left}[{'x' if part.done else ' '}] {part.id}: {part.title}{needs}"]
    return lines + [f"{left}    [{'x' if task.done else ' '}] {task.id}: {task.title}" for task in part.tasks]
