"""Where a command's text goes: how wide it is, whether it takes colour, and drawing the same thing again and again."""

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeVar

from milepost.errors import ExitCode

_HOME = "\x1b[H"
_CLEAR = "\x1b[2J"
_TO_LINE_END = "\x1b[K"
_TO_SCREEN_END = "\x1b[J"
_PLAIN = "\x1b[0m"
_BOLD = "\x1b[1m"
_ALARM = "\x1b[1;31m"
_LABEL: Final = re.compile(r"(?m)^( {0,2}[A-Z][A-Za-z]*(?: [a-z]+)?) (?= *\S)")
_LOUD: Final = re.compile(r"(?m)^( {0,2}(?:Blocked|Waiting|Waits)) |\b(ALERT|NOT pushed|NOTHING HEARD|NO PROGRESS)\b")

Seen = TypeVar("Seen")


class Frame(NamedTuple, Generic[Seen]):
    """One look at something."""

    text: str
    """For people; ends with a newline."""
    line: str
    """For programs: one line of JSON, with its newline."""
    sign: Seen
    """What has to differ for it to be worth printing again."""
    goes_on: bool
    """Whether there may be more to see."""


def width() -> int:
    """Columns of the terminal; 0 when the reader is none: lines are not broken for programs."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def coloured() -> bool:
    """Only a terminal gets colour, and only where nobody asked for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, *, colour: bool) -> str:
    """Labels in bold, what is urgent in red; the words are the same."""
    if not colour:
        return text
    loud = _LOUD.sub(
        lambda found: f"{_ALARM}{found[0].rstrip()}{_PLAIN}{' ' * (len(found[0]) - len(found[0].rstrip()))}", text
    )
    return _LABEL.sub(lambda found: f"{_BOLD}{found[1]}{_PLAIN} ", loud)


def watch(look: Callable[[], "Frame[object]"], interval_s: float, *, as_json: bool) -> int:
    """Show it until nothing goes on any more: over itself on a terminal, elsewhere a block at each change."""
    drawn = sys.stdout.isatty() and not as_json
    if drawn:
        sys.stdout.write(_CLEAR)
    last: list[object] = []
    try:
        while True:
            frame = look()
            if drawn:
                _draw(frame.text)
            elif last != [frame.sign]:
                between = "\n" if last and not as_json else ""
                last = [frame.sign]
                sys.stdout.write(between + (frame.line if as_json else frame.text))
                sys.stdout.flush()
            if not frame.goes_on:
                return ExitCode.DONE
            time.sleep(interval_s)
    except KeyboardInterrupt:
        return ExitCode.DONE


def _draw(text: str) -> None:
    """Over what is there, without a flicker."""
    lines = "".join(f"{line}{_TO_LINE_END}\n" for line in painted(text, colour=coloured()).splitlines())
    sys.stdout.write(f"{_HOME}{lines}{_TO_SCREEN_END}")
    sys.stdout.flush()


def interval(text: str) -> float:
    """Seconds between two looks, for an option."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 3600:
        raise argparse.ArgumentTypeError("must be a number of seconds from 0.1 up")
    return found
