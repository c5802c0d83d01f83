"""Stand beside a running session: say what its time and its context ask for, end it when it must end.

The session's state is known from its events: between a call and its result a tool runs, otherwise the model is at work;
a tool that asks a person stops all clocks, and so does a person who holds the session. When the machine slept or this
process stood still, the silence begins anew. Every message is journaled, told to the watcher, in the transcript, and
shown in `runtime/units/`.
Source: spec auto 5.8, 5.10, field-reports #30, #46; docs/decisions/0017.
"""

from collections.abc import Callable
from dataclasses import dataclass

import anyio
import msgspec

from milepost.agents.builtin import windows
from milepost.agents.session import Ended, Event, Session, SessionSpec, ToolCall, ToolResult, Usage
from milepost.errors import MilepostError
from milepost.formats import plan, unit_record
from milepost.formats.journal import Steered
from milepost.formats.tree import read, slice_file, slice_path
from milepost.formats.unit_record import RecordPhase
from milepost.model.units import Unit
from milepost.rules import done, supervision
from milepost.rules.supervision import End, Steer, Watched, Why
from milepost.rules.tool_policy import ASK
from milepost.store import atomic
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of
from milepost.unit.transcript import Transcript

_CANCEL_GRACE_S = 10.0
"""How long a cancelled session may take to say that it ended."""
_LONGEST_STALL_S = 30.0
"""A look that comes later than this, or than half the idle limit, is no fault of the session: we stood still."""
_SLEPT_S = 1.0


@dataclass(slots=True)
class _Progress:
    count: int = 0
    kind: str = "dispatch"
    at_ms: int = 0


class Supervisor:
    """The supervision of one session. `note` each event; `watch` in a task beside it."""

    def __init__(self, spec: SessionSpec, attempt: str, bench: Bench, transcript: Transcript) -> None:
        self.ended: End | None = None
        """Set when the session was ended for its time."""
        self.failure: MilepostError | OSError | None = None
        """What kept the supervision from going on, and ended the session."""
        self._unit, self._attempt, self._bench, self._transcript = spec.unit, attempt, bench, transcript
        self._limit = supervision.limits(bench.preferences.auto_supervisor, estimate_of(spec.unit, bench))
        self._seen = Watched(ran_s=0.0, silent_s=0.0)
        self._progress = _Progress(at_ms=bench.now_ms())
        self._open: dict[str, str] = {}
        self._happened_s: float | None = None
        self._percent = 0
        self._told: Why | None = None
        self._record = _Record(spec.unit, bench)

    async def note(self, event: Event, session: Session) -> None:
        """Take in one event. A message about the context goes out between two calls, when the model will read it."""
        self._happened_s = self._bench.clock.now_s()
        self._progress = _Progress(self._progress.count + 1, _kind(event), self._bench.now_ms())
        match event:
            case ToolCall():
                self._open[event.id] = event.name
            case Usage():
                tokens = event.input + event.cache_read + event.cache_write + event.output
                self._percent = windows.percent(tokens, event.model)
            case ToolResult():
                self._open.pop(event.id, None)
                await self._mind_context(session)
            case Ended():
                self._open.clear()
            case _:
                pass

    async def watch(self, session: Session, talk: anyio.CancelScope) -> None:
        """Look again and again until the session has ended or must. `talk` is cancelled when it does not mind."""
        try:
            self._record.write(self._progress)
            await self._look_on(session)
        except (MilepostError, OSError) as error:
            self.failure = error
        await end(session, talk)

    async def _look_on(self, session: Session) -> None:
        clock, poll_s = self._bench.clock, self._limit.poll_s
        stall_s = max(1.0, min(_LONGEST_STALL_S, self._limit.idle_s / 2))
        at_s, slept_s = clock.now_s(), clock.slept_s()
        while self.ended is None:
            await clock.sleep(poll_s)
            passed_s, slept_now_s = clock.now_s() - at_s, clock.slept_s()
            at_s += passed_s
            stood_still = passed_s > poll_s + stall_s or slept_now_s - slept_s > _SLEPT_S
            slept_s = slept_now_s
            self._count(poll_s if stood_still else passed_s, at_s, anew=stood_still)
            while (asked := supervision.due(self._seen, self._limit)) is not None and self.ended is None:
                await self._act(asked, session)
            self._record.write(self._progress)

    def _count(self, passed_s: float, at_s: float, *, anew: bool) -> None:
        asking = ASK in self._open.values() or self._bench.hold.stands
        since_s = self._seen.silent_s + passed_s if self._happened_s is None else max(0.0, at_s - self._happened_s)
        silent_s = 0.0 if anew or asking else since_s
        self._happened_s = None
        self._seen = self._seen._replace(ran_s=self._seen.ran_s + (0.0 if asking else passed_s), silent_s=silent_s)

    async def _act(self, asked: Steer | End, session: Session) -> None:
        if isinstance(asked, End):
            self.ended = asked
            self._record.change(phase=RecordPhase.TIMEOUT, timeout_at=self._bench.now_ms())
            return
        seen = self._seen
        await self._say(asked.why, session)
        if asked.why is Why.SOFT:
            self._seen = seen._replace(soft=True)
            self._record.change(phase=RecordPhase.WRAPUP_WARNING_SENT, wrapup_warning_sent=True)
            return
        again = seen.idle + 1 if asked.why is Why.IDLE else seen.idle
        if asked.why is Why.IDLE:
            self._seen = seen._replace(idle=again, silent_s=0.0)
        else:
            self._seen = seen._replace(hard_s=seen.ran_s)
        self._record.change(
            phase=RecordPhase.RECOVERED,
            recovery_attempts=again + (self._seen.hard_s is not None),
            last_recovery_reason=str(asked.why),
        )

    async def _mind_context(self, session: Session) -> None:
        threshold = self._bench.preferences.context_pause_threshold
        if self._open or (why := supervision.context(self._percent, threshold, told=self._told)) is None:
            return
        self._told = why
        await self._say(why, session)
        self._record.change(phase=RecordPhase.WRAPUP_WARNING_SENT, continue_here_fired=True)
        self._record.write(self._progress)

    async def _say(self, why: Why, session: Session) -> None:
        bench = self._bench
        owed = [f"{bench.workspace.state_dir}/{o.path}: {o.problem}" for o in done.missing(self._unit, tree_of(bench))]
        text = supervision.message(
            why, self._limit, self._seen, owed=owed, notes=_notes_path(self._unit, bench), percent=self._percent
        )
        bench.journal.append(
            Steered(
                at_ms=bench.now_ms(),
                run=bench.run,
                attempt=self._attempt,
                text=_first_line(text),
                why=str(why),
                percent=self._percent,
            )
        )
        self._transcript.steer(text)
        bench.watcher.note(f"told the agent ({why}): {_first_line(text)}")
        await session.steer(text)


