"""What the demo says and shows: the commands a person would type, one after the other, and what they print."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from milepost.formats.journal import AnyEvent
from milepost.store.tally import Tally
from milepost.testing.demo import project
from milepost.ui.views import timeline, timeline_text

_GSD = (sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()")
_WIDEST = 140
"""Columns of the picture; on a wider one the eye loses its row."""
_SHARED = "README.md"
_BOTH = ("M001", "M002")
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """One demo project."""

    root: Path
    env: Mapping[str, str]
    recorded: bool
    """No model is asked."""

    def together(self, agent: list[str]) -> int:
        """Three milestones, two workers; returns the exit code of the first thing that went wrong."""
        self.say(f"Running `gsd parallel start --yes` on it. {self._who()}")
        sys.stdout.write(_PLAN)
        code = self._watched([*_GSD, "parallel", "start", "--yes", *agent])
        self._on_main()
        if code == 0:
            self._shared()
        tests = self._tests()
        self.say("The workers afterwards (gsd parallel status):")
        self._run([*_GSD, "parallel", "status"])
        self._end()
        return code or tests

    def alone(self, agent: list[str]) -> int:
        """One milestone; returns the exit code of the first thing that went wrong."""
        self.say(f"Running `gsd auto` on it. {self._who()}")
        code = self._run([*_GSD, "auto", *agent])
        self._on_main()
        tests = self._tests()
        self._end()
        return code or tests

    def say(self, text: str) -> None:
        """A heading."""
        sys.stdout.write(f"\n── {text}\n")
        sys.stdout.flush()

    def _who(self) -> str:
        if self.recorded:
            return "The model's part is a recording; everything else really happens."
        return "A real model does the work: it costs money."

    def _watched(self, argv: list[str]) -> int:
        """Run it, and look at it once from outside while two workers are at work."""
        looked = False
        with subprocess.Popen(argv, cwd=self.root, env=dict(self.env)) as process:
            try:
                while process.poll() is None:
                    if not looked and _two_at_work(self.root):
                        self._look()
                        looked = True
                    time.sleep(_LOOK_EVERY_S)
            except KeyboardInterrupt:
                # It reaches the coordinator too, which stops its workers first.
                process.wait()
            return process.returncode

    def _look(self) -> None:
        argv = [*_GSD, "parallel", "status"]
        said = subprocess.run(argv, cwd=self.root, env=dict(self.env), check=False, capture_output=True, text=True)
        sys.stdout.write(f"\n   Meanwhile, in another terminal (gsd parallel status):\n{_quoted(said.stdout)}\n")
        sys.stdout.flush()

    def _on_main(self) -> None:
        self.say("What is on main now (git log --oneline --shortstat):")
        self._git("log", "--oneline", "--shortstat")
        self.say("What is in the checkout (git status):")
        self._git("status", "--short", "--branch")

    def _shared(self) -> None:
        """What became of the file that the eligibility report warned of."""
        self.say(f"What became of the warning about {_SHARED} (git log --oneline -- {_SHARED}):")
        argv = ["git", "log", "--oneline", "--", _SHARED]
        log = subprocess.run(
            argv, cwd=self.root, env=dict(self.env), check=False, capture_output=True, text=True
        ).stdout
        sys.stdout.write(f"{log}\n{_quoted((self.root / _SHARED).read_text(encoding='utf-8'))}")
        if all(f"feat({milestone})" in log for milestone in _BOTH):
            sys.stdout.write(f"\n{' and '.join(_BOTH)} changed it in different places: both changes are there.\n")

    def _tests(self) -> int:
        self.say(f"The tests of what was built ({project.VERIFY}):")
        argv = project.VERIFY.split()
        return subprocess.run(argv, cwd=self.root, env=dict(self.env), check=False, stderr=sys.stdout).returncode

    def _end(self) -> None:
        figures = "; tokens and costs are figures of the recording" if self.recorded else ""
        self.say(f"What it took (gsd status{figures}):")
        self._run([*_GSD, "status"])
        self.say("Who ran when:")
        sys.stdout.write(picture(self.root))
        self.say("Where to look:")
        sys.stdout.write(f"  {self.root}\n")
        sys.stdout.write("".join(f"  {line}\n" for path, line in _WHERE.items() if (self.root / path).exists()))
        sys.stdout.write("  git for-each-ref refs/gsd/backup   every commit that was squashed away\n")

    def _git(self, *args: str) -> None:
        self._run(["git", "--no-pager", *args])

    def _run(self, argv: list[str]) -> int:
        sys.stdout.flush()
        return subprocess.run(argv, cwd=self.root, env=dict(self.env), check=False).returncode


def picture(root: Path) -> str:
    """Who ran when, as wide as the terminal."""
    width = min(shutil.get_terminal_size((110, 24)).columns, _WIDEST)
    return timeline_text.text(timeline.fold(_events(root)), width=width, clock=_clock)


def _two_at_work(root: Path) -> bool:
    """Whether two milestones are in the middle of a unit, and each has one behind it."""
    units = [[span for span in row.spans if span.what in timeline.UNITS] for row in timeline.fold(_events(root)).rows]
    return sum(len(spans) > 1 and spans[-1].open for spans in units) > 1


def _events(root: Path) -> tuple[AnyEvent, ...]:
    return Tally(root / ".gsd").events()


def _clock(ms: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(ms / 1000))


def _quoted(text: str) -> str:
    return "".join(f"   │ {line}".rstrip() + "\n" for line in text.splitlines())


_PLAN = f"""\
   Two workers take M001 and M002, each a process with a worktree of its own. M003 waits until M002 is on main.
   {" and ".join(_BOTH)} both write to {_SHARED}: the report warns of it, and the merges show what comes of it.

"""
_WHERE = {
    ".gsd/journal": ".gsd/journal/        what happened, one fact a line",
    ".gsd/activity": ".gsd/activity/       what was said and done in each session",
    ".gsd/parallel/logs": ".gsd/parallel/logs/  what each worker and each merge said",
    ".gsd/milestones": ".gsd/milestones/     the plan, its summaries and the evidence of each gate",
}
