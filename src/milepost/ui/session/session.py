"""The interactive session: `gsd` alone on a terminal. Commands are typed, and go on while others are typed.

    gsd> /auto                          runs beside the prompt; what it does is shown above
    gsd> /steer use tabs                reaches the session at work
    Escape                              holds the session in flight; a sentence is said to it, Escape lets it go on
    Ctrl-C, Ctrl-C                      stops all that was started here
    gsd> /next                          step mode: one unit, then a choice

It keeps nothing of its own: everything is a command that could be typed in a shell. Source: issue "The session";
spec auto 5.20, 7; parallel PR-212, PR-244.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from milepost import __version__
from milepost.errors import ExitCode, MilepostError
from milepost.ui.cli import context
from milepost.ui.cli.main import COMMANDS, main, overview, state_dir
from milepost.ui.session import held, leaving, natures
from milepost.ui.session.completion import Words
from milepost.ui.session.job import LASTING, Job, Nature
from milepost.ui.session.jobs import Jobs
from milepost.ui.session.prompt import Prompt
from milepost.ui.session.question import Question
from milepost.ui.session.standing import Standing
from milepost.ui.session.words import Kind, Said, understood
from milepost.ui.update import notice

KEYS: Final = """\
In this session all commands above work with or without a slash, and with or without the program's name; Tab completes.
  auto, next, discuss, … run beside the prompt: go on typing, /status, /steer TEXT, /capture TEXT, …
  Escape         hold the session in flight: nothing is asked of a model until a sentence, which is said to it, or
                 Escape, /auto or /resume (/pause: at the unit's end). Parallel workers pause; `logs -f` ends
  Ctrl-C twice   stop all that was started here
  a sentence     while something is at work: say it to the session at work, as /steer does, after a yes
  /next, /gsd    step mode: one unit, then a choice
  /exit, Ctrl-D  leave; it is asked what becomes of what is at work
"""


def run(program: str) -> int:
    """Open it; returns when the person leaves."""
    return Session(program).run()


class Session:
    """One sitting."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._standing = Standing(program)
        self._jobs = Jobs(program, self._standing, self._ended)
        home = Path(context.home(state_dir(program)))
        self._newer = notice.begin(program, home, os.environ, time.time_ns() // 1_000_000)
        self._prompt = Prompt(self, program, home, Words(program, lambda: self._standing.ids))
        self._notes: list[str] = []
        self._choice: Question | None = None
        self._shown: Question | None = None
        self._armed = False
        self._gone = False
        self._over = False

    def run(self) -> int:
        """Read lines until it is over."""
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, lambda *_: self._hang_up())
        self._standing.look()
        self._greet()
        while not self._over:
            try:
                self._turn()
            except KeyboardInterrupt:
                self.interrupt()
        return ExitCode.DONE

    def tend(self) -> list[str]:
        """What the running commands said, and a question that was not shown yet."""
        lines = self._jobs.look()
        if lines:
            self._standing.look()
        asked = self.asked()
        if asked is not self._shown:
            self._shown = asked
            lines += [asked.shown()] if asked else []
        notes, self._notes = self._notes, []
        return notes + lines + self._newer.lines()

    def foot(self) -> str:
        """What runs and what it takes; else where the project stands."""
        titles = [job.title for job in self._jobs.all]
        if titles:
            last = self._jobs.all[-1]
            escape = {Nature.WATCH: "end", Nature.FLEET: "pause"}.get(last.nature, "go on" if last.holding else "hold")
            return f" {self._jobs.moving or ', '.join(titles) + ' …'}  [Escape: {escape}]"
        elsewhere = f"at work elsewhere: pid {self._standing.pid}  " if self._standing.pid else ""
        return f" {elsewhere}{self._standing.text}"

    def asked(self) -> Question | None:
        """Questions of runs come first."""
        return self._jobs.questions[0] if self._jobs.questions else self._choice

    def busy(self) -> bool:
        """Whether anything runs."""
        return bool(self._jobs.all)

    def escape(self) -> None:
        """Hold."""
        self._say(self._jobs.escape())

    def interrupt(self) -> None:
        """The first time only a warning; the next thing typed takes it back."""
        names = ", ".join(job.title for job in self._jobs.all)
        if not names:
            self._say("Nothing runs here. /exit leaves.")
        elif self._armed:
            self._say(f"Stopping {names}; finished work is kept.")
            self._jobs.interrupt()
        else:
            self._armed = True
            self._say(f"Ctrl-C again stops {names}.")

    def leaving(self) -> bool:
        """Whether the terminal is gone."""
        return self._gone

    def _hang_up(self) -> None:
        self._gone = True

    def _say(self, text: str) -> None:
        self._notes += [text] if text else []

    def _greet(self) -> None:
        sys.stdout.write(f"{self._program} {__version__} (milepost). /help lists the commands, /exit leaves.\n")
        if self._standing.pid:
            self._say(f"At work already, not from here: pid {self._standing.pid}. /status, /logs -f, /pause, /stop.")

    def _turn(self) -> None:
        try:
            line, question = self._prompt.read()
        except (EOFError, OSError) as error:
            self._gone = self._gone or isinstance(error, OSError)  # The terminal cannot even be written to.
            self._leave()
            return
        self._armed = False
        try:
            self._hear(line, question)
        except EOFError:
            self._leave()
        except (MilepostError, OSError) as error:
            hint = error.hint if isinstance(error, MilepostError) else ""
            self._say(f"{error}" + (f"\n  {hint}" if hint else ""))
        self._standing.look()

    def _hear(self, line: str, question: Question | None) -> None:
        if question is not None and question is self.asked() and not line.lstrip().startswith("/"):
            self._settle(question, line)
            return
        if (job := self._jobs.held) and (words := held.heard(line, job)):
            self._say(words)
            return
        said = understood(line, COMMANDS)
        match said.kind:
            case Kind.NOTHING:
                pass
            case Kind.LEAVE:
                self._leave()
            case Kind.HELP:
                sys.stdout.write(f"{overview(self._program)}\n{KEYS}")
            case Kind.WRONG:
                self._say(said.text)
            case Kind.TALK:
                self._talk(said)
            case Kind.COMMAND:
                self._command(said.words)

    def _settle(self, question: Question, line: str) -> None:
        if question is self._choice:
            self._choice = None
        else:
            self._jobs.questions.remove(question)
        question.settle(line)

    def _talk(self, said: Said) -> None:
        """A sentence is for whoever is at work, and only after a yes: it changes the plan."""
        if not self._jobs.busy():
            self._say("Nothing is at work that could hear this. /steer TEXT is for what comes, /capture TEXT notes it,")
            self._say("/new-milestone TEXT makes a milestone of it; /help lists the commands.")
        elif self._prompt.ask(f"Tell the session at work: {said.text!r}? [Y/n]").lower() in ("", "y", "yes"):
            self._command(("steer", said.text))

    def _command(self, words: tuple[str, ...]) -> None:
        nature = natures.of(words, self._program)
        if nature is Nature.FLEET and not natures.agreed(words):
            shown = self._at_once(natures.previewed(words)) == ExitCode.DONE
            if not shown or self._prompt.ask("Start? [Y/n]").lower() not in ("", "y", "yes"):
                return
        if nature is Nature.WORK and natures.wants_text(words):
            text = self._prompt.ask("What do you want? (a paragraph; nothing: never mind)")
            if not text:
                return
            words = (*words, f"--context-text={text}")
        if nature is None:
            self._at_once(words)
        elif nature in LASTING and (mine := self._jobs.of(*LASTING)):
            self._say(f"{mine[0].title} is at work. Escape holds it, /pause and /stop are for it; /status shows it.")
        else:
            self._start(words, nature)

    def _start(self, words: Sequence[str], nature: Nature) -> None:
        self._choice = None if nature in LASTING else self._choice
        left_out = ("--yes", "-y", "--json") if nature in LASTING else ()
        self._jobs.start([word for word in words if word not in left_out], nature)

    def _at_once(self, words: Sequence[str]) -> int:
        """Run it in place of the prompt, as a shell would."""
        try:
            return main(words, self._program)
        except SystemExit as over:  # --help
            return int(over.code or 0)

    def _ended(self, job: Job) -> None:
        """Step mode goes on with a choice, where there is more to do. Source: spec auto 5.20."""
        self._standing.look()
        if job.words[0] == "next" and job.process.returncode == ExitCode.DONE and self._standing.next:
            self._choice = self._step(job.words[1:])

    def _step(self, options: tuple[str, ...]) -> Question:
        ways = ("Continue with one unit", "Switch to auto", "Status", "Not yet")

        def chose(way: str | None) -> None:
            match way.split()[0].lower() if way else "":
                case "continue" | "next":
                    self._command(("next", *options))
                case "switch" | "auto":
                    self._command(("auto", *options))
                case "status":
                    self._at_once(("status",))
                    self._choice = self._step(options)
                case _:
                    self._say("/next or /auto goes on from here.")

        return Question(text=f"Next is {self._standing.next}.", options=ways, answer=chose, hint="nothing: not yet")

    def _leave(self) -> None:
        self._notes += self._jobs.look()
        self._over = leaving.leave(self._jobs, self._prompt.ask, self._program, gone=self._gone)
        if not self._over:
            self._say("You stay; it goes on.")
