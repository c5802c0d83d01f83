"""`gsd init`: make the state directory in a repository, and commit it. Source: spec auto 1.3, 5.2, 6.2."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from milepost.errors import ExitCode
from milepost.git import repo
from milepost.git.planning import commit_planning
from milepost.git.run import git
from milepost.rules import gitignore
from milepost.store import atomic, preferences
from milepost.ui.cli import arguments, context
from milepost.ui.cli.main import state_dir

_PROJECT = """\
# Project

## What This Is

(one paragraph)

## Milestone Sequence

- [ ] M001: (title) — (one line)
"""


def run(argv: Sequence[str], program: str) -> int:
    """Make what is missing; what is there stays as it is."""
    made = arguments.Parser(prog=f"{program} init", description="Make a state directory in this repository.")
    made.add_argument("--no-commit", action="store_true", help="leave the new files uncommitted")
    options = made.parse_args(argv)
    name = state_dir(program)
    here = context.outside_worktrees(context.cwd())
    try:
        place = repo.inspect(Path(here))
    except repo.NotARepository as none:
        hint = f'git init, and again; or {program} new-project "…", which makes both.'
        raise repo.NotARepository(str(none), hint=hint) from None
    repo.require_ready(place)
    written = make(place.root, name, commit=not options.no_commit, out=sys.stdout)
    sys.stdout.write(_said(place.root, name, written, program))
    return ExitCode.DONE


def make(root: Path, name: str, *, commit: bool, out: TextIO) -> list[str]:
    """Make what is missing of the state directory `name`, and commit it if wanted; what was written.

    out: where it is said that .gitignore changed its mind.
    """
    settings = preferences.load(str(root), context.home(name), state_dir=name).preferences.git
    hidden = _hides(root, name)
    written = _write_missing(root, name)
    if _ignore(root, name, commit_docs=settings.commit_docs, manage=settings.manage_gitignore):
        written.append(".gitignore")
    if written and settings.commit_docs and commit:
        repo.require_identity(root)
        commit_planning(root, written, "chore: init gsd\n")
    if hidden and not _hides(root, name):
        out.write(f".gitignore hid {name}/ and does no longer, since the plan is committed.\n")
        out.write(f"To keep it out: git.commit_docs: false in {name}/PREFERENCES.md, and the line put back.\n")
    return written


def _write_missing(root: Path, name: str) -> list[str]:
    state = root / name
    (state / "milestones").mkdir(parents=True, exist_ok=True)
    path = state / "PROJECT.md"
    if path.exists() or (state / "project.md").exists():
        return []
    atomic.replace(path, _PROJECT.encode())
    return [f"{name}/PROJECT.md"]


def _ignore(root: Path, name: str, *, commit_docs: bool, manage: bool) -> bool:
    path = root / ".gitignore"
    old = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    unwanted = _matching_tracked(root) if manage and commit_docs else frozenset[str]()
    new = gitignore.ensure(old, commit_docs=commit_docs, manage=manage, state_dir=name, unwanted=unwanted)
    if new == old:
        return False
    atomic.replace(path, new.encode("utf-8", "surrogateescape"))
    return True


def _matching_tracked(root: Path) -> frozenset[str]:
    """General patterns that would ignore something the project tracks; a new file beside it would go unseen."""
    return frozenset(
        pattern
        for pattern in gitignore.GENERAL_PATTERNS
        if not pattern.startswith("!") and git(root, "ls-files", "-ci", f"--exclude={pattern}").out
    )


def _hides(root: Path, name: str) -> bool:
    path = root / ".gitignore"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return any(line.strip().rstrip(b"/") == name.encode() for line in lines)


def _said(root: Path, name: str, written: list[str], program: str) -> str:
    done = f"Made {', '.join(written)} in {root}." if written else f"{root / name} is there already; nothing changed."
    milestone = f"{name}/milestones/M001/M001-CONTEXT.md"
    return f"{done}\nNext: describe the first milestone in {milestone}, then {program} auto.\n"
