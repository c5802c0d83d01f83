"""`gsd prices`: what models cost, and who says so; as text and as JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from milepost.model.words import counted


class Line(NamedTuple):
    """One model. USD per million tokens; None: not known."""

    model: str
    source: str
    """`table`, `preferences (PATTERN)`, `flat rate (PATTERN)`, or empty when nobody knows the price."""
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    tiers: bool = False
    """Long prompts cost more than that."""


class Origin(NamedTuple):
    """Where the table comes from."""

    library: str
    models: int
    fetched_ms: int | None
    url: str
    problem: str = ""

    def __str__(self) -> str:
        if self.fetched_ms is None:
            said = f"genai-prices {self.library} as installed, {counted(self.models, 'model')}"
        else:
            at = datetime.fromtimestamp(self.fetched_ms / 1000, tz=UTC).astimezone()
            said = f"fetched {at:%Y-%m-%d %H:%M} from {self.url}, {counted(self.models, 'model')}"
        return f"{said}; {self.problem}" if self.problem else said


def text(lines: Sequence[Line], origin: Origin, program: str) -> str:
    """For a terminal."""
    head = ("model", "input", "output", "cache read", "cache write", "source")
    cells = [head, *(_cells(line) for line in lines)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    shown = [
        "  ".join(
            cell.ljust(width) if at in (0, len(head) - 1) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    below = ["", "USD per million tokens." + (" + : more for long prompts." if any(x.tiers for x in lines) else "")]
    below += [
        f"Table: {origin}.",
        f"`{program} prices update` fetches newer data; `prices:` in the preferences overrides.",
    ]
    return "\n".join([*(shown if lines else []), *below]).lstrip("\n") + "\n"


def document(lines: Sequence[Line], origin: Origin) -> Mapping[str, object]:
    """For programs."""
    return {
        "models": [
            {
                "model": line.model,
                "source": line.source or None,
                "input": line.input,
                "output": line.output,
                "cacheRead": line.cache_read,
                "cacheWrite": line.cache_write,
                "tiers": line.tiers,
            }
            for line in lines
        ],
        "table": {
            "library": origin.library,
            "models": origin.models,
            "fetchedAt": origin.fetched_ms,
            "source": origin.url or None,
            "problem": origin.problem or None,
        },
    }


def _cells(line: Line) -> tuple[str, ...]:
    if line.source.startswith("flat rate"):
        return (line.model, "-", "-", "-", "-", line.source)
    figures = (line.input, line.output, line.cache_read, line.cache_write)
    return (line.model, *(_figure(one, line) for one in figures), line.source or "unknown price")


def _figure(usd: float | None, line: Line) -> str:
    if usd is None:
        return "-"
    return f"${usd:g}{'+' if line.tiers else ''}"
