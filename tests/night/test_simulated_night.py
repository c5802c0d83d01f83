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
from scenarios.stage import DONE

SEED = int(os.environ.get("MILEPOST_NIGHT_SEED", "4"))
UNITS = int(os.environ.get("MILEPOST_NIGHT_UNITS", "300"))
MILESTONES = ("M001", "M002", "M003")
SLICES = 3


@pytest.mark.night
def test_three_hundred_units(tmp_path: Path) -> None:
    """It is done in the morning, every token is in the books, and everything that tells of it agrees."""
    tasks = max(1, round(((UNITS / len(MILESTONES)) - 1) / SLICES) - 1)
    with NightModel(SEED) as model:
        night = Night(base=tmp_path, model=model, milestones=MILESTONES, slices=SLICES, tasks=tasks, ceiling=30)
        try:
            night.begin()
            for blow in _blows(Random(SEED), night.units):
                assert night.suffer(blow), f"{blow} did not happen\n{night.tail()}"
            ran = night.end()
        finally:
            night.clean_up()
            print(night.tail()[:3000])
        truths.true_cause(night, ran)
        assert ran.code == DONE, night.tail()
        _morning(night)
        truths.landed(night)
        truths.reports_agree(night)
        truths.every_unit_is_explained(night)


def _blows(dice: Random, units: int) -> list[Blow]:
    """Two kills and one sleep, in any order; a unit takes two requests and a half."""
    kinds = ["kill", "kill-held", dice.choice(["asleep", "limit-asleep"])]
    dice.shuffle(kinds)
    moments = [round(units * 2.4 * part + dice.randrange(units // 3)) for part in (0.1, 0.4, 0.7)]
    return [
        Blow(at=at, what=what, later_s=dice.random() * 0.4 if what == "kill" else 0.0)
        for at, what in zip(moments, kinds, strict=True)
    ]


def _morning(night: Night) -> None:
    truths.books_add_up(night)
    truths.below_the_ceiling(night)
    truths.within_the_caps(night)
    truths.paid_once(night)
