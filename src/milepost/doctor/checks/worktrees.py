"""Directories and registrations below `worktrees/` that do not fit together. Source: spec auto 6.4, 8.5.

Nothing that holds a file is removed: an unknown directory may be all that is left of somebody's work
(parallel FM-102, field-reports #2). A registration goes only when its directory is gone, and what its index and
HEAD held is pinned before.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.git import refs, removal
from milepost.git.listing import Registered, find
from milepost.git.run import git
from milepost.git.status import dirty
from milepost.git.worktrees import INITIALIZING, branch_name
from milepost.model.ids import milestone_of_directory

_CHECKED_OUT = "milestone/"
_SCRATCH = ".check-"


def look(site: Site) -> Iterator[Finding]:
    """What git has registered, then what lies there besides."""
    if site.git is None:
        return
    home = os.path.realpath(site.worktrees)
    known = {os.path.realpath(entry.path): entry for entry in site.git.worktrees}
    for place, entry in known.items():
        if os.path.dirname(place) != home:
            yield from _elsewhere(entry)
        elif entry.missing:
            yield _missing(site, entry)
        elif entry.path.name.startswith(_SCRATCH):
            yield from _scratch(site, entry)
        else:
            yield from _wrong(site, entry)
    for path in _directories(site):
        if os.path.realpath(path) not in known:
            yield _unregistered(site, path)


def fix(site: Site, finding: Finding) -> str:
    """Mend one of them; what each is allowed to do stands at its function."""
    path = Path(finding.subject)
    if finding.code == "worktree_unregistered":
        return _remove_empty(path)
    if finding.code == "worktree_missing":
        return _forget(site, path)
    return _remove_scratch(site, path)


def _elsewhere(entry: Registered) -> Iterator[Finding]:
    if (entry.branch or "").startswith(_CHECKED_OUT):
        yield Finding(
            code="milestone_branch_elsewhere",
            severity=Severity.WARNING,
            path=str(entry.path),
            message=f"has {entry.branch} checked out, so auto mode cannot work on it",
            hint=f"git -C {entry.path} switch <another branch>",
        )


def _missing(site: Site, entry: Registered) -> Finding:
    locked = entry.locked not in (None, INITIALIZING)
    return Finding(
        code="worktree_missing",
        severity=Severity.WARNING,
        path=site.shown(entry.path),
        message=f"is registered with git as a worktree{' and locked' if locked else ''}, and is gone",
        hint=f"git worktree unlock {entry.path}" if locked else "gsd doctor --fix forgets it; its branch stays.",
        fixable=not locked,
        subject=str(entry.path),
    )


def _scratch(site: Site, entry: Registered) -> Iterator[Finding]:
    if site.runner is None:
        yield Finding(
            code="scratch_worktree_left",
            severity=Severity.INFO,
            path=site.shown(entry.path),
            message="was made for one look at a merge and left by a run that was killed",
            hint="gsd doctor --fix removes it when nothing was changed in it.",
            fixable=True,
            subject=str(entry.path),
        )


def _wrong(site: Site, entry: Registered) -> Iterator[Finding]:
    name = entry.path.name
    if milestone_of_directory(name) != name:
        return
    shown, wanted = site.shown(entry.path), branch_name(name)
    if not (entry.path / ".git").is_file():
        words, hint = "is registered as a worktree and has no .git file", f"git worktree repair {entry.path}"
    elif entry.branch is None:
        words, hint = f"is on no branch; it belongs on {wanted}", "gsd auto puts it back, or says why not."
    elif entry.branch != wanted:
        words, hint = f"is on {entry.branch}, not on {wanted}", f"git -C {shown} switch {wanted}"
    else:
        return
    yield Finding(code="worktree_wrong", severity=Severity.WARNING, path=shown, message=words, hint=hint)


def _unregistered(site: Site, path: Path) -> Finding:
    empty = not any(path.iterdir())
    linked = (path / ".git").is_file()
    keep = f"Look at what is in it; then move it away: mv {path} {path}.old"
    if empty:
        hint = "gsd doctor --fix removes it."
    else:
        hint = f"git worktree repair {path}; if that does not help: {keep[0].lower()}{keep[1:]}" if linked else keep
    return Finding(
        code="worktree_unregistered",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=f"is no worktree that git knows{' and is empty' if empty else '; it is left as it is'}",
        hint=hint,
        fixable=empty,
        subject=str(path),
    )


def _directories(site: Site) -> list[Path]:
    try:
        return sorted(path for path in site.worktrees.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _remove_empty(path: Path) -> str:
    try:
        path.rmdir()
    except OSError as error:
        raise NotFixed(f"{path} is not empty, or may not be removed ({error.strerror})") from error
    return "removed, it was empty"


def _forget(site: Site, path: Path) -> str:
    """Forget a registration whose directory is gone; what only it kept alive is pinned first."""
    entry = find(site.root, path)
    if entry is None or not entry.missing:
        raise NotFixed(f"{path} is there again")
    if not path.parent.is_dir():
        raise NotFixed(f"{path.parent} is not there either; is a disk not mounted?")
    pins = _pin(site, entry)
    if entry.locked == INITIALIZING:
        git(site.root, "worktree", "unlock", str(path))
    git(site.root, "worktree", "remove", str(path))
    # A worktree that is made again has to be furnished again.
    (site.state_path / "runtime" / "places" / f"{path.name}.ready").unlink(missing_ok=True)
    kept = f"; kept as {', '.join(pins)}" if pins else ""
    return f"forgotten{kept}; {entry.branch} stays" if entry.branch else f"forgotten{kept}"


def _pin(site: Site, entry: Registered) -> tuple[str, ...]:
    """Pin a detached HEAD, and what was staged and never committed."""
    commits = [] if entry.branch or not entry.commit else [("head", entry.commit)]
    staged = _staged(site, entry)
    commits += [("staged", staged)] if staged else []
    owner = milestone_of_directory(entry.path.name) or "worktree"
    return tuple(refs.pin(site.root, owner, f"missing-{label}", commit) for label, commit in commits)


def _staged(site: Site, entry: Registered) -> str | None:
    """A commit of the index of a worktree that is gone; None when it holds what HEAD has."""
    admin = _admin(site, entry)
    if admin is None or entry.commit is None or not (admin / "index").is_file():
        return None
    with tempfile.TemporaryDirectory(prefix="gsd-index-") as apart:
        index = Path(shutil.copy2(admin / "index", apart))
        tree = git(site.root, "write-tree", index=index, ok=(0, 128)).line
    if not tree:
        raise NotFixed(f"what was staged in {entry.path} cannot be kept: its index is damaged or in conflict")
    if tree == git(site.root, "rev-parse", f"{entry.commit}^{{tree}}").line:
        return None
    return git(site.root, "commit-tree", tree, "-p", entry.commit, "-m", "staged in a worktree that is gone").line


def _admin(site: Site, entry: Registered) -> Path | None:
    """The directory below `.git/worktrees/` that stands for the worktree."""
    common = site.git.repo.common_dir if site.git else Path()
    wanted = os.path.realpath(entry.path / ".git")
    for file in sorted(common.glob("worktrees/*/gitdir")):
        if os.path.realpath(file.read_text().rstrip("\n")) == wanted:
            return file.parent
    return None


def _remove_scratch(site: Site, path: Path) -> str:
    entry = find(site.root, path)
    if entry is None:
        return "gone already"
    if entry.branch is not None or entry.locked is not None:
        raise NotFixed(f"{path} is on {entry.branch}" if entry.branch else f"{path} is locked")
    if changes := dirty(path):
        names = tuple(change.path for change in changes)
        raise removal.NotRemoved(f"{path} has changes", names, hint=f"git worktree remove --force {path}")
    git(site.root, "worktree", "remove", str(path))
    return "removed"


CHECKS = (Check(name="worktrees", look=look, fix=fix),)
