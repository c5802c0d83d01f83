"""OpenAI chat completions."""

import json
from collections.abc import Iterator
from typing import Any

from fakemodel.replies import Asked, Call, Reply

PATHS = ("/chat/completions",)
KEYS = {"url": "OPENAI_BASE_URL", "path": "/v1", "key": "OPENAI_API_KEY"}


def parse(body: dict[str, Any], path: str) -> Asked:
    messages = body.get("messages", [])
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        system="\n".join(_text(m) for m in messages if m["role"] in ("system", "developer")),
        texts=tuple(_text(m) for m in messages if m["role"] == "user"),
        results=tuple(_text(m) for m in messages if m["role"] == "tool"),
        turns=sum(m["role"] == "assistant" for m in messages),
        tools=tuple(t["function"]["name"] for t in body.get("tools", [])),
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [_call(asked, n, call, _arguments(call)) for n, call in enumerate(reply.calls)]
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    return {**_head(asked, "chat.completion"), "choices": [choice], "usage": _usage(reply)}


def frames(asked: Asked, reply: Reply) -> Iterator[bytes]:
    yield _delta(asked, {"role": "assistant", "content": ""})
    for word in reply.text.splitlines(keepends=True):
        yield _delta(asked, {"content": word})
    for number, call in enumerate(reply.calls):
        yield _delta(asked, {"tool_calls": [_call(asked, number, call, "")]})
        arguments = _arguments(call)
        for half in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
            yield _delta(asked, {"tool_calls": [{"index": number, "function": {"arguments": half}}]})
    if not reply.unfinished:
        yield _delta(asked, {}, _finish(reply))
        yield _sse({**_head(asked, "chat.completion.chunk"), "choices": [], "usage": _usage(reply)})
        yield b"data: [DONE]\n\n"


def failure(status: int, message: str) -> dict[str, Any]:
    code = {429: "rate_limit_exceeded", 402: "insufficient_quota", 401: "invalid_api_key"}.get(status)
    return {"error": {"message": message, "type": "server_error", "code": code, "param": None}}


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": asked.model}


def _delta(asked: Asked, delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _sse({**_head(asked, "chat.completion.chunk"), "choices": [choice]})


def _sse(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _call(asked: Asked, number: int, call: Call, arguments: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments}
    return {"index": number, "id": f"call_{asked.turns}_{number}", "type": "function", "function": function}


def _arguments(call: Call) -> str:
    return json.dumps(call.args) if call.raw is None else call.raw


def _finish(reply: Reply) -> str:
    return reply.stop or ("tool_calls" if reply.calls else "stop")


def _usage(reply: Reply) -> dict[str, Any]:
    # this format counts cached tokens inside the prompt, and knows no writing to the cache
    prompt = reply.usage.input + reply.usage.cache_read + reply.usage.cache_write
    return {
        "prompt_tokens": prompt,
        "completion_tokens": reply.usage.output,
        "total_tokens": prompt + reply.usage.output,
        "prompt_tokens_details": {"cached_tokens": reply.usage.cache_read},
    }


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
