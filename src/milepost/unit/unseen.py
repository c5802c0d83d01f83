"""Files that a session wrote and git ignores: its gate sees them, its commit would not have them.

What is proved must be what is committed, so such a file is the agent's to move, to remove, or to have un-ignored.
Files that look like local secrets (`.env`) are meant to be ignored. Source: DESIGN "Verification", rule 4.
"""

from collections.abc import Sequence

from milepost.git.ignored import ignored_among
from milepost.git.status import Change
from milepost.rules import staging
from milepost.unit import briefing
from milepost.unit.bench import Bench


def unseen(attempt: str, changes: Sequence[Change], bench: Bench) -> tuple[str, ...]:
    """What the attempt owes because of them, one line each. changes: everything the unit would commit."""
    place = bench.workspace
    seen = {change.path for change in changes}
    written = [path for path in briefing.written(attempt, bench) if path not in seen and _ours(path, place.state_dir)]
    there = [path for path in written if (place.cwd / path).is_file()]
    return tuple(
        f"{path}: git ignores it, so it would not be committed; move it, remove it, or change .gitignore"
        for path in (ignored_among(place.cwd, there) if there else ())
    )


def _ours(path: str, state_dir: str) -> bool:
    return not path.startswith((f"{state_dir}/", "../", "/")) and not staging.looks_secret(path)
