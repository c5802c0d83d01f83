"""A command that runs beside the prompt: a process of its own, in a session of its own.

What it prints goes to a file without a name, so that it never waits for a reader and goes on when its reader leaves.
Its questions come as JSON lines; answers go to its standard input, whose end means that nobody is there any more.
Source: parallel FM-13, FM-14.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Final

from milepost.errors import MilepostError
from milepost.process import kin
from milepost.ui.session.telling import Telling

_CHUNK = 1 << 20


class CannotStart(MilepostError):
    """The process could not be started; nothing was spent."""


class Nature(StrEnum):
    """What a command is, beside the prompt."""

    WORK = "work"
    """One run of the project: it is paused between units, asks, and outlives the session."""
    FLEET = "fleet"
    """A coordinator of parallel workers; outlives the session, too."""
    WATCH = "watch"
    """Only looks; ends with the session."""


LASTING: Final = (Nature.WORK, Nature.FLEET)
"""What may outlive the session."""


class Job:
    """One such command."""

    def __init__(self, words: Sequence[str], nature: Nature, program: str, env: Mapping[str, str]) -> None:
        """words: as they were typed. Raises CannotStart."""
        self.words = tuple(words)
        self.nature = nature
        self.telling = Telling(program)
        self.holding = False
        """A person wants the session in flight held."""
        self.pausing = False
        """A person wants it paused."""
        self.told = False
        """The order is posted."""
        self.last_words: list[str] = []
        """How it ended; shown when it is over, so that what is typed after reading it finds it gone."""
        self._out = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115 (it lives as long as the job)
        self._read = 0
        self._rest = b""
        self.process = self._start(program, env)

    @property
    def title(self) -> str:
        """For people."""
        return " ".join(self.words[: 2 if self.nature is Nature.FLEET else 1])

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def lines(self) -> list[str]:
        """What it printed since the last look; an unfinished line only when no more will come."""
        over = not self.alive
        while data := os.pread(self._out.fileno(), _CHUNK, self._read):
            self._read += len(data)
            self._rest += data
        whole, _, self._rest = self._rest.rpartition(b"\n")
        found = whole.split(b"\n") if whole else []
        if over and self._rest:
            found, self._rest = [*found, self._rest], b""
        return [line.decode("utf-8", "replace").rstrip("\r") for line in found]

    def answer(self, question: str, text: str | None) -> None:
        """Send it what a person said to a question; None: decide yourself."""
        self._send(id=question, text=text)

    def hold(self) -> None:
        """Let it stand still before its next request to a model."""
        self.holding = True
        self._send(hold=True)

    def let_go(self, text: str = "") -> None:
        """Let it go on; text: what is said to its session first."""
        self.holding = False
        self._send(hold=False, text=text)

    def interrupt(self) -> None:
        """As Ctrl-C in its own terminal: an orderly stop; a second one ends it at once."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)

    def _send(self, **fields: object) -> None:
        # It may have ended this very moment.
        with suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.write(json.dumps(fields).encode() + b"\n")
                self.process.stdin.flush()

    def _start(self, program: str, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        more = {Nature.WORK: ("--supervised",), Nature.FLEET: ("--yes", "--json"), Nature.WATCH: ()}[self.nature]
        module = "milepost.ui.session.tied" if self.nature is Nature.WATCH else "milepost.ui.cli.main"
        # -P: what lies in the project must not stand in for our own modules.
        run = [sys.executable, "-P", "-c", f"from {module} import {program}; {program}()"]
        try:
            return subprocess.Popen(
                [*run, *self.words, *more],
                stdin=subprocess.DEVNULL if self.nature is Nature.FLEET else subprocess.PIPE,
                stdout=self._out,
                stderr=self._out,
                env={name: value for name, value in env.items() if name != kin.MARK},
                start_new_session=True,
            )
        except OSError as error:
            raise CannotStart(f"{self.title} could not be started: {error.strerror or error}") from error
