"""`gsd notify`: tell a person something, by hand; `--test` proves that every target can be reached.

    gsd notify --test [--target NAME]      a test to each; exit 1 with the reason of each that failed, or if none is set
    gsd notify "The build machine is back"
    gsd notify --list                      names and services; never addresses

Source: spec auto 2.9 (notifications); field-reports #45 and section 5 (`notify --test` fails loudly).
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import Notified
from milepost.formats.preferences import Notifications
from milepost.rules.notices import Kind, Notice
from milepost.store.journal import Journal
from milepost.ui.cli import arguments, context, project
from milepost.ui.cli.main import state_dir
from milepost.ui.notify import send, targets
from milepost.ui.notify.targets import Target, Targets


class NoTarget(MilepostError):
    """There is nobody to tell, or not the one that was named."""


class NotSent(MilepostError):
    """At least one target was not reached."""


class NothingToSay(MilepostError):
    """Neither a message nor --test nor --list."""


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(prog=f"{program} notify", description="Send a notification to the targets you configured.")
    made.add_argument("message", metavar="MESSAGE", nargs="*", help="what to say")
    made.add_argument("--test", action="store_true", help="send a test; exit 1 unless every target takes it")
    made.add_argument("--list", action="store_true", help="only show the targets")
    made.add_argument("--target", metavar="NAME", help="only this target")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Send or list; 0 when everything arrived."""
    options = parser(program).parse_args(argv)
    message = " ".join(options.message).strip()
    if not (message or options.test or options.list):
        raise NothingToSay("there is nothing to say", hint=f'{program} notify "MESSAGE", or {program} notify --test')
    where, wanted = _project(program)
    home = Path(where.home)
    found = targets.load(home, os.environ, wanted.targets)
    for problem in found.problems:
        sys.stderr.write(f"{program}: {problem}\n")
    if options.list:
        return _list(found, wanted)
    name = os.path.basename(where.root)
    notice = Notice(Kind.TEST, name, message or f"A test from {program} notify. It works.", "by-hand")
    done = send.send(
        [send.Job(target, (notice,)) for target in _only(options.target, found, home, program)], os.environ
    )
    _note(done, Path(where.root, where.state_dir))
    return _say(done, found)


def _project(program: str) -> tuple[context.Where, Notifications]:
    """The project and what it says of notifications; outside one, the global settings are not asked for any."""
    try:
        where = context.find(program)
    except context.NoProject:
        here = state_dir(program)
        return context.Where(root=context.cwd(), state_dir=here, home=context.home(here)), Notifications()
    return where, project.settings(where, program).preferences.notifications


def _only(name: str | None, found: Targets, home: Path, program: str) -> tuple[Target, ...]:
    chosen = tuple(t for t in found.known if t.name == name) if name else found.chosen
    if not chosen and name:
        raise NoTarget(f"no target is named {name}", hint=f"{program} notify --list shows the names.")
    if not chosen:
        hint = f"Write NAME = ADDRESS into {home / targets.FILE} (mode 0600), or set {targets.VARIABLE}."
        raise NoTarget("nobody is told of anything: no target is configured", hint=hint)
    return chosen


def _list(found: Targets, wanted: Notifications) -> int:
    for target in found.known:
        used = "" if target in found.chosen else "   (not used in this project)"
        sys.stdout.write(f"{target.name}   {target.scheme}{used}\n")
    if not found.known:
        sys.stdout.write("no target is configured\n")
    if not wanted.enabled:
        sys.stdout.write("notifications.enabled is false: runs send nothing\n")
    return ExitCode.DONE


def _note(done: Sequence[send.Delivery], state: Path) -> None:
    """Keep in the project's journal what came of it, so that `status` speaks no more of a target that was mended."""
    if not state.is_dir():
        return
    journal, now = Journal(state, "project"), time.time_ns() // 1_000_000
    for each in done:
        journal.append(
            Notified(
                at_ms=now,
                run="by-hand",
                kind=each.notice.kind,
                key=f"by-hand/{now}",
                target=each.target.name,
                ok=each.ok,
                error=each.error,
            )
        )


def _say(done: Sequence[send.Delivery], found: Targets) -> int:
    for each in done:
        says = "sent" if each.ok else f"FAILED: {each.error}"
        (sys.stdout if each.ok else sys.stderr).write(f"{each.target.name}: {says}\n")
    sys.stdout.flush()
    failed = [each.target.name for each in done if not each.ok]
    if failed:
        raise NotSent(f"not reached: {', '.join(failed)}", hint="Mend the address, or take the target out.")
    return ExitCode.ERROR if found.problems else ExitCode.DONE
