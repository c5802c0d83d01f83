"""Conflicts that are to come, found while workers run: every branch with its uncommitted work, against the others.

    look_ahead(root, {"M001": worktree, …}, "main", state_dir=".gsd")   all of it
    tip_with_work(worktree)                                             a branch as if everything were committed
    forecast(root, {"M001": commit, …}, "main", state_dir=".gsd")       pairwise, and each against the target

Nothing moves: no ref, no index, no lock, no file; objects go aside and are gone afterwards. Conflicts that policy
settles (planning files, built files) are no news, and neither is what a slice of the same milestone landed before.
Source: issue "Merging"; DESIGN "Parallel"; field-reports #6.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

from milepost.git import refs, slices
from milepost.git.aside import aside, shared_dir
from milepost.git.clash import Clash, Contested, contested
from milepost.git.entries import enter
from milepost.git.merge_tree import Conflict, combine
from milepost.git.repo import git_dir
from milepost.git.resolve import in_code
from milepost.git.run import GitFailed, git
from milepost.git.snapshots import private_index
from milepost.git.status import Change, look
from milepost.rules.staging import is_runtime, looks_secret

__all__ = ["Clash", "Contested", "Known", "forecast", "look_ahead", "tip_with_work"]

_TRIES = 4
_LARGEST = 2_000_000
"""Bytes of a file beyond which its uncommitted state is not looked at."""
_MOST = 2_000
"""Untracked files beyond which none of them is looked at."""
_KEPT = 4_096
"""Answers kept before old ones are dropped."""
_NAMED = re.compile(r"^fatal: (?:Unable to process path (.+)|(.+): clean filter '.*' failed)$", re.MULTILINE)
"""How git names a file that it cannot take."""
_SAME_ALWAYS = {
    f"GIT_{who}_{what}": said
    for who in ("AUTHOR", "COMMITTER")
    for what, said in (("NAME", "gsd"), ("EMAIL", "gsd@localhost"), ("DATE", "@0 +0000"))
}
"""The same files give the same commit, so that an answer is found again."""

Known: TypeAlias = MutableMapping[tuple[str, str], tuple[Conflict, ...]]
"""Answers by the two commits, in order of their names. Good for one set of `state_dir` and `generated`."""


def look_ahead(
    root: Path,
    worktrees: Mapping[str, Path],
    target: str,
    *,
    state_dir: str,
    generated: Sequence[str] = (),
    known: Known | None = None,
) -> tuple[Clash, ...]:
    """What does not fit of the work in these worktrees (by milestone), committed or not; leaves no object behind.

    target: short branch name, or a commit. generated: patterns of built files. known: answers of earlier calls, kept
    by the caller. A worktree that cannot be read just now, or is not this repository's, is left out.
    """
    with aside(root) as env:
        sides = {}
        for name, worktree in worktrees.items():
            try:
                _require_ours(root, worktree)
                sides[name] = tip_with_work(worktree, state_dir=state_dir, env=env)
            except (GitFailed, OSError):
                continue
        return forecast(root, sides, target, state_dir=state_dir, generated=generated, known=known, env=env)


def tip_with_work(worktree: Path, *, state_dir: str = ".gsd", env: Mapping[str, str] | None = None) -> str:
    """A commit of everything in the worktree that git does not ignore; HEAD itself when nothing is changed.

    Its parent is HEAD, and the same files make the same commit. Left out: run-time files, files that look like
    secrets, very large files, repositories inside, and what cannot be read or keeps changing while it is read.
    env: of `git.aside`; without it the objects stay in the repository, unreachable. Raises GitFailed where no
    commit is checked out.
    """
    status = look(worktree)
    if status.commit is None:
        raise GitFailed(("status",), 128, f"fatal: {worktree} has no commit checked out")
    work = _work(worktree, status.changes, state_dir)
    tree = _tree_with(worktree, work, env) if work else None
    if tree is None:
        return status.commit
    return _commit(worktree, tree, (status.commit,), env)


def forecast(
    root: Path,
    sides: Mapping[str, str],
    target: str,
    *,
    state_dir: str,
    generated: Sequence[str] = (),
    known: Known | None = None,
    env: Mapping[str, str] | None = None,
) -> tuple[Clash, ...]:
    """What does not fit: every pair of sides, then each side and the target. Merged in memory, with real merge bases.

    sides: name (a milestone's id) to commit, in the order in which `a` and `b` are named. target: short branch name,
    or a commit; one that is not there is left out. known, generated: as for `look_ahead`. env: of the `git.aside`
    that has the commits. Commits without common history are not compared.
    """
    answers: Known = {} if known is None else known
    onto = refs.branch_tip(root, target) or refs.resolve(root, target)
    with aside(root, beyond=env) as here:
        probe = _Probe(root, state_dir, tuple(generated), answers, here)
        joined = dict(probe.with_links(sides))
        pairs = [(a, b, joined[a], joined[b]) for a, b in combinations(joined, 2)]
        pairs += [(a, target, joined[a], onto) for a in joined] if onto else []
        asked = {_key(one, other) for _, _, one, other in pairs}
        found = [clash for a, b, one, other in pairs if (clash := probe.clash(a, b, one, other))]
    _forget_old(answers, asked)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Probe:
    root: Path
    state_dir: str
    generated: tuple[str, ...]
    known: Known
    env: Mapping[str, str]

    def clash(self, a: str, b: str, one: str, other: str) -> Clash | None:
        """What of two commits does not fit; None when they do."""
        first, second = _key(one, other)
        if (first, second) not in self.known:
            self.known[first, second] = self._conflicts(first, second)
        flipped = (one, other) != (first, second)
        files = tuple(contested(conflict, flipped=flipped) for conflict in self.known[first, second])
        return Clash(a=a, b=b, files=files) if files else None

    def _conflicts(self, one: str, other: str) -> tuple[Conflict, ...]:
        if one == other:
            return ()
        try:
            combined = combine(self.root, one, other, env=self.env)
        except GitFailed as failed:
            if "unrelated histories" in failed.stderr:
                return ()
            raise
        # Which milestone lands makes no difference to what is code.
        return in_code(combined, mid="", state_dir=self.state_dir, generated=self.generated)

    def with_links(self, sides: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The sides as they will be when they have taken up what landed of them, if that fits."""
        links = slices.links(self.root)
        for name, commit in sides.items():
            open_ = [one for one in links if one.milestone == name and self._lacks(commit, one)]
            newest = slices.newest(self.root, open_)
            yield name, self._merged(commit, newest.commit) if newest else commit

    def _lacks(self, commit: str, link: slices.Link) -> bool:
        return self._contains(commit, link.tip) and not self._contains(commit, link.commit)

    def _contains(self, commit: str, old: str) -> bool:
        return git(self.root, "merge-base", "--is-ancestor", old, commit, ok=(0, 1), env=self.env).code == 0

    def _merged(self, commit: str, link: str) -> str:
        combined = combine(self.root, link, commit, env=self.env)
        if in_code(combined, mid="", state_dir=self.state_dir, generated=self.generated):
            return commit
        return _commit(self.root, combined.tree, (commit, link), self.env)


def _require_ours(root: Path, worktree: Path) -> None:
    """A worktree's `.git` lies where a session may write, and what it names decides which programs git runs."""
    ours = os.path.realpath(shared_dir(root) / "worktrees")
    if not worktree.is_dir() or os.path.realpath(git_dir(worktree).parent) != ours:
        raise FileNotFoundError(f"{worktree} is not a worktree of {root}")


def _work(worktree: Path, changes: Iterable[Change], state_dir: str) -> list[str]:
    wanted = [change for change in changes if change.unmerged or _counts(worktree, change, state_dir)]
    many = sum(change.untracked for change in wanted) > _MOST
    return [change.path for change in wanted if not (many and change.untracked)]


def _counts(worktree: Path, change: Change, state_dir: str) -> bool:
    inside = change.path.removeprefix(f"{state_dir}/")
    if change.nested or looks_secret(change.path) or (inside != change.path and is_runtime(inside)):
        return False
    try:
        return (worktree / change.path).lstat().st_size <= _LARGEST
    except OSError:
        return True


def _tree_with(worktree: Path, paths: list[str], env: Mapping[str, str] | None) -> str | None:
    """The tree with these paths as they are now; None when they do not stand still. Never raises GitFailed."""
    for _ in range(_TRIES):
        try:
            with private_index(worktree) as index:
                enter(worktree, paths, index=index, env=env)
                return git(worktree, "write-tree", index=index, env=env).line
        except GitFailed as failed:
            refused = _NAMED.search(failed.stderr)
            paths = [path for path in paths if refused is None or path not in refused.groups()]
    return None


def _commit(where: Path, tree: str, parents: Sequence[str], env: Mapping[str, str] | None) -> str:
    on = [part for parent in parents for part in ("-p", parent)]
    return git(where, "commit-tree", tree, *on, "-m", "probe", env={**(env or {}), **_SAME_ALWAYS}).line


def _key(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _forget_old(known: Known, asked: set[tuple[str, str]]) -> None:
    if len(known) > _KEPT:
        for key in [key for key in known if key not in asked]:
            del known[key]
