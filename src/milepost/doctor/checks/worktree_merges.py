"""What is half done in a milestone's worktree: shown with the places that are left, and not touched.

It is where a person resolves a conflict, so nothing of it is anybody else's to end. Source: parallel PR-124, PR-196,
DV-16, FM-84, FM-85, FM-101.
"""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.errors import MilepostError
from milepost.git import bring_in
from milepost.git.listing import Registered
from milepost.git.repo import in_progress
from milepost.git.worktrees import branch_name
from milepost.model.work import is_quick, of_directory
from milepost.rules import quick

_FEW = 5


def look(site: Site) -> Iterator[Finding]:
    """Worktree by worktree; one that is being merged now is left out."""
    for entry in site.git.worktrees if site.git else ():
        name = entry.path.name
        # In the middle of a rebase git calls HEAD detached.
        ours = of_directory(name) and entry.branch in (branch_name(name), None)
        if ours and not entry.missing and (entry.path / ".git").is_file() and not site.crew.on(name):
            operation = in_progress(entry.path)
            if operation is not None:
                yield _merge(site, entry) if operation == "merge" else _other(site, entry, operation)


def _merge(site: Site, entry: Registered) -> Finding:
    milestone, left = entry.path.name, _left(site, entry)
    if left:
        words = f"a merge is half done there; {len(left)} places in conflict: {', '.join(left[:_FEW])}"
        words += " …" if len(left) > _FEW else ""
        hint = f"Resolve it there, then: gsd parallel merge {milestone}"
    else:
        words = "a merge is half done there, and all of it is resolved"
        hint = f"gsd parallel merge {milestone} concludes it and merges."
    hint = quick.onward(milestone, hint) if is_quick(milestone) else hint
    return _finding(site, entry, words, hint)


def _left(site: Site, entry: Registered) -> tuple[str, ...]:
    commit_docs = site.settings.preferences.git.commit_docs
    try:
        return bring_in.unresolved(entry.path, state_dir=site.state_dir, commit_docs=commit_docs)
    except MilepostError as error:
        return (str(error),)


def _other(site: Site, entry: Registered, operation: str) -> Finding:
    where = site.shown(entry.path)
    abort = "git bisect reset" if operation == "bisect" else f"git {operation} --abort"
    hint = f"Finish it there, or: {abort.replace('git', f'git -C {where}', 1)}"
    return _finding(site, entry, f"a {operation} is half done there; no work starts before it is ended", hint)


def _finding(site: Site, entry: Registered, words: str, hint: str) -> Finding:
    return Finding(
        code="worktree_half_done",
        severity=Severity.WARNING,
        path=site.shown(entry.path),
        message=words,
        hint=hint,
        milestone=entry.path.name,
    )


CHECKS = (Check(name="worktree-merges", look=look),)
