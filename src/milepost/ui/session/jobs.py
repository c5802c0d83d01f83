"""The commands that run beside the prompt: started, listened to, paused, interrupted, left alone.

Nothing runs in the background here: whoever sits at the prompt calls `look` again and again, and gets what is new.
Source: spec auto 5.20; parallel PR-244.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from milepost.fleet import processes
from milepost.formats.signal import Order
from milepost.ui.cli import stop
from milepost.ui.session import held
from milepost.ui.session.job import Job, Nature
from milepost.ui.session.question import Question
from milepost.ui.session.standing import Standing
from milepost.ui.session.telling import Put

_LEAVE_S: Final = 60.0
"""So long it is waited for a run that was told to stop; it goes on stopping by itself after that."""


class Jobs:
    """All of one session, the oldest first."""

    def __init__(self, program: str, standing: Standing, ended: Callable[[Job], None]) -> None:
        """ended: told of each that is over, after its last line."""
        self._program = program
        self._standing = standing
        self._ended = ended
        self.all: list[Job] = []
        self.questions: list[Question] = []

    def start(self, words: Sequence[str], nature: Nature) -> Job:
        """Begin one. Raises CannotStart."""
        job = Job(words, nature, self._program, os.environ)
        self.all.append(job)
        return job

    def of(self, *natures: Nature) -> list[Job]:
        """Those of some natures."""
        return [job for job in self.all if job.nature in natures]

    @property
    def moving(self) -> str:
        """What the latest that tells anything is about."""
        told = [(job, job.telling.moving) for job in reversed(self.all)]
        return next((f"{job.title}: {words}" for job, words in told if words), "")

    def look(self) -> list[str]:
        """The lines that came since the last look."""
        shown = list[str]()
        for job in list(self.all):
            over = not job.alive  # asked first: what it printed at the very end is there then
            for line in job.lines():
                shown += self._take(job, line)
            if over:
                shown += self._close(job)
        return shown

    def escape(self) -> str:
        """Hold what was started last, or stop looking at it; returns what to say, empty: nothing runs."""
        if not self.all:
            return ""
        job = self.all[-1]
        if job.nature is Nature.FLEET:
            self.start(("parallel", "pause"), Nature.WATCH)
            return "The workers finish their units and wait. /parallel resume lets them go on."
        if job.nature is Nature.WATCH:
            job.interrupt()
            return ""
        return held.taken(job)

    @property
    def held(self) -> Job | None:
        """The run whose session a person holds."""
        return next((job for job in self.all if job.holding), None)

    def interrupt(self) -> None:
        """End all, in order."""
        for job in self.all:
            job.interrupt()

    def end(self) -> None:
        """End all and wait for that."""
        self.interrupt()
        deadline = time.monotonic() + _LEAVE_S
        while any(job.alive for job in self.all) and time.monotonic() < deadline:
            time.sleep(0.05)

    def pause(self) -> None:
        """Let everything pause, and wait until the orders are posted."""
        for job in self.of(Nature.WORK):
            job.pausing = True
            deadline = time.monotonic() + _LEAVE_S
            while job.alive and not job.told and time.monotonic() < deadline:
                job.told = self._post_pause(job)
                time.sleep(0.05)

    def _take(self, job: Job, line: str) -> list[str]:
        told = job.telling.take(line)
        if told.question:
            put = told.question
            self.questions.append(self._question(job, put))
        self.questions = [q for q in self.questions if q.job is not job or q.id != told.withdrawn]
        if (told.last and job.nature is not Nature.WATCH) or job.last_words:
            job.last_words.append(told.text)
            return []
        return [told.text] if told.text else []

    def _question(self, job: Job, put: Put) -> Question:
        return Question(
            text=put.text,
            options=put.options,
            answer=lambda text: job.answer(put.id, text),
            hint="nothing: the agent decides",
            job=job,
            id=put.id,
        )

    def _close(self, job: Job) -> list[str]:
        self.all.remove(job)
        self.questions = [q for q in self.questions if q.job is not job]
        self._ended(job)
        code = job.process.returncode
        killed = code < 0 and job.nature is not Nature.WATCH
        return job.last_words + ([f"{job.title} was killed (signal {-code})."] if killed else [])

    def _post_pause(self, job: Job) -> bool:
        """Whether the order is posted: a run that only begins holds no lease yet."""
        self._standing.look()
        state = self._standing.state
        holder = stop.runner(state) if state else None
        if state is None or holder is None or holder.pid != job.process.pid:
            return False
        with suppress(OSError):
            stop.order(state / "parallel", Order.PAUSE, holder.run)
            return True
        return False

    def busy(self) -> bool:
        """Whether anything works on the project that would hear a steering word, ours or not."""
        state = self._standing.state
        return state is not None and (stop.runner(state) is not None or bool(processes.runners(state)))
