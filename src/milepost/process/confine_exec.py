"""Put on the cage, then become the command: `python -I -S confine_exec.py [--no-network] --writable DIR … -- argv`.

Runs in the child, between fork and exec, as a program of its own, because code there must be small and alone.
Uses Landlock by its system calls: no root, no helper, inherited by all children, cannot be taken off. Reading
stays free; what is restricted is writing, outgoing TCP (`--no-network`), and signals to processes outside.
Standard library only; ends with 125 and a sentence when the cage cannot be put on, and then runs nothing.
"""

import ctypes
import os
import stat
import struct
import sys
from itertools import pairwise

FAILED = 125
COMPLAINT = "milepost: cannot confine"
OLDEST_ABI = 2
"""Before it, Landlock refuses every rename from one directory to another, which no build survives."""

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_PR_SET_NO_NEW_PRIVS = 38
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_WRITE_FILE, _TRUNCATE, _REFER = 1 << 1, 1 << 14, 1 << 13
_MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
_CONNECT_TCP = 1 << 1
_SCOPE_SIGNAL = 1 << 1


def abi() -> int:
    """The version of Landlock the kernel offers; 0 when there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return max(0, _syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG)))
    except OSError:
        return 0


def confine(writable: list[str], *, network: bool) -> None:
    """Restrict this process and all it will start. Raises OSError."""
    version = abi()
    if version < OLDEST_ABI:
        raise OSError(f"Landlock {OLDEST_ABI} is needed, the kernel has {version}")
    rights = _WRITE_FILE | _MAKE_AND_REMOVE | _REFER | (_TRUNCATE if version >= 3 else 0)
    ports = _CONNECT_TCP if version >= 4 and not network else 0
    scopes = _SCOPE_SIGNAL if version >= 6 else 0
    fields = (rights, ports, scopes)[: 3 if version >= 6 else 2 if version >= 4 else 1]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = _syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    for path in writable:
        _allow(ruleset, path, rights)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)


def main(arguments: list[str]) -> int:
    """Confine, then exec. Returns only when that failed."""
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    try:
        writable = [value for name, value in pairwise(options) if name == "--writable"]
        confine(writable, network="--no-network" not in options)
    except OSError as error:
        sys.stderr.write(f"{COMPLAINT}: {error}\n")
        return FAILED
    try:
        os.execv(command[0], command)  # noqa: S606 -- the command is the whole point, and an absolute path
    except OSError as error:
        sys.stderr.write(f"{COMPLAINT}: {command[0]}: {error.strerror}\n")
    return FAILED


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _WRITE_FILE | _TRUNCATE
        rule = struct.pack("=Qi", rights, descriptor)
        _syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _syscall(number: int, *arguments: object) -> int:
    done = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
    if done < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(done)


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    if ctypes.CDLL(None, use_errno=True).prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
