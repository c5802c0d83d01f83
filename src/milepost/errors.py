"""Failures with a sentence, an exit code and the next command to type.

Leaves live in the room that raises them. `str(error)` is one line: what failed and where (`path:line`).
Exit codes are those of `gsd headless` (spec auto 7.1, recommendation there): 0 done, 1 error, 2 blocked,
3 paused, 4 budget, 130 interrupted.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended, as a process exit status."""

    DONE = 0
    ERROR = 1
    BLOCKED = 2
    PAUSED = 3
    BUDGET = 4
    INTERRUPTED = 130


class MilepostError(Exception):
    """A failure that a person can act on; shown without a traceback.

    `hint` is what to do next, preferably a command to type; empty when the sentence says it all.
    """

    exit_code = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class FormatError(MilepostError):
    """A file that cannot be understood. It is reported and never rewritten.

    `line` counts from 1; 0 means the whole file.
    """

    def __init__(self, path: str, line: int, expected: str, *, hint: str = "") -> None:
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {expected}", hint=hint)
        self.path = path
        self.line = line
        self.expected = expected
