"""Lines of a log: events with time and subject, and what was said and done in a session."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from milepost.doctor.trace import Entry, What
from milepost.formats.journal import AnyEvent, AttemptStarted
from milepost.ui.views import happenings
from milepost.ui.views.parallel_text import plain

_RESULT = 500
"""Characters of a tool's answer that are shown (spec auto 5.7)."""
_MARKS = {What.PROMPT: ">>", What.TEXT: "  ", What.THOUGHT: "..", What.CALL: "$ ", What.RESULT: "= ", What.END: "--"}


def units(events: Sequence[AnyEvent]) -> dict[str, str]:
    """Attempt to `kind id`."""
    return {e.attempt: f"{e.kind} {e.unit}" for e in events if isinstance(e, AttemptStarted)}


def event(said: AnyEvent, names: Mapping[str, str], clock: Callable[[int], str]) -> str:
    """`12:04:02  execute-task M001/S01/T01: gate: pass, 2 checks from task-plan`."""
    subject = happenings.subject(said, names)
    return f"{clock(said.at_ms)}  {f'{subject}: ' if subject else ''}{happenings.sentence(said)}"


def entries(said: Sequence[Entry], *, errors: bool = False, prompt: bool = False) -> Iterator[str]:
    """A session's entries. errors: only tools that failed, and the call before; prompt: the prompt whole."""
    calls = {entry.id: entry for entry in said if entry.what is What.CALL}
    for entry in said:
        if not errors:
            yield from _lines(entry, prompt=prompt)
        elif entry.what is What.RESULT and not entry.ok:
            if entry.id in calls:
                yield from _lines(calls[entry.id])
            yield from _lines(entry)
        elif entry.what is What.END and entry.text:
            yield from _lines(entry)


def _lines(entry: Entry, *, prompt: bool = False) -> Iterator[str]:
    words = entry.text if entry.what is not What.RESULT else entry.text[:_RESULT]
    lines = [plain(line) for line in words.splitlines()] or [""]
    if entry.what is What.PROMPT and not prompt:
        lines = [f"prompt, {len(entry.text)} characters: {lines[0]}"]
    if entry.what in (What.CALL, What.END):
        lines = [f"{entry.tool} {' '.join(lines)}".rstrip()]
    if entry.what is What.RESULT and not entry.ok:
        lines[0] = f"FAILED {entry.tool}: {lines[0]}"
    mark = _MARKS[entry.what]
    yield f"{mark} {lines[0]}".rstrip()
    yield from (f"   {line}".rstrip() for line in lines[1:])
