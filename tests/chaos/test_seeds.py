"""Chaos: whatever is killed, stopped, deleted, raced, filled or edited meanwhile, one more start finishes, and nothing
is lost. Issue acceptance 3, 4 and 6.

    pytest tests/chaos --seed 17        replays a story; what falls when is the machine's, what falls is the seed's
"""

import random
import shutil
import traceback
from pathlib import Path

import pytest

from chaos import place as places
from chaos import truths
from chaos.blows import Storm
from chaos.person import Person
from chaos.place import Place
from chaos.story import Story, tell
from chaos.user import User


@pytest.mark.chaos
def test_nothing_is_lost(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One seed."""
    story = tell(seed)
    if story.shape.small_disk and not places.may_mount():
        pytest.skip("a disk that can be filled is a file system of its own, and this user may not mount one")
    base = tmp_path_factory.mktemp(f"chaos-{seed}-")
    place = places.make(story, base)
    try:
        _play(story, place)
    except BaseException as error:
        places.processes.end(place.mark, place.roots)
        kept = _keep(place)
        pytest.fail(_report(story, place, error, kept), pytrace=False)
    finally:
        places.processes.end(place.mark, place.roots)
        places.unmount(place)
    shutil.rmtree(base, ignore_errors=True)


def _play(story: Story, place: Place) -> None:
    user = User(place=place, dice=random.Random(story.seed + 1))
    if story.shape.dirty_from_start:
        for act in ("dirty", "untracked", "staged"):
            user.act(act, 0.0)
    storm = Storm(place=place, user=user, story=story)
    try:
        storm.rage()
        user.require_untouched()
        place.note("the storm is over")
        Person(storm=storm, dice=random.Random(story.seed + 2)).finish()
    finally:
        for running in (*storm.started, *storm.typed):
            if running.process.poll() is None:
                running.process.kill()
            running.process.wait()
    truths.require_no_traceback(place)
    truths.require_quiet(place)
    place.sample()
    user.require_untouched()
    user.back()
    user.require_untouched()
    truths.require_main(place, user)
    truths.require_reachable(place)
    truths.require_paid_once(place)
    user.require_status()
    truths.require_clean(place)


def _keep(place: Place) -> Path:
    """The project of a failure, out of a file system that goes away."""
    if not place.mounted:
        return place.base
    kept = place.base / "kept"
    shutil.copytree(place.base / "disk", kept, symlinks=True, ignore_dangling_symlinks=True)
    return kept


def _report(story: Story, place: Place, error: BaseException, kept: Path) -> str:
    said = str(error) if isinstance(error, places.Broken) else "".join(traceback.format_exception(error))
    blows = "\n".join(f"  night {number}, {blow}" for number, night in enumerate(story.nights, 1) for blow in night)
    log = "\n".join(place.log)
    return (
        f"seed {story.seed}: {said}\n\nReplay: pytest tests/chaos --seed {story.seed}\nKept: {kept}\n\n"
        f"{story.shape}\n{blows}\n\n{log}\n{place.tails()}"
    )
