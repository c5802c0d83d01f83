"""`gsd headless`: the same commands for scripts and CI, with JSON and honest exit codes.

`query` has a road of its own, since it is run in loops: nothing but the reading of the plan is imported for it.
Source: spec auto 7.1.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.ui.cli.main import COMMANDS

USAGE = """\
usage: gsd headless [auto|next|new-milestone|discuss|query|status|doctor|…] [options]

  auto    (default) work until done, blocked or stopped
  next    one unit
  new-milestone  --context FILE|- or --context-text TEXT: write down what is wanted and discuss it, with assumptions
                 where nobody answers; --auto: then build it
  discuss [M002|M001/S02]  the same for a draft, or for a slice
  query   one line of JSON: state, next unit, cost; changes nothing on disk
  status  where the project stands; --json
  doctor  look for damage; --fix, --json

Every other command of `gsd help` is taken too, with its own options, and asks nobody: `gsd headless history --json`.

options of auto, and of new-milestone --auto once it is discussed: --max-restarts N (3): begin again after an error, in
5, 10 and 30 seconds; 0: never. Not with --max-units, --max-cost or --max-time.
options of auto and next: --json (events as JSON lines), --timeout MS (end the run after so long; 0: never),
and those of `gsd auto --help`. Of all that ask an agent: --supervised (as --json; questions go out, and answers come
in, as JSON lines), --response-timeout MS (30000): so long an answer is waited for, then the agent decides; --answers
FILE: answers and keys that are known before, as JSON; the file is asked before anybody else. --events TYPES: as --json,
but only these, comma-separated, and the summary. --verbose: each tool call on stderr.
The last line on stdout is a JSON summary. Exit codes: 0 done, 1 error, 2 blocked, 3 paused, 4 budget, 130 interrupted.
"""


class BadUse(MilepostError):
    """A command line that cannot be understood."""


def run(argv: Sequence[str], program: str) -> int:
    """Dispatch; flags may stand before or after the command."""
    words = list(argv)
    if "--help" in words or "-h" in words:
        sys.stdout.write(USAGE.replace("gsd", program))
        return ExitCode.DONE
    command = _take_command(words)
    if command == "query":
        from milepost.ui.cli import query

        return query.run(words, program)
    if command == "auto":
        from milepost.ui.cli import restarting

        return restarting.auto(words, argv, program)
    if command == "next":
        from milepost.ui.cli import running

        return running.run([*words, "--headless"], program, command)
    if command == "new-milestone":
        from milepost.ui.cli import new_milestone

        return new_milestone.run([*words, "--headless"], program, given=argv)
    if command == "discuss":
        from milepost.ui.cli import discuss

        return discuss.run([*words, "--headless"], program)
    return _as_it_is(command, words, program)


def asks_an_agent(argv: Sequence[str]) -> bool:
    """Whether a command line goes on for as long as an agent works. Raises BadUse."""
    command = _take_command(list(argv))
    return command in (*_SILENT, *(each for each in _RUNS if each != "query"), "parallel")


def _as_it_is(command: str, words: list[str], program: str) -> int:
    """A command that is the same here, but for a keyboard: nobody sits at one."""
    from milepost.ui.cli.main import main

    if sys.stdin.isatty():
        with open(os.devnull, encoding="utf-8") as nobody:
            sys.stdin, keyboard = nobody, sys.stdin
            try:
                return main([command, *words, *_SILENT.get(command, ())], program)
            finally:
                sys.stdin = keyboard
    return main([command, *words, *_SILENT.get(command, ())], program)


_RUNS = ("auto", "next", "new-milestone", "discuss", "query")
_SILENT: Final = dict.fromkeys(("new-project", "dispatch", "triage", "quick"), ("--headless",))
"""Commands that ask an agent, and what they are told, so that they end with their JSON line."""
_WITH_VALUE = (
    "--timeout",
    "--model",
    "--agent",
    "--record",
    "--pace",
    "--retry",
    "--max-units",
    "--max-restarts",
    "--restarted",
    "--until",
    "--max-cost",
    "--max-time",
    "--context",
    "--context-text",
    "--response-timeout",
    "--events",
    "--answers",
)


def _take_command(words: list[str]) -> str:
    """Remove and return the first word that is neither a flag nor a flag's value."""
    for position, word in enumerate(words):
        if word.startswith("-") or (position and words[position - 1] in _WITH_VALUE):
            continue
        if word not in _RUNS and (word == "headless" or word not in COMMANDS):
            raise BadUse(f"headless: {word!r} is not a command", hint=f"One of: {', '.join((*_RUNS, *COMMANDS))}")
        return words.pop(position)
    return "auto"
