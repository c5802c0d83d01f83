"""What of the state directory git must not see, and `.gitignore` as a text edit.

Lines of the user stay byte for byte, line ends included. Only one thing is ever taken out: a line that ignores
the whole state directory, which would hide the plan itself. Source: spec auto 1.3, parallel 1.4.
"""

from collections.abc import Container
from typing import Final

RUNTIME_PATTERNS: Final = (
    "activity/",
    "forensics/",
    "runtime/",
    "worktrees/",
    "parallel/",
    "auto.lock",
    "metrics.json",
    "completed-units.json",
    "STATE.md",
    "gsd.db",
    "DISCUSSION-MANIFEST.json",
    "milestones/**/*-CONTINUE.md",
    "milestones/**/continue.md",
    # GSD 2.28 leaves these to be committed by accident, later releases and Milepost write them.
    "journal/",
    "audit/",
    "debug/",
    "routing-history.json",
    "hook-state.json",
    "memories.jsonl",
    "orchestrator.json",
    "completed-units*.json",
    "gsd.db-*",
    "event-log.jsonl",
    "doctor-history.jsonl",
    "state-manifest.json",
    "export-*",
    "**/*.tmp",
    "**/*.tmp.*",
)
"""Run-time files, relative to the state directory. Source: spec auto 1.3 with its recommendation, parallel 1.4."""

GENERAL_PATTERNS: Final = (
    ".DS_Store",
    "Thumbs.db",
    "*.swp",
    "*.swo",
    "*~",
    ".idea/",
    ".vscode/",
    "*.code-workspace",
    ".env",
    ".env.*",
    "!.env.example",
    "node_modules/",
    ".next/",
    "dist/",
    "build/",
    "__pycache__/",
    "*.pyc",
    ".venv/",
    "venv/",
    "target/",
    "vendor/",
    "*.log",
    "coverage/",
    ".cache/",
    "tmp/",
)
"""What hardly any project wants committed; appended with the others. Source: spec auto 1.3."""

_HEADING: Final = "# Run-time files of the plan's runner, and common leftovers"
_WHOLE: Final = "# Planning state stays local (git.commit_docs: false)"


def ensure(
    text: str, *, commit_docs: bool, manage: bool, state_dir: str = ".gsd", unwanted: Container[str] = ()
) -> str:
    """`.gitignore`'s text with what is missing appended; the very same text when nothing is.

    unwanted: general patterns to leave out, since the project tracks files that they match. commit_docs False
    ignores the whole state directory instead. manage False changes nothing. Pure.
    """
    if not manage:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    blanket = {state_dir, f"{state_dir}/"}
    lines = text.splitlines(keepends=True)
    if not commit_docs:
        if any(line.strip() in blanket for line in lines):
            return text
        return _appended(text, [_WHOLE, f"{state_dir}/", ""], newline)
    kept = "".join(line for line in lines if line.strip() not in blanket)
    missing = [pattern for pattern in _missing(kept, state_dir) if pattern not in unwanted]
    return _appended(kept, [_HEADING, *missing], newline) if missing else kept


def _missing(text: str, state_dir: str) -> list[str]:
    there = {line.strip() for line in text.splitlines()}
    wanted = [f"{state_dir}/{pattern}" for pattern in RUNTIME_PATTERNS]
    return [pattern for pattern in (*wanted, *GENERAL_PATTERNS) if pattern not in there]


def _appended(text: str, block: list[str], newline: str) -> str:
    end = "" if not text or text.endswith("\n") else newline
    blank = newline if text else ""
    return text + end + blank + "".join(line + newline for line in block)
