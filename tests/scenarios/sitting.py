"""A person at a terminal in front of the interactive session: types, reads, waits patiently."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scenarios.stage import Stage, wait_until

PATIENCE_S = 120
ESCAPE, CTRL_C, CTRL_D, UP, TAB = "\x1b", "\x03", "\x04", "\x1b[A", "\t"
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>()][0-9A-Z]?)")


class Sitting:
    """One session."""

    def __init__(self, stage: Stage, *args: str, cpr: bool = False, **env: str) -> None:
        """cpr: the terminal tells where its cursor is, as real ones do."""
        self._terminal, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        plain = {"TERM": "xterm", **({} if cpr else {"PROMPT_TOOLKIT_NO_CPR": "1"}), "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            stage.argv(*args), cwd=stage.root, env=stage.environment({**plain, **env}), stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        os.set_blocking(self._terminal, False)
        self.shown = ""
        self._program = stage.program
        self._answers = cpr
        self._from = 0

    def sees(self, text: str) -> str:
        """Wait until that is on the screen, behind what was waited for before; returns what came up to it."""
        wait_until(lambda: text in self._read()[self._from :], seconds=PATIENCE_S)
        until = self.shown.index(text, self._from) + len(text)
        between, self._from = self.shown[self._from : until], until
        return between

    def ready(self) -> None:
        """Wait for the prompt: keys that are pressed before are the terminal's."""
        self.sees(f"{self._program}>")

    def now(self) -> str:
        """Everything that was on the screen so far."""
        return self._read()

    def alone(self) -> None:
        """Wait until nothing runs beside the prompt."""
        wait_until(lambda: (self._read(), not self.children())[1], seconds=PATIENCE_S)

    def type(self, line: str) -> None:
        """A line and Enter."""
        self.press(f"{line}\r")

    def press(self, keys: str) -> None:
        """Keys."""
        os.write(self._terminal, keys.encode())

    def end(self) -> int:
        """Its exit code, when it is over."""
        wait_until(lambda: (self._read(), self.process.poll() is not None)[1], seconds=PATIENCE_S)
        assert "Traceback" not in self._read(), self.shown
        return self.process.returncode

    def hang_up(self) -> None:
        """Close the terminal's window."""
        os.close(self._terminal)
        self._terminal = -1
        os.kill(self.process.pid, signal.SIGHUP)
        self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """Whatever is left."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._terminal >= 0:
            os.close(self._terminal)

    def children(self) -> list[int]:
        """Processes that it started and that are not reaped."""
        found = list[int]()
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(entry.read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    found.append(int(entry.parent.name))
        return found

    def _read(self) -> str:
        with suppress(BlockingIOError, OSError):
            while data := os.read(self._terminal, 65_536):
                if self._answers and (asked := data.count(b"\x1b[6n")):
                    os.write(self._terminal, b"\x1b[1;1R" * asked)
                self.shown += _SEQUENCE.sub("", data.decode(errors="replace")).replace("\r", "")
        return self.shown


@contextmanager
def sitting(stage: Stage, *args: str, cpr: bool = False, **env: str) -> Iterator[Sitting]:
    """A session that is over afterwards, and with it every run in the project."""
    made = Sitting(stage, *args, cpr=cpr, **env)
    try:
        made.sees("/help lists the commands")
        yield made
    except AssertionError:
        print(made.shown[-6_000:])
        raise
    finally:
        made.close()
        stage.gsd("stop")
