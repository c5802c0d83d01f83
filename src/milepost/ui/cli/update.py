"""`gsd update`: whether there is a newer release, the command that brings it, and, after a yes, running that.

    gsd update                 what is installed, what is newest, how to get it; asks at a terminal
    gsd update --check         only whether: exit code 0 the newest is installed, 3 there is a newer one, 1 not known
    gsd update --yes           run the command

The index is the one that pip's or uv's own configuration names. Source: spec auto 7 (update); parallel PR-223.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.fleet.look import look as fleet_look
from milepost.ui.agreed import agreed
from milepost.ui.cli import arguments, context, stop
from milepost.ui.cli.main import state_dir
from milepost.ui.update import indexes, installed, notice, releases
from milepost.ui.update.installed import Installed
from milepost.ui.update.releases import Newest

_TIMEOUT_S = 20.0


class AtWork(MilepostError):
    """A run would lose the program that it is, in the middle of its work; nothing was done."""

    exit_code = ExitCode.BLOCKED


class NotUpdated(MilepostError):
    """The installer was run, and the new release is not there."""


def run(argv: Sequence[str], program: str) -> int:
    """Look, say, and update if that is wanted."""
    options = _parser(program).parse_args(argv)
    have = installed.look(installed.here())
    try:
        have, found = notice.look(pre=options.pre, env=os.environ, timeout_s=_TIMEOUT_S)
    except (releases.NotAsked, indexes.BadConfiguration) as error:
        _put(options, have, Newest(None, ""), str(error))
        raise
    newest = found.version.text if found.version else ""
    if not options.pre:
        notice.keep(Path(context.home(state_dir(program))), time.time_ns() // 1_000_000, newest)
    _put(options, have, found, "")
    if not notice.newer(newest, have.version):
        return ExitCode.DONE if newest else ExitCode.ERROR
    if options.check or (options.json and not options.yes):
        return ExitCode.PAUSED
    return _update(options, have, newest, program) if have.command else ExitCode.BLOCKED


def _parser(program: str) -> argparse.ArgumentParser:
    made = arguments.Parser(
        prog=f"{program} update", description="Whether there is a newer release, and how to get it."
    )
    made.add_argument("--check", action="store_true", help="change nothing; exit code 3 when there is a newer one")
    made.add_argument("-y", "--yes", action="store_true", help="do not ask, run the command")
    made.add_argument("--pre", action="store_true", help="releases to try out count too")
    made.add_argument("--json", action="store_true", help="the same as JSON, as --check unless --yes is given")
    return made


def _put(options: argparse.Namespace, have: Installed, found: Newest, problem: str) -> None:
    if not options.json:
        sys.stdout.write(_text(have, found, problem))
    else:
        sys.stdout.write(json.dumps(_document(have, found, problem)) + "\n")
    sys.stdout.flush()


def _text(have: Installed, found: Newest, problem: str) -> str:
    how = "from source" if have.how == installed.SOURCE else f"with {have.how}"
    lines = [f"{installed.NAME} {have.version}, installed {how}"]
    if problem:
        return f"{lines[0]}; whether there is a newer one is not known.\n"
    if found.version is None:
        return f"{lines[0]}; {found.where} has no release of it.\n"
    if not notice.newer(found.version.text, have.version):
        return f"{lines[0]}; {found.where} has nothing newer ({found.version.text}).\n"
    lines.append(f"{found.where} has {found.version.text}")
    lines.append(f"  {shlex.join(have.command)}" if have.command else f"  Not from there: {have.why}.")
    return "\n".join(lines) + "\n"


def _document(have: Installed, found: Newest, problem: str) -> dict[str, object]:
    newest = found.version.text if found.version else None
    return {
        "installed": have.version,
        "newest": newest,
        "newer": notice.newer(newest, have.version) if newest else None if problem else False,
        "index": found.where or None,
        "installedBy": have.how,
        "command": list(have.command),
        "problem": problem or (have.why if not have.command else "") or None,
    }


def _update(options: argparse.Namespace, have: Installed, newest: str, program: str) -> int:
    if not options.yes and not agreed("Run it?", untold=f"  Nothing was done; {program} update --yes runs it."):
        return ExitCode.BLOCKED
    _require_idle(program)
    try:
        # What the installer prints is for the person; standard output is kept for our own JSON.
        done = subprocess.run(have.command, check=False, stdout=sys.stderr if options.json else None)
    except FileNotFoundError:
        raise NotUpdated(f"there is no {have.command[0]} on the PATH", hint=shlex.join(have.command)) from None
    if done.returncode:
        raise NotUpdated(f"{have.command[0]} ended with {done.returncode}", hint=shlex.join(have.command))
    now = _installed_now()
    if not notice.newer(now, have.version):
        raise NotUpdated(
            f"{installed.NAME} is still {now or 'not to be found'}; {newest} was not installed",
            hint="The installer says why: a requirement of something else may hold it back.",
        )
    told = json.dumps({"updated": now, "before": have.version}) if options.json else f"Updated: {have.version} → {now}."
    sys.stdout.write(f"{told}\n")
    return ExitCode.DONE


def _require_idle(program: str) -> None:
    """Raise AtWork: a run loads what it needs when it needs it, and half of it would be of the new release."""
    try:
        where = context.find(program)
    except context.NoProject:
        return
    state = Path(where.root, where.state_dir)
    if (held := stop.runner(state)) is not None:
        raise AtWork(f"auto mode is at work here (pid {held.pid})", hint=f"{program} pause, then again")
    living = [
        worker.milestone for worker in fleet_look(state, now_ms=time.time_ns() // 1_000_000).workers if worker.alive
    ]
    if living:
        raise AtWork(f"parallel workers are at work here: {', '.join(living)}", hint=f"{program} parallel stop")


def _installed_now() -> str:
    """The version that a fresh process finds."""
    ask = f"import importlib.metadata as m; print(m.version({installed.NAME!r}))"
    done = subprocess.run([sys.executable, "-c", ask], check=False, capture_output=True, text=True)
    return done.stdout.strip()
