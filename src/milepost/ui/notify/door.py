"""Where runs and coordinators begin to be watched: who tells of what, once.

A run tells of its own events; in a fleet each worker is such a run, and the coordinator tells of merges, of lost
workers and of the fleet's own end. Without a target, or with `notifications.enabled: false`, nothing is started.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from milepost.fleet.site import WRITER, Site
from milepost.formats.journal import AnyEvent, LandingEnded
from milepost.formats.preferences import Notifications
from milepost.rules.notices import OF_FLEET
from milepost.ui.notify import targets
from milepost.ui.notify.targets import Target
from milepost.ui.notify.watch import Post, Watch
from milepost.worker.shift import Shift


@contextmanager
def watched(shift: Shift, env: Mapping[str, str]) -> Iterator[None]:
    """Tell of a run while it lasts. env: of our own process."""

    def ours(event: AnyEvent) -> bool:
        return event.run == shift.run and not isinstance(event, LandingEnded)

    home = shift.home or Path(env.get("HOME", "/"), shift.state_dir)
    chosen = _chosen(home, env, shift.preferences.notifications, shift.watcher.note)
    with _watched(
        Post(
            state=shift.state,
            project=shift.root.name,
            writer=shift.writer,
            run=shift.run,
            targets=chosen,
            wanted=shift.preferences.notifications,
            tells=ours,
            asks=bool(shift.answerer.name),
            secrets=shift.secrets,
            env=env,
            now_ms=shift.now_ms,
        )
    ):
        yield


@contextmanager
def coordinated(site: Site, note: Callable[[str], None]) -> Iterator[None]:
    """Tell of a fleet while it is coordinated. note: takes what is wrong with the targets."""
    began = site.now_ms()

    def ours(event: AnyEvent) -> bool:
        return isinstance(event, OF_FLEET) and event.at_ms >= began

    wanted = site.preferences.notifications
    with _watched(
        Post(
            state=site.state,
            project=site.root.name,
            writer=WRITER,
            run=site.run,
            targets=_chosen(Path(site.home), site.env, wanted, note),
            wanted=wanted,
            tells=ours,
            asks=False,
            secrets=site.secrets,
            env=site.env,
            now_ms=site.now_ms,
        )
    ):
        yield


@contextmanager
def _watched(post: Post) -> Iterator[None]:
    if not post.targets:
        yield
        return
    watch = Watch(post)
    watch.start()
    try:
        yield
    finally:
        watch.close()


def _chosen(
    home: Path, env: Mapping[str, str], wanted: Notifications, note: Callable[[str], None]
) -> tuple[Target, ...]:
    if not wanted.enabled:
        return ()
    found = targets.load(home, env, wanted.targets)
    for problem in found.problems:
        note(f"notifications: {problem}")
    return found.chosen
