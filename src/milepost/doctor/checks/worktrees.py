"""Directories and registrations below `worktrees/` that do not fit together. Source: spec auto 6.4, 8.5.

Nothing that holds a file is removed: an unknown directory may be all that is left of somebody's work, so it is moved
aside (parallel FM-102, field-reports #2). A registration goes only when its directory is gone, and what its index and
HEAD held is pinned before.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from milepost.doctor import quarantine
from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.git import refs, removal
from milepost.git.listing import Registered, find, registered
from milepost.git.repo import in_progress
from milepost.git.run import git
from milepost.git.status import dirty
from milepost.git.worktrees import INITIALIZING, branch_name
from milepost.model.ids import milestone_of_directory
from milepost.model.work import is_branch, is_quick, of_directory
from milepost.rules import quick

_SCRATCH = ".check-"


def look(site: Site) -> Iterator[Finding]:
    """What git has registered, then what lies there besides."""
    if site.git is None:
        return
    if linked := next((place for place in (site.state_path, site.worktrees) if place.is_symlink()), None):
        yield _behind_link(site, linked)
    home = os.path.realpath(site.worktrees)
    known = {os.path.realpath(entry.path): entry for entry in site.git.worktrees}
    for place, entry in known.items():
        if os.path.dirname(place) != home:
            yield from _elsewhere(entry)
        elif site.crew.on(entry.path.name):
            continue
        elif entry.missing:
            yield _missing(site, entry)
        elif entry.path.name.startswith(_SCRATCH):
            yield from _scratch(site, entry)
        else:
            yield from _wrong(site, entry)
    for path in _directories(site):
        if os.path.realpath(path) not in known and not site.crew.on(path.name):
            yield _unregistered(site, path)


def fix(site: Site, finding: Finding) -> str:
    """Mend one of them; what each is allowed to do stands at its function."""
    path = Path(finding.subject)
    if finding.code == "worktree_unregistered":
        return _clear_away(site, path)
    if finding.code == "worktree_missing":
        return _forget(site, path)
    return _remove_scratch(site, path)


def _behind_link(site: Site, linked: Path) -> Finding:
    return Finding(
        code="worktrees_behind_link",
        severity=Severity.WARNING,
        path=site.shown(linked),
        message=f"is a symbolic link to {os.path.realpath(linked)}; no worktree behind it is moved or removed",
        hint="Put the directory itself there.",
    )


def _elsewhere(entry: Registered) -> Iterator[Finding]:
    if is_branch(entry.branch or ""):
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
    if not site.crew.busy:
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
    if not of_directory(name):
        return
    shown, wanted = site.shown(entry.path), branch_name(name)
    if not (entry.path / ".git").is_file():
        words, hint = "is registered as a worktree and has no .git file", f"git worktree repair {entry.path}"
    elif entry.branch is None and in_progress(entry.path):
        return  # That is said by itself.
    elif entry.branch is None:
        words, hint = f"is on no branch; it belongs on {wanted}", "gsd auto puts it back, or says why not."
        hint = quick.onward(name, hint) if is_quick(name) else hint
    elif entry.branch != wanted:
        words, hint = f"is on {entry.branch}, not on {wanted}", f"git -C {shown} switch {wanted}"
    else:
        return
    yield Finding(code="worktree_wrong", severity=Severity.WARNING, path=shown, message=words, hint=hint)


def _unregistered(site: Site, path: Path) -> Finding:
    empty = not any(path.iterdir())
    words, hint = "is no worktree that git knows", "gsd doctor --fix moves it to .gsd/runtime/quarantine, whole."
    if empty:
        words, hint = f"{words} and is empty", "gsd doctor --fix removes it."
    elif _repairable(site, path):
        words, hint = f"{words}, and belongs to one that it has at another place", f"git worktree repair {path}"
    return Finding(
        code="worktree_unregistered",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=words,
        hint=hint.replace(".gsd/", f"{site.state_dir}/"),
        fixable=empty or not _repairable(site, path),
        subject=str(path),
    )


def _repairable(site: Site, path: Path) -> bool:
    """Whether `git worktree repair` can join it with its registration: project or worktree were moved."""
    try:
        target = (path / ".git").read_text("utf-8", "surrogateescape").removeprefix("gitdir:").strip()
    except OSError:
        return False
    common = site.git.repo.common_dir if site.git else Path()
    return bool(target) and (common / "worktrees" / os.path.basename(target)).is_dir()


def _directories(site: Site) -> list[Path]:
    try:
        return sorted(path for path in site.worktrees.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _clear_away(site: Site, path: Path) -> str:
    """An empty directory goes, any other is moved aside; neither behind a link."""
    quarantine.require_inside(site, path)
    if os.path.realpath(path) in {os.path.realpath(entry.path) for entry in registered(site.root)}:
        raise NotFixed(f"{path} is registered now")
    with suppress(OSError):
        path.rmdir()
        return "removed, it was empty"
    if _repairable(site, path):
        raise NotFixed(f"{path} can be repaired", hint=f"git worktree repair {path}")
    when = datetime.fromtimestamp(site.place.now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"moved to {site.shown(quarantine.move_aside(site, path, when))}"


def _forget(site: Site, path: Path) -> str:
    """Forget a registration whose directory is gone; what only it kept alive is pinned first."""
    quarantine.require_inside(site, path)
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
    name = entry.path.name
    owner = name if is_quick(name) else milestone_of_directory(name) or "worktree"
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
    quarantine.require_inside(site, path)
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
