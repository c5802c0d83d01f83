"""A night of about 300 units with a provider in every mood, two kill -9 and a machine that sleeps. Issue acceptance 3, 4.

MILEPOST_NIGHT_UNITS=60 pytest tests/night           a shorter one
MILEPOST_NIGHT_SEED=17 pytest tests/night            another one
"""

import os
from pathlib import Path
from random import Random

import pytest

from night import truths
from night.model import NightModel
from night.night import Blow, Night
from scenarios.stage import BUDGET, DONE, PAUSED, Ran

SEED = int(os.environ.get("MILEPOST_NIGHT_SEED", "4"))
UNITS = int(os.environ.get("MILEPOST_NIGHT_UNITS", "300"))
MILESTONES = ("M001", "M002", "M003")
SLICES = 3


FELL = {
    "limit-after", "limit-bare", "unseen-limit", "server-error", "hang", "stall", "cut", "unfinished",
    "error-in-stream", "garbage", "empty", "no-tool", "context", "wrong-work", "held",
}  # fmt: skip


@pytest.mark.night
def test_three_hundred_units(tmp_path: Path) -> None:
    """It is done in the morning, every token is in the books, and everything that tells of it agrees."""
    tasks = max(1, round(((UNITS / len(MILESTONES)) - 1) / SLICES) - 1)
    with NightModel(SEED) as model:
        night = Night(base=tmp_path, model=model, milestones=MILESTONES, slices=SLICES, tasks=tasks, ceiling=12)
        ran = _play(night, _blows(Random(SEED), night.units))
        if UNITS >= 300:
            assert {entry.fell for entry in model.log} >= FELL
        assert ran.code == DONE, night.tail()
        _morning(night, ran)
        truths.slept(night)
        truths.landed(night)
        truths.healthy(night)


@pytest.mark.night
@pytest.mark.parametrize("seed", [1, 2])
def test_the_money_is_gone_before_the_night_is_over(tmp_path: Path, seed: int) -> None:
    """Not a cent more is spent than may be, whatever was thrown away on the way."""
    with NightModel(seed) as model:
        night = Night(base=tmp_path, model=model, milestones=MILESTONES[:1], slices=2, tasks=20, ceiling=0.4)
        ran = _play(night, [Blow(at=15, what="kill", later_s=0.1)])
        assert ran.code == BUDGET, night.tail()
        ended = _morning(night, ran)
        assert "$0.40" in str(ended["reason"])


@pytest.mark.night
def test_the_machine_sleeps_through_a_limit_that_does_not_end(tmp_path: Path) -> None:
    """It goes on after the first limit without being told to, and says in the morning what was there from then on."""
    with NightModel(3) as model:
        night = Night(base=tmp_path, model=model, milestones=MILESTONES[:1], slices=2, tasks=10, ceiling=12)
        ran = _play(night, [Blow(at=9, what="limit-asleep"), Blow(at=20, what="provider-gone")])
        assert ran.code == PAUSED, night.tail()
        ended = _morning(night, ran)
        assert "the lights are out" in str(ended["reason"])
        model.closed = None
        night.begin()
        ran = night.end()
        assert ran.code == DONE, night.tail()
        _morning(night, ran)
        truths.landed(night)


def _play(night: Night, blows: list[Blow]) -> Ran:
    try:
        night.begin()
        for blow in blows:
            assert night.suffer(blow), f"{blow} did not happen\n{night.tail()}"
        return night.end()
    except BaseException:
        night.clean_up()
        raise


def _blows(dice: Random, units: int) -> list[Blow]:
    """Two kills and one sleep, in any order; a unit takes two requests and a half."""
    kinds = ["kill", "kill-held", dice.choice(["asleep", "limit-asleep"])]
    dice.shuffle(kinds)
    moments = [round(units * 2.4 * part + dice.randrange(units // 3)) for part in (0.1, 0.4, 0.7)]
    return [
        Blow(at=at, what=what, later_s=dice.random() * 0.4 if what == "kill" else 0.0)
        for at, what in zip(moments, kinds, strict=True)
    ]


def _morning(night: Night, ran: Ran) -> dict[str, object]:
    """What is true of every night. Returns how it ended."""
    truths.books_add_up(night)
    truths.below_the_ceiling(night)
    truths.within_the_caps(night)
    truths.paid_once(night)
    truths.reports_agree(night)
    truths.every_unit_is_explained(night)
    return truths.true_cause(night, ran)
