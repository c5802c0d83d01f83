"""`gsd new-project`: the repository, the state directory, and the first milestone from a paragraph.

Source: spec auto 5.2 (3, 4 and 8), 7.
"""

import os
from collections.abc import Sequence

from milepost.errors import ExitCode, MilepostError
from milepost.formats.tree import milestone_ids
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import context, new_milestone


class ProjectThere(MilepostError):
    """There is a project with milestones already."""

    exit_code = ExitCode.BLOCKED


def run(argv: Sequence[str], program: str) -> int:
    """As `new-milestone`, where there is none yet. Raises ProjectThere."""
    if not {"--help", "-h"}.intersection(argv):
        _require_none(program)
    return new_milestone.run(argv, program, "new-project")


def _require_none(program: str) -> None:
    try:
        found = context.find(program)
    except context.NoProject:
        return
    there = milestone_ids(Snapshot(found.root, found.state_dir))
    if there:
        raise ProjectThere(
            f"{os.path.join(found.root, found.state_dir)} has {', '.join(there[:3])} already",
            hint=f'{program} new-milestone "…" adds one.',
        )
