"""A model server on loopback that says what a test tells it to, in four wire formats, and counts what it saw.

    with FakeModel([Reply(calls=[Call("write", {"path": "a.py", "content": "A = 1"})]), Reply("Done.")]) as server:
        env = server.env("openai")          # base URL and key, as a user would set them
        ...
        assert server.usage == Counted(input=200, output=40)

Formats: OpenAI chat completions and responses, Anthropic messages, Gemini; whole or streaming, as the client asks.
The script is a list of replies in the order of the requests, or a function of what was asked (`ByPrompt` for one).
"""

from fakemodel.replies import Answer, Asked, ByPrompt, Call, Counted, Failing, Garbage, Hanging, Reply
from fakemodel.server import FakeModel, Seen

__all__ = [
    "Answer",
    "Asked",
    "ByPrompt",
    "Call",
    "Counted",
    "Failing",
    "FakeModel",
    "Garbage",
    "Hanging",
    "Reply",
    "Seen",
]
