"""What a session came to, in short: its calls, its last errors, what it wrote, its last words (spec auto 5.7)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from milepost.doctor.trace import Entry, What

_COMMANDS = 10
_ERRORS = 3
_ERROR = 300
_WORDS = 600
_SHELL = ("shell", "bash")
_WRITING = ("write", "edit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One session in short."""

    calls: tuple[tuple[str, int], ...]
    """Tool and how often it was called."""
    written: tuple[str, ...]
    commands: tuple[tuple[str, bool], ...]
    """The last shell commands, and whether they went well."""
    errors: tuple[str, ...]
    """The last answers of tools that failed."""
    pending: tuple[str, ...]
    """Calls that never got an answer."""
    words: str
    """The last thing the agent said."""


def of(trace: Sequence[Entry]) -> Trace:
    """In short. Pure."""
    calls = [entry for entry in trace if entry.what is What.CALL]
    results = {entry.id: entry for entry in trace if entry.what is What.RESULT}
    done = [(call, results[call.id]) for call in calls if call.id in results]
    said = [entry.text for entry in trace if entry.what is What.TEXT and entry.text.strip()]
    return Trace(
        calls=tuple(Counter(call.tool for call in calls).most_common()),
        written=tuple(dict.fromkeys(c.text for c, r in done if c.tool in _WRITING and r.ok)),
        commands=tuple((c.text, r.ok) for c, r in done if c.tool in _SHELL)[-_COMMANDS:],
        errors=tuple(f"{r.tool}: {r.text[:_ERROR]}" for _, r in done if not r.ok)[-_ERRORS:],
        pending=tuple(f"{c.tool} {c.text}".strip() for c in calls if c.id not in results),
        words=said[-1][-_WORDS:] if said else "",
    )
