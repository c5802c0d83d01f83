"""Record sessions, and play them again: the same events, the same tools really used, no model.

A replay is the recorded model in today's directory. Where the two no longer fit, the session ends with
ErrorKind.DIVERGED and says at which step, what was recorded, and what is there now. Source: DESIGN "Units and agents".
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import anyio
import msgspec

from milepost.agents import cassette
from milepost.agents.cassette import Recorded
from milepost.agents.driven import Controls, DrivenSession, SessionFailed, failed
from milepost.agents.session import (
    Agent,
    Ended,
    ErrorKind,
    Event,
    Session,
    SessionSpec,
    Stop,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Usage,
)
from milepost.agents.tools.commands import ShellRunner
from milepost.agents.tools.toolbox import Toolbox
from milepost.errors import MilepostError
from milepost.git.repo import head_of
from milepost.model.units import Unit
from milepost.rules.tool_policy import ASK


class ReplayAgent:
    """Plays the sessions of a cassette, each unit's in the order they were recorded."""

    def __init__(
        self,
        path: Path,
        *,
        played: Mapping[str, int] | None = None,
        pace_s: float = 0.0,
        shell_runner: ShellRunner | None = None,
    ) -> None:
        """played: unit key → sessions of it that earlier processes played to an end of their own (neither cancelled
        nor diverged). pace_s: seconds between steps, for a demo that people watch.

        Raises FormatError or OSError when the cassette cannot be read.
        """
        self._path = path
        self._sessions = cassette.read(path)
        self._played = dict(played or {})
        self._pace_s = pace_s
        self._runner = shell_runner

    @property
    def name(self) -> str:
        """For people and records."""
        return "replay"

    @asynccontextmanager
    async def open(self, spec: SessionSpec) -> AsyncGenerator[DrivenSession, None]:
        """A session that plays what was recorded for the unit next."""
        session = DrivenSession(partial(self._play, spec))
        try:
            yield session
        finally:
            await session.aclose()

    async def _play(self, spec: SessionSpec, controls: Controls) -> AsyncGenerator[Event, None]:
        recorded = self._next(spec.unit)
        player = _Player(recorded, self._where(spec.unit), spec, Toolbox(spec, shell_runner=self._runner), controls)
        try:
            for event in recorded.events[:-1]:
                await controls.wait(partial(anyio.sleep, self._pace_s))
                await controls.clear(spec)
                async for played in player.play(event):
                    yield played
            await controls.clear(spec)
            player.end()
        except SessionFailed as end:
            if end.error is None or end.error.kind is not ErrorKind.DIVERGED:
                self._advance(spec.unit)
            raise
        self._advance(spec.unit)

    def _advance(self, unit: Unit) -> None:
        self._played[unit.key] = self._played.get(unit.key, 0) + 1

    def _next(self, unit: Unit) -> Recorded:
        """The session to play; raises SessionFailed when another one is due, or none."""
        of_milestone = [session for session in self._sessions if session.unit.milestone == unit.milestone]
        of_unit = [session for session in of_milestone if session.unit == unit]
        position = sum(self._count(key) for key in {session.unit.key for session in of_milestone})
        due = str(of_milestone[position].unit) if position < len(of_milestone) else "nothing more"
        if self._count(unit.key) >= len(of_unit):
            have = f"{len(of_unit)} of it are recorded" if of_unit else "it is not recorded"
            raise self._diverged(f"{unit} was asked for, but {have}; due for {unit.milestone} is {due}")
        if due != str(unit):
            raise self._diverged(f"{unit} was asked for out of order; due for {unit.milestone} is {due}")
        return of_unit[self._count(unit.key)]

    def _count(self, key: str) -> int:
        return self._played.get(key, 0)

    def _where(self, unit: Unit) -> str:
        return f"{self._path.name}: session {self._count(unit.key) + 1} of {unit}"

    def _diverged(self, text: str) -> SessionFailed:
        return failed(ErrorKind.DIVERGED, f"{self._path.name}: {text}")


