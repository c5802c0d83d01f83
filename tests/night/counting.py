"""What a stream told of tokens, read off its frames: the server's own books, apart from anybody's library."""

import json
from collections.abc import Iterable

from fakemodel.replies import Counted


def reported(frames: Iterable[bytes]) -> Counted | None:
    """The usage that stood in the frames that were sent; None: it was never told."""
    found: Counted | None = None
    for frame in frames:
        for line in frame.splitlines():
            if line.startswith(b"data: {"):
                found = _after(found, json.loads(line[6:]))
    return found


def _after(found: Counted | None, data: dict[str, object]) -> Counted | None:
    message = data.get("message")
    if data.get("type") == "message_start" and isinstance(message, dict):
        told = message["usage"]
        return Counted(
            input=told["input_tokens"],
            output=told["output_tokens"],
            cache_read=told["cache_read_input_tokens"],
            cache_write=told["cache_creation_input_tokens"],
        )
    told = data.get("usage")
    if not isinstance(told, dict):
        return found
    if data.get("type") == "message_delta":
        assert found is not None
        return found._replace(output=told["output_tokens"])
    cached = told["prompt_tokens_details"]["cached_tokens"]
    return Counted(input=told["prompt_tokens"] - cached, output=told["completion_tokens"], cache_read=cached)
