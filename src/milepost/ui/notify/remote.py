"""A person who is asked in a channel, and answers there: `remote_questions`.

The question is posted with numbered answers; a reply is taken, and said to be. After `timeout_minutes` without one the
question is nobody's, as if no channel were set: the agent decides and writes the assumption down, and what needs a
person waits in the inbox. Source: spec auto 2.9 (remote_questions); field-reports #27, #45.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

import anyio
import anyio.to_thread

from milepost.formats.journal import Notified
from milepost.formats.preferences import RemoteQuestions
from milepost.rules import secrets
from milepost.rules.notices import Kind
from milepost.ui.notify.channels import KINDS, Channel
from milepost.ui.notify.web import Busy, ServiceFailed
from milepost.ui.terminal import chosen
from milepost.unit.asking import Answerer
from milepost.worker.shift import Shift

_T = TypeVar("_T")
_TROUBLES: Final = 3
"""Looks in a row that may fail before it is said."""


class Manner(NamedTuple):
    """How it is asked."""

    name: str
    """`slack`, `discord` or `telegram`."""
    project: str
    timeout_minutes: float
    interval_s: float
    scale: float
    """A factor for our waiting."""
    redacted: Callable[[str], str]
    noted: Callable[[str], None]
    """Takes why the channel could not be used; empty: it could."""


class Remote:
    """An `Answerer` in a channel."""

    def __init__(self, channel: Channel, manner: Manner) -> None:
        self._channel = channel
        self._manner = manner

    @property
    def name(self) -> str:
        """For the journal."""
        return self._manner.name

    async def ask(self, question: str, options: tuple[str, ...]) -> str | None:
        """The first reply; None after the time that is set, or when the channel cannot be used."""
        try:
            message = await _aside(lambda: self._channel.post(self._words(question, options)))
        except ServiceFailed as error:
            self._manner.noted(self._manner.redacted(f"the question could not be sent: {error}"))
            return None
        self._manner.noted("")
        answer = await self._wait(message, options)
        said = "Nobody answered; the agent decides." if answer is None else f"Taken: {answer}"
        await self._follow(message, said)
        return answer

    def _words(self, question: str, options: tuple[str, ...]) -> str:
        listed = "".join(f"\n{number}. {option}" for number, option in enumerate(options, 1))
        how = "with a number or your own words" if options else "with your answer"
        asked = self._manner.redacted(f"{question}{listed}")
        minutes = f"{self._manner.timeout_minutes:g} min"
        return f"{self._manner.project} asks:\n{asked}\n\nReply to this message {how}, within {minutes}."

    async def _wait(self, message: str, options: tuple[str, ...]) -> str | None:
        """Look so often as the time allows; how long a look takes is not the person's loss."""
        manner, troubles = self._manner, 0
        for _ in range(math.ceil(manner.timeout_minutes * 60 / manner.interval_s)):
            await anyio.sleep(manner.interval_s * manner.scale)
            try:
                replies = await _aside(lambda: self._channel.replies(message))
            except Busy as error:
                await anyio.sleep(error.wait_s * manner.scale)
                continue
            except ServiceFailed as error:
                troubles += 1
                if troubles == _TROUBLES:
                    manner.noted(manner.redacted(f"replies cannot be read: {error}"))
                continue
            troubles = 0
            for reply in replies:
                if (answer := chosen(reply, options)) is not None:
                    return answer
        return None

    async def _follow(self, message: str, words: str) -> None:
        try:
            await _aside(lambda: self._channel.post(self._manner.redacted(words), message))
        except ServiceFailed:
            return  # The answer is taken all the same, and stands in the journal.


def answerer(shift: Shift, env: Mapping[str, str], *, assume: bool) -> Answerer:
    """Who answers in this run: whoever is there already, else the channel that is set, else nobody.

    env: of our own process, with the bot's token. assume: nobody is to be asked.
    """
    settings = shift.preferences.remote_questions
    if shift.answerer.name or assume or settings.channel is None:
        return shift.answerer
    token_name, base_name, make = KINDS[settings.channel]
    token = env.get(token_name, "")
    if missing := _missing(settings, token_name if not token else ""):
        shift.watcher.note(f"questions are not sent to {settings.channel}: {missing}")
        return shift.answerer
    base = {"base": env[base_name]} if env.get(base_name) else {}
    manner = Manner(
        name=settings.channel,
        project=shift.root.name,
        timeout_minutes=settings.timeout_minutes,
        interval_s=settings.poll_interval_seconds,
        scale=shift.wait_scale,
        redacted=lambda text: secrets.redact(text, {*shift.secrets, token}),
        noted=lambda error: _note(shift, error),
    )
    return Remote(make(token, settings.channel_id, **base), manner)


def _missing(settings: RemoteQuestions, variable: str) -> str:
    if not settings.channel_id:
        return "remote_questions.channel_id is not set"
    return f"{variable} is not set" if variable else ""


def _note(shift: Shift, error: str) -> None:
    """Into the journal, so that `status` and `inbox` tell of a channel that cannot be used."""
    name = str(shift.preferences.remote_questions.channel)
    if error:
        shift.watcher.note(f"{name}: {error}")
    now = shift.now_ms()
    shift.journal(shift.writer).append(
        Notified(
            at_ms=now,
            run=shift.run,
            kind=Kind.ATTENTION,
            key=f"question/{name}/{now}",
            target=name,
            ok=not error,
            error=error,
        )
    )


async def _aside(work: Callable[[], _T]) -> _T:
    """In a thread that nobody waits for when the session is over."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
