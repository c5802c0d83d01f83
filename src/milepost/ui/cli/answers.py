"""`--answers FILE`: a file says what sessions that ask are told, before anybody else is asked, and brings keys along.

Keys go into the environment of the units of a milestone that asks for them and nowhere else; they are among the values
that no record holds. Source: spec auto 7.1, formats.answers.
"""

import argparse
import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from milepost.errors import FormatError
from milepost.formats import answers as format_
from milepost.rules import answering
from milepost.unit.asking import Answerer

_LARGEST: Final = 1_000_000
_SHORTEST: Final = 6
"""A shorter value would take ordinary words with it."""
FROM_FILE: Final = "answers file"
BY_DEFAULT: Final = "answers file, first option"


class Given:
    """A file that was read."""

    def __init__(self, path: str, answers: format_.Answers) -> None:
        self.path = path
        self.answers = answers
        self.unused = list(answers.questions)
        """Names of questions that nothing has asked yet."""


class FirstAsked:
    """Asks the file, then whoever else is there, and decides as the file says when nobody is."""

    def __init__(self, given: Given, others: Answerer, said: Callable[[str], None]) -> None:
        """said: told why an answer of the file cannot be taken."""
        self._given = given
        self._others = others
        self._said = said
        self._asked = 0
        self._by = others.name

    @property
    def name(self) -> str:
        """Who gave the last answer, for the journal; before there is one, who else is there to wait for."""
        return self._by

    async def ask(self, question: str, options: tuple[str, ...]) -> str | None:
        """The answer; None: neither the file nor anybody else has one, and the agent is to decide."""
        self._asked += 1
        found = answering.reply(self._given.answers, self._asked, question, options)
        if found.key in self._given.unused:
            self._given.unused.remove(found.key)
        if found.fault:
            self._said(f"--answers: {found.fault}")
        if found.text is not None:
            self._by = FROM_FILE
            return found.text
        if self._others.name:
            text = await self._others.ask(question, options)
            self._by = self._others.name
            return text
        self._by = BY_DEFAULT
        return answering.default(self._given.answers, options)


def add_option(parser: argparse.ArgumentParser) -> None:
    """`--answers`."""
    parser.add_argument(
        "--answers",
        metavar="FILE",
        type=_read,
        help="JSON: answers to what sessions ask, and keys that milestones need; asked before anybody else",
    )


def values(given: Given | None) -> tuple[str, ...]:
    """Values that no record may hold."""
    return tuple(value for value in keys(given).values() if len(value) >= _SHORTEST)


def keys(given: Given | None) -> Mapping[str, str]:
    """The file's secrets, by the name of their variable."""
    return given.answers.secrets if given else {}


def asked_first(given: Given | None, others: Answerer, said: Callable[[str], None], *, assume: bool) -> Answerer:
    """Who is asked. assume: nobody is, and that holds for the file as well."""
    return others if given is None or assume else FirstAsked(given, others, said)


def closing(given: Given | None, said: Callable[[str], None]) -> None:
    """Tell at the end which answers nothing asked for: a word of the question may be another by now."""
    if given is not None and given.unused:
        said(f"--answers: nothing asked for {', '.join(map(repr, given.unused))}")


def _read(path: str) -> Given:
    """The file, a pipe too. Raises FormatError, and OSError for what cannot be opened."""
    with Path(path).open("rb") as file:
        data, mode = file.read(_LARGEST + 1), os.fstat(file.fileno()).st_mode
    if len(data) > _LARGEST:
        raise FormatError(path, 0, f"longer than {_LARGEST} bytes, which no file of answers is")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, data.count(b"\n", 0, error.start) + 1, "no UTF-8 text") from None
    answers = format_.parse(text, path)
    if answers.secrets and stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        sys.stderr.write(f"{path}: holds secrets, and others can read it; chmod 600 {path}\n")
    return Given(path, answers)
