"""The commit that lands a milestone, made as an object that no ref knows yet.

    feat(M001): Feed store

    Completed slices:
    - S01: Storage core

    Branch: milestone/M001

    GSD-Milestone: M001
    GSD-Branch: milestone/M001
    GSD-Tip: 4be1…

Source: DESIGN "Parallel"; spec auto 6.7.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from milepost.git import proof, refs
from milepost.git.commits import CommitRefused, SigningFailed, signing_failed
from milepost.git.merge_plan import Conflicted, MergePlan, NothingToLand
from milepost.git.merge_tree import Combined, combine, differences
from milepost.git.resolve import Resolved, Settled, in_code, settle
from milepost.git.run import HOOK_TIMEOUT_S, GitFailed, git, raw
from milepost.git.sign import signing
from milepost.rules.merging import is_planning


@dataclass(frozen=True, slots=True, kw_only=True)
class LandCommit:
    """A commit that is ready to be published on `onto`."""

    commit: str
    onto: str
    tip: str
    resolved: tuple[Resolved, ...]
    only_planning: bool


def make(plan: MergePlan, onto: str, tip: str) -> LandCommit | Conflicted | NothingToLand:
    """Merge `tip` with the target's `onto` and make the commit. No ref, index or file changes.

    Raises CommitRefused when the repository's commit-msg hook refuses, SigningFailed when signing would ask somebody.
    """
    combined = _combine(plan, onto, tip)
    if files := in_code(combined, mid=plan.mid, state_dir=plan.state_dir, generated=plan.generated):
        where = plan.worktree or plan.root
        hint = f"git -C {where} merge {plan.target}, resolve and commit there, then: gsd auto"
        return Conflicted(files=files, target=plan.target, hint=hint)
    settled = settle(plan.root, combined, onto, mid=plan.mid, state_dir=plan.state_dir, generated=plan.generated)
    brought = differences(plan.root, onto, settled.tree)
    if not brought:
        return NothingToLand(reason=f"{plan.target} already has everything that {plan.branch} brings")
    return LandCommit(
        commit=_commit(plan, settled, onto, tip),
        onto=onto,
        tip=tip,
        resolved=settled.resolved,
        only_planning=all(is_planning(change.path, state_dir=plan.state_dir) for change in brought),
    )


def _combine(plan: MergePlan, onto: str, tip: str) -> Combined:
    """The merge; one that goes on from an earlier landing of the same branch takes that as its base.

    A squash leaves no trace in git's own ancestry, so everything that landed before would else be merged again.
    """
    since = refs.merge_base(plan.root, tip, onto)
    for earlier in proof.landings(plan.root, plan.mid, onto, since=since):
        known = refs.resolve(plan.root, earlier.tip) is not None
        if known and refs.is_ancestor(plan.root, earlier.tip, tip) and not _undone(plan, earlier, onto):
            stand_in = git(plan.root, "commit-tree", f"{onto}^{{tree}}", "-p", earlier.tip, "-m", "target").line
            return combine(plan.root, stand_in, tip)
    return combine(plan.root, onto, tip)


def _undone(plan: MergePlan, earlier: proof.Landing, onto: str) -> bool:
    try:
        proof.require_not_undone(plan.root, plan.mid, earlier, onto)
    except proof.NotLanded:
        return True
    return False


def _commit(plan: MergePlan, settled: Settled, onto: str, tip: str) -> str:
    parents = ("-p", onto, "-p", tip) if plan.strategy == "merge" else ("-p", onto)
    message = _with_trailers(plan, _hooked(plan, _with_trailers(plan, plan.message, tip)), tip)
    try:
        made = git(plan.root, "commit-tree", *signing(plan.root), settled.tree, *parents, "-F", "-", stdin=raw(message))
    except GitFailed as failed:
        if not signing_failed(failed.stderr):
            raise
        raise SigningFailed(
            f"{plan.root}: the merge commit of {plan.mid} could not be signed without asking somebody",
            failed.stderr.strip(),
            hint="Unlock the key (gpg-agent, ssh-agent), or: git config commit.gpgSign false",
        ) from failed
    return made.line


def _with_trailers(plan: MergePlan, message: str, tip: str) -> str:
    """The message with our trailers in a last paragraph of their own; unchanged when a hook has left them there."""
    trailer = f"{proof.TIP}: {tip}"
    if trailer in message.splitlines():
        return message
    return f"{message.rstrip()}\n\n{proof.MILESTONE}: {plan.mid}\n{proof.BRANCH}: {plan.branch}\n{trailer}\n"


def _hooked(plan: MergePlan, message: str) -> str:
    """The message as the repository's commit-msg hook leaves it: a plumbing commit does not ask the hook itself."""
    with tempfile.TemporaryDirectory(prefix="gsd-message-") as directory:
        file = Path(directory) / "COMMIT_EDITMSG"
        file.write_bytes(raw(message))
        try:
            git(plan.root, "hook", "run", "--ignore-missing", "commit-msg", "--", str(file), timeout_s=HOOK_TIMEOUT_S)
        except GitFailed as failed:
            said = failed.stderr.strip()
            last = said.splitlines()[-1] if said else "no output"
            raise CommitRefused(
                f"{plan.root}: the commit-msg hook refused the merge commit of {plan.mid}: {last}",
                said,
                hint="Let the hook accept `feat(M001): …`, then: gsd auto",
            ) from failed
        return file.read_bytes().decode("utf-8", "surrogateescape")
