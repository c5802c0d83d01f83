"""`.git/info/exclude`: keep run-time files out of everybody's status without touching a file of the user's.

The file is the repository's own, shared by all its worktrees and never committed. `gsd init` and `gsd doctor --fix`
write the same patterns into `.gitignore`, for the next clone. Source: DESIGN rule 6, spec auto 1.3.
"""

from collections.abc import Iterable
from pathlib import Path

_HEADING = b"# Run-time files of gsd"


def exclude(common_dir: Path, patterns: Iterable[str]) -> bool:
    """Append what is missing; whether anything was."""
    path = common_dir / "info" / "exclude"
    old = path.read_bytes() if path.exists() else b""
    there = set(old.splitlines())
    missing = [pattern.encode() for pattern in patterns if pattern.encode() not in there]
    if not missing:
        return False
    gap = b"" if not old or old.endswith(b"\n") else b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(gap + _HEADING + b"\n" + b"\n".join(missing) + b"\n")
    return True
