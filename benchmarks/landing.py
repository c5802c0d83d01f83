"""A milestone's merge against what git alone needs for the same: `merge --squash`, `commit`.

Ours also pins what it squashes, looks after the user's changes, proves the result and removes worktree and branch.
So it is compared with git's merge alone, and with git doing the removal as well.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import probe
from benchmarks.figures import Figure, Section
from benchmarks.timing import middle, ratio
from milepost.git import merge

_MID = "M001"
_BRANCH = f"milestone/{_MID}"


class Sizes(NamedTuple):
    """How large the repository and the milestone are."""

    files: int = 2_000
    commits: int = 6
    touched: int = 8
    """Files that each commit changes or adds."""


LARGE = Sizes()


def measure(place: Path, *, rounds: int, sizes: Sizes = LARGE) -> Section:
    """Three ways in turns, each on its own fresh copy. Uses the environment of this process for git."""
    template = place / "landing-template"
    make(template, sizes)
    ways: dict[str, Callable[[Path], None]] = {"git": _raw, "git and removal": _raw_and_removal, "ours": _land}
    times: dict[str, list[float]] = {way: [] for way in ways}
    gits = 0
    for number in range(rounds):
        for name, way in ways.items():
            root = _copy(template, place / f"landing-{name.replace(' ', '-')}-{number}")
            with probe.children() as found:
                began = time.perf_counter_ns()
                way(root)
                times[name].append((time.perf_counter_ns() - began) / 1e6)
            gits = sum(child.git for child in found) if name == "ours" else gits
            shutil.rmtree(root)
    return _section(times, gits, rounds, sizes)


def _section(times: Mapping[str, list[float]], gits: int, rounds: int, sizes: Sizes) -> Section:
    ours = times["ours"]
    figures = [
        Figure(name=name, value=middle(samples), unit="ms", samples=tuple(samples))
        for name, samples in times.items()
        if name != "ours"
    ]
    figures += [
        Figure(name="land", value=middle(ours), unit="ms", note=f"{gits} git processes", samples=tuple(ours)),
        Figure(name="land by git merge --squash + commit", value=ratio(ours, times["git"]), unit="×"),
        Figure(name="land by the same with removal", value=ratio(ours, times["git and removal"]), unit="×"),
    ]
    return Section(title=f"Merge, {sizes.files:,} files ({rounds} rounds in turns)", figures=tuple(figures))


def make(root: Path, sizes: Sizes) -> None:
    """A repository with a milestone branch that is ahead of main, checked out nowhere."""
    root.mkdir(parents=True)
    _git(root, "init", "-q", "-b", "main")
    for number in range(sizes.files):
        path = root / f"part{number % 97:02d}" / f"file{number:04d}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"line of {number}\n" * 40)
    (root / ".gitignore").write_text(".gsd/worktrees/\n.gsd/runtime/\n.gsd/journal/\n")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "base")
    _git(root, "switch", "-q", "-c", _BRANCH)
    for commit in range(sizes.commits):
        for number in range(sizes.touched):
            at = commit * sizes.touched + number
            path = root / (f"part{at % 97:02d}/file{at:04d}.txt" if number % 2 else f"new{commit}/made{number}.txt")
            path.parent.mkdir(exist_ok=True)
            path.write_text((path.read_text() if path.exists() else "") + f"changed in {commit}\n")
        _git(root, "add", "-A")
        _git(root, "commit", "-q", "-m", f"unit {commit}")
    _git(root, "switch", "-q", "main")


def _copy(template: Path, root: Path) -> Path:
    shutil.copytree(template, root)
    _git(root, "worktree", "add", "-q", f".gsd/worktrees/{_MID}", _BRANCH)
    # A copied index knows other inodes; without this the first to look would pay for hashing everything.
    _git(root, "status", "--porcelain")
    return root


def _raw(root: Path) -> None:
    _git(root, "merge", "-q", "--squash", _BRANCH)
    _git(root, "commit", "-q", "-m", "feat(M001): all of it")


def _raw_and_removal(root: Path) -> None:
    _raw(root)
    _git(root, "worktree", "remove", f".gsd/worktrees/{_MID}")
    _git(root, "branch", "-q", "-D", _BRANCH)


def _land(root: Path) -> None:
    plan = merge.MergePlan(
        root=root,
        mid=_MID,
        branch=_BRANCH,
        target="main",
        message="feat(M001): all of it\n",
        worktree=root / ".gsd" / "worktrees" / _MID,
    )
    outcome = merge.land(plan, journal=lambda step, facts: None)
    if not isinstance(outcome, merge.Landed) or outcome.kept:
        raise ValueError(f"the milestone was not landed: {outcome}")


def _git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(root), *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
