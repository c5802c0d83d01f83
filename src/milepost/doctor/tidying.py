"""What landed milestones leave behind and nobody needs: the part of it that is proved to be kept elsewhere, or old.

The same looks and fixes as the doctor's, under the same leases; here somebody asked for them. Never touched: backups
(`refs/gsd/backup`), what was set aside, anything with a commit that is nowhere else. Source: spec auto 7 (cleanup);
DESIGN rule 7; field-reports #2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from milepost.doctor import run
from milepost.doctor.checks import merged_branches, old_snapshots, old_transcripts
from milepost.doctor.finding import Check, Finding
from milepost.doctor.site import Site

BRANCHES, SNAPSHOTS, ACTIVITY = KINDS = ("branches", "snapshots", "activity")
_LANDED: Final = {"landed": ("orphaned_auto_worktree", "merged_branch_left"), "quick-tasks": ("quick_task_left",)}
"""Checks of the doctor, and those of their findings that are leftovers."""
_OF: Final = {"old_snapshots": SNAPSHOTS, "old_transcripts": ACTIVITY}


def checks(kinds: Sequence[str], days: float) -> tuple[Check, ...]:
    """Those of the kinds that are wanted. days: how old a transcript has to be."""
    found = {
        BRANCHES: (*(_part(each) for each in run.CHECKS if each.name in _LANDED), merged_branches.CHECK),
        SNAPSHOTS: (old_snapshots.CHECK,),
        ACTIVITY: (old_transcripts.check(days),),
    }
    return tuple(each for kind in KINDS if kind in kinds for each in found[kind])


def kind(finding: Finding) -> str:
    """Under which heading it belongs."""
    return _OF.get(finding.code, BRANCHES)


def _part(check: Check) -> Check:
    """A check of the doctor, as far as it is about leftovers."""
    codes = _LANDED[check.name]

    def look(site: Site) -> Iterator[Finding]:
        yield from (finding for finding in check.look(site) if finding.code in codes)

    return replace(check, look=look)
