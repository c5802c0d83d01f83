"""The page that maps what a person can set, type or meet to the tests that observe it.

Read from the tests' `@pytest.mark.covers("key:…", …)` by their syntax; nothing is imported or run.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from milepost.formats.captures import CLASSIFICATIONS
from milepost.formats.preferences_schema import reference
from milepost.model.units import UnitKind
from milepost.rules.provider_errors import ErrorKind
from milepost.ui.cli import headless, parallel, queue, secrets
from milepost.ui.cli.main import COMMANDS
from pages.marked import carriers, cell
from pages.preferences import shown

_INTRODUCTION = """\
# Settings, commands and units, and their tests

Each has at least one test that observes what it does, not only that it can be read.
`pytest -m "covers"` runs all of them.
"""
PROMISES: Mapping[str, str] = {
    "token-profile": "A token profile sets models and skips phases",
    "transient-resume": "Failures of a server that pass are waited for, and the run goes on by itself",
    "stuck-twice": "The same unit twice: one retry with a diagnostic, then a stop that names the expected file",
    "timeouts-pause": "The idle and the hard timeout end in a pause, never in a placeholder",
    "verification-rerun": "A failed verification runs the same task again, with what failed",
    "worktree-merges": "A milestone in a worktree is merged when it is complete",
    "branch-isolation": "Isolation by branch works on `milestone/<MID>`",
    "slice-discussion": "`require_slice_discussion` holds a slice until it was discussed",
    "escalate": "A failed unit is tried again with a stronger model",
    "classifier": "The documented thresholds of complexity decide the tier",
    "git-keys": "`commit_type`, `push_branches`, `merge_strategy`, `snapshots` and `pre_merge_check` act",
    "auto-report": "`auto_report` and `auto_visualize` act",
    "detached-head": "A detached HEAD is put back on its branch",
    "restart-backoff": "Headless restarts wait 5, 10 and 30 seconds",
    "memory": "What a session learned is remembered",
    "replan-capture": "A capture can have its slice planned again",
    "state-md": "STATE.md shows where the project stands",
    "uat-pause": "A test for a person waits for the person, and nothing runs meanwhile",
}
"""What the original promises and does not keep; each has a test that shows it kept here."""
_HOOKS = ("post", "artifact", "max_cycles", "retry_on", "model", "modify", "skip", "replace")
_GROUPS: Mapping[str, tuple[str, str]] = {
    "key": ("Settings", ""),
    "command": ("Commands", "gsd "),
    "unit": ("Kinds of unit", ""),
    "hook": ("Hooks", ""),
    "capture": ("Classes of captures", ""),
    "error": ("Failures of a model's provider", ""),
    "promise": ("Promises of the original that it does not keep", ""),
}


def wanted() -> frozenset[str]:
    """Everything that must have a test, as `group:name`."""
    keys = (entry for entry in reference() if entry.takes not in ("object", "list of objects"))
    offered = re.findall(r"^  ([a-z-]+) ", headless.USAGE, re.MULTILINE)
    below = {"headless": offered, "parallel": parallel.SUBCOMMANDS, "queue": queue.ACTIONS, "secrets": secrets.ACTIONS}
    names = {
        "key": {shown(entry.key) for entry in keys},
        "command": {*COMMANDS, *(f"{name} {word}" for name, words in below.items() for word in words)},
        "unit": {str(kind) for kind in UnitKind},
        "hook": set(_HOOKS),
        "capture": set(CLASSIFICATIONS),
        "error": {str(kind) for kind in ErrorKind},
        "promise": set(PROMISES),
    }
    return frozenset(f"{group}:{name}" for group, members in names.items() for name in members)


def page() -> str:
    """The page."""
    found, everything = marks(), wanted()
    parts = [_INTRODUCTION]
    for group, (title, before) in _GROUPS.items():
        names = sorted(name for name in everything if name.startswith(f"{group}:"))
        parts.append(f"\n## {title}\n\n| | tests |\n|---|---|\n")
        parts += [f"| {_name(name, before)} | {cell(found.get(name, ()))} |\n" for name in names]
    return "".join(parts)


def marks() -> Mapping[str, tuple[str, ...]]:
    """Name to the tests that cover it, as `path::test`, sorted."""
    return carriers("covers", _words)


def _words(call: ast.Call) -> Iterator[str]:
    yield from (str(word.value) for word in call.args if isinstance(word, ast.Constant))


def _name(name: str, before: str) -> str:
    group, _, rest = name.partition(":")
    return PROMISES[rest] if group == "promise" else f"`{before}{rest}`"