async def end(session: Session, talk: anyio.CancelScope) -> None:
    """Cancel a session; one that does not mind is left."""
    with anyio.move_on_after(_CANCEL_GRACE_S):
        await session.cancel()
        await anyio.sleep_forever()
    talk.cancel()


def estimate_of(unit: Unit, bench: Bench) -> str:
    """The `est:` of the task that a unit carries out; empty for all others."""
    if not unit.task:
        return ""
    tree = tree_of(bench)
    task = plan.parse(read(tree, slice_file(tree, unit.milestone, unit.slice or "", "PLAN"))).task(unit.task)
    return task.estimate if task else ""


class _Record:
    """The unit's record on disk, brought up to date; there is none outside a transaction."""

    def __init__(self, unit: Unit, bench: Bench) -> None:
        self._path = bench.workspace.root_state / "runtime" / "units" / unit_record.file_name(unit)
        self._now_ms: Callable[[], int] = bench.now_ms
        self._changes: dict[str, object] = {}
        self._written = -1

    def change(self, **fields: object) -> None:
        """Fields of `UnitRecord` to write with the next progress."""
        self._changes |= fields
        self._written = -1

    def write(self, progress: _Progress) -> None:
        """Write when there is something new."""
        if progress.count == self._written or not self._path.is_file():
            return
        self._written = progress.count
        record = unit_record.decode(self._path.read_bytes())
        if record is None:
            return
        told = {
            "last_progress_at": progress.at_ms,
            "progress_count": progress.count,
            "last_progress_kind": progress.kind,
        }
        record = msgspec.structs.replace(record, updated_at=self._now_ms(), **told, **self._changes)
        atomic.replace(self._path, unit_record.encode(record), durable=False)


def _kind(event: Event) -> str:
    tag = event.__struct_config__.tag
    return f"{tag}:{event.name}" if isinstance(event, ToolCall) else str(tag)


def _notes_path(unit: Unit, bench: Bench) -> str:
    if unit.slice is None:
        return ""
    return f"{bench.workspace.state_dir}/{slice_path(tree_of(bench), unit.milestone, unit.slice, 'CONTINUE')}"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
