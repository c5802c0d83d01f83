"""Blocks that stand before a unit's own prompt: what a cut-off session had done, what is still owing, what failed.

The builders take plain values, already read and freed of credentials, and give text within fixed limits. Words of an
earlier session are quoted only after a crash, never after a session that ended by itself: there they would hand its
mistakes on. Source: spec auto 5.7, 5.13 (with the defects mended there: both streams, bound to the unit).
"""

from collections.abc import Sequence
from typing import NamedTuple

from milepost.model.units import Unit
from milepost.model.words import counted
from milepost.prompts.blanks import fill
from milepost.prompts.quoting import fenced, one_line, plain, tail
from milepost.prompts.shrink import VERIFICATION_CHARS, share, shrink

BRIEFING_CHARS = 50_000
STREAM_CHARS = 2_000
"""Most of one stream of one failed check."""
_MOST_CHECKS = 10
_COMMAND_CHARS = 200
_LAST_WORDS_CHARS = 600
_ERROR_CHARS = 300
_MOST_FILES = 100
_MOST_ERRORS = 10


class Call(NamedTuple):
    """One tool call of a session."""

    tool: str
    target: str
    """What it was about: a path, a command, a pattern."""
    ok: bool | None
    """None: the session ended before the answer came."""
    result: str


class Trace(NamedTuple):
    """What is known of a session from its transcript and the working tree."""

    calls: tuple[Call, ...] = ()
    written: tuple[str, ...] = ()
    """Paths written or edited, relative to the session's directory."""
    commands: tuple[Call, ...] = ()
    """The shell commands among the calls."""
    diffstat: str = ""
    """`git status --short` and diffstat of the working tree."""
    last_words: str = ""
    """The last text of the model."""


class Check(NamedTuple):
    """One failed command of a gate."""

    command: str
    exit_code: int | None
    """None: it was ended by a signal or the clock."""
    stdout: str
    stderr: str
    note: str = ""
    """`timed out after 120 s`, `ended by SIGSEGV`; empty when the exit code says it all."""


class Missing(NamedTuple):
    """One artefact that a session still owes."""

    path: str
    """Relative to the session's directory."""
    problem: str
    """`does not exist`, `lists no task`."""


class Tried(NamedTuple):
    """One attempt at a unit that did not finish it."""

    number: int
    result: str
    """`unfinished`, `timed-out`, …"""
    reason: str
    trace: Trace


def circling(unit: Unit, why: str, owed: Sequence[Missing], tried: Sequence[Tried]) -> str:
    """The deep diagnostic for one more attempt at a unit that goes round in circles. why: what shows it."""
    calls = tuple(call for attempt in tried for call in attempt.trace.calls)
    sections = (
        ("Expected, exactly", "\n".join(f"- `{entry.path}`: {entry.problem}" for entry in owed)),
        ("What was tried", "\n".join(_tried(attempt) for attempt in tried)),
        ("Tool calls of the last attempt", _calls(tried[-1].trace.calls) if tried else ""),
        ("Errors in all attempts", _errors(calls, _MOST_ERRORS)),
    )
    values = {
        "unit": str(unit),
        "count": str(tried[-1].number if tried else 0),
        "why": f" What shows it: {one_line(why, _ERROR_CHARS)}." if why else "",
        "sections": _sections(sections),
    }
    return shrink(fill("blocks/circling", values), BRIEFING_CHARS, "").text


def _tried(attempt: Tried) -> str:
    calls, written = attempt.trace.calls, attempt.trace.written
    wrote = one_line(", ".join(dict.fromkeys(written)) or "nothing", _ERROR_CHARS)
    head = f"- attempt {attempt.number} ({attempt.result}): {counted(len(calls), 'tool call')}, wrote {wrote}"
    return f"{head}; {one_line('; '.join(attempt.reason.splitlines()), _ERROR_CHARS)}" if attempt.reason else head


def crash_briefing(unit: Unit, trace: Trace) -> str:
    """For the next attempt at `unit` after its session was cut off; at most BRIEFING_CHARS characters."""
    sections = (
        ("Tool calls", _calls(trace.calls)),
        ("Files written", _files(trace.written)),
        ("Last commands", _commands(trace.commands, 10)),
        ("Last errors", _errors(trace.calls, 3)),
        ("Working tree now", fenced(plain(trace.diffstat).strip("\n")) if trace.diffstat.strip() else ""),
        ("Its last words", _quoted(trace.last_words)),
    )
    done = sum(call.ok is not None for call in trace.calls)
    values = {"unit": str(unit), "calls": str(done), "sections": _sections(sections)}
    return shrink(fill("blocks/crash", values), BRIEFING_CHARS, "").text


