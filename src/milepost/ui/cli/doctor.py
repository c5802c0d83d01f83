"""`gsd doctor`: what is damaged or left over here, and with `--fix` mend what is safe to mend.

    gsd doctor                 look; also: gsd doctor audit, which lists all of it
    gsd doctor --fix           mend; also: gsd doctor fix, gsd doctor heal
    gsd doctor fix M002        only what is about one milestone

Reads only, without `--fix`. Exit code 0 when no error remains (warnings may), 2 when one does.
Source: spec auto 7; parallel PR-151, DV-18.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from milepost.doctor.finding import Finding, Severity
from milepost.doctor.run import Mended, Report, examine, mend
from milepost.doctor.site import Place
from milepost.errors import ExitCode, MilepostError
from milepost.model.ids import require_milestone
from milepost.store import preferences
from milepost.ui.cli import agents, arguments, context, credentials

SHOWN = 5
"""Findings of one code that are shown before the rest is only counted."""

_COMMAND = re.compile(r"\bgsd(?= [a-z])")
_MENDING = ("fix", "heal")
_WORDS = (*_MENDING, "audit")
_HEADINGS = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.INFO: "Notes"}
_NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def run(argv: Sequence[str], program: str) -> int:
    """Look, or mend; print; say whether errors remain."""
    options = _options(argv, program)
    where = context.find(program)
    place = Place(
        root=Path(where.root),
        state_dir=where.state_dir,
        home=where.home,
        cwd=Path(context.cwd()),
        now_s=time.time(),
        executor_window=_executor_window(where),
    )
    about = _scope(options.scope)
    report = mend(place, about) if options.fix or options.word in _MENDING else examine(place, about)
    every = options.all or options.word == "audit"
    said = _json(report, program) if options.json else _text(report, program, every=every)
    sys.stdout.write(_printable(said, sys.stdout.encoding))
    return ExitCode.BLOCKED if report.errors else ExitCode.DONE


def _executor_window(where: context.Where) -> int:
    """0 where the keys or the settings cannot be read, which checks say better."""
    with suppress(MilepostError, OSError):
        settings = preferences.load(where.root, where.home, state_dir=where.state_dir).preferences
        return agents.executor_window(settings, credentials.environ(where.home))
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    made = arguments.Parser(
        prog=f"{program} doctor",
        description="Look for damage and leftovers. Changes nothing without --fix; exit code 2 when errors remain.",
        allow_abbrev=False,
    )
    made.add_argument("word", nargs="?", metavar="WORD", help="fix or heal: as --fix; audit: as --all")
    made.add_argument("scope", nargs="?", metavar="MID", help="only what is about this milestone")
    made.add_argument(
        "--fix", action="store_true", help="mend what is proved to be safe to mend, and say what was done"
    )
    made.add_argument("--json", action="store_true", help="the findings as a JSON list")
    made.add_argument("--all", action="store_true", help=f"list every finding, not the first {SHOWN} of each kind")
    return made


def _options(argv: Sequence[str], program: str) -> argparse.Namespace:
    """A scope may stand alone: `gsd doctor M002`. Raises BadId for what is neither word nor milestone."""
    options = _parser(program).parse_args(argv)
    if options.word not in (None, *_WORDS):
        if options.scope is not None:
            _parser(program).error(f"{options.word!r} is none of {', '.join(_WORDS)}")
        options.word, options.scope = None, options.word
    return options


def _scope(text: str | None) -> str:
    """The milestone of a scope; of `M002/S01` that, too. Raises BadId."""
    return require_milestone(text.split("/")[0]) if text else ""


def _json(report: Report, program: str) -> str:
    """One list: first what was mended or refused, then what is there."""
    rows = [{**_row(one.finding, program), "fixed": one.done} for one in report.mended if one.done]
    refused = {_key(one.finding): one.refused for one in report.mended if not one.done}
    for found in report.findings:
        row = _row(found, program)
        if _key(found) in refused:
            row["refused"] = _typed(refused[_key(found)], program)
        rows.append(row)
    return json.dumps(rows, indent=2) + "\n"


def _row(found: Finding, program: str) -> dict[str, str | int | bool]:
    return {
        "code": found.code,
        "severity": found.severity.value,
        "path": found.path,
        "line": found.line,
        "message": found.message,
        "hint": _typed(found.hint, program),
        "fixable": found.fixable,
    }


def _key(found: Finding) -> tuple[str, str, str]:
    return found.code, found.path, found.subject


def _text(report: Report, program: str, *, every: bool) -> str:
    lines = [*_mended(report.mended, program)]
    for severity, heading in _HEADINGS.items():
        chosen = [found for found in report.findings if found.severity is severity]
        if chosen:
            lines += [heading, *_grouped(chosen, program, every=every), ""]
    lines.append(_count(report, program))
    return "\n".join(lines) + "\n"


def _mended(mended: Sequence[Mended], program: str) -> Iterator[str]:
    if not mended:
        return
    yield "Mended"
    for one in mended:
        what = one.finding.path or one.finding.subject or one.finding.message
        yield (
            f"  {one.finding.code}  {what}: {one.done}"
            if one.done
            else f"  not {one.finding.code}  {what}: {_typed(one.refused, program)}"
        )
    yield ""


def _grouped(findings: Sequence[Finding], program: str, *, every: bool) -> Iterator[str]:
    """Findings by code, a hint below the last that has it."""
    ordered = sorted(findings, key=lambda found: found.code)
    for code, same in groupby(ordered, key=lambda found: found.code):
        group = list(same)
        shown = group if every else group[:SHOWN]
        for found, following in zip(shown, [*shown[1:], None], strict=True):
            yield f"  {code}  {_sentence(found)}"
            if found.hint and (following is None or following.hint != found.hint):
                yield f"      {_typed(found.hint, program)}"
        if len(group) > len(shown):
            yield f"      and {len(group) - len(shown)} more; --all lists them"


def _typed(text: str, program: str) -> str:
    """Commands in a sentence, as they are typed here."""
    return _COMMAND.sub(program, text)


def _sentence(found: Finding) -> str:
    where = f"{found.path}:{found.line}" if found.path and found.line else found.path
    return f"{where}: {found.message}" if where else found.message


def _count(report: Report, program: str) -> str:
    if not report.findings:
        return "Nothing found."
    numbers = {severity: sum(found.severity is severity for found in report.findings) for severity in _NOUNS}
    parts = [f"{number} {_NOUNS[kind]}{'s' if number != 1 else ''}" for kind, number in numbers.items() if number]
    fixable = sum(found.fixable for found in report.findings)
    tried = bool(report.mended)
    offer = f" {program} doctor --fix can mend {fixable}." if fixable and not tried else ""
    return f"{', '.join(parts)}.{offer}"


def _printable(text: str, encoding: str | None) -> str:
    """Names of files may hold anything; control characters and what the terminal cannot show are replaced."""
    clean = "".join(char if char == "\n" or char.isprintable() else "?" for char in text)
    return clean.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8")
