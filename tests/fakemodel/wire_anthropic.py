"""Anthropic messages."""

import json
from collections.abc import Iterator
from typing import Any

from fakemodel.replies import Asked, Call, Reply

PATHS = ("/messages",)
KEYS = {"url": "ANTHROPIC_BASE_URL", "path": "", "key": "ANTHROPIC_API_KEY"}


def parse(body: dict[str, Any], path: str) -> Asked:
    blocks = [(m["role"], block) for m in body["messages"] for block in _blocks(m["content"])]
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        system="\n".join(block["text"] for block in _blocks(body.get("system", []))),
        texts=tuple(b["text"] for role, b in blocks if role == "user" and b["type"] == "text"),
        results=tuple(_flat(b["content"]) for _, b in blocks if b["type"] == "tool_result"),
        turns=sum(m["role"] == "assistant" for m in body["messages"]),
        tools=tuple(t["name"] for t in body.get("tools", [])),
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    texts = [{"type": "text", "text": reply.text}] if reply.text else []
    content = texts + [_call(asked, n, call, dict(call.args)) for n, call in enumerate(reply.calls)]
    return {
        **_message(asked),
        "content": content,
        "stop_reason": _stop(reply),
        "usage": _usage(reply, reply.usage.output),
    }


def frames(asked: Asked, reply: Reply) -> Iterator[bytes]:
    start = {**_message(asked), "content": [], "stop_reason": None, "usage": _usage(reply, 1)}
    yield _event("message_start", message=start)
    index = 0
    if reply.text:
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for line in reply.text.splitlines(keepends=True):
            yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": line})
        yield _event("content_block_stop", index=0)
        index = 1
    for number, call in enumerate(reply.calls):
        arguments = json.dumps(call.args) if call.raw is None else call.raw
        yield _event("content_block_start", index=index + number, content_block=_call(asked, number, call, {}))
        for half in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
            delta = {"type": "input_json_delta", "partial_json": half}
            yield _event("content_block_delta", index=index + number, delta=delta)
        yield _event("content_block_stop", index=index + number)
    if not reply.unfinished:
        usage = {"output_tokens": reply.usage.output}
        yield _event("message_delta", delta={"stop_reason": _stop(reply), "stop_sequence": None}, usage=usage)
        yield _event("message_stop")


def failure(status: int, message: str) -> dict[str, Any]:
    kinds = {401: "authentication_error", 402: "billing_error", 429: "rate_limit_error", 529: "overloaded_error"}
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}


def _message(asked: Asked) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.model, "stop_sequence": None}


def _event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def _call(asked: Asked, number: int, call: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{asked.turns}_{number}", "name": call.name, "input": given}


def _stop(reply: Reply) -> str:
    named = {"length": "max_tokens"}.get(reply.stop, reply.stop)
    return named or ("tool_use" if reply.calls else "end_turn")


def _usage(reply: Reply, output: int) -> dict[str, Any]:
    return {
        "input_tokens": reply.usage.input,
        "cache_read_input_tokens": reply.usage.cache_read,
        "cache_creation_input_tokens": reply.usage.cache_write,
        "output_tokens": output,
    }


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _flat(content: Any) -> str:
    return "\n".join(block.get("text", "") for block in _blocks(content))
