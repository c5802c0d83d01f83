"""Whether git is in a state in which auto mode can start. Nothing here is mended: the checkout is the user's.

A half-done merge is theirs to finish; a first-aid `reset --hard` has cost people days of work (spec auto 6.9,
parallel FM-101). Source: spec auto 6.9, 6.10, 7, 8.5; DESIGN rule 6.
"""

import tempfile
from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.gitfacts import Facts
from milepost.doctor.site import Site
from milepost.doctor.times import span
from milepost.git import repo
from milepost.git.run import GitFailed, GitTimedOut, git
from milepost.git.sign import signing

_OLD_LOCK_S = 60.0
_SIGNING_TIMEOUT_S = 15.0


def look(site: Site) -> Iterator[Finding]:
    """HEAD, what is half done, locks, and what else lies in the checkout."""
    if site.git_trouble is not None:
        yield site.git_trouble
    if site.git is None:
        return
    yield from _top(site, site.git)
    yield from _head(site.git)
    yield from _half_done(site, site.git)
    yield from _locks(site, site.git)
    yield from _nested(site.git)


def look_identity(site: Site) -> Iterator[Finding]:
    """Whether commits can be written: by whom, and signed without asking."""
    if site.git is None:
        return
    try:
        repo.require_identity(site.root)
    except repo.NoIdentity as error:
        yield Finding(code="identity_missing", severity=Severity.ERROR, message=str(error), hint=error.hint)
        return
    if why := _cannot_sign(site, site.git):
        yield Finding(
            code="signing_fails",
            severity=Severity.ERROR,
            message=f"commits are to be signed, and that does not work without asking somebody: {why}",
            hint="Unlock the key (gpg-agent, ssh-agent) before gsd auto, or: git config commit.gpgSign false",
        )


def _top(site: Site, git_: Facts) -> Iterator[Finding]:
    if git_.repo.root.resolve() != site.root.resolve():
        yield Finding(
            code="not_at_top",
            severity=Severity.ERROR,
            path=site.state_dir,
            message=f"is in {site.root}, and the repository's top is {git_.repo.root}; auto mode works at the top",
            hint=f"git mv {site.state_dir} {git_.repo.root}/",
        )


def _head(git_: Facts) -> Iterator[Finding]:
    head = git_.repo.head
    if head.kind is repo.HeadKind.UNBORN:
        words, hint = f"branch {head.branch} has no commit yet", 'git add . && git commit -m "first commit"'
        yield Finding(code="no_commits", severity=Severity.ERROR, message=words, hint=hint)
    elif head.kind is repo.HeadKind.DETACHED and git_.operation is None:
        words = f"HEAD is detached at {(head.commit or '')[:10]}; auto mode does not start there"
        yield Finding(code="detached_head", severity=Severity.ERROR, message=words, hint="git switch <branch>")


def _half_done(site: Site, git_: Facts) -> Iterator[Finding]:
    if git_.operation is not None:
        abort = "git bisect reset" if git_.operation == "bisect" else f"git {git_.operation} --abort"
        yield Finding(
            code="corrupt_merge_state",
            severity=Severity.ERROR,
            message=f"a {git_.operation} is half done in your checkout; auto mode does not start before it is ended",
            hint=f"Finish it, or: {abort}",
        )
    elif git_.squash_message is not None:
        yield Finding(
            code="squash_message_left",
            severity=Severity.INFO,
            path=site.shown(git_.squash_message),
            message="was left by a `git merge --squash`; your next commit would begin with its text",
            hint="Commit what was staged, or remove the file.",
        )


def _locks(site: Site, git_: Facts) -> Iterator[Finding]:
    for found in git_.locks:
        if found.age_s < _OLD_LOCK_S:
            continue
        busy = "; some git is running, which may hold it" if git_.git_running else "; no git is running"
        yield Finding(
            code="git_lock_left",
            severity=Severity.WARNING if git_.git_running else Severity.ERROR,
            path=site.shown(found.path),
            message=f"has stood for {span(found.age_s)}{busy}",
            hint="Let that git end."
            if git_.git_running
            else f"When you are sure that nothing uses it: rm {found.path}",
        )


def _nested(git_: Facts) -> Iterator[Finding]:
    for entry in git_.nested:
        if entry.kind is repo.NestedKind.SUBMODULE:
            words, hint = "is a submodule; work inside it is not committed by auto mode", ""
        else:
            words = "is a repository of its own inside this one; git sees nothing of what is in it"
            hint = "Ignore it, or make it a submodule."
        yield Finding(code="nested_repository", severity=Severity.INFO, path=entry.path, message=words, hint=hint)


def _cannot_sign(site: Site, git_: Facts) -> str:
    """Why a signature cannot be made; empty when none is wanted or it works.

    One is really made, as git does for each of our commits, with its object in a directory that goes away.
    """
    option = signing(site.root)
    if not option or git_.repo.head.commit is None:
        return ""
    with tempfile.TemporaryDirectory(prefix="gsd-sign-") as apart:
        env = {
            "GIT_OBJECT_DIRECTORY": apart,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(git_.repo.common_dir / "objects"),
        }
        try:
            git(
                site.root, "commit-tree", *option, "HEAD^{tree}", "-m", "signing test",
                env=env, timeout_s=_SIGNING_TIMEOUT_S,
            )  # fmt: skip
        except GitTimedOut:
            return f"no signature after {_SIGNING_TIMEOUT_S:.0f} s"
        except GitFailed as failed:
            return str(failed)
    return ""


CHECKS = (
    Check(name="repository", look=look),
    Check(name="identity", look=look_identity),
)
