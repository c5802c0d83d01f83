"""Whose turn it is to merge: one at a time, and whoever comes later waits for as long as the other lives.

Time is trio's mock clock: an hour passes in no time.
"""

import time
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest
import trio.testing

from milepost.fleet import merge_queue
from milepost.fleet.site import Site
from milepost.formats.preferences import Preferences

HOUR_S = 3_600

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.mark.spec(id="PR-120")
async def test_a_merge_waits_for_another_however_long_that_takes_and_says_so(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_queue, "_LOOK_S", 600)  # Each look at a held lease takes real time.
    said = list[str]()
    site = Site(
        root=repo, state_dir=".gsd", home=str(repo.parent), program="gsd", run="r0", preferences=Preferences(), env={},
        shell={}, now_ms=lambda: time.time_ns() // 1_000_000,
    )  # fmt: skip
    other = site.hold("merge", "merge M001")
    other.__enter__()

    async def end_later() -> None:
        await anyio.sleep(HOUR_S)
        other.__exit__(None, None, None)

    with ExitStack() as held:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end_later)
            began = anyio.current_time()
            await merge_queue.turn(held, "M002", site, said.append)
        assert anyio.current_time() - began >= HOUR_S
    [words] = said
    assert words.startswith("M002 waits for its turn: merge M001 (pid ")
