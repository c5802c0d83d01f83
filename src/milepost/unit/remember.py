"""After a unit is committed: let a cheap model read what the agent said, and keep what later sessions should know.

    the transcript may be looked through → claimed in the log → money reserved → one request → facts appended

One look at a time over all workers, each attempt once, half a minute apart; nothing is waited for. What goes wrong is
said and nothing is learnt: no run ends because of it. What it costs is journaled like any session and kept below the
same ceilings. Source: spec auto 5.19; DESIGN rule 8.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import anyio
import msgspec

from milepost.agents.session import Ended, Session, SessionSpec, Stop, Text, ToolPolicy, Usage
from milepost.errors import MilepostError
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, BudgetReserved, Result
from milepost.formats.memory import Examined, Fact
from milepost.model import asides
from milepost.model.outcome import Committed, Outcome
from milepost.model.units import Unit, UnitKind
from milepost.model.words import counted
from milepost.prompts import memories as prompts
from milepost.rules import billing, budget, pacing
from milepost.rules import memories as rules
from milepost.rules.accounts import Accounts
from milepost.store import memories, regular
from milepost.unit import ceilings, session
from milepost.unit.bench import Bench
from milepost.unit.billing import billed, booked
from milepost.unit.converse import ending_together

_LONGEST_S: Final = 120
_MOST_REPLY: Final = 20_000
"""Characters of a reply that are looked at, whatever the model was asked for."""


class _Look(NamedTuple):
    """One transcript to learn from."""

    unit: Unit
    attempt: str
    """Under which its money is booked."""
    models: tuple[str, ...]
    origin: rules.Origin


async def learn(unit: Unit, outcome: Outcome, bench: Bench) -> None:
    """Learn from the session that has just been committed, if that is wanted, possible and paid for."""
    if not isinstance(outcome, Committed) or not rules.teaches(unit) or bench.stop.is_set() or bench.wanted():
        return
    models = rules.models_for(bench.preferences, bench.models.get(UnitKind.HOOK, ()), bench.means)
    started = _started(unit, bench) if models or bench.preferences.memory.enabled else None
    if started is None or not started.transcript:
        return
    said = _said(bench.workspace.root_state / started.transcript, bench.secrets)
    if not said:
        return
    with memories.turn(bench.workspace.root_state) as ours:
        if ours:
            await _look(_Look(unit, asides.memory(started.attempt), models, _origin(started, bench)), said, bench)


async def _look(look: _Look, said: str, bench: Bench) -> None:
    if not _reserved(look, bench):
        return
    facts: tuple[Fact, ...] = ()
    reason = "nothing learnt"
    try:
        if _claimed(look, bench):
            reply = await _reply(look, said, bench)
            facts = _kept(reply, look, bench)
            reason = f"{counted(len(facts), 'fact')} learnt" if facts else reason
    except MilepostError as error:
        reason = f"nothing learnt: {error}"
    finally:
        _book_end(look, reason, bench)
    bench.watcher.note(f"memory of {look.unit}: {reason}")


def _reserved(look: _Look, bench: Bench) -> bool:
    """Set aside what a look may cost; False where it does not fit right now, or may not be."""
    facts = memories.read(bench.workspace.root_state)
    if not rules.may_look(facts, look.origin.attempt, bench.now_ms()):
        return False
    flat = billing.all_flat(bench.preferences, look.models)
    windows = pacing.windows_of(bench.preferences, flat=flat)
    if windows and pacing.full(bench.journal.everything(), windows, asides.MEMORY, bench.now_ms()):
        return False
    below = budget.binding(bench.ceilings, bench.preferences)
    guess = min((budget.FIRST_ESTIMATE_MICRO_USD, *(limit.micro_usd // 10 for limit in below)))
    known = rules.estimate(look.models[0]) if look.models else None
    amount = 0 if flat else guess if known is None else known
    claim = BudgetReserved(at_ms=bench.now_ms(), run=bench.run, attempt=look.attempt, micro_usd=amount)

    def refused(events: Sequence[AnyEvent]) -> budget.Refused | None:
        return None if flat else budget.admit(Accounts(events), below, estimate=amount, run=bench.run)

    return bench.journal.append_unless(refused, claim) is None


def _claimed(look: _Look, bench: Bench) -> bool:
    """Write down that the transcript is looked through, before it is: a crash does not pay for it twice."""
    origin = look.origin

    def examined(facts: tuple[Fact, ...]) -> list[Fact]:
        return [Examined(**origin._asdict())] if rules.may_look(facts, origin.attempt, origin.at_ms) else []

    return bool(memories.add(bench.workspace.root_state, examined))


async def _reply(look: _Look, said: str, bench: Bench) -> str:
    """What the model answers. Raises MilepostError when it could not be asked."""
    place = bench.workspace.root_state / "runtime" / look.attempt
    place.mkdir(parents=True, exist_ok=True)
    try:
        spec = _spec(look, said, place, bench)
        await bench.hold.passed(bench.stop)
        with anyio.move_on_after(_LONGEST_S):
            async with bench.agent.open(spec) as talk, ending_together() as tasks:
                tasks.start_soon(_cancel_when_asked, bench.stop, talk)
                return await _listen(talk, look, bench)
        raise MilepostError(f"the model took longer than {_LONGEST_S} s")
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _listen(talk: Session, look: _Look, bench: Bench) -> str:
    words = ""
    async for told in talk.events():
        match billed(told, bench.preferences):
            case Text(text=text):
                words += text
            case Usage() as usage:
                bench.journal.append(booked(usage, run=bench.run, attempt=look.attempt, at_ms=bench.now_ms()))
                if ceilings.passed(bench.journal.everything(), bench):
                    break
            case Ended(stop=Stop.ERROR, error=error):
                raise MilepostError(error.text if error else "the session failed")
            case _:
                pass
    return words[:_MOST_REPLY]


def _kept(reply: str, look: _Look, bench: Bench) -> tuple[Fact, ...]:
    clean = rules.scrubbed(reply, bench.secrets)
    return memories.add(bench.workspace.root_state, lambda facts: rules.learnt(facts, clean, look.origin))


def _spec(look: _Look, said: str, place: Path, bench: Bench) -> SessionSpec:
    known = rules.fold(memories.read(bench.workspace.root_state))
    system, prompt = prompts.question(str(look.unit), said, known)
    return SessionSpec(
        unit=Unit(UnitKind.HOOK, look.unit.id, asides.MEMORY),
        cwd=place,
        system=system,
        prompt=prompt,
        models=look.models,
        policy=ToolPolicy.PLANNING,
        state_dir=bench.workspace.state_dir,
        env={},
        output_dir=place / "outputs",
        max_requests=1,
        max_output_tokens=rules.REPLY_TOKENS,
    )


def _said(path: Path, known_secrets: Sequence[str]) -> str:
    """What the agent said in a session, without credentials, the end of it; empty when that teaches nothing."""
    try:
        data = regular.read(path)
    except OSError:
        return ""
    words = "\n\n".join(text for line in data.splitlines() for text in _words(line))
    if len(words) < rules.LEAST_CHARS:
        return ""
    return rules.scrubbed(words, known_secrets)[-rules.TRANSCRIPT_CHARS :].strip()


def _words(line: bytes) -> list[str]:
    """The texts of an assistant's message."""
    try:
        entry = msgspec.json.decode(line, type=_Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    message = entry.message
    if message is None or message.role != "assistant":
        return []
    return [part.text for part in message.content if part.type == "text" and part.text.strip()]


class _Part(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""


class _Message(msgspec.Struct, frozen=True):
    role: str = ""
    content: tuple[_Part, ...] = ()


class _Entry(msgspec.Struct, frozen=True):
    message: _Message | None = None


def _started(unit: Unit, bench: Bench) -> AttemptStarted | None:
    events = bench.journal.own()
    mine = (e for e in reversed(events) if isinstance(e, AttemptStarted) and (e.kind, e.unit) == (unit.type, unit.id))
    return next(mine, None)


def _origin(started: AttemptStarted, bench: Bench) -> rules.Origin:
    unit = f"{started.kind}/{started.unit}"
    return rules.Origin(bench.now_ms(), unit, started.attempt, started.transcript)


def _book_end(look: _Look, reason: str, bench: Bench) -> None:
    """Close the books of the look. It commits nothing, so it counts as no finished unit anywhere."""
    bench.journal.append(
        AttemptEnded(at_ms=bench.now_ms(), run=bench.run, attempt=look.attempt, result=Result.UNFINISHED, reason=reason)
    )
    session.publish(look.unit, bench)


async def _cancel_when_asked(stop: anyio.Event, talk: Session) -> None:
    await stop.wait()
    await talk.cancel()
