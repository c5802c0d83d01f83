"""A commit made of a tree that is known already: no index, no checkout and no ref is touched.

A plumbing commit asks neither the commit-msg hook nor for a signature by itself, so both are asked here.
Source: spec auto 6.7; parallel FM-97.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from milepost.git.commits import CommitRefused, SigningFailed, signing_failed
from milepost.git.run import HOOK_TIMEOUT_S, GitFailed, git, raw
from milepost.git.sign import signing


def commit_tree(
    where: Path, tree: str, parents: Sequence[str], message: str, *, what: str, trailers: Sequence[str] = ()
) -> str:
    """The commit of `tree` on `parents`, signed when the repository wants it.

    message: subject and body. what: names the commit in errors, "the merge commit of M001". trailers: lines of a last
    paragraph, kept if the hook takes them out. Raises CommitRefused when the hook refuses, SigningFailed when signing
    would ask somebody.
    """
    final = _with(trailers, _hooked(where, _with(trailers, message), what))
    on = [part for parent in parents for part in ("-p", parent)]
    try:
        return git(where, "commit-tree", *signing(where), tree, *on, "-F", "-", stdin=raw(final)).line
    except GitFailed as failed:
        if not signing_failed(failed.stderr):
            raise
        raise SigningFailed(
            f"{where}: {what} could not be signed without asking somebody",
            failed.stderr.strip(),
            hint="Unlock the key (gpg-agent, ssh-agent), or: git config commit.gpgSign false",
        ) from failed


def _with(trailers: Sequence[str], message: str) -> str:
    lines = message.splitlines()
    if all(trailer in lines for trailer in trailers):
        return message if message.endswith("\n") else f"{message}\n"
    return "\n".join((message.rstrip(), "", *trailers, ""))


def _hooked(where: Path, message: str, what: str) -> str:
    """The message as the repository's commit-msg hook leaves it."""
    with tempfile.TemporaryDirectory(prefix="gsd-message-") as directory:
        file = Path(directory) / "COMMIT_EDITMSG"
        file.write_bytes(raw(message))
        try:
            git(where, "hook", "run", "--ignore-missing", "commit-msg", "--", str(file), timeout_s=HOOK_TIMEOUT_S)
        except GitFailed as failed:
            said = failed.stderr.strip()
            last = said.splitlines()[-1] if said else "no output"
            subject = message.partition("\n")[0]
            raise CommitRefused(
                f"{where}: the commit-msg hook refused {what}: {last}",
                said,
                hint=f"Let the hook accept `{subject.partition(': ')[0]}: …`, then: gsd auto",
            ) from failed
        return file.read_bytes().decode("utf-8", "surrogateescape")
