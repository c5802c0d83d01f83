"""Names for commits: reading, moving by compare-and-swap, and pins that nothing is lost from.

    refs/gsd/backup/M001/3-tip      the third pin of M001, of what its branch was

Pins are numbered and never move. Source: spec auto 6.3, 8.5; DESIGN rules 6 and 7.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import pointers
from milepost.git.run import GitFailed, git

BACKUPS = "refs/gsd/backup"
ABSENT = ""
"""As the old value: the ref must not exist yet."""
_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_ALLOWED_BRANCH = re.compile(r"[A-Za-z0-9_\-/.]+\Z")
_OLD_SLICE_BRANCH = re.compile(r"gsd/(?:[^/]+/)?M\d+[^/]*/S\d+")


class RefMoved(MilepostError):
    """A ref was not where a compare-and-swap expected it; nothing was changed."""


class NoIntegrationBranch(MilepostError):
    """There is no branch that milestones could be merged into."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One pin of a milestone."""

    ref: str
    number: int
    label: str
    commit: str


def resolve(where: Path, name: str) -> str | None:
    """The commit behind a ref or revision; None when there is none."""
    try:
        return pointers.commit(where, name)
    except pointers.Unplain:
        return git(where, "rev-parse", "-q", "--verify", f"{name}^{{commit}}", ok=(0, 1, 128)).line or None


def branch_tip(where: Path, branch: str) -> str | None:
    """The commit a local branch points at; None when there is no such branch."""
    return resolve(where, f"refs/heads/{branch}")


def branches(where: Path) -> dict[str, str]:
    """Every local branch and the commit it is at."""
    listed = git(where, "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads/").out
    return {name: commit for commit, _, name in (line.partition(" ") for line in listed.splitlines())}


def is_ancestor(where: Path, old: str, new: str) -> bool:
    """Whether `new` contains `old` (a commit contains itself)."""
    return _ancestry(where, (old, new), "--is-ancestor")[0] == 0


def merge_base(where: Path, one: str, other: str) -> str | None:
    """The best common ancestor; None for unrelated histories."""
    return _ancestry(where, (one, other))[1].split("\n")[0] or None


def _ancestry(where: Path, commits: tuple[str, str], *options: str) -> tuple[int, str]:
    """Git's answer about two commits. What is between two commits never changes, so between ids it is kept."""
    ask = _ask if all(map(_ID.match, commits)) else _ask.__wrapped__
    return ask(where, commits, *options)


@lru_cache(maxsize=1024)
def _ask(where: Path, commits: tuple[str, str], *options: str) -> tuple[int, str]:
    done = git(where, "merge-base", *options, *commits, ok=(0, 1))
    return done.code, done.line


def on_a_remote(where: Path, commit: str) -> bool:
    """Whether a branch of a remote, as this repository last saw it, holds the commit."""
    asked = ("for-each-ref", "--count=1", f"--contains={commit}", "--format=%(refname)", "refs/remotes")
    return bool(git(where, *asked, ok=(0, 1, 128, 129)).line)


def compare_and_swap(where: Path, ref: str, new: str, old: str, *, why: str = "gsd") -> None:
    """Move a ref from `old` to `new`, only if it is at `old` now; `ABSENT` as `old` creates it.

    why: the reflog's line. Raises RefMoved when somebody else moved the ref.
    """
    try:
        git(where, "update-ref", "--create-reflog", "-m", why, ref, new, old)
    except GitFailed as failed:
        now = resolve(where, ref) or ABSENT
        if now != old:
            raise RefMoved(f"{ref} is at {now[:10] or 'nothing'}, not at {old[:10] or 'nothing'}") from failed
        raise


def delete(where: Path, ref: str, old: str) -> None:
    """Delete a ref, only if it is at `old`; one that is gone already is fine. Raises RefMoved."""
    now = resolve(where, ref)
    if now is None:
        return
    if now != old:
        raise RefMoved(f"{ref} is at {now[:10]}, not at {old[:10]}")
    git(where, "update-ref", "-d", ref, old)


def pin(where: Path, mid: str, label: str, commit: str) -> str:
    """Keep `commit` under `refs/gsd/backup/<mid>/<n>-<label>` and return the ref.

    Numbers go up and never move. A commit that is pinned under this label already keeps its ref, so that a step
    which is run again makes nothing new.
    """
    for _ in range(50):
        there = backups(where, mid)
        same = next((pinned.ref for pinned in there if pinned.label == label and pinned.commit == commit), None)
        if same is not None:
            return same
        ref = f"{BACKUPS}/{mid}/{max((pinned.number for pinned in there), default=0) + 1}-{label}"
        try:
            compare_and_swap(where, ref, commit, ABSENT, why=f"gsd: backup of {mid}")
        except RefMoved:
            continue
        return ref
    raise RefMoved(f"{BACKUPS}/{mid}: no free number after 50 tries")


def backups(where: Path, mid: str) -> tuple[Backup, ...]:
    """All pins of a milestone, oldest first."""
    lines = git(where, "for-each-ref", "--format=%(refname) %(objectname)", f"{BACKUPS}/{mid}/").out.splitlines()
    found = []
    for ref, commit in (line.split(" ") for line in lines):
        number, _, label = ref.rsplit("/", 1)[1].partition("-")
        if number.isdigit():
            found.append(Backup(ref=ref, number=int(number), label=label, commit=commit))
    return tuple(sorted(found, key=lambda pinned: pinned.number))


def default_branch(where: Path) -> str | None:
    """What this repository calls its main branch: origin's HEAD, `main`, `master`, else the branch checked out.

    None when none of these exists as a local branch. A milestone branch is never it.
    """
    remote = git(where, "symbolic-ref", "-q", "refs/remotes/origin/HEAD", ok=(0, 1, 128)).line
    current = git(where, "symbolic-ref", "-q", "--short", "HEAD", ok=(0, 1, 128)).line
    candidates = (remote.removeprefix("refs/remotes/origin/"), "main", "master", current)
    return next((name for name in candidates if may_integrate(name) and branch_tip(where, name)), None)


def may_integrate(branch: str) -> bool:
    """Whether a branch of this name may be merged into: plain characters, not a branch of our own making."""
    ours = branch.startswith(("milestone/", "worktree/", "gsd/quick/")) or _OLD_SLICE_BRANCH.match(branch)
    return bool(_ALLOWED_BRANCH.match(branch)) and not ours and not branch.startswith("-")


def integration(recorded: str | None, preferred: str | None, where: Path) -> str:
    """The branch that a milestone is merged into.

    recorded: from `<MID>-META.json`; preferred: `git.main_branch`. The first that exists and may be merged into
    wins, then the default branch. Raises NoIntegrationBranch, also when the preferred branch does not exist.
    Source: spec auto 6.3, 6.7 (#1668, #6250).
    """
    if recorded and may_integrate(recorded) and branch_tip(where, recorded):
        return recorded
    if preferred:
        if may_integrate(preferred) and branch_tip(where, preferred):
            return preferred
        raise NoIntegrationBranch(
            f"git.main_branch is {preferred!r}, and there is no such branch to merge into",
            hint=f"git branch {preferred}, or change git.main_branch in PREFERENCES.md",
        )
    if found := default_branch(where):
        return found
    raise NoIntegrationBranch(
        "no branch to merge milestones into was found", hint="Set git.main_branch in PREFERENCES.md"
    )
