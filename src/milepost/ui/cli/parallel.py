"""`gsd parallel`: several milestones at once. Picks the sub-command; bare `gsd parallel` starts.

Everything but `start` and `merge` also works when parallel mode is switched off, since stopping and looking are for
safety. Source: parallel PR-061, PR-080 to PR-089, DV-21, 1.5.
"""

import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.ui.views import parallel_text

SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "start": ("parallel_start", "Show what may run, ask, and run it; goes on where the last start ended."),
    "status": ("parallel_status", "Every worker with its state, cause, unit and cost; --watch, --json."),
    "watch": ("parallel_status", "The same, again and again."),
    "stop": ("parallel_orders", "End all workers, or some; worktrees and branches stay."),
    "pause": ("parallel_orders", "Let each finish its unit, then wait."),
    "resume": ("parallel_orders", "Let paused workers go on."),
    "rebase": ("parallel_orders", "Bring the target into the milestone branches at the next boundary."),
    "panic": ("parallel_orders", "Kill everything of the fleet now; nothing in git is touched."),
    "merge": ("parallel_merge", "Merge all complete milestones, or one."),
}
"""Sub-command → module, and its line in the overview."""


def run(argv: Sequence[str], program: str) -> int:
    """Dispatch; options without a sub-command are those of start."""
    words = list(argv)
    if words[:1] in (["--help"], ["-h"], ["help"]):
        sys.stdout.write(overview(program))
        return ExitCode.DONE
    name = words.pop(0) if words and not words[0].startswith("-") else "start"
    if name not in SUBCOMMANDS:
        sys.stderr.write(parallel_text.unknown(name, program) + "\n")
        return ExitCode.ERROR
    return _run(name, words, program)


def _run(name: str, words: list[str], program: str) -> int:
    """Only the module that is asked for is imported."""
    match SUBCOMMANDS[name][0]:
        case "parallel_start":
            from milepost.ui.cli import parallel_start

            return parallel_start.run(words, program)
        case "parallel_merge":
            from milepost.ui.cli import parallel_merge

            return parallel_merge.run(words, program)
        case "parallel_status":
            from milepost.ui.cli import parallel_status

            return parallel_status.run(words, program, name)
        case _:
            from milepost.ui.cli import parallel_orders

            return parallel_orders.run(words, program, name)


def overview(program: str) -> str:
    """The text of `gsd parallel --help`."""
    width = max(map(len, SUBCOMMANDS))
    lines = [f"  {name.ljust(width)}  {says}" for name, (_, says) in SUBCOMMANDS.items()]
    return (
        f"usage: {program} parallel [COMMAND] [MID ...] [options]\n\n"
        + "\n".join(lines)
        + f"\n\nWithout a command: start. `{program} parallel COMMAND --help` says more. "
        "It is switched on by `parallel.enabled: true` in the preferences.\n"
    )
