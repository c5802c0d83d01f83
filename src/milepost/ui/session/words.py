"""What a line means that was typed into a session.

    /gsd parallel start    /parallel start    parallel start    gsd parallel start      the same command
    /gsd                                                                                 step mode, as `next`
    use tabs, not spaces                                                                 talk: for whoever is at work

Pure. Source: spec auto 7; parallel PR-212, 1.2.
"""

import shlex
from collections.abc import Collection
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, NamedTuple

PRODUCTS: Final = ("gsd", "sf")
LEAVE: Final = ("exit", "quit")
HELP: Final = ("help", "?")
_VERBATIM: Final = ("capture", "steer")
"""Commands whose words are a person's prose: an apostrophe in it is no quote."""
_CLOSE: Final = 0.75


class Kind(StrEnum):
    """What sort of line it is."""

    NOTHING = "nothing"
    COMMAND = "command"
    LEAVE = "leave"
    HELP = "help"
    TALK = "talk"
    WRONG = "wrong"


class Said(NamedTuple):
    """A line, understood."""

    kind: Kind
    words: tuple[str, ...] = ()
    """Of a command: its name, then its arguments."""
    text: str = ""
    """Of talk: the line. Of a wrong line: the sentence that says what is wrong."""


def understood(line: str, commands: Collection[str], *, talking: bool = False) -> Said:
    """Sort a line. talking: somebody listens to the person, so that a single word is talk, too."""
    text = line.strip()
    if not text:
        return Said(Kind.NOTHING)
    slashed = text.startswith("/")
    name, _, rest = text.removeprefix("/").partition(" ")
    if name in PRODUCTS:
        name, _, rest = rest.strip().partition(" ")
        if not name or name.startswith("-"):
            name, rest = "next", f"{name} {rest}"
    if name in LEAVE:
        return Said(Kind.LEAVE)
    if name in HELP:
        return Said(Kind.HELP)
    if name in commands:
        return _command(name, rest.strip())
    close = get_close_matches(name, [*commands, *LEAVE, "help"], n=1, cutoff=_CLOSE)
    if slashed or close or not (rest or talking):
        return Said(Kind.WRONG, text=_unknown(name, close))
    return Said(Kind.TALK, text=text)


def _command(name: str, rest: str) -> Said:
    if name in _VERBATIM and rest and not rest.startswith("-"):
        return Said(Kind.COMMAND, (name, rest))
    try:
        return Said(Kind.COMMAND, (name, *shlex.split(rest)))
    except ValueError:
        return Said(Kind.WRONG, text="A quote is not closed, or the line ends with a backslash.")


def _unknown(name: str, close: list[str]) -> str:
    return f"{name!r} is not a command. " + (f"Did you mean /{close[0]}?" if close else "/help lists the commands.")
