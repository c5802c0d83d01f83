"""Make a worktree ready before anything is paid for: what its lock files ask for, or what the settings say.

Each step is done once for its lock files and its worktree; `runtime/places/<MID>.setup.json` remembers which, and is
written when a step has come to its end, so that one that was killed is done again. A tool that is not here is said
and passed over; one that ran and failed keeps the milestone from starting, since every gate would fail for it.
Source: issue "Parallel"; parallel FM-74; field-reports #20.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from milepost.formats.journal import SetUp
from milepost.git.run import fields, git
from milepost.process import spawn
from milepost.rules import gates, recipes
from milepost.rules.recipes import Command, Recipes, Step
from milepost.unit.bench import Workspace
from milepost.worker import setup_traces
from milepost.worker.setup_memory import Memory
from milepost.worker.setup_step import Failure, Log, run_step, setup_env
from milepost.worker.shift import Shift
from milepost.worker.stoppable import unless_stopped
from milepost.worker.turn import turn

TIMEOUT_S = 900.0
"""For each command."""
_SETTING = "parallel.setup_commands"
_STOPPED = "stopped by a person or a signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Work may begin."""

    env: Mapping[str, str] = field(default_factory=dict)
    """What commands in the worktree get on top of the shift's: its own `.venv` first on PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """The environment could not be made, which is nobody's failed attempt; nothing was paid."""

    reason: str
    """One line."""
    log: str = ""
    """Where all of it is, relative to the project's root."""
    last_lines: tuple[str, ...] = ()
    hint: str = ""
    stopped: bool = False
    """A person or a signal cut it short; the next start does it again."""


async def prepare(
    place: Workspace, shift: Shift, *, home: Path | None = None, timeout_s: float = TIMEOUT_S
) -> Ready | NotReady:
    """Set up the worktree, unless that was done for just these lock files. The user's own checkout is left alone.

    home: the global state directory, where set-ups of several workers wait for each other; None: they do not.
    timeout_s: for each command. Raises OSError when the state directory cannot be written.
    """
    if place.isolation != "worktree":
        return Ready()
    files = _files(place.cwd)
    wanted = _wanted(files, place, shift)
    if isinstance(wanted, NotReady):
        return wanted
    job = _Job(place=place, shift=shift, files=files, home=home, timeout_s=timeout_s)
    due = [step for step in wanted.steps if job.due(step) and job.possible(step)]
    if due:
        if wanted.left_out:
            shift.watcher.note(f"not set up, too many: {', '.join(wanted.left_out)}; {_SETTING} can name the commands")
        log = Log(job.log_path, shift.secrets)
        for step in due:
            if refused := await job.do(step, log):
                return refused
    return Ready(env=environment(place, shift))


