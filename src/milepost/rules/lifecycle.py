"""The states of a worker, as a table.

What is wanted (an order) and what is (the state) are two things: a pause that arrives in mid-unit makes the
worker `pausing` until the unit has ended. Source: parallel PR-100 to PR-104, PR-308.
"""

from enum import StrEnum


class Worker(StrEnum):
    """Where a worker stands."""

    RUNNING = "running"
    PAUSING = "pausing"
    """The order is taken, the unit is still in flight; published as running."""
    PAUSED = "paused"
    STOPPING = "stopping"
    """The session is being ended; nothing new is started."""
    STOPPED = "stopped"


class Stimulus(StrEnum):
    """What moves it."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    UNIT_ENDED = "unit-ended"


TRANSITIONS: dict[Worker, dict[Stimulus, Worker]] = {
    Worker.RUNNING: {Stimulus.PAUSE: Worker.PAUSING, Stimulus.STOP: Worker.STOPPING},
    Worker.PAUSING: {
        Stimulus.RESUME: Worker.RUNNING,
        Stimulus.STOP: Worker.STOPPING,
        Stimulus.UNIT_ENDED: Worker.PAUSED,
    },
    Worker.PAUSED: {Stimulus.RESUME: Worker.RUNNING, Stimulus.STOP: Worker.STOPPED},
    Worker.STOPPING: {Stimulus.UNIT_ENDED: Worker.STOPPED},
    Worker.STOPPED: {},
}


def after(state: Worker, stimulus: Stimulus) -> Worker:
    """The next state; a stimulus that the table does not name for a state leaves it as it is."""
    return TRANSITIONS[state].get(stimulus, state)
