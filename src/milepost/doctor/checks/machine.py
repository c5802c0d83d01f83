"""What the machine gives: space, permission to write, a sandbox for commands. Source: field-reports #29, DESIGN."""

import os
import shutil
from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.process import confine

LEAST_BYTES = 500_000_000
"""Below this a worktree with its dependencies does not fit."""


def look(site: Site) -> Iterator[Finding]:
    """One after the other."""
    free = shutil.disk_usage(site.root).free
    if free < LEAST_BYTES:
        yield Finding(
            code="disk_space_low",
            severity=Severity.WARNING,
            message=f"{free // 1_000_000} MB are free on the disk of {site.root}",
            hint="Free some space before a long run.",
        )
    if not os.access(site.state_path, os.W_OK | os.X_OK):
        yield Finding(
            code="state_dir_read_only",
            severity=Severity.WARNING,
            path=site.state_dir,
            message="may not be written; only commands that read work here",
        )
    if not confine.available():
        yield Finding(
            code="no_sandbox",
            severity=Severity.INFO,
            message="nothing on this machine confines the commands of agents and gates; they run as you",
            hint="A Linux with Landlock or bubblewrap can.",
        )


CHECKS = (Check(name="machine", look=look),)
