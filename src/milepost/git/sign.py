"""Whether commits are to be signed: `commit-tree` does not look at the setting by itself."""

from pathlib import Path

from milepost.git.run import git


def signing(where: Path) -> tuple[str, ...]:
    """The option for `commit-tree` that the repository's `commit.gpgSign` asks for; empty for none."""
    wanted = git(where, "config", "--type=bool", "--get", "commit.gpgSign", ok=(0, 1)).line
    return ("-S",) if wanted == "true" else ()
