"""`formats.md`: one section per kind of file, from the docstring of the module that reads and writes it."""

import re
from importlib import import_module

from pages.prose import described, plain

GROUPS = {
    "The directory": ("formats.tree",),
    "The project": (
        "formats.project",
        "formats.requirements",
        "formats.decisions",
        "formats.knowledge",
        "formats.captures",
        "formats.triage",
        "formats.overrides",
        "formats.queue",
        "formats.memory",
        "formats.reports",
        "formats.preferences_block",
    ),
    "A milestone": (
        "formats.context",
        "formats.later",
        "formats.roadmap",
        "formats.validation",
        "formats.secrets_manifest",
        "formats.parked",
        "formats.meta",
    ),
    "A slice": (
        "formats.plan",
        "formats.uat",
        "formats.assessment",
        "formats.replan",
        "formats.continue_",
    ),
    "Summaries and evidence": ("formats.summary", "formats.evidence", "formats.placeholder", "formats.skipped"),
    "Run-time files": (
        "formats.metrics",
        "formats.routing_history",
        "formats.state_md",
        "formats.lock",
        "formats.unit_record",
        "unit.transcript",
        "formats.status",
        "formats.signal",
        "formats.orchestrator",
        "formats.forecast",
    ),
    "Beside the state directory": (
        "formats.dotenv",
        "formats.answers",
        "formats.skill",
        "git.include",
        "agents.cassette",
        "formats.assignment",
    ),
}
"""Heading → modules of `milepost`, in the order of the page."""

HEADINGS = {
    "formats.preferences_block": "`PREFERENCES.md`: where the settings stand",
    "formats.placeholder": "A note that work was given up",
    "formats.skipped": "A note that work is not wanted",
    "agents.cassette": "Cassettes",
    "formats.assignment": "The environment of a parallel worker",
}
"""Sections whose module does not begin with the name of its file."""

_INTRODUCTION = """\
# Formats

What lies in `.gsd/` (or `.sf/`), file by file. Readers take every variant that real projects contain; writers use the
form shown, keep the file's own line ends, and change only what they mean to. A file that cannot be understood is
reported with its path and line and is never rewritten. Documents written by people and by models are Markdown; what the
program alone writes is JSON. Run-time files are ignored by git.

The settings have a page of their own: [Preferences](preferences.md); so have the lines of the
[journal](journal.md).
"""


def modules() -> tuple[str, ...]:
    """Every module on the page, below `milepost`."""
    return tuple(name for group in GROUPS.values() for name in group)


def page() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    for heading, names in GROUPS.items():
        parts += [f"## {heading}\n", *(_section(name) for name in names)]
    return "\n".join(parts)


def _section(name: str) -> str:
    first, _, rest = plain(import_module(f"milepost.{name}").__doc__).partition("\n")
    found = re.match(r"((?:[^:(]|\([^)]*\))+): (.*)", first)
    heading, says = (found[1], found[2]) if found and name not in HEADINGS else (HEADINGS[name], first)
    return f"### {heading}\n\n{_sentence(says)}\n\n{described(rest)}\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
