"""`gsd prefs`: what is set and where; get, set, unset, a wizard, an editor.

    gsd prefs --changed
    gsd prefs set git.isolation none
    gsd prefs set verification_commands "pytest -q" "ruff check ."
    gsd prefs unset mode --global

A change keeps every other byte of the file; a value that would be refused in the file is refused here, and nothing is
written. Runs that are at work keep the settings they began with. Source: spec auto 2.9, 7.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence

from milepost.errors import ExitCode
from milepost.formats.preferences_edit import Value
from milepost.formats.preferences_words import field, read
from milepost.ui.cli import arguments, prefs_editor, prefs_wizard, settings
from milepost.ui.views import preferences

WORDS = ("show", "get", "set", "unset", "wizard", "edit", "global", "project", "setup", "status")


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} prefs",
        description="What is set and where that comes from; changes keep comments and order.",
        usage=f"{program} prefs [show | get KEY | set KEY VALUE… | unset KEY | wizard | edit] [--global] [--json]",
    )
    made.add_argument("what", metavar="WHAT", nargs="?", choices=WORDS, default="show", help="show, get, set, …")
    made.add_argument("words", metavar="KEY VALUE", nargs="*", help="get, unset: a key; set: a key and its value")
    made.add_argument("--global", dest="globally", action="store_true", help="the file for all projects")
    made.add_argument("--changed", action="store_true", help="show: only what is not a default")
    made.add_argument("--json", action="store_true", help="show, get: the same as JSON")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Do what is asked."""
    options = parser(program).parse_intermixed_args(argv)
    return _ACTIONS[options.what](options, program)


def _show(options: argparse.Namespace, program: str) -> int:
    _words(options, 0, 0, program)
    found = settings.scope(program).files()
    rows = [row for row in found.settings() if not (options.changed and row.is_default)]
    read_from = [file.shown for file in found if file.there]
    problems = found.merged().problems
    if options.json:
        sys.stdout.write(json.dumps(preferences.document(rows, problems, read_from), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(preferences.text(rows, problems, read_from))
    return ExitCode.DONE


def _get(options: argparse.Namespace, program: str) -> int:
    (key,) = _words(options, 1, 1, program)
    found = settings.scope(program).files().settings()
    inner = f"{field(key).path}."
    rows = [row for row in found if row.key == key or row.key.startswith(inner)]
    if not rows:  # a part of a phase's model: what holds is the whole
        rows = [row for row in found if key.startswith(f"{row.key}.")]
    if options.json:
        sys.stdout.write(json.dumps([preferences.entry(row) for row in rows], ensure_ascii=False) + "\n")
    elif len(rows) == 1:
        sys.stdout.write(f"{preferences.shown(rows[0].value)}\n")
        sys.stderr.write(f"  {preferences.origins(rows[0].origins)}\n")
    else:
        sys.stdout.writelines(f"{row.key}: {preferences.shown(row.value)}\n" for row in rows)
    return ExitCode.DONE


def _set(options: argparse.Namespace, program: str) -> int:
    key, *words = _words(options, 2, 1_000, program)
    return _change(key, read(key, words), options, program)


def _unset(options: argparse.Namespace, program: str) -> int:
    (key,) = _words(options, 1, 1, program)
    field(key)
    return _change(key, None, options, program)


def _change(key: str, value: Value, options: argparse.Namespace, program: str) -> int:
    place = settings.scope(program, globally=options.globally, writes=True)
    before, after = settings.change({key: value}, place)
    old, new = before.of(globally=place.globally), after.of(globally=place.globally)
    if old.text == new.text:
        sys.stdout.write(f"{key} is {'not set' if value is None else 'so already'} in {new.shown}; nothing changed.\n")
        return ExitCode.DONE
    line = new.parsed.lines.get(key)
    done = f"is set: {new.shown}:{line}" if value is not None else f"is taken out of {new.shown}"
    now = settings.setting(key, after)
    holds = f"\n  {preferences.shown(now.value)} holds now ({preferences.origins(now.origins)})." if now else ""
    sys.stdout.write(f"{key} {done}{holds}\n")
    if where := settings.overridden(key, after, globally=place.globally):
        sys.stdout.write(f"  The project says so itself: {where}\n")
    return ExitCode.DONE


def _words(options: argparse.Namespace, least: int, most: int, program: str) -> list[str]:
    words: list[str] = options.words
    if not least <= len(words) <= most:
        form = {"set": "set KEY VALUE", "get": "get KEY", "unset": "unset KEY"}.get(options.what, options.what)
        raise arguments.BadOption(f"{len(words)} words after {options.what}", hint=f"{program} prefs {form}")
    return words


def _wizard(options: argparse.Namespace, program: str) -> int:
    _words(options, 0, 0, program)
    globally = options.globally or options.what == "global"
    return prefs_wizard.run(settings.scope(program, globally=globally, writes=True), program)


def _edit(options: argparse.Namespace, program: str) -> int:
    _words(options, 0, 0, program)
    return prefs_editor.run(settings.scope(program, globally=options.globally, writes=True))


_ACTIONS: Mapping[str, Callable[[argparse.Namespace, str], int]] = {
    "show": _show,
    "status": _show,
    "get": _get,
    "set": _set,
    "unset": _unset,
    "wizard": _wizard,
    "global": _wizard,
    "project": _wizard,
    "setup": _wizard,
    "edit": _edit,
}
