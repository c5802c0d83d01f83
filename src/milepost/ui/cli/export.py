"""`gsd export`: what was done, how it ended, what it cost, as JSON, markdown or a page of its own.

    gsd export                        .gsd/export-<time>.md
    gsd export --json                 .gsd/export-<time>.json
    gsd export --html                 .gsd/reports/<MID>-<time>.html, and the index beside it
    gsd export --html --all           one page for each merged milestone that has none

Reads the project; writes nothing but these files. Source: spec auto 7 (export), 5.18.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.store import atomic
from milepost.ui.cli import arguments, context, reporting, shelving
from milepost.ui.report import document, html, markdown, words
from milepost.ui.views.report import Report


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} export", description="What was done, how it ended and what it cost, as a file to pass on.",
        allow_abbrev=False,
    )  # fmt: skip
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything, for programs")
    form.add_argument("--html", action="store_true", help="a page that needs no network, entered into the index")
    form.add_argument("--markdown", action="store_true", help="for reading as text (this is the default)")
    made.add_argument("--all", action="store_true", help="with --html: each merged milestone that has no page gets one")
    made.add_argument("--milestone", metavar="ID", default="", help="only this milestone (M001)")
    made.add_argument("--output", metavar="FILE", default="", help="write there; - is the terminal")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Write it, and say where it is."""
    made = parser(program)
    options = made.parse_args(argv)
    if options.all and (not options.html or options.milestone or options.output):
        made.error("--all goes with --html alone")
    where = context.find(program)
    if options.all:
        return _all(where, program)
    taken = reporting.take(where, program, options.milestone)
    if options.html and not options.output:
        path = shelving.shelve(taken.report, where, shelving.kind(taken.report))
    elif options.output == "-":
        sys.stdout.write(_said(options, taken))
        return ExitCode.DONE
    else:
        path = _path(options, taken.report, where)
        atomic.replace(path, _said(options, taken).encode("utf-8", "replace"))
    sys.stdout.write(f"{path}\n")
    return ExitCode.DONE


def _said(options: argparse.Namespace, taken: reporting.Taken) -> str:
    if options.html:
        return html.text_of(taken.report, listed=False)
    return document.text(*taken) if options.json else markdown.text(taken.report)


def _path(options: argparse.Namespace, made: Report, where: context.Where) -> Path:
    if options.output:
        return Path(options.output)
    name = f"export-{words.stamp(made.here.now_ms)}.{'json' if options.json else 'md'}"
    return Path(where.root, where.state_dir, name)


def _all(where: context.Where, program: str) -> int:
    """A page for each merged milestone that has none."""
    paths = [
        shelving.shelve(reporting.take(where, program, mid).report, where, "milestone")
        for mid in shelving.unreported(where, program)
    ]
    sys.stdout.write("".join(f"{path}\n" for path in paths) or "Every merged milestone has its report.\n")
    return ExitCode.DONE