class _Player:
    """One session while it is played."""

    def __init__(self, recorded: Recorded, name: str, spec: SessionSpec, toolbox: Toolbox, controls: Controls) -> None:
        self._recorded = recorded
        self._name = name
        self._where = cassette.places(spec)
        self._toolbox = toolbox
        self._controls = controls
        self._results = iter([event for event in recorded.events if isinstance(event, ToolResult)])
        self._step = 0

    async def play(self, event: Event) -> AsyncGenerator[Event, None]:
        """What `event` becomes here: a call is really made, and its result compared with the recorded one."""
        match event:
            case ToolCall():
                args = cassette.show(event.args, self._where)
                call = msgspec.structs.replace(event, args=args)
                yield call
                yield await self._call(call)
            case ToolResult() | Ended():
                return
            case Usage():
                self._controls.requests += 1
                yield event
            case Text(text=text) | Thought(text=text):
                yield msgspec.structs.replace(event, text=cassette.show(text, self._where))

    def end(self) -> None:
        """Come to the recorded end; raises SessionFailed where that was none of its own making."""
        ended = self._recorded.events[-1]
        assert isinstance(ended, Ended)  # noqa: S101 `cassette.read` made it so
        self._controls.requests = ended.requests
        if ended.stop is not Stop.END:
            raise SessionFailed(ended.error, ended.stop)

    async def _call(self, call: ToolCall) -> ToolResult:
        self._step += 1
        then = next(self._results, None)
        if call.name == ASK and then is not None:
            return msgspec.structs.replace(then, id=call.id)  # What a person said then is part of the recording.
        answer = await self._controls.wait(partial(self._toolbox.call, call.name, call.args))
        now = ToolResult(id=call.id, name=call.name, ok=answer.ok, text=answer.text, refused=answer.refused)
        if then is not None and (then.ok, then.refused) != (now.ok, now.refused):
            about = str(call.args.get("path") or call.args.get("command") or call.args.get("pattern") or "")
            raise failed(
                ErrorKind.DIVERGED,
                f"{self._name}, step {self._step}, {call.name} {_brief(about)}: "
                f"recorded is {_outcome(then)}, here it is {_outcome(now)}",
            )
        return now


class Recorder:
    """Any agent, with every session it ends written to a cassette. Sessions that were cancelled are not kept."""

    def __init__(self, agent: Agent, path: Path) -> None:
        """Raises FormatError when `path` holds something else than a cassette."""
        if path.exists() and path.stat().st_size:
            cassette.read(path)
        self._agent = agent
        self._path = path

    @property
    def name(self) -> str:
        """The name of who is recorded."""
        return self._agent.name

    @asynccontextmanager
    async def open(self, spec: SessionSpec) -> AsyncGenerator[Session, None]:
        """A session of the agent, listened to."""
        async with self._agent.open(spec) as session:
            append = partial(cassette.append, self._path, spec.unit, self._agent.name)
            yield _RecordedSession(session, spec, partial(append, base=_base(spec), prompt=cassette.digest(spec)))


class _RecordedSession:
    """Passes everything on, and keeps it."""

    def __init__(self, session: Session, spec: SessionSpec, keep: Callable[[Sequence[Event]], None]) -> None:
        self._session = session
        self._where = cassette.places(spec)
        self._keep = keep
        self._events: list[Event] = []

    async def events(self) -> AsyncGenerator[Event, None]:
        """The events of the session that is recorded."""
        async for event in self._session.events():
            self._events.append(_hidden(event, self._where))
            if isinstance(event, Ended) and event.stop is not Stop.CANCELLED:
                self._keep(self._events)
            yield event

    async def steer(self, text: str) -> None:
        """Passed on."""
        await self._session.steer(text)

    async def cancel(self) -> None:
        """Passed on."""
        await self._session.cancel()


def _base(spec: SessionSpec) -> str:
    """The commit that the session stands on; empty outside a repository."""
    with suppress(MilepostError, OSError):
        return head_of(spec.cwd).commit or ""
    return ""


def _hidden(event: Event, where: Mapping[str, str]) -> Event:
    match event:
        case Text(text=text) | Thought(text=text) | ToolResult(text=text):
            return msgspec.structs.replace(event, text=cassette.hide(text, where))
        case ToolCall(args=args):
            return msgspec.structs.replace(event, args=cassette.hide(args, where))
        case _:
            return event


def _brief(text: str, limit: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _outcome(result: ToolResult) -> str:
    how = "refused" if result.refused else "done" if result.ok else "failed"
    return f"{how} ({_brief(result.text)})"
