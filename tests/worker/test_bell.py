"""A bell between a thread and the loop."""

import threading

import anyio
import pytest

from milepost.worker.bell import Bell


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.anyio
async def test_rung_from_a_thread_and_heard_in_the_loop() -> None:
    bell = Bell()
    threading.Timer(0.05, bell.ring).start()
    await bell.heard()
    bell.close()


@pytest.mark.anyio
async def test_several_rings_are_heard_as_one() -> None:
    bell = Bell()
    for _ in range(100_000):  # More than a pipe holds.
        bell.ring()
    await bell.heard()
    with anyio.move_on_after(0.1) as quiet:
        await bell.heard()
    assert quiet.cancelled_caught
    bell.close()


def test_nobody_hears_a_bell_that_is_put_away() -> None:
    bell = Bell()
    bell.close()
    bell.ring()
