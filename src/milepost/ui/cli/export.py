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
from milepost.ui.cli import arguments, context, reporting
from milepost.ui.report import document, markdown, words


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} export", description="What was done, how it ended and what it cost, as a file to pass on.",
        allow_abbrev=False,
    )  # fmt: skip
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything, for programs")
    form.add_argument("--markdown", action="store_true", help="for reading as text (this is the default)")
    made.add_argument("--milestone", metavar="ID", default="", help="only this milestone (M001)")
    made.add_argument("--output", metavar="FILE", default="", help="write there; - is the terminal")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Write it, and say where it is."""
    options = parser(program).parse_args(argv)
    where = context.find(program)
    return _text(options, where, program)


def _text(options: argparse.Namespace, where: context.Where, program: str) -> int:
    taken = reporting.take(where, program, options.milestone)
    said = document.text(*taken) if options.json else markdown.text(taken.report)
    if options.output == "-":
        sys.stdout.write(said)
        return ExitCode.DONE
    name = f"export-{words.stamp(taken.report.here.now_ms)}.{'json' if options.json else 'md'}"
    path = Path(options.output) if options.output else Path(where.root, where.state_dir, name)
    atomic.replace(path, said.encode("utf-8", "replace"))
    sys.stdout.write(f"{path}\n")
    return ExitCode.DONE
