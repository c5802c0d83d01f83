"""Scenarios of the field reports: being told."""

import pytest

from scenarios.receiver import Receiver
from scenarios.stage import DONE, ERROR, Stage


@pytest.mark.covers("command:notify")
def test_notify_test_fails_loudly_when_the_sender_is_not_wired(stage: Stage) -> None:
    """gsd-2#4341: the function that sent notifications was never called, and nobody could tell."""
    stage.make()
    silent = stage.gsd("notify", "--test").require(ERROR)
    assert "nobody is told of anything" in silent.err and silent.out == ""
    with Receiver().listening() as receiver:
        url = receiver.url
        stage.gsd("notify", "--test", GSD_NOTIFY_URLS=url).require(DONE)
        assert len(receiver.got) == 1
        stage.auto(GSD_NOTIFY_URLS=url).require(DONE)
        assert receiver.said("execute-task M001/S01/T01"), "what --test promises, a run keeps"
    gone = stage.gsd("notify", "--test", GSD_NOTIFY_URLS=url).require(ERROR)
    assert "json: FAILED: " in gone.err
