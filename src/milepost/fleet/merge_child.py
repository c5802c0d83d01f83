"""A merge from the queue, as a process of its own: `gsd parallel merge M001 --queued`.

The same command that a person types, so there is one way to merge; killed, it is simply started again. How it went
is in the journal. Source: DESIGN "Parallel", parallel PR-088, PR-120, FM-95.
"""

import subprocess
from dataclasses import dataclass

from milepost.fleet import spawn
from milepost.fleet.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A merge that was started."""

    milestone: str
    slice: str
    process: "subprocess.Popen[bytes]"
    at_ms: int


def start(milestone: str, slice_id: str, site: Site) -> Merge:
    """Start it. Raises CannotSpawn."""
    argv = [*spawn.program(site.env), "parallel", "merge", milestone, "--queued"]
    argv += ["--slice", slice_id] if slice_id else []
    argv += [] if site.sandbox else ["--no-sandbox"]
    out, err = (spawn.log(site.box, milestone, "merge", end) for end in ("out", "err"))
    for file in (out, err):
        file.unlink(missing_ok=True)
    process = spawn.start(argv, site.root, dict(site.env), out, err)
    return Merge(milestone=milestone, slice=slice_id, process=process, at_ms=site.now_ms())
