"""The loop of the built-in agent: ask the model, run the tools it calls, tell it what came of them, until it is done.

    while requests are left:
        answer ← ask (again where that may help, then the next model)
        no call in it: finished, unless it was empty, cut off, or somebody steered
        each call: checked and run by the toolbox, its result goes back

Everything a model may do wrong is bounded: requests in all, empty answers and unusable calls in a row.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from milepost.agents.builtin import library
from milepost.agents.builtin.exchange import Exchange
from milepost.agents.builtin.lineup import Lineup
from milepost.agents.driven import Controls, SessionFailed, failed
from milepost.agents.session import ErrorKind, Event, SessionSpec, Stop, ToolCall, ToolResult
from milepost.agents.tools.toolbox import Answer, Toolbox

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelMessage, ModelRequestPart, ModelResponse, ToolCallPart

_EMPTY_IN_A_ROW = 3
"""Answers without words and calls, or cut off, before the session is given up."""
_UNUSABLE_IN_A_ROW = 5
"""Requests in which no call could be understood, before the session is given up."""
_EMPTY = "Your answer was empty. Go on with the task, or say that it is done."
_CUT_OFF = "Your answer was cut off at its length limit. Go on from there, in smaller steps."


class Conversation:
    """One session with a model."""

    def __init__(self, spec: SessionSpec, env: Mapping[str, str], toolbox: Toolbox, unusable: set[str]) -> None:
        """env: keys and base URLs of the providers, never seen by tools. unusable: as in `Lineup`."""
        self._spec = spec
        self._toolbox = toolbox
        self._lineup = Lineup(spec, env, unusable)
        self._history: list[ModelMessage] = []
        self._parts: list[ModelRequestPart] = []
        self._answer: ModelResponse | None = None
        self._empty = 0
        self._unusable = 0
        self._forgives = False

    async def drive(self, controls: Controls) -> AsyncGenerator[Event, None]:
        """The events of the session but its end. Raises SessionFailed and Interrupted."""
        async with library.http_client(self._spec.silence_s) as client:
            await controls.wait(partial(self._lineup.start, client))
            async with aclosing(self._turns(controls, client)) as events:
                async for event in events:
                    yield event

    async def _turns(self, controls: Controls, client: "httpx2.AsyncClient") -> AsyncGenerator[Event, None]:
        self._say(self._spec.prompt)
        await controls.clear(self._spec)
        while self._parts:
            for text in controls.take_steering():
                self._say(text)
            self._close_request()
            for step in (self._ask(controls, client), self._use_tools(controls)):
                async with aclosing(step) as events:
                    async for event in events:
                        yield event
            await controls.clear(self._spec)
            for text in (*self._nudges(), *controls.take_steering()):
                self._say(text)

    async def _ask(self, controls: Controls, client: "httpx2.AsyncClient") -> AsyncGenerator[Event, None]:
        """Make the request, again where that may help, until `_answer` is there."""
        lineup, offer = self._lineup, library.offer(self._toolbox.schemas)
        while True:
            if controls.requests >= self._spec.max_requests:
                raise SessionFailed(None, Stop.MAX_REQUESTS)
            if not self._spec.may_ask():
                raise SessionFailed(None, Stop.CANCELLED)
            controls.requests += 1
            exchange = Exchange(lineup.choice, lineup.model, lineup.settings, offer)
            async with aclosing(exchange.events(self._history, controls)) as events:
                async for event in events:
                    yield event
            problem = exchange.problem
            if exchange.broke_off and not self._forgives:
                self._forgives = True  # some servers never say that an answer is complete
                problem = exchange.as_broken()
            if problem is None:
                break
            await lineup.recover(problem, controls, client)
            await self._hear(controls)
        lineup.answered()
        self._answer = exchange.response

    async def _hear(self, controls: Controls) -> None:
        """Before a request is made again: wait while it is held, and add what was said then."""
        await controls.clear(self._spec)
        for text in controls.take_steering():
            self._say(text)
        if self._parts:
            self._close_request()

    async def _use_tools(self, controls: Controls) -> AsyncGenerator[Event, None]:
        """Run the calls of the answer one after the other, and keep their results for the next request."""
        from pydantic_ai.messages import ToolReturnPart

        calls = self._answer.tool_calls if self._answer else []
        answers = []
        for call in calls:
            args = _args(call)
            yield ToolCall(id=call.tool_call_id, name=call.tool_name, args=args or {})
            answer = await controls.wait(partial(self._run, call.tool_name, args))
            answers.append(answer)
            self._parts.append(
                ToolReturnPart(
                    tool_name=call.tool_name,
                    content=answer.text,
                    tool_call_id=call.tool_call_id,
                    outcome="success" if answer.ok else "failed",
                )
            )
            yield _result(call, answer)
        self._bound_unusable(answers)

    async def _run(self, name: str, args: dict[str, object] | None) -> Answer:
        if args is None:
            text = "The arguments are no JSON object; perhaps the answer was cut off. Make the call again, smaller."
            return Answer(ok=False, text=text, malformed=True)
        return await self._toolbox.call(name, args)

    def _bound_unusable(self, answers: list[Answer]) -> None:
        if not answers or not all(answer.malformed for answer in answers):
            self._unusable = 0
            return
        self._unusable += 1
        if self._unusable >= _UNUSABLE_IN_A_ROW:
            name = self._lineup.choice.name
            raise failed(
                ErrorKind.NO_ANSWER, f"{name}: {self._unusable} unusable tool calls in a row: {answers[-1].text}"
            )

    def _nudges(self) -> list[str]:
        """What to say to an answer that neither calls a tool nor ends the work."""
        answer = self._answer
        if answer is None or answer.tool_calls:
            self._empty = 0
            return []
        if answer.finish_reason == "content_filter":
            raise failed(
                ErrorKind.NO_ANSWER, f"{self._lineup.choice.name}: the provider's content filter stopped the answer"
            )
        cut_off = answer.finish_reason == "length"
        if answer.text and not cut_off:
            return []
        self._empty += 1
        if self._empty >= _EMPTY_IN_A_ROW:
            how = "cut off" if cut_off else "empty"
            raise failed(ErrorKind.NO_ANSWER, f"{self._lineup.choice.name}: {self._empty} answers in a row were {how}")
        return [_CUT_OFF if cut_off else _EMPTY]

    def _say(self, text: str) -> None:
        from pydantic_ai.messages import UserPromptPart

        self._parts.append(UserPromptPart(text))

    def _close_request(self) -> None:
        """Put the last answer and what is to be said now into the history."""
        from pydantic_ai.messages import ModelRequest

        last = self._history[-1] if self._history else None
        if self._answer is not None and (self._answer.text or self._answer.tool_calls):
            self._history.append(self._answer)
        elif isinstance(last, ModelRequest):  # providers refuse empty answers: it never happened
            self._parts = [*last.parts, *self._parts]
            self._history.pop()
        self._history.append(ModelRequest(parts=self._parts, instructions=self._spec.system))
        self._parts, self._answer = [], None


def _args(call: "ToolCallPart") -> dict[str, object] | None:
    try:
        return call.args_as_dict(raise_if_invalid=True)
    except (ValueError, AssertionError):
        return None


def _result(call: "ToolCallPart", answer: Answer) -> ToolResult:
    return ToolResult(id=call.tool_call_id, name=call.tool_name, ok=answer.ok, text=answer.text, refused=answer.refused)
