"""A run of `gsd auto` that is killed at its n-th effect: a real process, a real SIGKILL.

Effects are counted at the doors to the outside: files replaced, journal lines, git commands that change something,
tools of the agent. The process dies just before or just after the n-th.
"""

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from milepost.agents.tools.toolbox import Toolbox
from milepost.git import run as git_run
from milepost.store import atomic
from milepost.store.journal import Journal
from milepost.ui.cli.main import main

CHANGING = frozenset(
    "add branch commit commit-tree merge push read-tree reset restore switch symbolic-ref update-index update-ref worktree".split()
)
for module in ("anyio._backends._asyncio", "milepost.testing.scripted", "milepost.ui.cli.auto"):
    # What every child would load on its way, which takes longer than the run.
    importlib.import_module(module)


class Counter:
    """Counts effects; kills the process at the n-th."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.seen = 0

    def tick(self, what: str) -> None:
        self.seen += 1
        if self.seen == self.fatal:
            os.write(2, f"killed at {self.seen}: {what}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def watched(*args: object, **kwargs: object) -> object:
            self.tick(f"before {name}")
            result = real(*args, **kwargs)
            self.tick(f"after {name}")
            return result

        return watched


def run_doomed(root: Path, argv: list[str], fatal: int, log: Path) -> tuple[int, str]:
    """Run `gsd argv` in a child process that dies at effect number `fatal`; its wait status and its output."""
    child = os.fork()
    if child == 0:
        _be_the_child(root, argv, fatal, log)
    _, status = os.waitpid(child, 0)
    return status, log.read_text()


def _be_the_child(root: Path, argv: list[str], fatal: int, log: Path) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.chdir(root)
    os.setsid()
    code = 99
    try:
        counter = Counter(fatal)
        _watch(counter)
        code = main(argv, "gsd")
        os.write(2, f"effects: {counter.seen}\n".encode())
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _watch(counter: Counter) -> None:
    atomic.replace = counter.around("replace", atomic.replace)  # type: ignore[assignment]
    Journal.append = counter.around("append", Journal.append)  # type: ignore[method-assign,assignment]
    real_git, real_call = git_run._once, Toolbox.call

    def git(where: Path, args: tuple[str, ...], *rest: object) -> object:
        changing = next(a for a in args if a != "-c" and "=" not in a) in CHANGING
        if changing:
            counter.tick(f"before git {' '.join(args[:3])}")
        done = real_git(where, args, *rest)  # type: ignore[arg-type]
        if changing:
            counter.tick(f"after git {' '.join(args[:3])}")
        return done

    async def call(self: Toolbox, *args: object, **kwargs: object) -> object:
        answer = await real_call(self, *args, **kwargs)  # type: ignore[arg-type]
        counter.tick(f"after tool {args[0]}")
        return answer

    git_run._once = git  # type: ignore[assignment]
    Toolbox.call = call  # type: ignore[method-assign,assignment]
