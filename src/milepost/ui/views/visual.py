"""The plan and its story as text: progress tree, dependencies, timeline. Source: spec auto 7 (visualize), PR-224."""

from collections.abc import Callable, Sequence

from milepost.model.state import Status
from milepost.ui.views import milestone_status, timeline, timeline_text
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.plan_tree import Branch, Discussion, Stem
from milepost.ui.views.situation import Situation

_MARKS = {Status.COMPLETE: "x", Status.ACTIVE: ">", Status.PENDING: " ", Status.PARKED: "-"}


def tree(stems: Sequence[Stem], *, slices_discussed: bool = False) -> list[str]:
    """Every milestone, slice and task, with what is done: `[x]` done, `[>]` at it, `[-]` parked.

    With how many of how many are done, and what was discussed. slices_discussed: each slice is to be, before its plan.
    """
    lines: list[str] = []
    for stem in stems:
        lines.append(f"[{_MARKS[stem.entry.status]}] {stem.entry.id}: {plain(stem.entry.title)}{_milestone(stem)}")
        for part in stem.slices:
            head, *tasks = milestone_status.branch(part, left="    ")
            lines += [plain(head) + _slice(part, wanted=slices_discussed), *map(plain, tasks)]
    return lines


def _milestone(stem: Stem) -> str:
    tasks = [task for part in stem.slices for task in part.tasks]
    counts = [_count("slices", [part.done for part in stem.slices]), _count("tasks", [task.done for task in tasks])]
    # Nobody will discuss any more what is complete.
    wanted = stem.entry.status is not Status.COMPLETE
    return _told([*counts, _said(stem.discussion, wanted=wanted)])


def _slice(part: Branch, *, wanted: bool) -> str:
    """Few slices are discussed on their own; that one was not is said where a plan is to wait for it."""
    count = _count("tasks", [task.done for task in part.tasks])
    return _told([count, _said(part.discussion, wanted=wanted and not part.done)])


def _said(discussion: Discussion, *, wanted: bool) -> str:
    return str(discussion) if wanted or discussion is Discussion.DISCUSSED else ""


def _count(name: str, done: Sequence[bool]) -> str:
    return f"{sum(done)}/{len(done)} {name}" if done else ""


def _told(facts: Sequence[str]) -> str:
    said = ", ".join(filter(None, facts))
    return f"  {said}" if said else ""


def dependencies(stems: Sequence[Stem]) -> list[str]:
    """Who waits for whom, milestones and slices; what waits for nothing is left out."""
    lines: list[str] = []
    for stem in stems:
        if stem.entry.depends_on:
            lines.append(f"{stem.entry.id} ← {', '.join(stem.entry.depends_on)}")
        lines += [f"{stem.entry.id}/{part.id} ← {', '.join(part.depends)}" for part in stem.slices if part.depends]
    return lines


def story(here: Situation, width: int) -> str:
    """The timeline of all milestones that were worked on."""
    now_ms = here.now_ms if here.alive else 0
    return timeline_text.text(timeline.fold(here.events, now_ms=now_ms), width=width, clock=_clock(here))


def text(here: Situation, stems: Sequence[Stem], parts: Sequence[str], width: int) -> str:
    """The parts that were asked for, each under its heading; ends with a newline."""
    wanted = here.preferences.phases.require_slice_discussion
    made = {
        "tree": lambda: "\n".join(tree(stems, slices_discussed=wanted)) or "Nothing is planned yet.",
        "dependencies": lambda: "\n".join(dependencies(stems)) or "Nothing waits for anything.",
        "timeline": lambda: story(here, width).rstrip("\n"),
    }
    return "\n\n".join(f"{name.capitalize()}\n\n{made[name]()}" for name in parts) + "\n"


def _clock(here: Situation) -> Callable[[int], str]:
    """Epoch milliseconds to eight columns: a time of day, or a date for what is older."""

    def shown(at_ms: int) -> str:
        told = here.clock(at_ms)
        return told if len(told) == 8 else told[2:10]

    return shown
