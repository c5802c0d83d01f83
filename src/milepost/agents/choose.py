"""Which agent a name stands for. Loading an agent's library is left to the agent itself.

builtin             a model provider, through our own tools
replay:FILE         a recorded session, through our own tools
scripted:FILE       a script in JSON, for tests
"""

from collections.abc import Mapping
from pathlib import Path

from milepost.agents.session import Agent
from milepost.errors import MilepostError


class UnknownAgent(MilepostError):
    """No agent has that name."""


def choose(name: str, env: Mapping[str, str], played: Mapping[str, int] | None = None, *, pace_s: float = 0.0) -> Agent:
    """The agent called `name`.

    env: where the built-in agent finds keys and base URLs. played: unit key → sessions of it that ended in earlier
    processes, so that a recording or a script goes on where it was. pace_s: seconds between the steps of a replay.
    Raises UnknownAgent; FormatError or OSError for a recording or script that cannot be read.
    """
    kind, _, file = name.partition(":")
    match kind, bool(file):
        case "builtin", False:
            from milepost.agents.builtin.agent import BuiltinAgent

            return BuiltinAgent(env)
        case "replay", True:
            from milepost.agents.replay import ReplayAgent

            return ReplayAgent(Path(file), played=played or {}, pace_s=pace_s)
        case "scripted", True:
            from milepost.testing.scripted import from_file

            return from_file(Path(file), played=played or {})
        case _:
            raise UnknownAgent(f"{name!r} is no agent", hint="There are builtin, replay:FILE and scripted:FILE.")