def environment(place: Workspace, shift: Shift) -> dict[str, str]:
    """What an activated `.venv` of the worktree would set; empty when there is none."""
    venv = place.cwd / ".venv"
    if place.isolation != "worktree" or not os.access(venv / "bin" / "python", os.X_OK):
        return {}
    path = shift.env.get("PATH", os.defpath)
    return {"VIRTUAL_ENV": str(venv), "PATH": f"{venv / 'bin'}{os.pathsep}{path}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One set-up."""

    place: Workspace
    shift: Shift
    files: Mapping[str, bytes]
    home: Path | None
    timeout_s: float

    @property
    def log_path(self) -> Path:
        return self.shift.state / "runtime" / "setup" / f"{self.place.milestone}.log"

    def due(self, step: Step) -> bool:
        """Whether it was not done yet for these lock files here, or what it made is gone."""
        return not Memory(self.place).has(step, self._hash(step))

    def possible(self, step: Step) -> bool:
        """Whether it can and should be run; says why not."""
        if step.name != recipes.CONFIGURED and self._missing(step.tool):
            self._say(
                f"{step.tool} is not on PATH, so {step.locks} was not set up; the gates will show what is missing"
            )
            return False
        if step.fills and self._leads_elsewhere(step.fills):
            self._say(f"{step.fills} is a link, so {step.locks} was not set up: it would change what the link leads to")
            return False
        if step.fills and setup_traces.tracked(self.place.cwd, step.fills):
            self._say(f"{step.fills} is in git, so {step.locks} was not set up")
            return False
        return True

    async def do(self, step: Step, log: Log) -> NotReady | None:
        """One step, with what belongs to it. None: it is done."""
        self._say(f"setting up {self.place.milestone}: {step.name}")
        before = setup_traces.visible(self.place.cwd)
        started = anyio.current_time()
        ended = await unless_stopped(self.shift.stop, lambda: self._run(step, log))
        self._tidy(step, before)
        if ended is None:
            return NotReady(reason=_STOPPED, log=self._log_name(), stopped=True)
        (failure,) = ended
        self._book(step, failure, round((anyio.current_time() - started) * 1000))
        if failure is None:
            Memory(self.place).keep(step, self._hash(step))
            return None
        for line in failure.last_lines:
            self._say(f"{step.name}: {line}")
        return NotReady(
            reason=f"setting up {self.place.milestone} failed: {failure.reason}",
            log=self._log_name(),
            last_lines=failure.last_lines,
            hint=f"All of it is in {self._log_name()}; {_SETTING} can say what to run instead, [] for nothing.",
        )

    async def _run(self, step: Step, log: Log) -> tuple[Failure | None]:
        """In a tuple, since None is what a stop gives."""
        if self.home is None:
            return (await run_step(step, self.place, self.shift, log, timeout_s=self.timeout_s),)
        name = os.path.basename(step.tool)
        async with turn(
            self.home / "setup" / f"{name}.lease", lambda: self._say(f"another set-up uses {name}; waiting")
        ):
            return (await run_step(step, self.place, self.shift, log, timeout_s=self.timeout_s),)

    def _tidy(self, step: Step, before: frozenset[str]) -> None:
        setup_traces.hide(step, self.place.cwd, self.shift)
        locks = {path: self.files[path] for path in self.files if os.path.basename(path) in recipes.LOCK_FILES}
        setup_traces.put_back(step, locks, self.place.cwd, self.shift)
        setup_traces.report(step, before, self.place.cwd, self.shift)

    def _book(self, step: Step, failure: Failure | None, duration_ms: int) -> None:
        self.shift.journal(self.place.milestone).append(
            SetUp(
                at_ms=self.shift.now_ms(),
                run=self.shift.run,
                milestone=self.place.milestone,
                recipe=step.name,
                lock_hash=self._hash(step),
                ok=failure is None,
                reason=failure.reason if failure else "",
                duration_ms=duration_ms,
            )
        )

    def _hash(self, step: Step) -> str:
        return recipes.lock_hash(step, self.files, str(self.place.cwd))

    def _missing(self, tool: str) -> bool:
        return spawn.which(tool, cwd=self.place.cwd, env=setup_env(self.place, self.shift)) is None

    def _leads_elsewhere(self, path: str) -> bool:
        whole = self.place.cwd / path
        return whole.is_symlink() or not whole.resolve().is_relative_to(self.place.cwd.resolve())

    def _log_name(self) -> str:
        return str(self.log_path.relative_to(self.shift.root))

    def _say(self, text: str) -> None:
        self.shift.watcher.note(text)


def _wanted(files: Mapping[str, bytes], place: Workspace, shift: Shift) -> Recipes | NotReady:
    """The steps, from the settings when they name any, else from the lock files."""
    lines = shift.preferences.parallel.setup_commands
    if lines is None:
        return recipes.recipes(files)
    world = gates.World(worktree=str(place.cwd), resolves=lambda _name, _below: True)
    checks = gates.plan(preference=lines, verify="", package_scripts={}, world=world).checks
    for check in checks:
        problem = check.problem or ("has a file pattern; write it as: sh -c '…'" if check.patterns else "")
        problem = problem or ("begins with !" if check.refused else "")
        if problem:
            return NotReady(
                reason=f"{_SETTING}: {check.command!r}: {problem}", hint=f"Mend it in {shift.state_dir}/PREFERENCES.md."
            )
    commands = [Command(check.argv, check.cwd, check.env) for check in checks]
    return Recipes(steps=(recipes.configured(commands, files),) if commands else ())


def _files(worktree: Path) -> dict[str, bytes]:
    """Content of the files that recipes look into; none that git ignores, so none of an installed package."""
    names = (*recipes.LOCK_FILES, *recipes.ALSO_READ)
    patterns = [f":(glob){below}{name}" for name in names for below in ("", "*/")]
    listed = git(worktree, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns)
    return {path: (worktree / path).read_bytes() for path in sorted(set(fields(listed.out))) if _plain(worktree / path)}


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
