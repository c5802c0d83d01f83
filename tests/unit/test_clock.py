"""The clock that limits are measured with."""

import time

import anyio
import pytest

from milepost.unit.clock import Awake

pytestmark = pytest.mark.anyio


async def test_it_goes_on_and_a_machine_that_is_awake_has_slept_no_longer_afterwards() -> None:
    clock = Awake()
    at, slept = clock.now_s(), clock.slept_s()
    await clock.sleep(0.01)
    assert clock.now_s() > at
    assert clock.slept_s() - slept < 1
    assert clock.now_s() - at <= anyio.current_time() - at


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="needs a clock that goes on in suspension")
async def test_what_the_machine_slept_is_the_lead_of_the_boot_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {time.CLOCK_BOOTTIME: 5_000.0, time.CLOCK_MONOTONIC: 1_400.0}
    monkeypatch.setattr(time, "clock_gettime", times.__getitem__)
    assert Awake().slept_s() == 3_600


async def test_where_nobody_can_tell_it_never_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert Awake().slept_s() == 0
