"""`gsd capture TEXT`: note a thought; a running auto mode sorts it at the next seam. Source: spec auto 2.7, 5.15."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.store import notebook
from milepost.ui.cli import arguments, context


class NothingSaid(MilepostError):
    """A command that takes words was given none."""


def run(argv: Sequence[str], program: str) -> int:
    """Append the text to the project's CAPTURES.md and print its id; works while an auto mode runs."""
    says = "Note a thought without stopping anything. Between two units it is sorted and acted upon."
    made = arguments.Parser(prog=f"{program} capture", description=says)
    made.add_argument("text", nargs="*", metavar="TEXT", help="the thought, in quotes or not")
    text = said(made.parse_args(argv).text, program, "capture")
    where = context.find(program)
    identity = notebook.capture(Path(where.root, where.state_dir), text, at_ms=time.time_ns() // 1_000_000)
    sys.stdout.write(f"{identity}  {text}\n")
    return ExitCode.DONE


def said(words: Sequence[str], program: str, command: str) -> str:
    """The words as one line of text, without quotes around it. Raises NothingSaid."""
    text = " ".join(" ".join(words).split())
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if not text:
        raise NothingSaid(f"{command} wants some words", hint=f'{program} {command} "what is on your mind"')
    return text
