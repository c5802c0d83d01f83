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

from dataclasses import dataclass

from milepost.git import proof, refs
from milepost.git.merge_plan import Conflicted, MergePlan, NothingToLand
from milepost.git.merge_tree import Combined, combine, differences
from milepost.git.resolve import Resolved, Settled, in_code, settle
from milepost.git.run import git
from milepost.git.tree_commit import commit_tree
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
    parents = (onto, tip) if plan.strategy == "merge" else (onto,)
    trailers = (f"{proof.MILESTONE}: {plan.mid}", f"{proof.BRANCH}: {plan.branch}", f"{proof.TIP}: {tip}")
    what = f"the merge commit of {plan.mid}"
    return commit_tree(plan.root, settled.tree, parents, plan.message, what=what, trailers=trailers)
