"""Commits that a worker made and that no branch, tag or backup reaches any more: git throws them away some day.

Somebody may have rewritten a milestone's branch, or left a worktree on no branch. Keeping them costs a name.
Source: DESIGN rule 7; issue "Acceptance" (every commit any worker made is reachable).
"""

from collections.abc import Iterator, Mapping

from milepost.doctor.finding import Check, Finding, Needs, Severity
from milepost.doctor.site import Site
from milepost.formats.journal import AttemptEnded, AttemptStarted, Landed, Result
from milepost.git import refs
from milepost.git.run import git
from milepost.model.work import of_directory


def look(site: Site) -> Iterator[Finding]:
    """Those that the journal names, and what worktrees without a branch stand on."""
    if site.git is None or site.git.repo.head.commit is None:
        return
    made = _made(site)
    there = _there(site, made)
    loose = _loose(site, there)
    for commit in _tips(site, loose):
        yield Finding(
            code="unpinned_commit",
            severity=Severity.WARNING,
            message=f"{commit[:10]} of {made[commit]} is on no branch, tag or backup; git may throw it away",
            hint="gsd doctor --fix keeps it under refs/gsd/backup.",
            fixable=True,
            subject=commit,
            milestone=made[commit],
        )
    if missing := [commit for commit in made if commit not in there]:
        yield Finding(
            code="commit_missing",
            severity=Severity.INFO,
            message=f"{len(missing)} commits that the journal names are not in this repository: {missing[0][:10]} …",
            hint="Another clone may have them; what is merged is merged all the same.",
        )


def fix(site: Site, finding: Finding) -> str:
    """Pin it."""
    return f"kept as {refs.pin(site.root, finding.milestone, 'unpinned', finding.subject)}"


def _made(site: Site) -> dict[str, str]:
    """Commit to its milestone. What a landing brought was pinned by it; whoever deleted those backups meant it."""
    units = {e.attempt: e.unit for e in site.events if isinstance(e, AttemptStarted)}
    found: dict[str, str] = {}
    for event in site.events:
        match event:
            case AttemptEnded(result=Result.COMMITTED, commit=commit, attempt=attempt) if commit and attempt in units:
                found[commit] = units[attempt].split("/")[0]
            case Landed(milestone=landed):
                found = {commit: milestone for commit, milestone in found.items() if milestone != landed}
            case _:
                pass
    for entry in site.git.worktrees if site.git else ():
        name = entry.path.name
        if entry.branch is None and entry.commit and not entry.missing and of_directory(name):
            found[entry.commit] = name
    return found


def _there(site: Site, made: Mapping[str, str]) -> list[str]:
    """Those that this repository has."""
    asked = "".join(f"{commit}\n" for commit in made).encode()
    told = git(site.root, "cat-file", "--batch-check", stdin=asked).out.splitlines() if made else []
    return [line.split(" ")[0] for line in told if line.split(" ")[1:2] == ["commit"]]


def _loose(site: Site, commits: list[str]) -> list[str]:
    """Those that no ref reaches. The HEAD of a worktree is none, since it goes with the worktree."""
    if not commits:
        return []
    kept = git(site.root, "for-each-ref", "--format=^%(objectname)").out
    asked = "".join(f"{commit}\n" for commit in commits) + kept
    found = set(git(site.root, "rev-list", "--stdin", "--ignore-missing", stdin=asked.encode()).out.split())
    return [commit for commit in commits if commit in found]


def _tips(site: Site, commits: list[str]) -> list[str]:
    """Of these the ones from which the others are reached."""
    if len(commits) < 2:
        return commits
    return git(site.root, "merge-base", "--independent", *commits).out.split()


CHECKS = (Check(name="unpinned", look=look, fix=fix, needs=Needs.NOTHING),)
