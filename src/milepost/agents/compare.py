"""Two recordings of the same work, the second one made by playing the first: where they begin to differ.

Compared are, milestone by milestone: which unit came, what it was told, each call with its arguments, what came of it,
and how the session ended. Times, durations, commits and temporary names do not count. Source: issue "Recordings".
"""

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from milepost.agents import cassette
from milepost.agents.cassette import Recorded
from milepost.agents.session import Ended, ErrorKind, ToolCall, ToolResult
from milepost.model.units import Unit


class Difference(NamedTuple):
    """The first thing that is not the same."""

    unit: str
    session: int
    """Which session of the unit, from 1."""
    step: int
    """Which tool call of the session, from 1; 0: before the first."""
    what: str
    """unit, prompt, call, result or end."""
    recorded: str
    here: str

    def __str__(self) -> str:
        where = f"session {self.session} of {self.unit}" + (f", step {self.step}" if self.step else "")
        return f"{where}: {self.what}\n  recorded: {self.recorded}\n  here:     {self.here}"


def first(
    recorded: Sequence[Recorded], played: Sequence[Recorded], *, outcomes_only: bool = False
) -> Difference | None:
    """The first difference, None when all that was recorded came again.

    outcomes_only: texts may differ, as long as the same units came and each call was done, failed or refused alike.
    """
    for milestone in dict.fromkeys(session.unit.milestone for session in recorded):
        then, now = (_of(milestone, sessions) for sessions in (recorded, played))
        if found := _first(then, now, outcomes_only=outcomes_only):
            return found
    return None


def _of(milestone: str, sessions: Sequence[Recorded]) -> list[Recorded]:
    return [session for session in sessions if session.unit.milestone == milestone]


def _first(then: Sequence[Recorded], now: Sequence[Recorded], *, outcomes_only: bool) -> Difference | None:
    counts = dict[Unit, int]()
    for index, one in enumerate(then):
        number = counts[one.unit] = counts.get(one.unit, 0) + 1
        if index >= len(now):
            return Difference(str(one.unit), number, 0, "unit", "it came", "nothing more came")
        other = now[index]
        if one.unit != other.unit:
            return Difference(str(one.unit), number, 0, "unit", str(one.unit), f"{other.unit}{_why(other)}")
        if found := _in_session(one, other, number, outcomes_only=outcomes_only):
            return found
    return None


def _in_session(one: Recorded, other: Recorded, number: int, *, outcomes_only: bool) -> Difference | None:
    if not outcomes_only and one.prompt and other.prompt and one.prompt != other.prompt:
        return Difference(str(one.unit), number, 0, "prompt", f"digest {one.prompt}", f"digest {other.prompt}")
    for step, (then, now) in enumerate(zip_longest(_steps(one), _steps(other)), 1):
        for what, recorded, here in _sides(then, now, _why(other), outcomes_only=outcomes_only):
            if recorded != here:
                return Difference(str(one.unit), number, step, what, _brief(recorded), _brief(here))
    if (_ending(one), outcomes_only) != (_ending(other), outcomes_only):
        return Difference(str(one.unit), number, 0, "end", _ending(one), _ending(other))
    return None


class _Step(NamedTuple):
    call: ToolCall
    result: ToolResult | None


def _steps(session: Recorded) -> Iterator[_Step]:
    results = {event.id: event for event in session.events if isinstance(event, ToolResult)}
    for event in session.events:
        if isinstance(event, ToolCall):
            yield _Step(event, results.get(event.id))


def _sides(then: _Step | None, now: _Step | None, why: str, *, outcomes_only: bool) -> Iterator[tuple[str, str, str]]:
    """What is compared of a step: its name, as recorded, as here."""
    if then is None or now is None:
        yield "call", _named(then), _named(now) + (why if now is None else "")
        return
    if not outcomes_only:
        yield "call", _said(then.call), _said(now.call)
    else:
        yield "call", then.call.name, now.call.name
    yield "result", _outcome(then.result), _outcome(now.result) + (why if now.result is None else "")
    if not outcomes_only and then.result and now.result:
        yield "result", cassette.settled(then.result.text), cassette.settled(now.result.text)


def _named(step: _Step | None) -> str:
    return _said(step.call) if step else "no call"


def _said(call: ToolCall) -> str:
    return cassette.settled(f"{call.name} {json.dumps(call.args, sort_keys=True, ensure_ascii=False)}")


def _outcome(result: ToolResult | None) -> str:
    return "no result" if result is None else "refused" if result.refused else "done" if result.ok else "failed"


def _ending(session: Recorded) -> str:
    ended = session.events[-1]
    assert isinstance(ended, Ended)  # noqa: S101 `cassette.read` made it so
    return f"{ended.stop}{f' ({ended.error.kind})' if ended.error else ''}"


def _why(session: Recorded) -> str:
    """What a session that could not be played says of it."""
    ended = session.events[-1]
    diverged = isinstance(ended, Ended) and ended.error and ended.error.kind is ErrorKind.DIVERGED
    return f" ({ended.error.text})" if diverged and isinstance(ended, Ended) and ended.error else ""


def _brief(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
