"""`gsd prefs edit`: a copy of the file in the person's editor; it becomes the file when its settings have no errors.

Source: issue "Preferences".
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from milepost.errors import ExitCode, FormatError, MilepostError
from milepost.store import preferences_files as files
from milepost.store.preferences_files import File
from milepost.ui.cli import settings

_EMPTY = "---\nversion: 1\n---\n"


class NoEditor(MilepostError):
    """The editor cannot be started, or ended badly; nothing was written."""


class NotTaken(MilepostError):
    """The edited text has errors; nothing was written."""


def run(place: settings.Scope) -> int:
    """Edit, check, write. Raises NoEditor or NotTaken; then the file is as it was."""
    before = place.files()
    file = before.of(globally=place.globally)
    with tempfile.TemporaryDirectory(prefix="gsd-prefs-") as directory:
        copy = Path(directory, os.path.basename(file.path))
        copy.write_bytes((file.text or _EMPTY).encode())
        text = _settled(copy, file)
    if text in (file.text, "" if file.there else _EMPTY):
        sys.stdout.write("Nothing changed.\n")
        return ExitCode.DONE
    with files.alone(file):
        if place.files().of(globally=place.globally).text != file.text:
            raise NotTaken(f"{file.shown} was changed meanwhile", hint="Edit it again; nothing was written.")
        files.write(file.saying(text))
    for problem in before.with_text(globally=place.globally, text=text).merged().problems:
        sys.stderr.write(f"  {problem}\n")
    sys.stdout.write(f"Written: {file.shown}\n")
    return ExitCode.DONE


def _settled(copy: Path, file: File) -> str:
    """The text once it has no errors. Raises NotTaken when the person gives up, or nobody can be asked."""
    while True:
        _edited(copy)
        text = _read(copy, file)
        errors = [problem for problem in file.saying(text).parsed.problems if problem.severity == "error"]
        if not errors:
            return text
        for problem in errors:
            sys.stderr.write(f"  {problem}\n")
        if not sys.stdin.isatty() or input("Edit it again? [Y/n] ").strip().lower() not in ("", "y", "yes"):
            raise NotTaken(f"{file.shown} is as it was: what was edited has errors", hint=str(errors[0]))


def _edited(copy: Path) -> None:
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*shlex.split(wanted), str(copy)], check=False).returncode
    except (OSError, ValueError) as error:
        raise NoEditor(f"the editor {wanted!r} cannot be started: {error}", hint="Set EDITOR.") from None
    if code:
        raise NoEditor(f"the editor {wanted!r} ended with {code}; nothing was written")


def _read(copy: Path, file: File) -> str:
    try:
        return copy.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise FormatError(file.shown, 0, f"not UTF-8 at byte {error.start}; nothing was written") from None
