"""`gsd mode [solo|team]`: defaults for one person or for a team, and what they set. Source: spec auto 2.9."""

import argparse
import sys
from collections.abc import Iterator, Sequence

from milepost.errors import ExitCode
from milepost.formats.preferences_layers import MODES
from milepost.formats.preferences_origins import Setting
from milepost.store.preferences_files import Files
from milepost.ui.cli import arguments, settings
from milepost.ui.views import preferences


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} mode", description="Defaults for one person or for a team: shows them, or sets them."
    )
    made.add_argument("mode", nargs="?", choices=tuple(MODES), help="set it; nothing: show it")
    made.add_argument("--global", dest="globally", action="store_true", help="in the file for all projects")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Show the mode, or set it."""
    options = parser(program).parse_args(argv)
    if options.mode is None:
        found = settings.scope(program).files()
    else:
        place = settings.scope(program, globally=options.globally, writes=True)
        _, found = settings.change({"mode": options.mode}, place)
    sys.stdout.write("".join(f"{line}\n" for line in _said(found, program)))
    return ExitCode.DONE


def _said(found: Files, program: str) -> Iterator[str]:
    mode = settings.setting("mode", found)
    name = str(mode.value) if mode and mode.value else ""
    if not mode or not name:
        yield "No mode is set."
        yield f"  {program} mode solo|team: " + "; ".join(f"{one} sets {_list(one)}" for one in MODES)
        return
    yield f"Mode {name} ({preferences.origins(mode.origins)}):"
    for setting in found.settings():
        if setting.key in _keys(name):
            yield f"  {setting.key}: {preferences.shown(setting.value)}{_other(setting)}"


def _other(setting: Setting) -> str:
    """A remark where something stronger than the mode counts."""
    return "" if setting.origins[0].kind == "mode" else f"  (not by the mode: {preferences.origins(setting.origins)})"


def _keys(mode: str) -> dict[str, object]:
    """What a mode sets, by dotted key."""
    found = dict[str, object]()
    for name, value in MODES[mode].items():
        found.update(
            {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
        )
    return found


def _list(mode: str) -> str:
    return ", ".join(f"{key} {preferences.shown(value)}" for key, value in _keys(mode).items())
