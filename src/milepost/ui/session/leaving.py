"""What becomes of the commands that run when a person leaves the session: never something that nobody was told.

Who cannot be asked any more, because the terminal is gone, wants the work paused: it costs money, and nobody sees it.
Source: spec auto 5.20.
"""

import os
import sys
from collections.abc import Callable, Sequence

from milepost.ui.cli.main import main
from milepost.ui.session.job import LASTING, Job, Nature
from milepost.ui.session.jobs import Jobs

_WAYS = {"p": "pause", "d": "go", "s": "stop"}


def leave(jobs: Jobs, ask: Callable[[str], str], program: str, *, gone: bool) -> bool:
    """Ask and do it; False: the person stays. gone: there is nobody to ask."""
    mine = jobs.of(*LASTING)
    way = "go" if not mine else "pause" if gone else _way(mine, ask)
    if not way:
        return False
    for job in jobs.of(Nature.WATCH):
        job.interrupt()
    if way == "stop":
        jobs.end()
    elif way == "pause":
        jobs.pause()
        if jobs.of(Nature.FLEET):
            main(["parallel", "pause"], program)
    if not gone:
        _let_go(mine)
    _bid_farewell(jobs, mine, program)
    return True


def _let_go(mine: Sequence[Job]) -> None:
    """Who leaves and said what becomes of the run holds it no longer; a run held by somebody lost ends by itself."""
    for job in mine:
        if job.holding:
            job.let_go()


def _way(mine: Sequence[Job], ask: Callable[[str], str]) -> str:
    names = ", ".join(job.title for job in mine)
    question = f"{names} is at work. p: pause it after its unit, d: let it go on without you, s: stop it now [p/d/s]"
    try:
        return _WAYS.get(ask(question).lower()[:1], "")
    except EOFError:
        return "pause"


def _bid_farewell(jobs: Jobs, mine: Sequence[Job], program: str) -> None:
    lines = jobs.look()
    for job in mine:
        if job.alive:
            told = "pauses when its unit has ended" if job.pausing else "goes on"
            orders = "parallel " if job.nature is Nature.FLEET else ""
            lines.append(
                f"{job.title} {told} (pid {job.process.pid}). {program} status shows it; "
                f"{program} {orders}pause and {program} {orders}stop are for it."
            )
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except OSError:
        # The terminal is gone; what is still in the buffer has to go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
