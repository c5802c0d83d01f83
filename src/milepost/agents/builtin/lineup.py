"""Which model is asked next, and when: twice more the same one, where that may help, then the next of the list.

    passes by itself    3 s, 6 s (60 s for a limit), or what the provider names if that is a minute at most
    unsupported model   the next at once, and that one not again in this run
    all else            the next at once

Source: spec auto 5.11, 10.2 (same model first, then fallbacks, then the caller waits or stops).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio

from milepost.agents.builtin.failures import Failure
from milepost.agents.builtin.library import build, load, settings
from milepost.agents.builtin.models import Choice, NotConfigured, require_library, resolve
from milepost.agents.driven import Controls, SessionFailed, failed
from milepost.agents.session import ErrorKind, SessionSpec
from milepost.errors import MilepostError
from milepost.rules import limits
from milepost.rules.provider_errors import passing, retried

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

LONGEST_WAIT_S = 60.0
"""A provider that asks for more is left alone: waiting longer is for whoever runs the session."""
RETRIES = 2
_STEP_S = 3.0


class Lineup:
    """The models of one session, the current one ready to be asked."""

    def __init__(self, spec: SessionSpec, env: Mapping[str, str], unusable: set[str]) -> None:
        """unusable: models that are passed over, and that are added to when a provider will not serve one."""
        self._spec = spec
        self._env = env
        self._unusable = unusable
        self._left = [name for name in spec.models if name not in unusable]
        self._retries = 0
        self._before: list[Failure] = []
        self.choice: Choice
        self.model: Model
        self.settings: ModelSettings

    async def start(self, client: "httpx2.AsyncClient") -> None:
        """Make the first model ready. Raises SessionFailed when it is unknown or not configured."""
        if not self._left:
            refused = ", ".join(self._spec.models)
            text = f"the provider does not serve {refused}" if refused else "no model is configured"
            raise failed(ErrorKind.UNSUPPORTED_MODEL, f"{text}; set `models` in the preferences")
        try:
            await self._ready(resolve(self._left.pop(0), self._env), client)
        except MilepostError as error:
            raise _not_there(error) from None

    def answered(self) -> None:
        """The current model gave an answer: its next failure may be retried again."""
        self._retries = 0

    async def recover(self, failure: Failure, controls: Controls, client: "httpx2.AsyncClient") -> None:
        """Wait or change the model, so that the request can be made again. Raises SessionFailed when it cannot."""
        if retried(failure.kind) and self._retries < RETRIES and (wait_s := self._wait_s(failure)) <= LONGEST_WAIT_S:
            self._retries += 1
            await controls.wait(lambda: anyio.sleep(wait_s))
            return
        if failure.kind is ErrorKind.UNSUPPORTED_MODEL:
            self._unusable.add(failure.model)
        self._before.append(failure)
        if failure.kind is ErrorKind.INFRASTRUCTURE or not await self._next(client):
            raise self._given_up(failure)

    def _wait_s(self, failure: Failure) -> float:
        if failure.retry_after_s is not None:
            return failure.retry_after_s
        if failure.kind is ErrorKind.RATE_LIMIT:
            usual = limits.delay_s(failure.kind, self._retries + 1, named=None, text=failure.text)
        else:
            usual = _STEP_S * (self._retries + 1)
        # The limit of a session's patience is the same however fast a test's clock runs.
        return usual * limits.scale(self._env) if usual <= LONGEST_WAIT_S else usual

    def _given_up(self, last: Failure) -> SessionFailed:
        """The failure that is worth waiting for, if one is, and what the other models said."""
        waits = [failure for failure in self._before if passing(failure.kind)]
        soonest = min(waits, key=lambda failure: failure.retry_after_s or 0.0, default=last)
        told = last if last.kind is ErrorKind.INFRASTRUCTURE else soonest
        others = [failure.text for failure in reversed(self._before) if failure is not told]
        text = "; before that ".join([told.text, *others])
        return failed(told.kind, text, retry_after_s=told.retry_after_s, model=told.model)

    async def _next(self, client: "httpx2.AsyncClient") -> bool:
        while self._left:
            name = self._left.pop(0)
            try:
                await self._ready(resolve(name, self._env), client)
            except MilepostError as error:
                self._before.append(Failure(_kind_of(error), str(error), None, name))
                continue
            self._retries = 0
            return True
        return False

    async def _ready(self, choice: Choice, client: "httpx2.AsyncClient") -> None:
        require_library(choice)
        await anyio.to_thread.run_sync(
            load, choice, abandon_on_cancel=True
        )  # seconds, the first time: whoever watches must not freeze
        self.choice = choice
        self.model = build(choice, client)
        self.settings = settings(choice, self._spec.cache_key, effort=self._spec.thinking.get(choice.name, ""))
        if self._spec.max_output_tokens is not None:
            self.settings["max_tokens"] = self._spec.max_output_tokens


def _not_there(error: MilepostError) -> SessionFailed:
    return failed(_kind_of(error), f"{error}. {error.hint}" if error.hint else str(error))


def _kind_of(error: MilepostError) -> ErrorKind:
    """Nothing of this passes by itself."""
    return ErrorKind.AUTH if isinstance(error, NotConfigured) else ErrorKind.UNSUPPORTED_MODEL
