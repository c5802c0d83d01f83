"""Which model is asked next, and when: one retry of a failure that passes, then the next model of the list.

Source: spec auto 5.11 (same model first, then fallbacks, then the caller pauses).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio

from milepost.agents.builtin.failures import Failure
from milepost.agents.builtin.library import build, load, settings
from milepost.agents.builtin.models import Choice, NotConfigured, UnknownModel, require_library, resolve
from milepost.agents.driven import Controls, SessionFailed, failed
from milepost.agents.session import ErrorKind, SessionSpec
from milepost.errors import MilepostError
from milepost.rules.provider_errors import passing

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

LONGEST_WAIT_S = 60.0
"""A provider that asks for more is left alone: waiting longer is for whoever runs the session."""


class Lineup:
    """The models of one session, the current one ready to be asked."""

    def __init__(self, spec: SessionSpec, env: Mapping[str, str], backoff_s: float) -> None:
        """backoff_s: wait before the one retry, where the provider does not say how long."""
        self._spec = spec
        self._env = env
        self._backoff_s = backoff_s
        self._left = list(spec.models)
        self._retried = False
        self._before: list[str] = []
        self.choice: Choice
        self.model: Model
        self.settings: ModelSettings

    async def start(self, client: "httpx2.AsyncClient") -> None:
        """Make the first model ready. Raises SessionFailed when it is unknown or not configured."""
        if not self._left:
            raise failed(ErrorKind.UNSUPPORTED_MODEL, "no model is configured; set `models` in the preferences")
        try:
            await self._ready(resolve(self._left.pop(0), self._env), client)
        except MilepostError as error:
            raise _not_there(error) from None

    def answered(self) -> None:
        """The current model gave an answer: its next failure may be retried again."""
        self._retried = False

    async def recover(self, failure: Failure, controls: Controls, client: "httpx2.AsyncClient") -> None:
        """Wait or change the model, so that the request can be made again. Raises SessionFailed when it cannot."""
        wait_s = self._backoff_s if failure.retry_after_s is None else failure.retry_after_s
        if passing(failure.kind) and not self._retried and wait_s <= LONGEST_WAIT_S:
            self._retried = True
            await controls.wait(lambda: anyio.sleep(wait_s))
            return
        self._before.append(failure.text)
        if not await self._next(client):
            text = "; before that ".join(reversed(self._before))
            raise failed(failure.kind, text, retry_after_s=failure.retry_after_s)

    async def _next(self, client: "httpx2.AsyncClient") -> bool:
        while self._left:
            try:
                await self._ready(resolve(self._left.pop(0), self._env), client)
            except MilepostError as error:
                self._before.append(str(error))
                continue
            self._retried = False
            return True
        return False

    async def _ready(self, choice: Choice, client: "httpx2.AsyncClient") -> None:
        require_library(choice)
        await anyio.to_thread.run_sync(
            load, choice, abandon_on_cancel=True
        )  # seconds, the first time: whoever watches must not freeze
        self.choice = choice
        self.model = build(choice, client)
        self.settings = settings(choice, self._spec.cache_key)


def _not_there(error: MilepostError) -> SessionFailed:
    kind = ErrorKind.AUTH if isinstance(error, NotConfigured) else ErrorKind.UNSUPPORTED_MODEL
    kind = kind if isinstance(error, NotConfigured | UnknownModel) else ErrorKind.UNKNOWN
    return failed(kind, f"{error}. {error.hint}" if error.hint else str(error))
