"""What the age of a project costs each unit: the journal only grows, and a unit asks it many times.

Two runs that differ by some tasks, in a project whose journal is new, has 5,000 or has 50,000 lines: what one more task
takes on the processor, so that neither the start nor a busy machine counts.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.figures import Figure, Section
from benchmarks.timing import Command, middle, once
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    Result,
    SessionEnded,
    UsageReported,
    Verified,
)
from milepost.testing import projects

SIZES = (0, 5_000, 50_000)
TASKS = (2, 6)
_AIMS_MS = {5_000: 25.0}
"""On top of what a task costs in a new project. Beyond that it is the folds over all events that count, not reading."""
RUN = "r1760000000000-000000"


def measure(
    place: Path, env: Mapping[str, str], *, rounds: int, sizes: Sequence[int] = SIZES, tasks: tuple[int, int] = TASKS
) -> Section:
    """Every size in turns, `rounds` times; the first size is what the others are compared with."""
    found: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(rounds):
        for size in sizes:
            few, many = (_run(place / f"age-{size}-{number}-{count}", count, size, env) for count in tasks)
            found[size].append((many - few) / (tasks[1] - tasks[0]))
    new = middle(found[sizes[0]])
    figures = [Figure(name=f"{sizes[0]:,} lines", value=new, unit="ms", samples=tuple(found[sizes[0]]))]
    figures += [
        Figure(
            name=f"{size:,} lines, on top of that",
            value=middle(found[size]) - new,
            unit="ms",
            aim=_AIMS_MS.get(size),
            note=f"{middle(found[size]):.0f} ms in all",
            samples=tuple(found[size]),
        )
        for size in sizes[1:]
    ]
    return Section(
        title=f"One more task, on the processor, by the age of the journal ({rounds} rounds)", figures=tuple(figures)
    )


def history(lines: int) -> str:
    """At least so many lines of a milestone that was done long ago: whole attempts, one after the other."""
    made: list[AnyEvent] = []
    while len(made) < lines:
        made += _attempt(len(made))
    return "".join(msgspec.json.encode(event).decode() + "\n" for event in made)


def _attempt(number: int) -> list[AnyEvent]:
    name, at, unit = f"M900-T{number}.execute-task", 1_760_000_000_000 + number * 1_000, f"M900/S{number // 80:04d}/T01"
    return [
        AttemptStarted(
            at_ms=at, run=RUN, attempt=name, kind="execute-task", unit=unit, base="0" * 40, branch="milestone/M900",
            fingerprint=f"{number:064d}", number=1, agent="builtin", transcript=f"activity/{number}.jsonl", model="m",
        ),
        BudgetReserved(at_ms=at, run=RUN, attempt=name, micro_usd=100_000),
        *(
            UsageReported(at_ms=at + n, run=RUN, attempt=name, model="m", input=9_000, output=400, micro_usd=9)
            for n in range(5)
        ),
        SessionEnded(at_ms=at + 10, run=RUN, attempt=name, stop="end", requests=5, tool_calls=4),
        Verified(at_ms=at + 20, run=RUN, attempt=name, verdict="pass", source="task", checks=1, tree="0" * 40),
        AttemptEnded(at_ms=at + 30, run=RUN, attempt=name, result=Result.COMMITTED, commit="0" * 40),
    ]  # fmt: skip


def _run(where: Path, tasks: int, lines: int, env: Mapping[str, str]) -> float:
    """`gsd auto` over so many tasks; milliseconds on the processor."""
    projects.tiny(where, tasks=tasks)
    script = where.with_suffix(".json")
    script.write_text(json.dumps(projects.sessions(tasks=tasks)))
    if lines:
        (where / ".gsd/journal").mkdir()
        (where / ".gsd/journal/M900.jsonl").write_text(history(lines))
    gsd = str(Path(sys.executable).with_name("gsd"))
    ran = once(Command((gsd, "auto", "--agent", f"scripted:{script}"), where), env)
    if ran.code:
        raise ValueError(f"gsd auto in {where} ended with {ran.code}")
    return ran.cpu_ms
