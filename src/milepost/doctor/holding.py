"""What mending locks, so that it never meets anybody who is at work.

    nobody at work                 everything that is proved to be safe is mended
    workers without coordinator    what belongs to milestones that nobody is on, each under its lease
    coordinator, or solo auto      only what concerns nobody who lives

With the coordinator's lease in hand no worker is started meanwhile, with that of auto mode no solo run begins.
Nobody is waited for, and nobody who wants to start has to wait longer than one fix. Source: DESIGN rules 4, 7 and 9.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from milepost.doctor import crew
from milepost.doctor.crew import AUTO, COORDINATOR
from milepost.doctor.finding import Needs, NotFixed
from milepost.doctor.site import Site
from milepost.process import identity
from milepost.store.lease import Holder, Lease, LeaseHeld

_END = "gsd parallel stop ends a fleet, gsd stop a solo run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Grip:
    """What is locked now, and what may therefore be mended."""

    site: Site
    ours: frozenset[str] = frozenset()
    """Names of the leases that are held for mending."""
    level: Needs = Needs.NOTHING
    """The most that a fix may need."""
    refusal: str = ""
    """Why it is not more."""
    hint: str = ""

    @contextmanager
    def permit(self, needs: Needs, milestone: str) -> Iterator[frozenset[str]]:
        """Hold what this fix needs besides; the leases that are ours now. Raises NotFixed."""
        if needs is Needs.NOBODY and self.level is not Needs.NOBODY:
            raise NotFixed(self.refusal, hint=self.hint)
        if needs is Needs.NO_COORDINATOR and self.level is Needs.NOTHING:
            raise NotFixed(self.refusal, hint=self.hint)
        alone = needs is Needs.NOTHING or self.level is Needs.NOBODY or not milestone
        with ExitStack() as held:
            if not alone:
                held.enter_context(_lease(self.site, milestone))
            yield self.ours if alone else self.ours | {milestone}


@contextmanager
def hold(site: Site, foreign: str) -> Iterator[Grip]:
    """Lock as much as can be had at once. foreign: who else works here by its own word; then nothing is locked."""
    if foreign:
        yield Grip(site=site, refusal=foreign)
        return
    with ExitStack() as held:
        yield _hold(held, site)


def _hold(held: ExitStack, site: Site) -> Grip:
    busy = f"at work here: {site.crew.words}" if site.crew.busy else ""
    if site.crew.solo is not None or site.crew.coordinator is not None:
        return Grip(site=site, refusal=busy, hint=_END)
    try:
        held.enter_context(_lease(site, COORDINATOR))
        held.enter_context(_lease(site, AUTO, shared=bool(site.crew.runners)))
    except (LeaseHeld, OSError) as error:
        # Somebody may have begun since the look; what was taken on the way is given back.
        held.close()
        hint = _END if busy else getattr(error, "hint", "")
        return Grip(site=site, refusal=busy or str(error), hint=hint)
    ours = frozenset((COORDINATOR, AUTO))
    if site.crew.runners:
        return Grip(site=site, ours=ours, level=Needs.NO_COORDINATOR, refusal=busy, hint=_END)
    return Grip(site=site, ours=ours, level=Needs.NOBODY)


def _lease(site: Site, name: str, *, shared: bool = False) -> Lease:
    own = identity.own()
    holder = Holder(
        pid=own.pid,
        run="doctor",
        host=own.host,
        boot_id=own.boot_id,
        start_ticks=own.start_ticks,
        started_at=int(site.place.now_s * 1000),
        command="doctor",
    )
    path, guard = crew.lease_file(site.state_path, name), crew.guard_file(site.state_path, name)
    return Lease(path, str(site.root) if name in (AUTO, COORDINATOR) else name, holder, shared=shared, guard=guard)
