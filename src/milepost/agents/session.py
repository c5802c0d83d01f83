"""What a unit needs of an agent: open a session on a prompt, follow its events, steer, cancel.

Implementations: `agents.builtin` (a model provider), `agents.replay` (a cassette), `testing.scripted`.
The events are facts; each is one `msgspec` struct, so that a cassette and a transcript hold the same words.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from milepost.model.units import Unit
from milepost.rules.provider_errors import ErrorKind as ErrorKind
from milepost.rules.tool_policy import ToolPolicy as ToolPolicy

if TYPE_CHECKING:
    from milepost.process.confine import Confinement


NOBODY = "Nobody is here to answer. Decide yourself, and write the decision down under Assumptions. Do not ask again."
"""What a question gets that nobody answers."""


async def nobody(_question: str, _options: tuple[str, ...]) -> str:
    """The answer to every question of a session that works unattended."""
    return NOBODY


def always() -> bool:
    """The answer of whoever minds no request."""
    return True


async def unheld() -> Sequence[str]:
    """The wait of a session that nobody holds: none, and nothing is said."""
    return ()


class SessionSpec(NamedTuple):
    """All that a session is given; nothing is read from the environment behind its back."""

    unit: Unit
    cwd: Path
    """Absolute directory the agent works in; paths of its tools are contained in it."""
    system: str
    prompt: str
    models: tuple[str, ...]
    """Model names, the first preferred, the rest fallbacks (`claude-sonnet-5-5`, `openai/gpt-5.5`)."""
    policy: ToolPolicy
    state_dir: str
    """`.gsd` or `.sf`: where below cwd the project state lies."""
    env: Mapping[str, str]
    """Environment of the agent's shell commands, already scrubbed of credentials."""
    output_dir: Path
    """Where outputs too long for the model are kept whole."""
    max_requests: int = 200
    """Model requests after which the session is ended with stop `max-requests`."""
    cache_key: str = ""
    """Stable id of the project, for providers that cache prompts; empty: none."""
    confine: "Confinement | None" = None
    """The sandbox of shell commands: what they may write, whether they may use the network; None: no sandbox."""
    thinking: Mapping[str, str] = MappingProxyType({})
    """Model → reasoning effort asked of it: off, minimal, low, medium, high, xhigh or max; not there: its own."""
    max_output_tokens: int | None = None
    """Most that one request may answer with; None: what the model gives."""
    silence_s: float = 300.0
    """A model request counts as lost when nothing of its answer arrives for so long."""
    ask: Callable[[str, tuple[str, ...]], Awaitable[str]] = nobody
    """Puts a question, with the answers to choose from, to whoever is there; the tool `ask` calls it."""
    may_ask: Callable[[], bool] = always
    """Asked before each model request; False: the session ends instead, as if cancelled."""
    held: Callable[[], Awaitable[Sequence[str]]] = unheld
    """Awaited before each model request, and before the session ends by itself: as long as a person holds it. What it
    returns is put before the model, as if steered."""


class Text(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="text"):
    """Words of the model, in the increments they were streamed."""

    text: str


class Thought(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="thought"):
    """Reasoning the provider shows."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="tool-call"):
    """The model asks for a tool. Comes before the tool runs."""

    id: str
    name: str
    args: dict[str, object]


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="tool-result"):
    """What the tool answered, as the model sees it."""

    id: str
    name: str
    ok: bool
    """False: the tool failed or was refused; the text says why."""
    text: str
    refused: bool = False
    """True: the unit's policy refused the call before it ran."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="usage"):
    """What one model request cost: an increment, never a running total."""

    model: str
    input: int
    """Input tokens that were not cached."""
    output: int
    cache_read: int = 0
    cache_write: int = 0
    micro_usd: int | None = None
    """None: nobody knows the price, which is not zero."""
    flat: bool = False
    """At a flat rate, where one request has no price."""


class SessionError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a session could not go on."""

    kind: ErrorKind
    text: str
    """One line, without credentials."""
    retry_after_s: float | None = None
    """What the provider asked for; None: it said nothing."""
    model: str = ""
    """The model that failed; empty where that is not known."""


class Stop(StrEnum):
    """How a session ended; a hint, never evidence of work done."""

    END = "end"
    CANCELLED = "cancelled"
    MAX_REQUESTS = "max-requests"
    ERROR = "error"


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="ended"):
    """The last event of every session."""

    stop: Stop
    error: SessionError | None = None
    tool_calls: int = 0
    requests: int = 0


Event = Text | Thought | ToolCall | ToolResult | Usage | Ended


class Session(Protocol):
    """One conversation. Iterating it drives it; it always ends with exactly one `Ended`."""

    def events(self) -> AsyncIterator[Event]:
        """The events, in order. May be iterated once."""
        ...

    async def steer(self, text: str) -> None:
        """Put `text` before the model at its next request."""
        ...

    async def cancel(self) -> None:
        """End the session soon: the request in flight is dropped, a running tool is killed."""
        ...


class Agent(Protocol):
    """Whatever can work in a directory on a prompt."""

    @property
    def name(self) -> str:
        """For people and records: `builtin`, `replay`, `scripted`."""
        ...

    def open(self, spec: SessionSpec) -> AbstractAsyncContextManager[Session]:
        """A session; leaving the context ends everything the session started."""
        ...
