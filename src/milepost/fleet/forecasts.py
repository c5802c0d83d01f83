"""Looking for conflicts to come while workers run: their branches, with uncommitted work, against each other and
against the target.

It costs a few milliseconds of git and nothing else, so that a conflict is seen while it can still be acted on
(`gsd parallel rebase`, `pause`). Published as `parallel/forecast.json`. Source: issue "Merging", field-reports #12.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from milepost.errors import MilepostError
from milepost.fleet.observe import Observation
from milepost.fleet.site import Site
from milepost.formats import forecast
from milepost.formats.forecast import Forecast
from milepost.git import probe
from milepost.git.clash import Clash
from milepost.store import atomic

EVERY_MS = 10_000


@dataclass(slots=True)
class Forecaster:
    """Probes when branches or targets have moved, or work may have been done, and at most so often."""

    at_ms: int = 0
    marks: Mapping[str, object] = field(default_factory=dict)
    """What the last probe was of."""
    answers: probe.Known = field(default_factory=dict)
    said: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set)

    def due(self, seen: Observation, now_ms: int) -> bool:
        """Whether it is time to probe: something moved since the last time."""
        return now_ms - self.at_ms >= EVERY_MS and bool(_sides(seen)) and _marks(seen) != self.marks

    def look(self, seen: Observation, site: Site) -> tuple[str, ...]:
        """Probe and publish; sentences about what is new. Blocks; a probe that fails finds nothing."""
        self.at_ms, self.marks = (now := site.now_ms()), _marks(seen)
        clashes = [clash for target, places in _sides(seen).items() for clash in self._clashes(target, places, site)]
        found = [
            Forecast(
                a=c.a,
                b=c.b,
                files=c.paths,
                lines=tuple(place for file in c.files for place in file.places),
                seen_at=now,
            )
            for c in clashes
        ]
        atomic.replace(site.box / "forecast.json", forecast.encode(found), durable=False)
        fresh = [c for c in clashes if (c.a, c.b, c.paths) not in self.said]
        self.said = {(c.a, c.b, c.paths) for c in clashes}
        return tuple(f"a conflict is to come: {clash}" for clash in fresh)

    def _clashes(self, target: str, places: dict[str, Path], site: Site) -> tuple[Clash, ...]:
        try:
            return probe.look_ahead(
                site.root,
                places,
                target,
                state_dir=site.state_dir,
                generated=site.preferences.parallel.generated_files,
                known=self.answers,
            )
        except (MilepostError, OSError):
            return ()


def _marks(seen: Observation) -> dict[str, object]:
    """What changes when a branch, a target or uncommitted work does."""
    work: dict[str, object] = {mid: status.last_progress for mid, status in seen.statuses.items()}
    return work | {f"{m.id} tips": (m.tip, m.target_tip) for m in seen.milestones}


def _sides(seen: Observation) -> dict[str, dict[str, Path]]:
    """Target to the milestones with a worktree that are to be merged into it."""
    found: dict[str, dict[str, Path]] = {}
    for m in seen.milestones:
        # Where a merge stands half done the conflict has come, and its files are full of markers.
        come = m.past.landing is not None and m.past.landing.outcome in ("conflict", "unresolved")
        if not m.on_target and not come and m.id in seen.plans.targets and m.id in seen.plans.homes:
            found.setdefault(seen.plans.targets[m.id], {})[m.id] = Path(seen.plans.homes[m.id]).parent
    return found
