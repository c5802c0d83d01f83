"""Completion: commands, their sub-commands and options, ids of the plan.

Options are those of the commands' own parsers, so that there is no second list of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from milepost.rules.by_order import WORDS
from milepost.ui.cli import arguments, headless, parallel
from milepost.ui.cli.main import COMMANDS, main
from milepost.ui.session.words import HELP, LEAVE, PRODUCTS

_OWN: Final = (*LEAVE, HELP[0])
_MORE: Final = {"dispatch": tuple(WORDS), "prices": ("update",)}
"""First words that a parser takes as free text."""
_HEADLESS: Final = tuple(headless.USAGE.partition("[")[2].partition("]")[0].split("|"))
_FLAGS: Final = re.compile(r"(?<!\S)--[a-z][a-z-]*")


class Words(Completer):
    """What can follow what is typed."""

    def __init__(self, program: str, ids: Callable[[], Sequence[str]]) -> None:
        """ids: milestones, slices and tasks of the plan."""
        self._program = program
        self._ids = ids

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Those that begin with the word before the cursor."""
        del complete_event
        *before, word = re.split(r"\s+", document.text_before_cursor.lstrip())
        for text, meta in self._offers(before, word):
            if text.startswith(word):
                yield Completion(text, start_position=-len(word), display_meta=meta)

    def _offers(self, before: list[str], word: str) -> Iterable[tuple[str, str]]:
        if before and before[0].removeprefix("/") in PRODUCTS:
            before = before[1:]
        elif not before:
            slash = "/" if word.startswith("/") else ""
            return [(slash + name, says) for name, says in _commands()]
        if not before:
            return _commands()
        words = (before[0].removeprefix("/"), *before[1:])
        if words[0] not in COMMANDS:
            return ()
        offers = offered(words, self._program)
        wanted = (o for o in offers if o.startswith("-") == word.startswith("-"))
        return [(text, "") for text in (*wanted, *(() if word.startswith("-") else self._ids()))]


def _commands() -> list[tuple[str, str]]:
    return [*((name, says) for name, (_, says) in COMMANDS.items()), *((name, "") for name in _OWN)]


def offered(words: Sequence[str], program: str) -> tuple[str, ...]:
    """Options and sub-commands of the command with these words."""
    name, *rest = words
    first = next((word for word in rest if not word.startswith("-")), "")
    if name == "parallel" and first not in parallel.SUBCOMMANDS:
        return (*parallel.SUBCOMMANDS, *_known(("parallel", "start"), program))
    if name == "headless":
        flags = dict.fromkeys(_FLAGS.findall(headless.USAGE))
        return (*(() if first else _HEADLESS), *flags)
    deeper = name in ("parallel", "queue") and first
    found = _known((name, first) if deeper else (name,), program)
    chosen = () if first else (*_MORE.get(name, ()), *(word for word in found if not word.startswith("-")))
    return (*chosen, *(word for word in found if word.startswith("-")))


def supervises(name: str, program: str) -> bool:
    """Whether a command is a run of the project, which can be talked with through pipes."""
    return name not in ("parallel", "headless") and "--supervised" in _known((name,), program)


@cache
def _known(words: tuple[str, ...], program: str) -> tuple[str, ...]:
    found = arguments.of(lambda: main([*words, "--help"], program))
    return found.offered() if found else ()
