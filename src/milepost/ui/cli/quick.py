"""`gsd quick "…"`: one small piece of work outside the milestones, with all that holds for a unit of the plan.

Without words the one that waits goes on. Source: spec auto 7 (`/gsd quick`); decision 0027.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import AnyEvent
from milepost.rules import quick
from milepost.rules.quick import Wish
from milepost.store.journal import Journal
from milepost.ui import progress
from milepost.ui.cli import arguments, context, limits, running, sites
from milepost.ui.cli.new_milestone import answerer, require_agent, site_of
from milepost.ui.views import quick as view
from milepost.worker import quick_discard
from milepost.worker.adding import Site

_MOST_CHARS = 20_000


class NothingSaid(MilepostError):
    """What is wanted cannot be told from the command line."""


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} quick",
        description="Do one small piece of work outside the milestones: in a place and on a branch of its own, through"
        " the gate, landed as one commit. Without TEXT the one that waits goes on.",
        allow_abbrev=False,
    )
    made.add_argument("text", metavar="TEXT", nargs="*", help="what is to be done, in a sentence or a few")
    made.add_argument(
        "--resume", metavar="N", nargs="?", type=_number, const=0, help="go on with one that waits (the only one, or N)"
    )
    made.add_argument("--list", action="store_true", help="all quick tasks and how far each came; with --json as JSON")
    made.add_argument("--discard", metavar="N", type=_number, help="give one up; its work is kept under a backup ref")
    made.add_argument("--retry", action="store_true", help="with --resume: count its attempts afresh")
    running.add_agent(made)
    limits.add_cost(made)
    running.add_ways(made)
    made.set_defaults(max_units=None, until=None, max_time=None)
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Do, resume, list or discard. The exit codes of `auto`."""
    options = parser(program).parse_args(argv)
    text = " ".join(options.text).strip()
    _require_one(options, text)
    if options.list:
        return _list(options, program)
    if options.discard is not None:
        return _discard(options, program)
    options.quick = Wish(text=text[:_MOST_CHARS], number=options.resume or None, retry=options.retry)
    options.retry = None  # Counted afresh for this task alone, when it is known which.
    try:
        where = context.find(program)
        site = site_of(where, program)
        if not text:  # Said before anything is held or written.
            quick.chosen(quick.fold(_events(site.state)), options.quick.number)
        require_agent(options, site)
        options.answerer = answerer(options)
    except (MilepostError, OSError) as error:
        if options.headless:
            progress.failure(error)
        raise
    return running.start(options, program, "quick")


def _require_one(options: argparse.Namespace, text: str) -> None:
    """One thing at a time is asked for. Raises NothingSaid."""
    asked = [bool(options.text), options.resume is not None, options.list, options.discard is not None]
    if sum(asked) > 1:
        raise NothingSaid("more than one thing is asked for", hint="One of: TEXT, --resume N, --list, --discard N")
    if options.text and (not text or "\0" in text):
        raise NothingSaid("nothing says what is to be done", hint='gsd quick "fix the typo in the README title"')
    if options.text and options.retry:
        raise NothingSaid("a new task has no attempts to count afresh", hint="gsd quick --resume N --retry")


def _list(options: argparse.Namespace, program: str) -> int:
    where = context.find(program)
    tasks = quick.fold(_events(Path(where.root, where.state_dir)))
    if options.json:
        sys.stdout.write(json.dumps([view.document(one, where.state_dir) for one in tasks]) + "\n")
    else:
        sys.stdout.write(view.text(tasks, where.state_dir, program))
    return ExitCode.DONE


def _discard(options: argparse.Namespace, program: str) -> int:
    site = sites.site(program)
    with site.hold("auto", "quick --discard"):
        task = quick.chosen(quick.fold(_events(site.root / site.state_dir)), options.discard)
        place = Site(site.root, site.state_dir, site.preferences, site.run, site.now_ms)
        kept = quick_discard.discard(task, place)
    sys.stdout.write(view.discarded(task, kept.tip, kept.work, program))
    return ExitCode.DONE


def _events(state: Path) -> tuple[AnyEvent, ...]:
    return Journal(state, "project").everything()


def _number(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be the number of a quick task, like 1")
    return number
