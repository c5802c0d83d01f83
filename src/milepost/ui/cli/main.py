"""The door: pick a command, run it, turn what it raised into a sentence and an exit code.

Commands are looked up in a static table and only the one that is asked for is imported, since
`gsd headless query` and `gsd --version` are run in loops. Source: style R1, trials on start-up.
"""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from milepost import __version__
from milepost.errors import ExitCode, MilepostError

COMMANDS: dict[str, tuple[str, str]] = {
    "new-project": ("milepost.ui.cli.new_project", "Begin a project from an idea; also in an empty directory."),
    "new-milestone": ("milepost.ui.cli.new_milestone", "Say what you want; it is discussed and becomes a milestone."),
    "discuss": ("milepost.ui.cli.discuss", "Settle what a milestone or a slice is to be, before it is planned."),
    "queue": ("milepost.ui.cli.queue", "The milestones in order, what each waits for; add, move, order."),
    "park": ("milepost.ui.cli.park", "Set a milestone aside."),
    "unpark": ("milepost.ui.cli.unpark", "Take a parked milestone up again."),
    "discard": ("milepost.ui.cli.discard", "Take a milestone out of the plan; --restore has it back."),
    "init": ("milepost.ui.cli.init", "Make a .gsd/ directory in this repository."),
    "auto": ("milepost.ui.cli.auto", "Work through the plan until it is done, blocked or stopped."),
    "next": ("milepost.ui.cli.next", "Do one unit, then stop."),
    "quick": ("milepost.ui.cli.quick", "Do one small piece of work outside the milestones, with all guarantees."),
    "dispatch": ("milepost.ui.cli.dispatch", "Do one unit now: research, plan, execute, complete, uat, …"),
    "parallel": ("milepost.ui.cli.parallel", "Several milestones at once: start, status, stop, pause, merge, …"),
    "pause": ("milepost.ui.cli.pause", "Let the current unit finish, then stop."),
    "stop": ("milepost.ui.cli.stop", "End the running auto mode now; finished work is kept."),
    "capture": ("milepost.ui.cli.capture", "Note a thought without stopping anything; it is sorted between units."),
    "steer": ("milepost.ui.cli.steer", "Change course: the running session is told, the plan is brought in line."),
    "triage": ("milepost.ui.cli.triage", "Sort the captured thoughts now."),
    "knowledge": ("milepost.ui.cli.knowledge", "Add a rule, pattern or lesson that every session is told."),
    "memory": ("milepost.ui.cli.memory", "What sessions found out and later ones are told; show, forget, add."),
    "secrets": ("milepost.ui.cli.secrets", "Keys that milestones need from outside; set and skip."),
    "hooks": ("milepost.ui.cli.hooks", "The hooks that are set, and how often each ran."),
    "run-hook": ("milepost.ui.cli.run_hook", "Run a post-unit hook for a unit now."),
    "skip": ("milepost.ui.cli.skip", "Go on without a task, a slice or another unit; --undo takes that back."),
    "undo": ("milepost.ui.cli.undo", "Take the last unit, a task, a slice or a merged milestone back out."),
    "verdict": ("milepost.ui.cli.verdict", "Say how an acceptance test or a validation ended."),
    "rate": ("milepost.ui.cli.rate", "Say whether a unit's model was too much, right or too little."),
    "status": ("milepost.ui.cli.status", "Where the project stands, what it cost, what waits for you."),
    "inbox": ("milepost.ui.cli.inbox", "Everything that waits for you, and what to type."),
    "why": ("milepost.ui.cli.why", "Why the project, a milestone or a unit is as it is, and what it cost."),
    "history": ("milepost.ui.cli.history", "The latest units and what they took; cost by phase, slice, model, day, …"),
    "logs": ("milepost.ui.cli.logs", "What happened, line by line: events, transcripts, errors; -f follows."),
    "visualize": ("milepost.ui.cli.visualize", "The plan with what is done, who waits for whom, and what ran when."),
    "forensics": ("milepost.ui.cli.forensics", "What was out of the ordinary in the runs so far, with evidence."),
    "export": ("milepost.ui.cli.export", "What was done and what it cost, as JSON, markdown or a page of its own."),
    "prices": ("milepost.ui.cli.prices", "What models cost and who says so; `prices update` fetches newer data."),
    "notify": ("milepost.ui.cli.notify", "Send a notification; --test proves that each target can be reached."),
    "prefs": ("milepost.ui.cli.prefs", "What is set and where that comes from; get, set, unset, wizard, edit."),
    "mode": ("milepost.ui.cli.mode", "Defaults for one person or for a team."),
    "keys": ("milepost.ui.cli.keys", "Which provider keys there are and where they come from; set, remove."),
    "config": ("milepost.ui.cli.config", "The same as keys."),
    "doctor": ("milepost.ui.cli.doctor", "Look for damage and leftovers; --fix mends what is safe to mend."),
    "cleanup": ("milepost.ui.cli.cleanup", "Remove what landed milestones left: branches, snapshots, transcripts."),
    "update": ("milepost.ui.cli.update", "Whether there is a newer release, and how to get it; --yes gets it."),
    "replay": ("milepost.ui.cli.replay", "Play a recording apart from the project and name the first difference."),
    "headless": ("milepost.ui.cli.headless", "auto, new-milestone, query, … for scripts and CI."),
}
"""Command → module with `run(argv, dialect) -> int`, and its line in the overview."""

