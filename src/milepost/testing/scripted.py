"""An agent that does what a script says, through the real tools: for tests, and for trying a whole run without a model.

In a test:

    ScriptedAgent({"execute-task/M001/S01/T01": [Tool("write", {"path": "a.py", "content": "A = 1\n"}), Say("Done.")]})

For a real `gsd` process, a file named as `scripted:FILE.json`, a list of sessions:

    [{"unit": "execute-task/M001/S01/T01", "steps": [{"tool": "write", "args": {"path": "a.py", "content": "A = 1\n"}},
                                                      {"usage": {"input": 900, "output": 40}}, {"text": "Done."}]}]

A unit is named by its key, by its kind, or by `*`; the first that the script has is taken. In a file several entries
of one name are its sessions one after the other, the last for all that follow. In a dict a list is what every session
of the unit does; a function `(spec, attempt) -> steps` may do otherwise each time (attempt counts from 0). The
`raw_…` steps go past the tools: they play an agent that breaks out.
"""

import subprocess
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import msgspec

from milepost.agents.driven import Controls, DrivenSession, failed
from milepost.agents.session import ErrorKind, Event, SessionSpec, Text, ToolCall, ToolResult, Usage
from milepost.agents.tools.commands import ShellRunner
from milepost.agents.tools.toolbox import Toolbox
from milepost.errors import FormatError


@dataclass(frozen=True, slots=True)
class Tool:
    """Call a tool, under the session's policy."""

    tool: str
    args: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """Words of the model."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What one request cost."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    micro_usd: int | None = None
    model: str = "scripted"


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let `seconds` pass; cancelling cuts it short."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Wait until the session is cancelled."""


@dataclass(frozen=True, slots=True)
class Fail:
    """End the session as a provider's error does."""

    kind: ErrorKind
    text: str = "scripted failure"
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class RawWrite:
    """Write a file past the tools; `path` is relative to the session's directory or absolute."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RawShell:
    """Run a program past the tools, in the session's directory; its exit status is ignored."""

    argv: Sequence[str]


Step = Tool | Say | Spend | Sleep | Hang | Fail | RawWrite | RawShell
Script = Sequence[Step] | Callable[[SessionSpec, int], Sequence[Step]]


class ScriptedAgent:
    """Plays one script per unit. `sessions` and `steered` tell a test what was asked of it."""

    def __init__(
        self,
        script: Mapping[str, Script],
        *,
        played: Mapping[str, int] | None = None,
        shell_runner: ShellRunner | None = None,
    ) -> None:
        """played: unit key → sessions that earlier processes have already played."""
        self.sessions: list[SessionSpec] = []
        self.steered: list[str] = []
        self._script = script
        self._played = dict(played or {})
        self._runner = shell_runner

    @property
    def name(self) -> str:
        """For people and records."""
        return "scripted"

    @asynccontextmanager
    async def open(self, spec: SessionSpec) -> AsyncGenerator[DrivenSession, None]:
        """A session that plays the next script of the unit."""
        self.sessions.append(spec)
        attempt = self._played.get(spec.unit.key, 0)
        self._played[spec.unit.key] = attempt + 1
        session = DrivenSession(lambda controls: self._play(spec, attempt, controls))
        try:
            yield session
        finally:
            await session.aclose()

    async def _play(self, spec: SessionSpec, attempt: int, controls: Controls) -> AsyncGenerator[Event, None]:
        toolbox = Toolbox(spec, shell_runner=self._runner)
        for number, step in enumerate(self._steps(spec, attempt), start=1):
            await controls.clear(spec)
            self.steered += controls.take_steering()
            match step:
                case Tool(tool=name, args=args):
                    yield ToolCall(id=f"call-{number}", name=name, args=dict(args))
                    answer = await controls.wait(partial(toolbox.call, name, args))
                    yield ToolResult(
                        id=f"call-{number}", name=name, ok=answer.ok, text=answer.text, refused=answer.refused
                    )
                case Say(text=text):
                    yield Text(text=text)
                case Spend():
                    controls.requests += 1
                    yield _usage(step)
                case _:
                    await controls.wait(partial(_act, step, spec))
        await controls.clear(spec)
        self.steered += controls.take_steering()

    def _steps(self, spec: SessionSpec, attempt: int) -> Sequence[Step]:
        names = (spec.unit.key, spec.unit.type, str(spec.unit.kind), "*")
        script = next((self._script[name] for name in names if name in self._script), None)
        if script is None:
            raise failed(ErrorKind.DIVERGED, f"the script has nothing for {spec.unit}")
        return script(spec, attempt) if callable(script) else script


def from_file(path: Path, *, played: Mapping[str, int] | None = None) -> ScriptedAgent:
    """The agent of a script file. Raises FormatError when it cannot be understood, OSError when not read."""
    entries = _read(path)
    return ScriptedAgent(
        {name: _in_turn(entries, name) for name in dict.fromkeys(e.unit for e in entries)}, played=played
    )


class _Entry(msgspec.Struct, frozen=True):
    unit: str
    steps: list[dict[str, object]]


def _read(path: Path) -> list[_Entry]:
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[_Entry])
        for entry in entries:
            _decoded(entry)
    except msgspec.MsgspecError as error:
        raise FormatError(str(path), 0, f"no script: {error}") from None
    return entries


def _in_turn(entries: Sequence[_Entry], name: str) -> Callable[[SessionSpec, int], Sequence[Step]]:
    own = [_decoded(entry) for entry in entries if entry.unit == name]

    def steps(_spec: SessionSpec, attempt: int) -> Sequence[Step]:
        return own[min(attempt, len(own) - 1)]

    return steps


def _decoded(entry: _Entry) -> list[Step]:
    return [_step(step) for step in entry.steps]


def _step(raw: Mapping[str, object]) -> Step:
    for key, kind in _KINDS.items():
        if key in raw:
            return msgspec.convert(_fields(key, raw), kind)
    raise msgspec.ValidationError(f"a step has one of {', '.join(_KINDS)}, not {', '.join(raw) or 'nothing'}")


def _fields(key: str, raw: Mapping[str, object]) -> object:
    value = raw[key]
    match key:
        case "tool":
            return raw
        case "usage":
            return value
        case "raw_write":
            return {"path": value, "text": raw.get("text", "")}
        case "raw_shell":
            return {"argv": value}
        case "error":
            return {**raw, "kind": value}
        case "sleep":
            return {"seconds": value}
        case _:
            return raw


_KINDS: Mapping[str, type[Step]] = {
    "tool": Tool,
    "usage": Spend,
    "sleep": Sleep,
    "hang": Hang,
    "error": Fail,
    "raw_write": RawWrite,
    "raw_shell": RawShell,
    "text": Say,
}


def _usage(step: Spend) -> Usage:
    return Usage(
        model=step.model,
        input=step.input,
        output=step.output,
        cache_read=step.cache_read,
        cache_write=step.cache_write,
        micro_usd=step.micro_usd,
    )


async def _act(step: Sleep | Hang | Fail | RawWrite | RawShell, spec: SessionSpec) -> None:
    match step:
        case Sleep(seconds=seconds):
            await anyio.sleep(seconds)
        case Hang():
            await anyio.sleep_forever()
        case Fail(kind=kind, text=text, retry_after_s=asked):
            raise failed(kind, text, retry_after_s=asked)
        case RawWrite(path=path, text=text):
            target = spec.cwd / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        case RawShell(argv=argv):
            env = {**spec.env}
            await anyio.run_process(list(argv), cwd=spec.cwd, env=env, check=False, stdin=subprocess.DEVNULL)
