"""Code run in a forked child process, for tests of files that several processes share."""

import os
import resource
import signal
import traceback
from collections.abc import Callable


def fork(work: Callable[[], object]) -> int:
    """Start `work` in a child; its pid. The child exits with 0, or 1 and a traceback."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 (nothing of a child may reach pytest)
        traceback.print_exc()
    finally:
        os._exit(code)


def wait(pid: int) -> int:
    """Wait for a child; 0 when its work went well."""
    return os.waitpid(pid, 0)[1]


def kill(pid: int) -> None:
    """End a child as a crash does."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a child to its end; 0 when it went well."""
    return wait(fork(work))


def limit_files_to(size: int) -> None:
    """From here on this process cannot write files beyond `size` bytes, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
