"""Sessions that are no attempt at a unit: what a model is asked beside the work, and paid for like it.

    memory.M001-S01-T01.execute-task.1763760000000.a1b2c3     what that attempt learnt
    forensics.f1763760000000-a1b2c3                           why the runs went wrong

The journal has no beginning of them, so that nothing takes them for work: their ids say what they were for.
"""

from typing import Final, NamedTuple

MEMORY: Final = "memory"
FORENSICS: Final = "forensics"
KINDS: Final = (MEMORY, FORENSICS)
"""In the order in which they are shown; they stand where units have their type."""


class Aside(NamedTuple):
    """One such session."""

    kind: str
    """One of KINDS."""
    about: str
    """Of a memory: the attempt that it is about."""


def of(attempt: str) -> Aside | None:
    """What an id says; None: it is that of an attempt at a unit."""
    kind, _, about = attempt.partition(".")
    return Aside(kind, about) if kind in KINDS else None


def kind(attempt: str) -> str:
    """The kind of such a session; empty for an attempt at a unit."""
    found = of(attempt)
    return found.kind if found else ""


def memory(attempt: str) -> str:
    """The id of the look at what an attempt said."""
    return f"{MEMORY}.{attempt}"


def forensics(run: str) -> str:
    """The id of a question for the root cause."""
    return f"{FORENSICS}.{run}"
