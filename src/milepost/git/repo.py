"""Which repository this is, and whether work may start in it.

The root is the checkout that a person works in: also from inside one of our own worktrees, whose `.git` file leads
back to it. Source: spec auto 6.1-6.3, 8.5; issue "Bad input".
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import pointers
from milepost.git.run import GitFailed, git, version
from milepost.model.work import key_of

_STATE_DIRS = (".gsd", ".sf")
_OPERATIONS = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)


class NotARepository(MilepostError):
    """No repository above the directory."""


class BareRepository(MilepostError):
    """A repository without a checkout to work in."""


class NotReady(MilepostError):
    """The repository is in a state in which no work may start; nothing was changed."""

    exit_code = ExitCode.BLOCKED


class NoCommits(NotReady):
    """The branch that is checked out has no commit yet."""


class DetachedHead(NotReady):
    """No branch is checked out."""


class OperationInProgress(NotReady):
    """A merge, rebase, cherry-pick, revert or bisect was left half done."""


class NoIdentity(NotReady):
    """Git does not know whose name to write into commits."""


class HeadKind(StrEnum):
    """What HEAD of a checkout points at."""

    BRANCH = "branch"
    DETACHED = "detached"
    UNBORN = "unborn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """HEAD of one checkout."""

    kind: HeadKind
    branch: str | None
    """Short branch name; None when detached."""
    commit: str | None
    """None when unborn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A repository as seen from the checkout a person works in."""

    root: Path
    git_dir: Path
    common_dir: Path
    head: Head


class NestedKind(StrEnum):
    """A repository inside the repository."""

    SUBMODULE = "submodule"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """A submodule, or a repository that the outer one does not know."""

    path: str
    kind: NestedKind


def inspect(cwd: Path) -> Repo:
    """The repository around `cwd`, at the root a person works in.

    Raises NotARepository, BareRepository, DubiousOwnership (somebody else's repository) and GitUnusable.
    """
    version()
    top, git_dir, common = _layout(cwd)
    owner = _owner_of_worktree(top) if git_dir != common else None
    if owner is not None:
        top, git_dir, common = _layout(owner)
    return Repo(root=top, git_dir=git_dir, common_dir=common, head=head_of(top))


def head_of(where: Path) -> Head:
    """What HEAD of the checkout at `where` points at."""
    try:
        ref, commit = pointers.head(where)
    except pointers.Unplain:
        ref = git(where, "symbolic-ref", "-q", "HEAD", ok=(0, 1)).line
        commit = git(where, "rev-parse", "-q", "--verify", "HEAD^{commit}", ok=(0, 1, 128)).line or None
    branch = (ref or "").removeprefix("refs/heads/") or None
    if branch is None:
        return Head(kind=HeadKind.DETACHED, branch=None, commit=commit)
    return Head(kind=HeadKind.BRANCH if commit else HeadKind.UNBORN, branch=branch, commit=commit)


def in_progress(where: Path) -> str | None:
    """`merge`, `rebase`, `cherry-pick`, `revert` or `bisect` when one was left half done in this checkout."""
    return operation_in(git_dir(where))


def git_dir(where: Path) -> Path:
    """The git directory of the checkout at `where`: its own, for a worktree."""
    try:
        return pointers.git_dir(where)
    except pointers.Unplain:
        return Path(git(where, "rev-parse", "--absolute-git-dir").line)


def operation_in(git_dir: Path) -> str | None:
    """The same for a checkout whose own git directory is known; without a git call."""
    return next((kind for name, kind in _OPERATIONS if os.path.lexists(git_dir / name)), None)


def require_ready(repo: Repo) -> None:
    """Prove that work may start: a branch with a commit, nothing half done, somebody to commit as.

    Raises NoCommits, DetachedHead, OperationInProgress or NoIdentity. Call it before any money is spent.
    """
    if repo.head.kind is HeadKind.UNBORN:
        raise NoCommits(
            f"{repo.root}: branch {repo.head.branch} has no commit yet",
            hint='git add . && git commit -m "first commit"',
        )
    if operation := in_progress(repo.root):
        raise OperationInProgress(
            f"{repo.root}: a {operation} is half done here", hint=f"Finish it, or: {_way_out(operation)}"
        )
    if repo.head.kind is HeadKind.DETACHED:
        raise DetachedHead(
            f"{repo.root}: HEAD is detached at {(repo.head.commit or '')[:10]}",
            hint="git switch <branch>, or git switch -c <new branch>",
        )
    require_identity(repo.root)


def require_identity(where: Path) -> None:
    """Prove that git can write an author and a committer; raises NoIdentity."""
    for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if git(where, "-c", "user.useConfigOnly=true", "var", who, ok=(0, 128)).code:
            raise NoIdentity(
                f"{where}: git does not know who commits here",
                hint='git config user.name "Your Name" && git config user.email you@example.com',
            )


def nested(where: Path, *, deep: bool = False) -> tuple[Nested, ...]:
    """Submodules, and repositories that git only sees as a directory, relative to `where`.

    deep: also look into ignored directories, which removing a worktree would delete (spec auto 8.5, #3044).
    """
    staged = git(where, "ls-files", "-z", "--stage").out.split("\0")
    modules = {line.split("\t", 1)[1] for line in staged if line.startswith("160000 ")}
    others = git(where, "ls-files", "-z", "--others", "--exclude-standard").out.split("\0")
    found = {path.rstrip("/") for path in others if path.endswith("/")}
    if deep:
        found |= set(_repositories_below(where))
    return tuple(
        Nested(path=path, kind=NestedKind.SUBMODULE if path in modules else NestedKind.REPOSITORY)
        for path in sorted(modules | found)
    )


def _layout(cwd: Path) -> tuple[Path, Path, Path]:
    """Top of the checkout, its git directory, and the one all worktrees share; all absolute and real."""
    asked = ("--path-format=absolute", "--git-dir", "--git-common-dir")
    try:
        git_dir, common, top = git(cwd, "rev-parse", *asked, "--show-toplevel").out.splitlines()
    except GitFailed as failed:
        if "must be run in a work tree" in failed.stderr:
            raise _without_checkout(cwd) from None
        if "not a git repository" not in failed.stderr and "cannot change to" not in failed.stderr:
            raise
        raise NotARepository(f"{cwd} is not in a git repository", hint="git init, or go to your project") from None
    return Path(top), Path(os.path.realpath(git_dir)), Path(os.path.realpath(common))


def _without_checkout(cwd: Path) -> MilepostError:
    asked = ("--path-format=absolute", "--is-bare-repository", "--git-dir")
    bare, git_dir = git(cwd, "rev-parse", *asked).out.splitlines()
    if bare == "true":
        return BareRepository(
            f"{git_dir} is a bare repository", hint="Use a clone, or: git worktree add <dir> <branch>"
        )
    return NotARepository(f"{cwd} is inside a git directory, not in a checkout", hint="Go to your project.")


def _owner_of_worktree(top: Path) -> Path | None:
    """The checkout that one of our own worktrees belongs to; None for a worktree that a person made."""
    state = top.parent.parent
    if top.parent.name == "worktrees" and state.name in _STATE_DIRS and (state.parent / ".git").exists():
        return state.parent
    if key_of(head_of(top).branch or "") == top.name:
        main = git(top, "worktree", "list", "--porcelain", "-z").out.split("\0")[0].removeprefix("worktree ")
        return Path(main) if (Path(main) / ".git").exists() else None
    return None


def _way_out(operation: str) -> str:
    return "git bisect reset" if operation == "bisect" else f"git {operation} --abort"


def _repositories_below(where: Path) -> list[str]:
    found = []
    for directory, subdirectories, files in os.walk(where):
        if directory != str(where) and (".git" in subdirectories or ".git" in files):
            found.append(os.path.relpath(directory, where))
            subdirectories.clear()
        elif ".git" in subdirectories:
            subdirectories.remove(".git")
    return found