_DIALECTS = {"gsd": ".gsd", "sf": ".sf"}


def gsd() -> None:
    """Entry point of the `gsd` command."""
    _enter("gsd")


def sf() -> None:
    """Entry point of the `sf` command, the same system under its other name."""
    _enter("sf")


def _enter(program: str) -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            # A title may hold what the terminal's encoding lacks, or bytes that were no UTF-8; shown all the same.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # What is loaded stays: looking through it for garbage meanwhile is a tenth of the start.
    gc.disable()
    code = main(sys.argv[1:], program)
    # Taking the interpreter apart is a quarter of what a query takes, and half a second after a run with a model's
    # library; nothing is open, and no thread that is left has anything to finish.
    os._exit(code)


def main(argv: Sequence[str], program: str) -> int:
    """Run one command line; returns its exit code (`errors.ExitCode`). Never raises for bad input."""
    _open_streams()
    try:
        return _run(_unslashed(list(argv)), program)
    except MilepostError as error:
        return _complain(program, str(error), error.hint, error.exit_code)
    except BrokenPipeError:
        return ExitCode.ERROR  # Who read us had enough (`gsd status | head`); there is nobody to tell.
    except OSError as error:
        return _complain(program, _os_words(error), _os_hint(error), ExitCode.ERROR)
    except KeyboardInterrupt:
        return _complain(program, "interrupted", f"{program} auto goes on from here.", ExitCode.INTERRUPTED)
    finally:
        _flush()


def _unslashed(argv: list[str]) -> list[str]:
    """The words of a slash command, as it is typed inside a session, with or without the product's name.

    `/gsd parallel start`, `/sf parallel start` and `/parallel start` are all `parallel start`, in one argument or
    in several. Source: parallel PR-212, spec 4.
    """
    if not argv or not argv[0].startswith("/"):
        return argv
    words = [*argv[0].split(), *argv[1:]]
    first = words.pop(0).removeprefix("/")
    return words if first in ("", *_DIALECTS) else [first, *words]


def _open_streams() -> None:
    """Give closed standard streams a place to go: the next file that is opened would take their numbers."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while os.open(os.devnull, os.O_RDWR) < 2:
        pass
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


def _run(argv: list[str], program: str) -> int:
    if argv and argv[0] in ("--version", "-V"):
        sys.stdout.write(f"{program} {__version__} (milepost)\n")
        sys.stdout.flush()
        return ExitCode.DONE
    if not argv and sys.stdin.isatty() and sys.stdout.isatty():
        from milepost.ui.session import session

        _collect()
        return session.run(program)
    if not argv or argv[0] in ("help", "--help", "-h"):
        sys.stdout.write(overview(program))
        return ExitCode.DONE
    name, *rest = argv
    if name not in COMMANDS:
        raise UnknownCommand(name, program)
    # importlib is not needed for one module, and `__import__` returns the top package.
    __import__(COMMANDS[name][0])
    if argv[:2] != ["headless", "query"]:
        _collect()
    code: int = sys.modules[COMMANDS[name][0]].run(rest, program)
    return code


def _collect() -> None:
    """Let garbage be collected from here on, but for what was loaded; where we are the process (`_enter`)."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


class UnknownCommand(MilepostError):
    """A command that does not exist."""

    def __init__(self, name: str, program: str) -> None:
        from difflib import get_close_matches

        close = get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean `{program} {close[0]}`?" if close else f"`{program} help` lists the commands."
        super().__init__(f"{name!r} is not a command", hint=hint)


def overview(program: str) -> str:
    """The text of `gsd help`."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name.ljust(width)}  {says}" for name, (_, says) in COMMANDS.items()]
    return (
        f"usage: {program} COMMAND [options]\n\n"
        + "\n".join(lines)
        + f"\n\n`{program}` alone opens a session; `{program} COMMAND --help` says more.\n"
        "Exit codes: 0 done, 1 error, 2 blocked, 3 paused, 4 budget, 130 interrupted.\n"
    )


def state_dir(program: str) -> str:
    """The state directory a command's name stands for, where the project does not say: `.gsd` or `.sf`."""
    return _DIALECTS[program]


def _complain(program: str, text: str, hint: str, code: ExitCode) -> int:
    sys.stderr.write(f"{program}: {text}\n")
    if hint:
        sys.stderr.write(f"  {_typed(hint, program)}\n")
    return code


def _typed(hint: str, program: str) -> str:
    """A hint with its commands as they are typed here, which is not what a path ends with."""
    if program == "gsd":
        return hint
    import re

    return re.sub(r"(?<![\w./-])gsd (?=[a-z])", f"{program} ", hint)


def _os_words(error: OSError) -> str:
    where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}"


def _os_hint(error: OSError) -> str:
    import errno

    return {
        errno.ENOSPC: "The disk is full. Free some space and run the command again; nothing half-written counts.",
        errno.EDQUOT: "The quota is used up. Free some space and run the command again.",
        errno.EROFS: "The file system is read-only.",
        errno.EACCES: "The file may not be written by this user.",
        errno.EMFILE: "Too many open files; see `ulimit -n`.",
    }.get(error.errno or 0, "")


def _flush() -> None:
    with suppress(OSError):
        sys.stderr.flush()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`gsd status | head`); Python would complain again when it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
