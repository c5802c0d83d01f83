"""`--supervised`: questions go out as JSON lines, answers come in as JSON lines, for a program that shows them.

    {"type": "question", "id": "1", "text": "Which database?", "options": ["SQLite", "PostgreSQL"]}      standard output
    {"id": "1", "text": "SQLite"}                                                                       standard input
    {"type": "question-withdrawn", "id": "1"}              nobody waits for an answer any more; one changes nothing

`"text": null` lets the agent decide; so does an answer that does not come within `--response-timeout`, and the end of
standard input, then and for all that is asked later.
Source: spec auto 7.1.
"""

import argparse
import json
import sys
import threading
from typing import Final, TextIO

import anyio

from milepost.ui.cli import arguments

WAIT_MS: Final = 30_000
"""So long an answer is waited for."""
_LOOK_S: Final = 0.1


class Supervisor:
    """A program at the other end of the pipes."""

    def __init__(self, wait_ms: int, reads: TextIO | None = None, writes: TextIO | None = None) -> None:
        """wait_ms: for an answer, before the agent decides; 0: as long as it takes."""
        self._wait_s = wait_ms / 1000 or float("inf")
        self._reads = reads
        self._writes = writes
        self._asked = 0
        self._replies: dict[str, str | None] = {}
        self._gone = False
        self._reader = threading.Thread(target=self._read_all, daemon=True)

    @property
    def name(self) -> str:
        """For the journal."""
        return "supervisor"

    async def ask(self, question: str, options: tuple[str, ...]) -> str | None:
        """The answer; None: the agent is to decide, or nobody listens any more."""
        self._asked += 1
        number = str(self._asked)
        if self._gone or not self._put(type="question", id=number, text=question, options=options):
            return None
        if self._asked == 1:
            self._reader.start()
        try:
            with anyio.move_on_after(self._wait_s) as waited:
                while number not in self._replies and not self._gone:  # noqa: ASYNC110 (set in a plain thread)
                    await anyio.sleep(_LOOK_S)
        except BaseException:
            self._put(type="question-withdrawn", id=number)
            raise
        if waited.cancelled_caught and number not in self._replies:
            self._put(type="question-withdrawn", id=number)
        return self._replies.get(number)

    def _read_all(self) -> None:
        """One reader for all questions: that of a question withdrawn would take the answer to the next one."""
        for line in iter((self._reads or sys.stdin).readline, ""):
            found = _read(line)
            text = found.get("text")
            self._replies[str(found.get("id"))] = text if isinstance(text, str) and text.strip() else None
        self._gone = True

    def _put(self, **fields: object) -> bool:
        out = self._writes or sys.stdout
        try:
            out.write(json.dumps(fields) + "\n")
            out.flush()
        except (OSError, ValueError):
            self._gone = True
        return not self._gone


def _read(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def add_option(parser: argparse.ArgumentParser) -> None:
    """`--supervised`, `--response-timeout`."""
    parser.add_argument(
        "--supervised", action="store_true", help="as --json; questions go out, and answers come in, as JSON lines"
    )
    parser.add_argument(
        "--response-timeout",
        metavar="MS",
        type=_milliseconds,
        help=f"with --supervised: wait so long for an answer, then the agent decides (default {WAIT_MS}; 0: for ever)",
    )


def _milliseconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("must be a whole number of milliseconds, 0 for no limit")
    return int(text)


def settle(options: argparse.Namespace) -> None:
    """Let whoever reads the JSON lines answer, unless nobody is to be asked at all. Raises BadOption."""
    if options.response_timeout is not None and not options.supervised:
        raise arguments.BadOption("--response-timeout goes with --supervised", hint="Add --supervised.")
    if options.supervised:
        options.json = True
        if not getattr(options, "assume", False):
            options.answerer = Supervisor(WAIT_MS if options.response_timeout is None else options.response_timeout)


def require_free(options: argparse.Namespace) -> None:
    """Raise BadOption where the text is to come through the pipe that the answers come through."""
    if options.supervised and options.context == "-":
        raise arguments.BadOption(
            "--supervised reads answers from standard input, so --context cannot be -", hint="Name a file."
        )
