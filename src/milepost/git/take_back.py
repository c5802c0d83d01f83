"""Single files put back to what the last commit says: files that were written where they may not be.

Source: DESIGN rules 5 and 7.
"""

from collections.abc import Iterable
from pathlib import Path

from milepost.git.run import fields, git, literal, raw


def take_back(where: Path, paths: Iterable[str]) -> None:
    """Put these paths back to what HEAD has, in the index and on disk; files that HEAD does not have are removed.

    Pin a snapshot first: what stood there is lost otherwise.
    """
    wanted = tuple(dict.fromkeys(paths))
    known = set(fields(git(where, "ls-tree", "-r", "-z", "--name-only", "HEAD").out))
    kept = [path for path in wanted if path in known]
    new = [path for path in wanted if path not in known]
    if new:
        listed = b"".join(raw(path) + b"\0" for path in new)
        git(where, "update-index", "-z", "--force-remove", "--stdin", stdin=listed)
    for path in new:
        (where / path).unlink(missing_ok=True)
    if kept:
        from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
        git(where, "restore", "--source=HEAD", "--staged", "--worktree", *from_stdin, stdin=literal(kept))
