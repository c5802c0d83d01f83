"""Gemini generateContent and streamGenerateContent."""

import json
from collections.abc import Iterator
from typing import Any

from fakemodel.replies import Asked, Reply

PATHS = (":generateContent", ":streamGenerateContent")
KEYS = {"url": "GOOGLE_GEMINI_BASE_URL", "path": "", "key": "GOOGLE_API_KEY"}


def parse(body: dict[str, Any], path: str) -> Asked:
    contents = body.get("contents", [])
    parts = [(c.get("role"), p) for c in contents for p in c.get("parts", [])]
    groups = body.get("tools", [])
    return Asked(
        model=path.rsplit("/", 1)[-1].split(":")[0],
        stream=":streamGenerateContent" in path,
        system="\n".join(p.get("text", "") for p in (body.get("systemInstruction") or {}).get("parts", [])),
        texts=tuple(p["text"] for role, p in parts if role == "user" and "text" in p),
        results=tuple(json.dumps(p["functionResponse"]["response"]) for _, p in parts if "functionResponse" in p),
        turns=sum(c.get("role") == "model" for c in contents),
        tools=tuple(f["name"] for group in groups for f in group.get("functionDeclarations", [])),
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    return _chunk(asked, reply, _said(reply) + _calls(asked, reply), last=True)


def frames(asked: Asked, reply: Reply) -> Iterator[bytes]:
    # one id for the whole stream: a changed one reads as a resumed stream
    for part in _said(reply):
        yield _sse(_chunk(asked, reply, [part], last=False))
    if reply.unfinished:
        yield _sse(_chunk(asked, reply, _calls(asked, reply), last=False))
    else:
        yield _sse(_chunk(asked, reply, _calls(asked, reply) or [{"text": ""}], last=True))


def failure(status: int, message: str) -> dict[str, Any]:
    names = {429: "RESOURCE_EXHAUSTED", 401: "UNAUTHENTICATED", 503: "UNAVAILABLE"}
    return {"error": {"code": status, "message": message, "status": names.get(status, "INTERNAL")}}


def _chunk(asked: Asked, reply: Reply, parts: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if last:
        candidate["finishReason"] = "MAX_TOKENS" if reply.stop == "length" else "STOP"
    prompt = reply.usage.input + reply.usage.cache_read + reply.usage.cache_write
    output = reply.usage.output if last else 0
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output}
    cached = {"cachedContentTokenCount": reply.usage.cache_read}
    return {
        "candidates": [candidate],
        "modelVersion": asked.model,
        "responseId": "r1",
        "usageMetadata": {**usage, **cached},
    }


def _said(reply: Reply) -> list[dict[str, Any]]:
    return [{"text": reply.text}] if reply.text else []


def _calls(asked: Asked, reply: Reply) -> list[dict[str, Any]]:
    return [
        {"functionCall": {"id": f"c{asked.turns}-{n}", "name": c.name, "args": dict(c.args)}}
        for n, c in enumerate(reply.calls)
    ]


def _sse(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\r\n\r\n"
