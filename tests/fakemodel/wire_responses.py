"""OpenAI responses."""

import json
from collections.abc import Iterator
from typing import Any

from fakemodel.replies import Asked, Call, Reply

PATHS = ("/responses",)
KEYS = {"url": "OPENAI_BASE_URL", "path": "/v1", "key": "OPENAI_API_KEY"}


def parse(body: dict[str, Any], path: str) -> Asked:
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    answers = [i.get("type") == "function_call" or i.get("role") == "assistant" for i in items]
    turns = sum(here and not before for before, here in zip([False, *answers], answers, strict=False))
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        system=body.get("instructions") or "",
        texts=tuple(_text(i) for i in items if i.get("role") == "user"),
        results=tuple(str(i["output"]) for i in items if i.get("type") == "function_call_output"),
        turns=turns,
        tools=tuple(t["name"] for t in body.get("tools", [])),
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    return _body(asked, reply, "completed")


def frames(asked: Asked, reply: Reply) -> Iterator[bytes]:
    for number, event in enumerate(_events(asked, reply)):
        data = json.dumps({**event, "sequence_number": number})
        yield f"event: {event['type']}\ndata: {data}\n\n".encode()


def failure(status: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "server_error", "code": None, "param": None}}


def _events(asked: Asked, reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": _body(asked, reply, "in_progress")}
    for index, item in enumerate(_items(asked, reply)):
        at = {"output_index": index, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": index, "item": _begun(item)}
        if item["type"] == "message":
            text = item["content"][0]["text"]
            yield {"type": "response.content_part.added", **at, "content_index": 0, "part": _part("")}
            yield {"type": "response.output_text.delta", **at, "content_index": 0, "delta": text, "logprobs": []}
            yield {"type": "response.output_text.done", **at, "content_index": 0, "text": text, "logprobs": []}
            yield {"type": "response.content_part.done", **at, "content_index": 0, "part": _part(text)}
        else:
            yield {"type": "response.function_call_arguments.delta", **at, "delta": item["arguments"]}
            done = {"name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.function_call_arguments.done", **at, **done}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    if not reply.unfinished:
        yield {"type": "response.completed", "response": _body(asked, reply, "completed")}


def _body(asked: Asked, reply: Reply, status: str) -> dict[str, Any]:
    done = status == "completed"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": asked.model,
        "output": _items(asked, reply) if done else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": _usage(reply) if done else None,
    }


def _items(asked: Asked, reply: Reply) -> list[dict[str, Any]]:
    said = {
        "id": f"msg_{asked.turns}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [_part(reply.text)],
    }
    return ([said] if reply.text else []) + [_call(asked, n, call) for n, call in enumerate(reply.calls)]


def _call(asked: Asked, number: int, call: Call) -> dict[str, Any]:
    arguments = json.dumps(call.args) if call.raw is None else call.raw
    ids = {"id": f"fc_{asked.turns}_{number}", "call_id": f"call_{asked.turns}_{number}"}
    return {**ids, "type": "function_call", "name": call.name, "arguments": arguments, "status": "completed"}


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
    return {**item, "status": "in_progress", **empty}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _usage(reply: Reply) -> dict[str, Any]:
    given = reply.usage.input + reply.usage.cache_read + reply.usage.cache_write
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": reply.usage.cache_read},
        "output_tokens": reply.usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + reply.usage.output,
    }


def _text(item: dict[str, Any]) -> str:
    content = item.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
