"""The commit that lands a milestone, or one slice of it, made as an object that no ref knows yet.

    feat(M001): Feed store

    Completed slices:
    - S01: Storage core

    Branch: milestone/M001

    GSD-Milestone: M001
    GSD-Branch: milestone/M001
    GSD-Tip: 4be1…

That of a slice has `GSD-Slice: M001/S01` in place of the first trailer, and is no landing of the milestone.
Source: DESIGN "Parallel"; spec auto 6.7; parallel PR-064.
"""

from dataclasses import dataclass

from milepost.git import proof
from milepost.git.merge_plan import Conflicted, MergePlan, NothingToLand
from milepost.git.merge_tree import combine, differences
from milepost.git.resolve import Resolved, Settled, in_code, settle
from milepost.git.stand_in import stand_in
from milepost.git.ticked import ticked
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
    parts: tuple[str, ...] = ()
    """Slices of the milestone that the target has already."""


def make(
    plan: MergePlan, onto: str, tip: str, *, slice_id: str = "", parts: tuple[str, ...] = ()
) -> LandCommit | Conflicted | NothingToLand:
    """Merge `tip` with the target's `onto` and make the commit. No ref, index or file changes.

    slice_id: it lands that slice only. parts: slices that had landed before; with any, the milestone's own commit is
    made even when it changes no file, for it is what says that the milestone is complete.
    Raises CommitRefused when the repository's commit-msg hook refuses, SigningFailed when signing would ask somebody.
    """
    combined = combine(plan.root, stand_in(plan.root, plan.mid, onto, tip), tip)
    if files := in_code(combined, mid=plan.mid, state_dir=plan.state_dir, generated=plan.generated):
        # A checkout that was lent is back on the target by now.
        way = f"git -C {plan.worktree}" if plan.worktree else f"git switch {plan.branch}, git"
        hint = f"{way} merge {plan.target}, resolve and commit there, then: gsd auto"
        return Conflicted(files=files, target=plan.target, hint=hint)
    settled = settle(plan.root, combined, onto, mid=plan.mid, state_dir=plan.state_dir, generated=plan.generated)
    brought = differences(plan.root, onto, settled.tree)
    if not brought and not parts:
        return NothingToLand(reason=f"{plan.target} already has everything that {plan.branch} brings")
    return LandCommit(
        commit=_commit(plan, settled, onto, tip, slice_id),
        onto=onto,
        tip=tip,
        resolved=settled.resolved,
        only_planning=not parts and all(is_planning(change.path, state_dir=plan.state_dir) for change in brought),
        parts=parts,
    )


def _commit(plan: MergePlan, settled: Settled, onto: str, tip: str, slice_id: str) -> str:
    parents = (onto, tip) if plan.strategy == "merge" else (onto,)
    whose = f"{proof.SLICE}: {plan.mid}/{slice_id}" if slice_id else proof.whole(plan.mid)
    trailers = (whose, f"{proof.BRANCH}: {plan.branch}", f"{proof.TIP}: {tip}")
    what = f"the merge commit of {plan.mid}/{slice_id}" if slice_id else f"the merge commit of {plan.mid}"
    tree = settled.tree if slice_id else ticked(plan.root, settled.tree, plan.mid, state_dir=plan.state_dir)
    return commit_tree(plan.root, tree, parents, plan.message, what=what, trailers=trailers)
