"""Hold a command inside the directories it may write."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Confinement(NamedTuple):
    """What a command may do: read everything, write below `writable` only."""

    writable: tuple[Path, ...]
    network: bool = True


class Cage(NamedTuple):
    """A command as it is really started."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    by: str


def available() -> str:
    """What confines commands here; empty: nothing does."""
    return ""


@contextmanager
def cage(argv: Sequence[str], env: Mapping[str, str], confinement: Confinement | None) -> Iterator[Cage]:
    """The command to start for `argv`; unchanged when there is nothing to hold it with."""
    del confinement
    yield Cage(argv=tuple(argv), env=env, by="")


def refused(code: int | None, stderr: str, confinement: Confinement | None) -> bool:
    """Whether a confined command was never started, because it could not be confined."""
    return confinement is not None and code == 125 and "milepost: cannot confine" in stderr
