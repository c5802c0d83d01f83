"""Commits on a branch that is proved to be the right one, of exactly what may be in them.

Hooks run and signing is respected; whatever would ask a person fails with a reason instead.
Source: spec auto 1.4, 6.5, 6.7; field-reports #5, #25, soleur#7644.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git.entries import enter
from milepost.git.planning import commit_planning
from milepost.git.put_right import PutRight, put_right_branch
from milepost.git.repo import head_of
from milepost.git.run import HOOK_TIMEOUT_S, GitFailed, git, literal, raw
from milepost.git.snapshots import snapshot
from milepost.git.status import Change, Status, look

__all__ = [
    "CommitRefused", "ConflictsLeft", "PutRight", "SigningFailed", "Skipped", "Staging", "WrongBranch",
    "commit_index", "commit_planning", "commit_unit", "find_attempt", "head", "put_right_branch", "snapshot", "staging",
]  # fmt: skip

ATTEMPT = "GSD-Attempt"
"""Trailer that carries the attempt's id."""


_MADE = re.compile(r"^\[[^\n]* ([0-9a-f]{40,64})\] ", re.MULTILINE)
"""`[milestone/M001 <commit>] subject`, which git prints after hooks had their say."""


class WrongBranch(MilepostError):
    """HEAD of a checkout is not the branch that the commit is for; nothing was staged."""

    exit_code = ExitCode.BLOCKED


class ConflictsLeft(MilepostError):
    """A merge in the checkout has conflicts that nobody has resolved; nothing was staged."""

    exit_code = ExitCode.BLOCKED


class CommitRefused(MilepostError):
    """A hook of the repository, or git itself, refused the commit; `output` is what it said."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, message: str, output: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.output = output


class SigningFailed(CommitRefused):
    """Commits are to be signed, and the signing program failed or wanted to ask somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A change that is not committed."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """What of a checkout's changes goes into a commit and what does not."""

    taken: tuple[Change, ...]
    skipped: tuple[Skipped, ...]


def head(where: Path) -> str:
    """The commit that is checked out."""
    return head_of(where).commit or git(where, "rev-parse", "--verify", "HEAD^{commit}").line


def staging(status: Status, excluded: Callable[[str], str | None]) -> Staging:
    """Sort changes. `excluded` gives the reason why a path may not be committed, None when it may."""
    taken, skipped = [], []
    for change in status.changes:
        reason = "a repository of its own" if change.nested and change.untracked else excluded(change.path)
        if reason is None:
            taken.append(change)
        else:
            skipped.append(Skipped(path=change.path, reason=reason))
    return Staging(taken=tuple(taken), skipped=tuple(skipped))


def commit_unit(
    where: Path,
    *,
    branch: str,
    message: str,
    excluded: Callable[[str], str | None],
    on_skip: Callable[[Skipped], None] | None = None,
) -> str | None:
    """Commit what may be committed of a checkout; the new commit, or None when there is nothing.

    Deletions and renames are included; staged changes that are excluded stay staged and uncommitted. `on_skip` is
    told of each change left out. Raises WrongBranch or ConflictsLeft before anything is staged, CommitRefused when
    a hook refuses, SigningFailed.
    """
    status = look(where)
    if status.branch != branch:
        raise WrongBranch(
            f"{where}: HEAD is {status.branch or 'detached'}, not {branch}; nothing was committed",
            hint="gsd doctor",
        )
    _require_no_conflicts(where, status)
    chosen = staging(status, excluded)
    for left_out in chosen.skipped if on_skip else ():
        on_skip(left_out)  # type: ignore[misc]
    if not chosen.taken:
        return None
    _stage(where, chosen.taken)
    held_back = {left_out.path for left_out in chosen.skipped}
    partial = any(change.staged and change.path in held_back for change in status.changes)
    return _commit(where, message, chosen.taken if partial else ())


def _require_no_conflicts(where: Path, status: Status) -> None:
    """Adding a file in conflict would call it resolved and commit its markers."""
    left = [change.path for change in status.changes if change.unmerged]
    if left:
        raise ConflictsLeft(
            f"{where}: files are in conflict: {', '.join(left[:5])}", hint="Resolve them, git add, then: gsd auto"
        )


def commit_index(where: Path, message: str) -> str:
    """Commit what is staged, as a merge when one is half done; the new commit.

    Raises CommitRefused or SigningFailed.
    """
    try:
        return _committed(where, message)
    except GitFailed as failed:
        raise _refusal(where, failed) from failed


def find_attempt(where: Path, branch: str, base: str, attempt: str) -> str | None:
    """The commit on `branch` after `base` whose trailer carries this attempt; None when there is none."""
    form = f"--format=%H %(trailers:key={ATTEMPT},valueonly,separator=%x2C)"
    # 128: the agent deleted or renamed the branch, which is put right later.
    for line in git(where, "log", form, f"{base}..refs/heads/{branch}", ok=(0, 128)).out.splitlines():
        commit, _, attempts = line.partition(" ")
        if attempt in attempts.split(","):
            return commit
    return None


def _stage(where: Path, changes: tuple[Change, ...]) -> None:
    """Bring the index up to what stands on disk, for paths where they differ."""
    enter(where, (change.path for change in changes if change.untracked or change.worktree != "."))


def _commit(where: Path, message: str, only: tuple[Change, ...]) -> str | None:
    """The new commit, None when there turned out to be nothing. `only`: leave other staged changes out."""
    with tempfile.NamedTemporaryFile(prefix="gsd-paths-") as listed:
        limit = []
        if only:
            listed.write(literal(change.path for change in only))
            listed.flush()
            limit = ["--only", f"--pathspec-from-file={listed.name}", "--pathspec-file-nul"]
        try:
            return _committed(where, message, *limit)
        except GitFailed as failed:
            if _nothing_staged(where):
                return None
            raise _refusal(where, failed) from failed


def _committed(where: Path, message: str, *limit: str) -> str:
    """Git's own line says which commit it made, so nobody has to ask again."""
    args = ("-c", "core.abbrev=no", "commit", "--cleanup=verbatim", "--no-status", "--file=-", *limit)
    made = _MADE.search(git(where, *args, stdin=raw(message), timeout_s=HOOK_TIMEOUT_S).out)
    return made[1] if made else head(where)


def _nothing_staged(where: Path) -> bool:
    return git(where, "diff", "--cached", "--quiet", ok=(0, 1)).code == 0


def _refusal(where: Path, failed: GitFailed) -> MilepostError:
    said = failed.stderr.strip()
    if signing_failed(said):
        return SigningFailed(
            f"{where}: the commit could not be signed without asking somebody",
            said,
            hint="Unlock the key (gpg-agent, ssh-agent), or: git config commit.gpgSign false",
        )
    if failed.code == 1:
        last = said.splitlines()[-1] if said else "no output"
        return CommitRefused(
            f"{where}: a commit hook refused: {last}", said, hint="Fix what the hook reports, then: gsd auto"
        )
    return failed


def signing_failed(stderr: str) -> bool:
    """Whether git's complaint is about signing."""
    text = stderr.lower()
    return any(
        sign in text
        for sign in (
            "gpg failed to sign",
            "failed to sign",
            "signing failed",
            "couldn't load public key",
            "ssh-keygen -y",
        )
    ) or ("failed to write commit object" in text)
