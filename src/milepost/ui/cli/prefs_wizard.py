"""`gsd prefs wizard`: the settings that matter most, asked one by one in the terminal, written together at the end.

An empty line keeps what holds, `-` takes a setting out, a wrong answer is explained and asked again. An end of input
writes nothing. Source: spec auto 7 (`/gsd prefs`).
"""

import sys

from milepost.errors import ExitCode
from milepost.formats.preferences_edit import Value
from milepost.formats.preferences_origins import Setting
from milepost.formats.preferences_table import Field
from milepost.formats.preferences_words import BadValue, field, read
from milepost.ui.cli import settings
from milepost.ui.views import preferences

KEYS = (
    "mode",
    "token_profile",
    "models.planning",
    "models.execution",
    "budget_ceiling",
    "verification_commands",
    "git.isolation",
    "git.auto_push",
    "parallel.enabled",
    "parallel.max_workers",
)
"""What is asked, in this order."""

_KEEP: Value = ""


def run(place: settings.Scope, program: str) -> int:
    """Ask, and write what was answered. Raises FormatError or WouldNotHold; then nothing is written."""
    found = place.files()
    sys.stdout.write(
        f"Settings in {found.of(globally=place.globally).shown}. An empty line keeps what holds, - takes it out.\n"
    )
    answers = dict[str, Value]()
    try:
        for key in KEYS:
            if (answer := _asked(key, settings.setting(key, found))) != _KEEP:
                answers[key] = answer
    except EOFError:
        sys.stdout.write("\nNothing was written.\n")
        return ExitCode.ERROR
    before, after = settings.change(answers, place)
    new = after.of(globally=place.globally)
    changed = before.of(globally=place.globally).text != new.text
    sys.stdout.write(f"{'Written' if changed else 'Nothing changed'}: {new.shown}\n  {program} prefs shows all.\n")
    return ExitCode.DONE


def _asked(key: str, now: Setting | None) -> Value:
    """The value, None to take it out, an empty text to keep it. Raises EOFError."""
    row = field(key)
    holds = f"{preferences.shown(now.value)}, {preferences.origins(now.origins)}" if now else "-"
    sys.stdout.write(f"\n{key}: {row.key.says}\n")
    while True:
        answer = input(f"  {_takes(row)} [{holds}]: ").strip()
        if answer in ("", "-"):
            return None if answer else _KEEP
        try:
            return read(key, [answer])
        except BadValue as error:
            sys.stdout.write(f"  {error}\n")


def _takes(row: Field) -> str:
    match row.kind:
        case "choice":
            return ", ".join(map(str, row.choices))
        case "truth":
            return "true or false"
        case "texts":
            return "a text, or [several, texts]"
        case "whole" | "number":
            return "a number"
        case _:
            return "a name"
