"""`gsd new-milestone` and `gsd headless new-milestone`: from a paragraph to a milestone that can be planned.

    gsd new-milestone "A command line feed reader"                    asks back in the terminal
    gsd headless new-milestone --context idea.md --auto                assumes, writes that down, and works it through

The words become the draft of a new milestone; a session discusses it and writes its context. Works where there is no
project yet. A discussion that was cut short goes on with `gsd discuss`. Source: spec auto 7, 7.1; parallel PR-222.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.formats.tree import milestone_file
from milepost.model.units import Unit, UnitKind
from milepost.store import atomic
from milepost.store.snapshot import Snapshot
from milepost.ui import progress
from milepost.ui.cli import (
    agents,
    bootstrap,
    brief,
    context,
    credentials,
    project,
    restarting,
    running,
    supervised,
)
from milepost.ui.terminal import Terminal
from milepost.unit.asking import Answerer, Nobody
from milepost.worker import adding

COMMAND = "new-milestone"
_HANDED = Path("runtime", "headless-context.md")


class NotRestarted(MilepostError):
    """`--max-restarts` where nothing is begun again."""


class NothingSaid(MilepostError):
    """There is no text that says what the milestone is to be."""


def run(argv: Sequence[str], program: str, command: str = COMMAND, *, given: Sequence[str] = ()) -> int:
    """Run; the exit codes of `auto`. A headless run ends with its JSON line even when it never began.

    given: all that followed `headless`, as this very process was given it.
    """
    options = _parser(program, command).parse_args(argv)
    options.given = given
    try:
        return _run(options, program, command)
    except (MilepostError, OSError) as error:
        if options.headless and not options.begun:
            progress.failure(error)
        raise


def _parser(program: str, command: str) -> argparse.ArgumentParser:
    made = running.parser(program, command)
    made.description = "Say what you want; a session asks back, and writes the context of a new milestone."
    made.add_argument("text", nargs="*", help="what you want, in a paragraph")
    made.add_argument("--context", metavar="FILE", help="read it from a file, - for standard input")
    made.add_argument("--context-text", metavar="TEXT", help="the paragraph itself")
    made.add_argument("--auto", action="store_true", help="then research, plan and build it, in the same run")
    made.add_argument(
        "--max-restarts", metavar="N", type=restarting.number, default=None,
        help="headless with --auto: begin again after an error once it is discussed (3; 0: never)",
    )  # fmt: skip
    made.set_defaults(begun=False)
    return made


def _run(options: argparse.Namespace, program: str, command: str) -> int:
    supervised.require_free(options)
    if options.max_restarts is not None and not (options.headless and options.auto):
        raise NotRestarted("--max-restarts goes with headless new-milestone --auto", hint="gsd headless --help")
    text = _said(options)
    where = bootstrap.ensure(program)
    site = site_of(where, program)
    require_agent(options, site)
    _hand_over(site.state, text)
    mid = adding.add(adding.Wish(text), site)
    why = adding.commit([f"milestones/{mid}/{mid}-{adding.DRAFT}.md"], f"docs({mid}): what is wanted\n", site)
    sys.stderr.write(
        f"{mid} is {where.state_dir}/milestones/{mid}/{mid}-{adding.DRAFT}.md{f' ({why})' if why else ''}\n"
    )
    options.discuss, options.goes_on = Unit(UnitKind.DISCUSS_MILESTONE, mid), options.auto
    options.answerer = answerer(options)
    options.begun = True
    if options.headless and options.auto:
        return _with_restarts(options, mid, site, program, command)
    code = running.start(options, program, command)
    if code != ExitCode.DONE and not options.headless:
        sys.stdout.write(f"  {program} discuss {mid} goes on with it.\n")
    _taken_over(site.state)
    return code


def _with_restarts(options: argparse.Namespace, mid: str, site: adding.Site, program: str, command: str) -> int:
    """Run; what dies after the discussion is begun again as an auto mode, which knows nothing of the idea's text."""
    wanted = restarting.MOST if options.max_restarts is None else options.max_restarts

    def discussed() -> bool:
        tree = Snapshot(str(site.root), site.state_dir)
        return milestone_file(tree, mid, "CONTEXT") is not None

    def words() -> list[str]:
        _taken_over(site.state)
        return [*restarting.before(options.given), "auto", *_kept(options), "--max-restarts", str(wanted)]

    most = restarting.most(wanted, options, options.given)
    options.restarts = restarting.Restarts(most=most, done=0, ready=discussed)
    code = restarting.run(options, program, command, words)
    _taken_over(site.state)
    return code


_SWITCHES: Final = ("--no-sandbox", "--json", "--supervised", "--verbose")


def _kept(options: argparse.Namespace) -> list[str]:
    """Those options that an auto mode has too, and that hold for a run that is begun again."""
    valued = {
        "--model": options.model,
        "--agent": options.agent,
        "--record": options.record,
        "--until": options.until,
        "--response-timeout": options.response_timeout,
        "--events": ",".join(sorted(options.events or ())) or None,
        "--answers": options.answers.path if options.answers else None,
    }
    set_ = {name: getattr(options, name[2:].replace("-", "_")) for name in _SWITCHES}
    found = [part for name, value in valued.items() if value is not None for part in (name, str(value))]
    return [*found, "--pace", str(options.pace), *(name for name, value in set_.items() if value)]


def require_agent(options: argparse.Namespace, site: adding.Site) -> None:
    """Raise what would keep the session from beginning, before anything is written. Loads no library."""
    wanted = agents.Wanted(agent=options.agent, model=options.model, record=None, pace_s=0.0)
    agents.require(wanted, site.preferences, credentials.environ(context.home(site.state_dir)))


def answerer(options: argparse.Namespace) -> Answerer:
    """Who is asked: the person at the terminal, if there is one; else nobody."""
    return Nobody() if options.headless or options.json or not sys.stdin.isatty() else Terminal()


def site_of(where: context.Where, program: str) -> adding.Site:
    """The project, as what is added to. Raises BadSettings or NotAtTheRoot."""
    place = project.at_root(where)
    settings = project.settings(where, program).preferences
    return adding.Site(place.root, where.state_dir, settings, "person", lambda: time.time_ns() // 1_000_000)


def _said(options: argparse.Namespace) -> str:
    """The words, wherever they come from. Raises NothingSaid or NotABrief."""
    sources = [bool(options.text), options.context is not None, options.context_text is not None]
    if sum(sources) > 1:
        raise NothingSaid("the text is given more than once", hint="One of: TEXT, --context FILE, --context-text TEXT")
    text = brief.typed(" ".join(options.text) or options.context_text or "")
    if options.context is not None:
        text = brief.read(options.context)
    elif not any(sources) and not options.headless and sys.stdin.isatty():
        text = _asked()
    if not text.strip():
        raise NothingSaid(
            "nothing says what the milestone is to be", hint='--context-text "A command line feed reader that …"'
        )
    return text


def _asked() -> str:
    sys.stderr.write("What do you want? A paragraph or more; an empty line ends it.\n")
    sys.stderr.flush()
    lines = list[str]()
    while (line := sys.stdin.readline()).strip():
        lines.append(line)
    return "".join(lines)


def _taken_over(state: Path) -> None:
    """The words stand in the draft."""
    (state / _HANDED).unlink(missing_ok=True)


def _hand_over(state: Path, text: str) -> None:
    """GSD keeps the words here until they are read."""
    atomic.replace(state / _HANDED, text.encode("utf-8", "surrogateescape"))
