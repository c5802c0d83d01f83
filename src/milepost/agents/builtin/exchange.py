"""One model request: its words while they stream, what it cost, and the whole answer at the end."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from milepost.agents.builtin.failures import Failure, failure, library_errors
from milepost.agents.builtin.models import Choice, Wire
from milepost.agents.builtin.usage import usage
from milepost.agents.driven import Controls, Interrupted
from milepost.agents.session import ErrorKind, Event, Text, Thought, Usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
    from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
    from pydantic_ai.settings import ModelSettings


class Exchange:
    """A request to one model. Iterate `events`; then either `response` or `problem` is there."""

    def __init__(
        self, choice: Choice, model: "Model", settings: "ModelSettings", offer: "ModelRequestParameters"
    ) -> None:
        """offer: the tools the model may call."""
        self._choice = choice
        self._model = model
        self._settings = settings
        self._offer = offer
        self._stream: StreamedResponse | None = None
        self.response: ModelResponse | None = None
        self.problem: Failure | None = None

    async def events(self, history: "Sequence[ModelMessage]", controls: Controls) -> AsyncGenerator[Event, None]:
        """Text and thoughts as they come, then what it cost. Raises Interrupted."""
        try:
            async with aclosing(self._raw(history)) as raw:
                while (event := await controls.wait(lambda: anext(raw, None))) is not None:
                    shown = _shown(event)
                    if shown is not None:
                        yield shown
        except Interrupted:
            if cost := self._cost():
                yield cost
            raise
        except library_errors() as error:
            self.problem = failure(self._choice, error)
        if cost := self._cost():
            yield cost

    @property
    def broke_off(self) -> bool:
        """The answer just stopped: nobody said that it was complete."""
        if self.response is None:
            return False
        if self._choice.wire in (Wire.OPENAI_CHAT, Wire.COMPATIBLE, Wire.OTHER):
            # here the library supposes an ordinary end; what the server really said is among the details
            return "finish_reason" not in (self.response.provider_details or {})
        return self.response.finish_reason is None

    def as_broken(self) -> Failure:
        """The failure to treat an answer as that broke off."""
        return Failure(ErrorKind.STREAM, f"{self._choice.name}: the answer broke off", None, self._choice.name)

    def _cost(self) -> Usage | None:
        if self._stream is None:
            return None
        cost = usage(self._choice, self._stream.usage)
        counted = cost.input or cost.output or cost.cache_read or cost.cache_write
        return cost if counted or self.response is not None else None

    async def _raw(self, history: "Sequence[ModelMessage]") -> "AsyncGenerator[ModelResponseStreamEvent, None]":
        from pydantic_ai.direct import model_request_stream

        request = model_request_stream(
            self._model, history, model_settings=self._settings, model_request_parameters=self._offer
        )
        async with request as self._stream:
            async for event in self._stream:
                yield event
            self.response = self._stream.get()


def _shown(event: "ModelResponseStreamEvent") -> Event | None:
    from pydantic_ai import messages

    match event:
        case messages.PartStartEvent(part=messages.TextPart(content=text)) if text:
            return Text(text=text)
        case messages.PartDeltaEvent(delta=messages.TextPartDelta(content_delta=text)) if text:
            return Text(text=text)
        case messages.PartStartEvent(part=messages.ThinkingPart(content=text)) if text:
            return Thought(text=text)
        case messages.PartDeltaEvent(delta=messages.ThinkingPartDelta(content_delta=str(text))) if text:
            return Thought(text=text)
        case _:
            return None