def unfinished(unit: Unit, attempt: int, owed: Sequence[Missing], trace: Trace | None = None) -> str:
    """For attempt number `attempt` at `unit`, after a session that ended and still owes something."""
    told = trace or Trace()
    sections = (
        ("Still owed", "\n".join(f"- `{entry.path}`: {entry.problem}" for entry in owed)),
        ("Files it wrote", _files(told.written)),
        ("Its last commands", _commands(told.commands, 5)),
        ("Its last errors", _errors(told.calls, 3)),
    )
    values = {"unit": str(unit), "attempt": str(attempt), "sections": _sections(sections)}
    return shrink(fill("blocks/unfinished", values), BRIEFING_CHARS, "").text


def verification_failure(unit: Unit, attempt: int, checks: Sequence[Check]) -> str:
    """What the gate found, for the session that is to mend it; at most VERIFICATION_CHARS characters.

    attempt: which attempt at mending this is, from 1. checks: the failed ones, in the order they ran.
    """
    shown = checks[:_MOST_CHECKS]
    values = {"unit": unit.id, "attempt": str(attempt), "checks": ""}
    room = VERIFICATION_CHARS - len(fill("blocks/verification-failed", values)) - 300 * len(shown) - 100
    streams = [plain(stream).strip() for check in shown for stream in (check.stdout, check.stderr)]
    limits = share([min(len(stream), STREAM_CHARS) for stream in streams], max(room, 0))
    tails = [tail(stream, limit) for stream, limit in zip(streams, limits, strict=True)]
    blocks = [_check(check, out, err) for check, out, err in zip(shown, tails[::2], tails[1::2], strict=True)]
    if len(checks) > len(shown):
        blocks.append(f"[… {len(checks) - len(shown)} more checks failed.]")
    return fill("blocks/verification-failed", {**values, "checks": "\n\n".join(blocks)})


def _check(check: Check, out: str, err: str) -> str:
    ending = check.note or ("no exit code" if check.exit_code is None else f"exit code {check.exit_code}")
    head = f"### `{one_line(check.command, _COMMAND_CHARS)}`: {ending}"
    streams = [f"{name}:\n{fenced(text)}" for name, text in (("stdout", out), ("stderr", err)) if text]
    return "\n".join([head, *(streams or ["It printed nothing."])])


def _sections(sections: Sequence[tuple[str, str]]) -> str:
    return "\n\n".join(f"### {heading}\n{text}" for heading, text in sections if text)


def _calls(calls: Sequence[Call]) -> str:
    """The calls in order, runs of readings in one line each; what a call answered only where it failed."""
    lines, reads = list[str](), list[str]()
    for call in calls:
        if call.tool in ("read", "list", "search") and call.ok:
            reads.append(call.target)
            continue
        lines.extend(_reads(reads))
        reads = []
        lines.append(_call(call))
    return "\n".join([*lines, *_reads(reads)])


def _reads(targets: Sequence[str]) -> list[str]:
    if not targets:
        return []
    names = [target.rsplit("/", 1)[-1] for target in targets] if len(targets) > 2 else list(targets)
    return [f"- looked at {one_line(', '.join(dict.fromkeys(names)), _ERROR_CHARS)}"]


def _call(call: Call) -> str:
    head = f"- {call.tool} `{one_line(call.target, _COMMAND_CHARS)}`"
    if call.ok is None:
        return f"{head}: no answer before the session ended"
    return head if call.ok else f"{head}: failed, {one_line(plain(call.result), _ERROR_CHARS)}"


def _files(paths: Sequence[str]) -> str:
    unique = tuple(dict.fromkeys(paths))
    more = [f"- … and {len(unique) - _MOST_FILES} more"] if len(unique) > _MOST_FILES else []
    return "\n".join([*(f"- `{path}`" for path in unique[:_MOST_FILES]), *more])


def _commands(commands: Sequence[Call], count: int) -> str:
    """The last commands that changed or proved something; git that went well did neither."""
    told = [call for call in commands if call.ok is False or not call.target.lstrip().startswith("git ")]
    endings = {True: "", False: " (failed)", None: " (no answer)"}
    return "\n".join(f"- `{one_line(call.target, _COMMAND_CHARS)}`{endings[call.ok]}" for call in told[-count:])


def _errors(calls: Sequence[Call], count: int) -> str:
    failed = [call for call in calls if call.ok is False][-count:]
    return "\n".join(f"- {call.tool}: {one_line(plain(call.result), _ERROR_CHARS)}" for call in failed)


def _quoted(words: str) -> str:
    return "\n".join(f"> {line}" for line in tail(words, _LAST_WORDS_CHARS).splitlines()) if words.strip() else ""
