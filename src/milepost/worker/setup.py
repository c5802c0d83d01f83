"""Make a worktree ready before anything is paid for: what its lock files ask for, or what the settings say.

Source: issue "Parallel"; parallel FM-74; field-reports #20.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from milepost.unit.bench import Workspace
from milepost.worker.shift import Shift

TIMEOUT_S = 900.0
"""For each command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Work may begin."""

    env: Mapping[str, str] = field(default_factory=dict)
    """What commands in the worktree get on top of the shift's: its own `.venv` first on PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """The environment could not be made, which is nobody's failed attempt; nothing was paid."""

    reason: str
    """One line."""
    log: str = ""
    """Where all of it is, relative to the project's root."""
    hint: str = ""
    stopped: bool = False
    """A person or a signal cut it short; the next start does it again."""


async def prepare(
    place: Workspace, shift: Shift, *, home: Path | None = None, timeout_s: float = TIMEOUT_S
) -> Ready | NotReady:
    """Set up the worktree, unless that was done for just these lock files.

    home: the global state directory, where set-ups of several workers wait for each other; None: they do not.
    """
    del place, shift, home, timeout_s
    return Ready()
