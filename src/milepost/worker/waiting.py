"""Waiting for a provider: the run goes on living, asks nobody, and goes on by itself when the time has come.

    unit failed ──▶ wait begun (journal) ──▶ … ──▶ wait over ──▶ everything is looked at afresh, the unit begins anew

What is waited for is read from the journal each time round, so a run that was killed meanwhile waits for the rest.
Signals and orders are heard at once, and every few seconds the loop looks at everything anew. Time is measured by
two clocks: the machine may sleep, and its clock may be set.

Who wakes after a limit takes the turn, a lock on a file: the first asks the provider while the others wait for what it
learns; once it has an answer they follow one by one, and if it has none they wait with it. Nobody keeps it for ever.
Source: spec auto 5.11, 8.10; parallel PR-238; field-reports #8, #43.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import anyio

from milepost.agents.session import Ended, Event, Usage
from milepost.errors import ExitCode
from milepost.formats.journal import WaitBegan, WaitEnded
from milepost.model.outcome import ProviderFailed
from milepost.model.units import Unit
from milepost.rules import limits, waits
from milepost.rules.waits import Standing
from milepost.unit.bench import Bench, Watcher
from milepost.worker.provider_turn import Turn
from milepost.worker.shift import Ending
from milepost.worker.station import Station
from milepost.worker.stoppable import unless_stopped

LOOK_S: Final = 0.2
"""Between two looks for orders, and for the turn."""
ROUND_S: Final = 15.0
"""After so long the loop looks at the plan, its bounds and its settings again."""
STAGGER_S: Final = 2.0
"""Between two workers that wake after a limit."""


class Waiting:
    """What one run has to do with waiting. Its fields can be made again from the journal, but for the turn."""

    def __init__(self, post: Station) -> None:
        self._post = post
        self._shift = post.shift
        self._journal = post.shift.journal(post.shift.writer)
        self._deadlines: dict[tuple[int, str], float] = {}
        """When a wait is over by the clock that nobody sets."""
        self._turn = Turn(post.shift.state / "runtime" / "provider.turn", post.shift.run)
        self._said = self._waits = 0
        """Until when, as it was said to people, and in the status."""

    async def before(self, bench: Bench) -> Bench | Ending | None:
        """The bench to run a unit with, when nothing is to be waited for; None: look at everything again first."""
        self.release()
        seen = self._begun(bench)
        due = [wait for wait in (seen.wait, seen.limit) if wait is not None and self._holds(wait, seen, bench)]
        if ahead := [wait for wait in due if not self._over(wait)]:
            return await self._wait(max(ahead, key=lambda wait: wait.resume_at_ms))
        if not any(wait.kind in waits.LIMITS for wait in due):
            return self._ended(seen, bench)
        if not await self._take_turn():
            return self._post.stopped()
        seen = self._seen()
        if seen.limit is None or seen.answered:
            return await self._follow(seen, bench)
        if not self._over(seen.limit):
            self.release()  # Whoever had the turn before met the limit again.
            return None
        return replace(self._ended(seen, bench), watcher=_Probe(bench.watcher, self.release))

    def failed(self, unit: Unit, outcome: ProviderFailed, bench: Bench) -> Ending | None:
        """A unit met a failure that passes: the wait is begun. An ending when it did so too often in a row."""
        self.release()
        seen = self._seen()
        if seen.tries > waits.MOST:
            told = f"the model failed at {unit}, {seen.tries} times in a row: {outcome.kind}: {outcome.text}"
            return Ending(ExitCode.PAUSED, told, "gsd auto tries again.", passing=True)
        self._begun(bench)
        return None

    def release(self) -> None:
        """Let the next one have the turn."""
        self._turn.release()

    def _seen(self) -> Standing:
        return waits.standing(self._journal.everything(), run=self._shift.run, milestone=self._shift.lock or "")

    def _begun(self, bench: Bench) -> Standing:
        """Where the run stands; a failure that nobody waits for yet is waited for from here on."""
        seen = self._seen()
        if (failed := seen.failed) is None:
            return seen
        scale = 0.0 if bench.agent.name == "replay" else self._shift.wait_scale  # A recorded failure has passed.
        named = failed.named_s if bench.agent.name != "replay" else 0.0
        delay = limits.delay_s(failed.kind, seen.number, named=named, text=failed.text, scale=scale)
        delay += limits.spread_s(delay, int.from_bytes(os.urandom(2)) / 0xFFFF)
        wait = WaitBegan(
            at_ms=self._shift.now_ms(),
            run=self._shift.run,
            unit=failed.unit,
            kind=str(failed.kind),
            text=failed.text,
            resume_at_ms=failed.at_ms + round(delay * 1000),
            number=seen.number,
            model=failed.model,
        )
        bench.journal.append(wait)
        self._say(wait)
        return self._seen()

    def _say(self, wait: WaitBegan) -> None:
        if self._said != wait.resume_at_ms:
            self._said = wait.resume_at_ms
            self._shift.watcher.note(f"waiting for the provider until {clock(wait.resume_at_ms)}: {wait.text}")

    def _holds(self, wait: WaitBegan, seen: Standing, bench: Bench) -> bool:
        """Whether it concerns this run: other models may be asked, and others may have got past a limit."""
        if wait.run != self._shift.run and wait.model:
            own = {name for names in bench.models.values() for name in names}
            if wait.model not in own:
                return False
        return wait is seen.wait or not seen.answered

    def _over(self, wait: WaitBegan) -> bool:
        """Whether its time has come, by either clock."""
        now_ms, now_s = self._shift.now_ms(), time.monotonic()
        left_s = min(wait.resume_at_ms - now_ms, wait.resume_at_ms - wait.at_ms) / 1000
        deadline = self._deadlines.setdefault((wait.at_ms, wait.run), now_s + left_s)
        return now_ms >= wait.resume_at_ms or now_s >= deadline

    async def _wait(self, wait: WaitBegan) -> Ending | None:
        self._say(wait)
        if self._waits != wait.resume_at_ms:
            self._waits = wait.resume_at_ms
            self._post.waits(wait.resume_at_ms)
        return await self._idle(lambda: self._over(wait))

    async def _idle(self, enough: Callable[[], bool]) -> Ending | None:
        """Let time pass until `enough`, somebody wants something, or the round is over."""
        until = time.monotonic() + ROUND_S
        while not enough() and time.monotonic() < until and not self._shift.wanted():
            # A worker's orders come in by themselves; those for an auto mode are looked for.
            if self._shift.lock is None and (ending := await self._post.between(None)):
                return ending
            if self._shift.stop.is_set():
                break
            await unless_stopped(self._shift.stop, lambda: anyio.sleep(LOOK_S))
        return self._post.stopped()

    async def _take_turn(self) -> bool:
        """Whether the turn is ours."""
        had = False

        def taken() -> bool:
            nonlocal had
            had = had or self._turn.take()
            return had

        await self._idle(taken)
        return had

    async def _follow(self, seen: Standing, bench: Bench) -> Bench | Ending | None:
        """Somebody got an answer: go on a little later than whoever had the turn before."""
        until = time.monotonic() + STAGGER_S * self._shift.wait_scale
        ending = await self._idle(lambda: time.monotonic() >= until)
        self.release()
        if ending is not None or time.monotonic() < until:
            return ending
        return self._ended(seen, bench)

    def _ended(self, seen: Standing, bench: Bench) -> Bench:
        """Nothing is waited for any more."""
        if self._waits:
            self._waits = 0
            self._post.waits(0)
        if seen.wait is not None:
            line = WaitEnded(at_ms=self._shift.now_ms(), run=self._shift.run, unit=seen.wait.unit)
            bench.journal.append(line)
        return bench


class _Probe:
    """A watcher that lets go of the turn at the first answer of the model, or when the session ends without one."""

    def __init__(self, onward: Watcher, release: Callable[[], None]) -> None:
        self._onward = onward
        self._release = release

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        """Nothing yet."""
        self._onward.unit_started(unit, attempt, number)

    def session_event(self, event: Event) -> None:
        """What the others wait for is in the journal by now."""
        self._onward.session_event(event)
        if isinstance(event, Usage | Ended):
            self._release()

    def note(self, text: str) -> None:
        """Nothing to do with it."""
        self._onward.note(text)


def clock(at_ms: int) -> str:
    """`03:00:05`, here; with the day when it is not today."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
    today = datetime.now(UTC).astimezone().date()
    return f"{at:%H:%M:%S}" if at.date() == today else f"{at:%d %b %H:%M}"
