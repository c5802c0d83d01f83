"""The plan and its story as text: progress tree, dependencies, timeline. Source: spec auto 7 (visualize)."""

from collections.abc import Callable, Sequence

from milepost.model.state import Status
from milepost.ui.views import milestone_status, timeline, timeline_text
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.plan_tree import Stem
from milepost.ui.views.situation import Situation

_MARKS = {Status.COMPLETE: "x", Status.ACTIVE: ">", Status.PENDING: " ", Status.PARKED: "-"}


def tree(stems: Sequence[Stem]) -> list[str]:
    """Every milestone, slice and task, with what is done: `[x]` done, `[>]` at it, `[-]` parked."""
    lines: list[str] = []
    for stem in stems:
        done = sum(part.done for part in stem.slices)
        count = f"  {done}/{len(stem.slices)} slices" if stem.slices else ""
        lines.append(f"[{_MARKS[stem.entry.status]}] {stem.entry.id}: {plain(stem.entry.title)}{count}")
        for part in stem.slices:
            lines += [plain(line) for line in milestone_status.branch(part, left="    ")]
    return lines


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
    made = {
        "tree": lambda: "\n".join(tree(stems)) or "Nothing is planned yet.",
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
