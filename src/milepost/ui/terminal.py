"""A person at the terminal who is asked something by a session that runs.

The question stands alone on the screen, with numbered answers where there are any; a number, an answer of one's own,
or an empty line for "decide yourself". Source: spec auto 5.2, 7 (discuss).
"""

import sys
from typing import TextIO

import anyio.to_thread


class Terminal:
    """Asks on standard error and reads a line of standard input."""

    def __init__(self, reads: TextIO | None = None, writes: TextIO | None = None) -> None:
        self._reads = reads
        self._writes = writes

    @property
    def name(self) -> str:
        """For the journal."""
        return "terminal"

    async def ask(self, question: str, options: tuple[str, ...]) -> str | None:
        """The answer; None for an empty line, or when nobody can type any more."""
        self._say(question, options)
        # The line is waited for in a thread that nobody joins: an interrupt ends the run all the same.
        line = await anyio.to_thread.run_sync(self._line, abandon_on_cancel=True)
        return chosen(line, options)

    def _say(self, question: str, options: tuple[str, ...]) -> None:
        out = self._writes or sys.stderr
        listed = "".join(f"    {number}. {option}\n" for number, option in enumerate(options, 1))
        hint = "a number, your own words, or nothing to let the agent decide" if options else "nothing: you decide"
        out.write(f"\r\x1b[K\n  ? {_plain(question)}\n{_plain(listed)}  ({hint})\n  > ")
        out.flush()

    def _line(self) -> str:
        return (self._reads or sys.stdin).readline()


def chosen(line: str, options: tuple[str, ...]) -> str | None:
    """What a typed line means: the option of that number, else the words themselves; None: nothing was said."""
    text = line.strip()
    if text.isdecimal() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]
    return text or None


def _plain(text: str) -> str:
    """Words of a model must not command the terminal."""
    return "".join(character if character == "\n" or character.isprintable() else " " for character in text)
