"""`gsd headless`: the same commands for scripts and CI, with JSON and honest exit codes.

`query` has a road of its own, since it is run in loops: nothing but the reading of the plan is imported for it.
Source: spec auto 7.1.
"""

import sys
from collections.abc import Sequence

from milepost.errors import ExitCode, MilepostError

USAGE = """\
usage: gsd headless [auto|next|new-milestone|discuss|query|status|doctor] [options]

  auto    (default) work until done, blocked or stopped
  next    one unit
  new-milestone  --context FILE|- or --context-text TEXT: write down what is wanted and discuss it, with assumptions
                 where nobody answers; --auto: then build it
  discuss [M002|M001/S02]  the same for a draft, or for a slice
  query   one line of JSON: state, next unit, cost; changes nothing on disk
  status  where the project stands; --json
  doctor  look for damage; --fix, --json

options of auto, and of new-milestone --auto once it is discussed: --max-restarts N (3): begin again after an error, in
5, 10 and 30 seconds; 0: never. Not with --max-units, --max-cost or --max-time.
options of auto and next: --json (events as JSON lines), --timeout MS (end the run after so long; 0: never),
and those of `gsd auto --help`.
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
    if command == "status":
        from milepost.ui.cli import status

        return status.run(words, program)
    from milepost.ui.cli import doctor

    return doctor.run(words, program)


_COMMANDS = ("auto", "next", "new-milestone", "discuss", "query", "status", "doctor")
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
)


def _take_command(words: list[str]) -> str:
    """Remove and return the first word that is neither a flag nor a flag's value."""
    for position, word in enumerate(words):
        if word.startswith("-") or (position and words[position - 1] in _WITH_VALUE):
            continue
        if word not in _COMMANDS:
            raise BadUse(f"headless: {word!r} is not a command", hint=f"One of: {', '.join(_COMMANDS)}")
        return words.pop(position)
    return "auto"
