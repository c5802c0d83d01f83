"""Where the project lies: on a network, or in a directory that a program keeps in step with other machines.

Work goes on there, since most people are alone on their project; what cannot be relied on is said.
Source: parallel FM-48, FM-49.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.store.filesystem import mount_of, synced_above


def look(site: Site) -> Iterator[Finding]:
    """The state directory, and git's own where it lies elsewhere."""
    places = [site.state_path]
    if site.git is not None and not str(site.git.repo.common_dir).startswith(os.path.realpath(site.root)):
        places.append(site.git.repo.common_dir)
    for place in places:
        yield from _place(site, place)


def _place(site: Site, place: Path) -> Iterator[Finding]:
    mount = mount_of(place)
    if mount is not None and mount.doubtful:
        yield Finding(
            code="network_file_system",
            severity=Severity.WARNING,
            path=site.shown(place),
            message=f"lies on {mount.type} ({mount.source} at {mount.point}), where locks may not hold for everybody",
            hint="Let one machine alone work on it, or keep the project on a local disk.",
        )
    if above := synced_above(place):
        yield Finding(
            code="synced_directory",
            severity=Severity.WARNING,
            path=site.shown(place),
            message=f"lies in {above}, which a program keeps in step with other machines; no lock holds between them",
            hint="Keep the project out of it; git push and git fetch are made for this.",
        )


CHECKS = (Check(name="file-systems", look=look),)
