"""How long the commands take that are run in loops, as multiples of an interpreter that does nothing."""

import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import project
from benchmarks.figures import Figure, Section
from benchmarks.timing import Command, interleaved, middle, ratio

_AIMS = {"query, tiny": 3.5, "query, 50×10×8": 10.0}
_SIZES = {"tiny": project.TINY, "50×10×8": project.BROAD, "500 milestones": project.LONG}


def measure(
    place: Path, env: Mapping[str, str], *, rounds: int, sizes: Mapping[str, project.Measures] = _SIZES
) -> Section:
    """Every command and the bare interpreter in turns."""
    commands = {"python -c pass": Command((sys.executable, "-c", "pass"), place)}
    gsd = str(Path(sys.executable).with_name("gsd"))
    commands["--version"] = Command((gsd, "--version"), place)
    commands["--help"] = Command((gsd, "--help"), place)
    notes = {}
    for name, measures in sizes.items():
        where = place / f"start-{name.replace(' ', '-')}"
        notes[f"query, {name}"] = f"{project.write(where, measures):,} documents"
        commands[f"query, {name}"] = Command((gsd, "headless", "query"), where)
    found = interleaved(commands, rounds=rounds, env=env)
    bare = found.pop("python -c pass")
    floor, floor_cpu = [r.ms for r in bare], [r.cpu_ms for r in bare]
    note = f"{middle(floor_cpu):.1f} ms on the processor"
    figures = [Figure(name="python -c pass", value=middle(floor), unit="ms", note=note, samples=tuple(floor))]
    for name, ran in found.items():
        samples = [r.ms for r in ran]
        cpu = ratio([r.cpu_ms for r in ran], floor_cpu)
        note = f"{middle(samples):.1f} ms; {cpu:.2f} × on the processor"
        note += f"; {notes[name]}" if name in notes else ""
        figures.append(
            Figure(
                name=name, value=ratio(samples, floor), unit="×", aim=_AIMS.get(name), note=note, samples=tuple(samples)
            )
        )
    return Section(
        title=f"Start, as multiples of the bare interpreter ({rounds} rounds in turns)", figures=tuple(figures)
    )
