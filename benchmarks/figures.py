"""What was measured, as a table for people and as JSON."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number."""

    name: str
    value: float
    unit: str
    """`×` multiples, `ms`, `MB`, `bytes`, or what is counted."""
    aim: float | None = None
    """The value should not be above it; None: nothing is aimed at."""
    note: str = ""
    samples: tuple[float, ...] = ()

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without one."""
        return None if self.aim is None else self.value <= self.aim


@dataclass(frozen=True, kw_only=True)
class Section:
    """Figures that were measured in one go."""

    title: str
    figures: tuple[Figure, ...] = field(default_factory=tuple)


def table(sections: Iterable[Section]) -> str:
    """Aligned lines, a heading per section."""
    sections = tuple(sections)
    names = max((len(f.name) for s in sections for f in s.figures), default=0)
    lines: list[str] = []
    for section in sections:
        lines += ["", section.title]
        lines += [_line(figure, names) for figure in section.figures]
    return "\n".join(lines).lstrip("\n") + "\n"


def _line(figure: Figure, width: int) -> str:
    aim = "" if figure.aim is None else f"aim ≤ {_number(figure.aim)}"
    word = {None: "", True: "ok", False: "MISSED"}[figure.met]
    text = f"  {figure.name.ljust(width)}  {_number(figure.value):>10} {figure.unit:<9}"
    return f"{text}  {aim:<14} {word:<6}  {figure.note}".rstrip()


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"


def as_json(sections: Sequence[Section]) -> str:
    """Everything, with every sample."""
    made = [
        {"title": s.title, "figures": [{**asdict(f), "samples": list(f.samples), "met": f.met} for f in s.figures]}
        for s in sections
    ]
    return json.dumps({"machine": machine(), "sections": made}, ensure_ascii=False, indent=1) + "\n"


def machine() -> Mapping[str, object]:
    """Where the figures are from; they mean little elsewhere, ratios a little more."""
    git = subprocess.run(["git", "version"], capture_output=True, text=True, check=False).stdout.strip()
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "git": git.removeprefix("git version "),
        "load": [round(part, 2) for part in os.getloadavg()],
    }
