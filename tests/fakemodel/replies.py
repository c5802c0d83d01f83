"""What was asked and what is answered, apart from any wire format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Asked(NamedTuple):
    """A request, read."""

    model: str
    stream: bool
    system: str
    texts: tuple[str, ...]
    """Texts of the user, in order; the first is the prompt."""
    results: tuple[str, ...]
    """Results of tools, in order."""
    turns: int
    """Answers of the model that the conversation already holds."""
    tools: tuple[str, ...]


class Counted(NamedTuple):
    """Tokens, cached ones apart."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def plus(self, other: "Counted") -> "Counted":
        """The sum."""
        return Counted(*(a + b for a, b in zip(self, other, strict=True)))


_ORDINARY = Counted(input=100, output=20)


@dataclass(frozen=True)
class Call:
    """A tool call. `raw` replaces the JSON of the arguments, for a model that cannot write JSON."""

    name: str
    args: Mapping[str, object] = field(default_factory=dict)
    raw: str | None = None


@dataclass(frozen=True)
class Reply:
    """An answer of the model."""

    text: str = ""
    calls: Sequence[Call] = ()
    usage: Counted = _ORDINARY
    stop: str = ""
    """`length` for an answer cut off at its limit; empty: as the content says."""
    cut_after: int | None = None
    """Frames of the stream after which the connection breaks."""
    hang_after: int | None = None
    """Frames of the stream after which nothing more comes."""
    frame_s: float = 0.0
    """Pause before each frame of the stream."""
    unfinished: bool = False
    """The stream ends in order, but without saying that the answer is complete."""


@dataclass(frozen=True)
class Failing:
    """An HTTP error, in the format's own shape."""

    status: int
    message: str = "scripted failure"
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """More headers."""


@dataclass(frozen=True)
class Hanging:
    """The request is read, and never answered."""


@dataclass(frozen=True)
class Garbage:
    """200, and these bytes."""

    body: bytes
    content_type: str = "application/json"


Answer = Reply | Failing | Hanging | Garbage


class ByPrompt:
    """Answers by what the prompt contains: the first key that occurs in it, then the reply of the turn.

    The server keeps no state of a conversation, so any number of them may run at once. A turn past the end gets the
    last reply; a prompt without a key is an error of the test, and answered with 400.
    """

    def __init__(self, replies: Mapping[str, Sequence[Reply]]) -> None:
        self._replies = replies

    def __call__(self, asked: Asked) -> Answer:
        prompt = asked.texts[0] if asked.texts else ""
        for key, replies in self._replies.items():
            if key in prompt:
                return replies[min(asked.turns, len(replies) - 1)]
        return Failing(400, f"the script has no reply for: {prompt[:200]}")
