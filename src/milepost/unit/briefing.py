"""What earlier attempts at a unit have to say to the next one.

After a session that was cut off: what its transcript shows and how the working tree stands. After one that left
something owing: what. After a failed gate: the output of both streams. Always of this very unit, never of another.
Source: spec auto 5.7, 5.13.
"""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from milepost.errors import FormatError
from milepost.formats import evidence as evidence_format
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, Verified
from milepost.git.run import git
from milepost.model.units import Unit
from milepost.prompts.briefing import (
    Call,
    Check,
    Missing,
    Trace,
    Tried,
    circling,
    crash_briefing,
    unfinished,
    verification_failure,
)
from milepost.rules import done
from milepost.store import regular
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of

_MOST_ATTEMPTS = 6
_TAIL_BYTES = 10_000_000
"""Most of a transcript that is read back (spec auto 5.7)."""

_CUT_OFF = frozenset({Result.CRASHED, Result.INTERRUPTED, Result.PROVIDER_ERROR, Result.TIMED_OUT, Result.OVER_BUDGET})


class Past(NamedTuple):
    """Blocks for the prompt; empty where there is nothing to say."""

    gate_failure: str = ""
    crash: str = ""
    diagnostic: str = ""


class _Attempt(NamedTuple):
    started: AttemptStarted
    ended: AttemptEnded | None
    verified: Verified | None


def of(unit: Unit, bench: Bench) -> Past:
    """Look back at the latest attempt, and count the failed gates."""
    attempts = _attempts(unit, bench.journal.everything())
    if not attempts:
        return Past()
    last = attempts[-1]
    result = last.ended.result if last.ended else Result.CRASHED
    if result is Result.VERIFY_FAILED:
        failures = sum(1 for a in attempts if a.ended and a.ended.result is Result.VERIFY_FAILED)
        return Past(gate_failure=_gate_failure(unit, failures, last, bench))
    if result in _CUT_OFF:
        told = crash_briefing(unit, _trace(last, bench, diffstat=True))
        if result is Result.TIMED_OUT and last.ended and last.ended.reason:
            owed = _missing(last.ended, bench.workspace.state_dir)
            return Past(crash=told, diagnostic=unfinished(unit, len(attempts) + 1, owed))
        return Past(crash=told)
    if result is Result.UNFINISHED and last.ended:
        return Past(
            diagnostic=unfinished(
                unit, len(attempts) + 1, _missing(last.ended, bench.workspace.state_dir), _trace(last, bench)
            )
        )
    return Past()


def deep(unit: Unit, bench: Bench, why: str) -> str:
    """For the last attempt that a unit gets: all that was tried, and exactly what is expected.

    why: what shows that it goes round in circles; empty: that it was tried without finishing.
    """
    attempts = _attempts(unit, bench.journal.everything())
    place = bench.workspace
    tried = [
        Tried(
            number=number,
            result=str(a.ended.result if a.ended else Result.CRASHED),
            reason=a.ended.reason if a.ended else "",
            trace=_trace(a, bench),
        )
        for number, a in list(enumerate(attempts, start=1))[-_MOST_ATTEMPTS:]
    ]
    owed = [Missing(f"{place.state_dir}/{o.path}", o.problem) for o in done.missing(unit, tree_of(bench))]
    return circling(unit, why, owed, tried)


def written(attempt: str, bench: Bench) -> tuple[str, ...]:
    """Paths that the session of an attempt wrote or edited with its tools, relative to the checkout."""
    events = bench.journal.own()
    begun = next((e for e in events if isinstance(e, AttemptStarted) and e.attempt == attempt), None)
    calls, _ = _read(bench.workspace.root_state / begun.transcript) if begun else ([], "")
    targets = (call.target for call in calls if call.tool in ("write", "edit") and call.ok)
    return tuple(dict.fromkeys(os.path.relpath(bench.workspace.cwd / t, bench.workspace.cwd) for t in targets if t))


def _attempts(unit: Unit, events: tuple[AnyEvent, ...]) -> list[_Attempt]:
    found: dict[str, _Attempt] = {}
    for event in events:
        match event:
            case AttemptStarted() if event.kind == unit.type and event.unit == unit.id:
                found[event.attempt] = _Attempt(event, None, None)
            case AttemptEnded(attempt=attempt) if attempt in found:
                found[attempt] = found[attempt]._replace(ended=event)
            case Verified(attempt=attempt) if attempt in found:
                found[attempt] = found[attempt]._replace(verified=event)
            case _:
                pass
    return list(found.values())


def _missing(ended: AttemptEnded, state_dir: str) -> list[Missing]:
    return [_owed(line, state_dir) for line in ended.reason.splitlines() if line]


def _owed(line: str, state_dir: str) -> Missing:
    path, separator, problem = line.partition(": ")
    return Missing(f"{state_dir}/{path}", problem) if separator else Missing("the session", line)


def _gate_failure(unit: Unit, failures: int, last: _Attempt, bench: Bench) -> str:
    checks = _failed_checks(bench.workspace.cwd / last.verified.evidence) if last.verified else ()
    if not checks:
        reason = last.ended.reason if last.ended else ""
        checks = (Check(command=reason, exit_code=None, stdout="", stderr=""),)
    return verification_failure(unit, failures, checks)


def _failed_checks(path: Path) -> tuple[Check, ...]:
    try:
        found = evidence_format.decode(regular.read(path), str(path))
    except (OSError, FormatError):
        return ()
    return tuple(
        Check(command=c.command, exit_code=c.exit_code, stdout=_text(c.stdout), stderr=_text(c.stderr))
        for c in found.checks
        if c.verdict is evidence_format.Verdict.FAIL
    )


def _text(value: str | msgspec.UnsetType) -> str:
    return value if isinstance(value, str) else ""


def _trace(last: _Attempt, bench: Bench, *, diffstat: bool = False) -> Trace:
    path = bench.workspace.root_state / last.started.transcript
    calls, words = _read(path)
    written = dict.fromkeys(call.target for call in calls if call.tool in ("write", "edit") and call.ok)
    return Trace(
        calls=tuple(calls),
        written=tuple(written),
        commands=tuple(call for call in calls if call.tool == "shell"),
        diffstat=git(bench.workspace.cwd, "status", "--short").out if diffstat else "",
        last_words=words,
    )


def _read(path: Path) -> tuple[list[Call], str]:
    """Tool calls with their results, and the last words, from a transcript that may end anywhere."""
    calls: dict[str, Call] = {}
    words = ""
    for message in _messages(path):
        for block in blocks(message):
            if block.get("type") == "toolCall":
                calls[str(block.get("id"))] = Call(str(block.get("name")), _target(block), None, "")
            elif block.get("type") == "text" and message.get("role") == "assistant":
                words = str(block.get("text"))
        call_id = str(message.get("toolCallId"))
        if message.get("role") == "toolResult" and call_id in calls:
            text = " ".join(str(b.get("text")) for b in blocks(message))
            calls[call_id] = calls[call_id]._replace(ok=not message.get("isError"), result=text[:500])
    return list(calls.values()), words


def _messages(path: Path) -> list[dict[str, object]]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            entry = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        message = entry.get("message")
        if isinstance(message, dict):
            found.append(message)
    return found


def blocks(message: dict[str, object]) -> list[dict[str, object]]:
    """The parts of one message of a transcript; empty when it has none that can be read."""
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _target(block: dict[str, object]) -> str:
    arguments = block.get("arguments")
    if not isinstance(arguments, dict):
        return ""
    return next((str(arguments[key]) for key in ("path", "command", "pattern", "query") if key in arguments), "")
