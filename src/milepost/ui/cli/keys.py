"""`gsd keys`: which keys there are and where they come from, never what they are; set and remove one.

    gsd keys
    gsd keys set ANTHROPIC_API_KEY          asks without showing, or reads standard input
    gsd keys remove ANTHROPIC_API_KEY

The environment goes first; `~/.gsd/keys` (mode 0600) is for what it lacks. Source: spec auto 7 (`config`, `keys`).
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from milepost.errors import ExitCode, MilepostError
from milepost.store import keys
from milepost.ui.cli import arguments, credentials, settings
from milepost.ui.cli.credentials import PROVIDERS

_SHOWN_OF = 12
"""A value shorter than this shows nothing of itself; a longer one its last four characters."""


class NotKept(MilepostError):
    """The key is not one that is kept, or not here."""


class Row(NamedTuple):
    """One provider or channel."""

    provider: str
    variable: str
    source: str
    """environment, file or missing."""
    ending: str


def parser(program: str, command: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} {command}",
        description="Which keys there are and where they come from. A key is asked for, never given as an argument.",
        usage=f"{program} {command} [list | set NAME | remove NAME] [--json]",
    )
    made.add_argument("what", metavar="WHAT", nargs="?", choices=("list", "set", "remove"), default="list")
    made.add_argument("name", metavar="NAME", nargs="*", help="the variable (ANTHROPIC_API_KEY), or the provider")
    made.add_argument("--json", action="store_true", help="list: the same as JSON")
    return made


def run(argv: Sequence[str], program: str, command: str = "keys") -> int:
    """List, set or remove."""
    options = parser(program, command).parse_intermixed_args(argv)
    place = settings.scope(program)
    match options.what:
        case "list":
            return _list(place.home, program, as_json=options.json)
        case "set":
            return _set(_variable(options.name, program), place)
        case _:
            return _remove(_variable(options.name, program), place.home)


def _list(home: str, program: str, *, as_json: bool) -> int:
    rows = list(_rows(home))
    if as_json:
        sys.stdout.write(json.dumps([row._asdict() for row in rows]) + "\n")
        return ExitCode.DONE
    for row in rows:
        ending = f"  …{row.ending}" if row.ending else ""
        sys.stdout.write(f"{row.provider.ljust(12)}{row.variable.ljust(28)}{row.source}{ending}\n")
    sys.stdout.write(f"\nFile: {keys.path(home)}. {program} keys set NAME keeps one there.\n")
    return ExitCode.DONE


def _rows(home: str) -> Iterator[Row]:
    kept = keys.read(home)
    for provider, variables in PROVIDERS.items():
        yield _row(provider, variables, kept)
    known = {variable for variables in PROVIDERS.values() for variable in variables}
    yield from (_row("other", (name,), kept) for name in kept if name not in known)


def _row(provider: str, variables: tuple[str, ...], kept: Mapping[str, str]) -> Row:
    for source, values in (("environment", os.environ), ("file", kept)):
        if name := next((variable for variable in variables if values.get(variable)), ""):
            value = values[name]
            return Row(provider, name, source, value[-4:] if len(value) >= _SHOWN_OF else "")
    return Row(provider, variables[0], "missing", "")


def _variable(words: Sequence[str], program: str) -> str:
    """The variable that is named, or that of a provider. What looks like a key itself is not repeated."""
    if len(words) != 1:
        text = "name one variable" if not words else "a key is never given as an argument: others can read these"
        raise arguments.BadOption(text, hint=f"{program} keys set ANTHROPIC_API_KEY asks for it, or: … set NAME < FILE")
    if words[0].lower() in PROVIDERS:
        return PROVIDERS[words[0].lower()][0]
    if not keys.NAME.match(words[0]) or not credentials.is_credential(words[0]):
        raise NotKept(
            "that is no name of a credential", hint=f"ANTHROPIC_API_KEY, …; `{program} keys` lists the known ones."
        )
    return words[0]


def _set(name: str, place: settings.Scope) -> int:
    home = place.home
    _require_outside(place)
    value = getpass.getpass(f"{name} (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    keys.put(home, name, value)
    hides = f"\n  {name} of the environment goes before it, as long as it is set." if os.environ.get(name) else ""
    sys.stdout.write(f"{name} is kept in {keys.path(home)} (mode 0600).{hides}\n")
    return ExitCode.DONE


def _remove(name: str, home: str) -> int:
    if not keys.remove(home, name):
        raise NotKept(f"{name} is not kept in {keys.path(home)}")
    sys.stdout.write(f"{name} is taken out of {keys.path(home)}.\n")
    return ExitCode.DONE


def _require_outside(place: settings.Scope) -> None:
    """A key in a project would be committed, or read by agents."""
    home = os.path.realpath(place.home)
    inside = place.root and os.path.commonpath([home, os.path.realpath(place.root)]) == os.path.realpath(place.root)
    if inside or os.path.isdir(os.path.join(home, "milestones")):
        variable = "GSD_HOME" if place.state_dir == ".gsd" else "SF_HOME"
        raise NotKept(
            f"{place.home} lies in the project, where no key belongs",
            hint=f"export {variable}={os.path.join(os.path.expanduser('~'), '.config', 'gsd')}",
        )
