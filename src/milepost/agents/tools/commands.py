"""Search and shell: the tools that start a process. The command line of the shell tool is the model's own text,
handed to bash as one argument; nothing is built from parts.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol

from milepost.agents.session import SessionSpec
from milepost.agents.tools.catalogue import SHELL_LIMIT_S
from milepost.agents.tools.outputs import LIMIT, keep, shorten

if TYPE_CHECKING:
    from milepost.process.confine import Confinement

_IN_MEMORY = 200_000
"""Bytes of each stream held here; what is longer goes to a file as it comes."""
_SEARCH_LIMIT_S = 30.0
_QUIET: Mapping[str, str] = {"PAGER": "cat", "GIT_PAGER": "cat", "GIT_EDITOR": "true", "GIT_TERMINAL_PROMPT": "0"}
"""A command that would open a pager or an editor would wait for ever: it has no terminal."""


class Finished(Protocol):
    """What these tools need of `milepost.process.spawn.Finished`."""

    @property
    def code(self) -> int | None:
        """Exit status; None: ended by a signal."""

    @property
    def signal(self) -> int | None:
        """The signal that ended it."""

    @property
    def timed_out(self) -> bool:
        """It was ended at its time limit."""

    @property
    def stdout(self) -> str:
        """Text of standard output."""

    @property
    def stderr(self) -> str:
        """Text of standard error."""

    @property
    def stdout_path(self) -> Path | None:
        """The whole of standard output, when it was longer than what is kept."""

    @property
    def stderr_path(self) -> Path | None:
        """The whole of standard error, likewise."""

    @property
    def leftovers(self) -> int:
        """Processes it left behind, which were ended."""


class ShellRunner(Protocol):
    """`milepost.process.spawn.run`, or a stand-in of a test."""

    async def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        timeout_s: float,
        confine: "Confinement | None" = None,
        keep_bytes: int = 10_240,
        spool: Path | None = None,
    ) -> Finished:
        """Run `argv` to its end, in a process group of its own."""
        ...


async def shell(spec: SessionSpec, runner: ShellRunner, command: str, wish_s: int) -> tuple[bool, str]:
    """Run `command`; whether it exited with 0, and what the model sees of it.

    wish_s: the time limit, brought into 1..SHELL_LIMIT_S. Output over the limit is kept whole in `spec.output_dir`.
    """
    limit_s = float(min(max(wish_s, 1), SHELL_LIMIT_S))
    spool = spec.output_dir / f"shell-{token_hex(4)}"
    argv = (_shell_of(spec.env), "-c", command)
    done = await runner(
        argv,
        cwd=spec.cwd,
        env={**_QUIET, **spec.env},
        timeout_s=limit_s,
        confine=spec.confine,
        keep_bytes=_IN_MEMORY,
        spool=spool,
    )
    return done.code == 0, _shown(done, limit_s, spec.output_dir)


async def search(spec: SessionSpec, runner: ShellRunner, pattern: str, path: str, glob: str | None) -> tuple[bool, str]:
    """Lines that match `pattern` (regular expression) in files git does not ignore; whether the search could run.

    path: contained, relative to the working directory. With ripgrep where it is installed, else `git grep`.
    """
    ripgrep = shutil.which("rg", path=spec.env.get("PATH"))
    argv = _ripgrep(ripgrep, spec, pattern, path, glob) if ripgrep else _git_grep(pattern, path, glob)
    done = await _run(spec, runner, argv, _SEARCH_LIMIT_S)
    if not ripgrep and done.code == 128:  # no repository, or a path outside of it
        done = await _run(spec, runner, _git_grep(pattern, path, glob, index=False), _SEARCH_LIMIT_S)
    if done.timed_out:
        return False, f"The search was ended after {_SEARCH_LIMIT_S:.0f} s; narrow path or glob."
    if done.code == 1 and not done.stdout:
        return True, "No match."
    if done.code != 0:
        return False, done.stderr.strip() or f"The search failed with exit status {done.code}."
    return True, shorten(done.stdout, note="narrow the pattern, path or glob")


def _ripgrep(program: str, spec: SessionSpec, pattern: str, path: str, glob: str | None) -> tuple[str, ...]:
    # --hidden for the state directory, which starts with a dot; its worktrees are copies of everything
    fixed = ("--no-config", "--color=never", "--no-heading", "--line-number", "--with-filename", "--sort=path")
    skip = (
        "--hidden",
        "--glob=!.git",
        f"--glob=!{spec.state_dir}/worktrees",
        "--max-columns=300",
        "--max-columns-preview",
    )
    return (program, *fixed, *skip, *((f"--glob={glob}",) if glob else ()), "-e", pattern, "--", path)


def _git_grep(pattern: str, path: str, glob: str | None, *, index: bool = True) -> tuple[str, ...]:
    scope = "--untracked" if index else "--no-index"
    where = f":(glob){'' if path == '.' else path + '/'}**/{glob}" if glob else f":(literal){path}"
    return ("git", "--no-pager", "grep", scope, "-nIE", "--color=never", "-e", pattern, "--", where)


async def _run(spec: SessionSpec, runner: ShellRunner, argv: tuple[str, ...], limit_s: float) -> Finished:
    env = {**_QUIET, **spec.env}
    return await runner(argv, cwd=spec.cwd, env=env, timeout_s=limit_s, confine=spec.confine, keep_bytes=_IN_MEMORY)


def _shell_of(env: Mapping[str, str]) -> str:
    return "bash" if shutil.which("bash", path=env.get("PATH")) else "sh"


def _shown(done: Finished, limit_s: float, output_dir: Path) -> str:
    parts = [done.stdout.rstrip("\n"), done.stderr.rstrip("\n")]
    text = "\n".join(part for part in (*parts, *_remarks(done, limit_s)) if part) or "(no output)"
    files = [path for path in (done.stdout_path, done.stderr_path) if path]
    if not files and len(text) <= LIMIT:
        return text
    names = ", ".join(str(path) for path in files or [keep(text, output_dir, "shell")])
    note = f"[whole output: {names}]"
    return f"{shorten(text, note='see below')}\n{note}"


def _remarks(done: Finished, limit_s: float) -> list[str]:
    remarks = []
    if done.timed_out:
        remarks.append(f"[ended after {limit_s:.0f} s, the time limit]")
    elif done.signal is not None:
        remarks.append(f"[ended by signal {done.signal}]")
    elif done.code != 0:
        remarks.append(f"[exit status {done.code}]")
    if done.leftovers:
        remarks.append(f"[{done.leftovers} background processes were ended]")
    return remarks
