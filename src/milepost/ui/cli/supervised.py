"""`--supervised`: questions go out as JSON lines, answers come in as JSON lines, for a program that shows them.

    {"type": "question", "id": "1", "text": "Which database?", "options": ["SQLite", "PostgreSQL"]}      standard output
    {"id": "1", "text": "SQLite"}                                                                       standard input
    {"type": "question-withdrawn", "id": "1"}              nobody waits for an answer any more; one changes nothing
    {"hold": true}                                  standard input: hold the session in flight, before its next request
    {"type": "held"}                                                        it stands still, and nothing is paid
    {"hold": false, "text": "Use tabs."}            standard input: go on; a text, if any, is said to the session first
    {"type": "let-go"}                                                                          it goes on

`"text": null` lets the agent decide; so does an answer that does not come within `--response-timeout`, and the end of
standard input, then and for all that is asked later. A session that is held when standard input ends is stopped.
Source: spec auto 7.1; docs/decisions/0024.
"""

import argparse
import json
import os
import sys
import threading
from contextlib import suppress
from typing import Final, TextIO

import anyio

from milepost.ui.cli import arguments
from milepost.unit.hold import Hold

WAIT_MS: Final = 30_000
"""So long an answer is waited for."""
_LOOK_S: Final = 0.1


class Supervisor:
    """A program at the other end of the pipes."""

    def __init__(self, wait_ms: int, hold: Hold, *, reads: TextIO | None = None, writes: TextIO | None = None) -> None:
        """wait_ms: for an answer, before the agent decides; 0: as long as it takes. hold: set by what is read."""
        self._hold = hold
        hold.told = self._tell
        self._wait_s = wait_ms / 1000 or float("inf")
        self._reads = reads
        self._writes = writes
        self._asked = 0
        self._replies: dict[str, str | None] = {}
        self._gone = self._listens = False
        self._reader = threading.Thread(target=self._read_all, daemon=True)

    @property
    def name(self) -> str:
        """For the journal."""
        return "supervisor"

    def listen(self) -> None:
        """Begin to read, once."""
        if not self._listens:
            self._listens = True
            self._reader.start()

    async def ask(self, question: str, options: tuple[str, ...]) -> str | None:
        """The answer; None: the agent is to decide, or nobody listens any more."""
        self._asked += 1
        number = str(self._asked)
        if self._gone or not self._put(type="question", id=number, text=question, options=options):
            return None
        self.listen()
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
        with suppress(OSError):
            # A file of its own: an interpreter that ends waits for nobody who reads the shared one.
            for line in self._reads or os.fdopen(os.dup(0), encoding="utf-8", errors="replace"):
                self._hear(_read(line))
        self._gone = True
        self._hold.forsake()

    def _hear(self, found: dict[str, object]) -> None:
        text = found.get("text")
        said = text if isinstance(text, str) and text.strip() else None
        match found.get("hold"):
            case True:
                self._hold.take()
            case False:
                self._hold.let_go(said or "")
            case _:
                self._replies[str(found.get("id"))] = said

    def _tell(self, stands: bool) -> None:
        self._put(type="held" if stands else "let-go")

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
        wait_ms = WAIT_MS if options.response_timeout is None else options.response_timeout
        pipe = Supervisor(wait_ms, options.hold)
        # In the background of a terminal, whoever reads from it is stopped.
        if not os.isatty(0):
            pipe.listen()
        if not getattr(options, "assume", False):
            options.answerer = pipe


def require_free(options: argparse.Namespace) -> None:
    """Raise BadOption where the text is to come through the pipe that the answers come through."""
    if options.supervised and options.context == "-":
        raise arguments.BadOption(
            "--supervised reads answers from standard input, so --context cannot be -", hint="Name a file."
        )
