"""The states of a worker, every stimulus in every state."""

from itertools import product

import pytest

from milepost.rules.lifecycle import Stimulus, Worker, after

R, P, H, S, E = Worker.RUNNING, Worker.PAUSING, Worker.PAUSED, Worker.STOPPING, Worker.STOPPED
ROWS = {
    # state: (pause, resume, stop, unit ended)
    R: (P, R, S, R),
    P: (P, R, S, H),
    H: (H, R, E, H),
    S: (S, S, S, E),
    E: (E, E, E, E),
}
ORDER = (Stimulus.PAUSE, Stimulus.RESUME, Stimulus.STOP, Stimulus.UNIT_ENDED)


@pytest.mark.parametrize(("state", "stimulus"), list(product(Worker, Stimulus)))
def test_every_stimulus_in_every_state(state: Worker, stimulus: Stimulus) -> None:
    assert after(state, stimulus) is ROWS[state][ORDER.index(stimulus)]


def test_a_pause_in_mid_unit_waits_for_the_unit() -> None:
    state = R
    for stimulus, expected in [(Stimulus.PAUSE, P), (Stimulus.UNIT_ENDED, H), (Stimulus.RESUME, R)]:
        state = after(state, stimulus)
        assert state is expected
