"""What may fall on a request, and what falls on which."""

from dataclasses import dataclass
from random import Random
from typing import Final

from fakemodel.replies import Answer, Call, Failing, Garbage, Reply

HANG_S: Final = 0.5
"""After so long of silence the server goes away."""
ROUGH: Final = 0.08
"""The share of requests on which something falls by chance."""
IN_TURN: Final = 12
"""Of so many requests, one gets what is next in turn: so everything falls in a long night."""


@dataclass(frozen=True, slots=True)
class Fall:
    """One thing that falls. Without an answer: the honest one, spoilt as it says."""

    name: str
    answer: Answer | None = None
    charged: bool = False
    """It costs the unit an attempt."""
    cut: bool = False
    """The connection breaks in the middle."""
    stalls: bool = False
    """Silence before the end."""
    tail: bytes = b""
    """A last frame."""


HONEST: Final = Fall("honest")
HELD: Final = Fall("held")

LIMITS: Final = (
    Fall("limit-after", Failing(429, "Too many requests", retry_after="0.2")),
    Fall("limit-after", Failing(429, "Rate limit reached", headers={"retry-after-ms": "150"})),
    Fall("limit-bare", Failing(429, "Too many requests")),
    Fall("limit-bare", Failing(429, "Please slow down.")),
)
UNSEEN: Final = (
    Fall("unseen-limit", Failing(429, "Der Vorrat an Wörtern ist für heute erschöpft")),
    Fall("unseen-limit", Failing(403, "the well is dry, come back when the moon is full")),
    Fall("unseen-limit", Failing(400, "You have been too eager today. Wait a little.")),
    Fall("unseen-limit", Failing(503, "All lanes are taken; resets in 1 second")),
    Fall("unseen-limit", Failing(402, "Your weekly allowance has been consumed, resets in 1s")),
    Fall("unseen-limit", Failing(529, "今は混み合っています")),
)
SERVER: Final = (
    Fall("server-error", Failing(500, "boom")),
    Fall("server-error", Failing(502, "Bad gateway")),
    Fall("server-error", Failing(503, "overloaded", retry_after="0.1")),
    Fall("server-error", Failing(529, "overloaded_error")),
)
BROKEN: Final = (
    Fall("hang"),
    Fall("cut", cut=True),
    Fall("cut", cut=True),
    Fall("stall", cut=True, stalls=True),
    Fall("unfinished"),
)
GARBAGE: Final = (
    Fall("garbage", Garbage(b"<html><body>Welcome to the hotel network</body></html>", "text/html")),
    Fall("garbage", Garbage(b"\x00\xff\xfe\x01", "text/event-stream")),
    Fall("garbage", Garbage(b"", "application/json")),
    Fall("garbage", Garbage(b'data: {"choices": 7}\n\n', "text/event-stream")),
    Fall("garbage", Garbage(b"data: {\n\n", "text/event-stream")),
)
CLUMSY: Final = (
    Fall("empty", Reply("")),
    Fall("bad-call", Reply("So.", calls=[Call("write", raw='{"path": "work')])),
    Fall("unknown-tool", Reply("So.", calls=[Call("teleport", {"to": "done"})])),
    Fall("cut-off", Reply("I was about to", stop="length")),
)
CHARGED: Final = (
    Fall("no-tool", Reply("All is done, as you asked."), charged=True),
    Fall("context", Failing(400, "prompt is too long: 300000 tokens > 200000 maximum"), charged=True),
    Fall("wrong-work", charged=True),
)
ERROR_IN_STREAM: Final = {
    "gpt-5.5": b'data: {"error": {"message": "The server had an error", "type": "server_error", "code": null}}\n\n',
    "claude-sonnet-5-5": b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error",'
    b' "message": "Overloaded"}}\n\n',
}
KINDS: Final = (LIMITS, UNSEEN, SERVER, BROKEN, GARBAGE, CLUMSY, CHARGED)
SPELL: Final = 40
"""Requests from one decision on a spell to the next; a spell is a part of them in which the provider is away."""


def falls(seed: int, number: int, model: str) -> Fall:
    """What falls on the request with this number: all there is in turn, a spell, or what chance brings."""
    everything = [*(fall for kind in KINDS for fall in kind), _error_in(model)]
    if number % IN_TURN == IN_TURN - 1:
        turn = (seed + number // IN_TURN) % len(everything)
        return Random(seed).sample(everything, len(everything))[turn]
    if (spell := _spell(seed, number)) is not None:
        return spell
    dice = Random(f"{seed}/{number}")
    if dice.random() >= ROUGH:
        return HONEST
    return dice.choice(dice.choice((*KINDS, (_error_in(model),))))


def _error_in(model: str) -> Fall:
    return Fall("error-in-stream", cut=True, tail=ERROR_IN_STREAM[model])


def _spell(seed: int, number: int) -> Fall | None:
    """Longer than a session's patience, so that the run itself has to wait."""
    dice = Random(f"{seed}:{number // SPELL}")
    begin, length = dice.randrange(SPELL), dice.randrange(4, 14)
    if dice.random() < 0.5 or not begin <= number % SPELL < begin + length:
        return None
    return dice.choice([fall for fall in (*LIMITS, *UNSEEN, *SERVER) if "resets" not in str(fall.answer)])
