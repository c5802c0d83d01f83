"""Work that kills itself at one of its announcements: a real process, a real SIGKILL."""

import os
import signal
import traceback
from collections.abc import Callable, Mapping
from typing import TypeAlias

Journal: TypeAlias = Callable[[str, Mapping[str, str]], None]


def run(work: Callable[[Journal], str], fatal: int) -> tuple[int, list[str]]:
    """Do the work in a child that dies at announcement number `fatal`, counted from 0; -1: at none.

    Returns its exit code, negative for a signal, and its announcements, to which one that lives adds what the work
    returned. The child is a fork, since loading what it needs takes longer than the work.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(work, fatal, writing)
    os.close(writing)
    with open(reading, encoding="utf-8") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    assert "Traceback" not in said, said
    return os.waitstatus_to_exitcode(status), said.splitlines()


def _be_the_child(work: Callable[[Journal], str], fatal: int, writing: int) -> None:
    announced = 0

    def say(line: str) -> None:
        os.write(writing, f"{line}\n".encode())

    def journal(step: str, facts: Mapping[str, str]) -> None:
        nonlocal announced
        say(f"{step} {facts['at']}")
        if announced == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        announced += 1

    code = 1
    try:
        say(work(journal))
        code = 0
    except BaseException:
        say(traceback.format_exc())
    finally:
        os._exit(code)
