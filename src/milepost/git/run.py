"""The one door to git: explicit directory, scrubbed environment, no prompt, bounded time, typed failure.

Git runs in its own session without a terminal, so that a hook, a credential helper or a signing program that
wants to ask somebody fails at once. Output goes to anonymous files instead of pipes: a daemon that a hook leaves
behind holds them open without holding us up. Source: spec auto 6.1, 8.5; field-reports #28; trials 3.
"""

import os
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from milepost.errors import MilepostError
from milepost.git import left_lock

OLDEST = (2, 38)
"""`merge-tree --write-tree` came with git 2.38."""

TIMEOUT_S = 300.0
HOOK_TIMEOUT_S = 900.0
"""For the calls that run a person's hooks: commit and push."""

_ATTEMPTS = 9
_PAUSE_S = 0.04

# Location, index, object and pathspec variables would redirect a call; identity and transport may stay.
_KEPT = re.compile(
    r"GIT_(?:AUTHOR_\w+|COMMITTER_\w+|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|EXEC_PATH|TEMPLATE_DIR"
    r"|SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|PROXY_\w+|HTTP_\w+|ALLOW_PROTOCOL|PROTOCOL)\Z"
)
_OURS = re.compile(r"(.*/\.(?:gsd|sf)/worktrees)/.", re.DOTALL)
_UNSEEN = frozenset({"GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS", "EDITOR", "VISUAL"})
_SETTINGS = (
    "gc.auto=0",
    "maintenance.auto=false",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "log.showSignature=false",
)
_CONTENDED = re.compile(
    r"(?:index|HEAD|config|packed-refs|\.lock).*File exists|[Uu]nable to create .*\.lock'?: File exists"
)
_HALF_MADE = re.compile(r"failed to read \S*worktrees/.*/commondir|could not create directory of \S*worktrees/")
"""A worktree that another process is in the middle of adding or removing; git reads those of all others too."""


class GitFailed(MilepostError):
    """A git call ended with an unexpected code; `argv`, `code` and `stderr` are what it was, without secrets."""

    def __init__(self, argv: Sequence[str], code: int, stderr: str, *, hint: str = "") -> None:
        shown = tuple(_without_secret(arg) for arg in argv)
        super().__init__(f"git {' '.join(shown[:6])}: {_reason(_without_secret(stderr)) or f'exit {code}'}", hint=hint)
        self.argv = shown
        self.code = code
        self.stderr = _without_secret(stderr)


class GitTimedOut(GitFailed):
    """Git, or a hook or signing program it started, did not end in time and was killed with its whole group."""


class DubiousOwnership(GitFailed):
    """Git refuses a repository that belongs to somebody else."""


class GitLocked(GitFailed):
    """A lock file of another git process stayed for the whole bounded wait."""


class GitUnusable(MilepostError):
    """Git is missing or too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A call that ended as expected. Bytes that are not UTF-8 come as surrogate escapes in `out` and `err`."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The output without its last line end."""
        return self.out.rstrip("\n")


def git(
    where: Path,
    *args: str,
    ok: tuple[int, ...] = (0,),
    stdin: bytes | None = None,
    index: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Done:
    """Run git in `where` and wait for it.

    ok: exit codes that count as success. stdin: bytes to read, None is `/dev/null`. index: a private index file.
    env: variables on top of the scrubbed environment. Contention for a lock file, or with a worktree that is being
    added, is retried with jitter for about two seconds; a lock that a killed git left is taken away. Raises
    GitFailed, or its kinds DubiousOwnership, GitLocked and GitTimedOut; GitUnusable without git.
    """
    full = _environment(index, env) | _ceiling(where)
    done = _patiently(where, args, ok, stdin, full, timeout_s)
    lock = None if done.code in ok else left_lock.named_in(done.err)
    if lock is not None and left_lock.take_away(lock, ours=left_lock.of_ours(lock)):
        done = _patiently(where, args, ok, stdin, full, timeout_s)
    if done.code in ok:
        return done
    if not _CONTENDED.search(done.err):
        raise _failure(where, args, done)
    raise GitLocked(
        args, done.code, done.err, hint="Another git process holds a lock; end it, or remove the lock file it left."
    )


def literal(paths: Iterable[str]) -> bytes:
    """Repository paths as a NUL-separated pathspec file in which nothing is a pattern."""
    return b"".join(b":(top,literal)" + raw(path) + b"\0" for path in paths)


def raw(text: str) -> bytes:
    """The bytes behind text that came from git or from the file system."""
    return text.encode("utf-8", "surrogateescape")


def fields(out: str) -> tuple[str, ...]:
    """The parts of NUL-separated output."""
    return tuple(part for part in out.split("\0") if part)


@cache
def version() -> tuple[int, ...]:
    """The version of git on PATH; raises GitUnusable when there is none or it is older than 2.38."""
    text = git(Path("/"), "version").out
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    number = tuple(int(part or 0) for part in found.groups()) if found else (0,)
    if number < OLDEST:
        raise GitUnusable(
            f"{text.strip() or 'git'} is too old: git 2.38 or later is needed", hint="Install a newer git."
        )
    return number


def _environment(index: Path | None, more: Mapping[str, str] | None) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in _UNSEEN and (not k.startswith("GIT_") or _KEPT.match(k))}
    kept |= {
        "LC_ALL": "C",
        "LANGUAGE": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "GIT_EDITOR": "true",
        "GIT_SEQUENCE_EDITOR": "true",
        "GIT_PAGER": "cat",
    }
    if index is not None:
        kept["GIT_INDEX_FILE"] = str(index)
    return kept | dict(more or {})


def _ceiling(where: Path) -> dict[str, str]:
    """In a worktree of ours git must not climb: around it is the user's own checkout."""
    found = _OURS.match(os.path.abspath(where))
    return {"GIT_CEILING_DIRECTORIES": found[1]} if found else {}


def _patiently(
    where: Path, args: Sequence[str], ok: tuple[int, ...], stdin: bytes | None, env: dict[str, str], timeout_s: float
) -> Done:
    done = _once(where, args, stdin, env, timeout_s)
    for attempt in range(1, _ATTEMPTS):
        if done.code in ok or not (_CONTENDED.search(done.err) or _HALF_MADE.search(done.err)):
            break
        time.sleep(_PAUSE_S * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries, guards nothing
        done = _once(where, args, stdin, env, timeout_s)
    return done


def _once(where: Path, args: Sequence[str], stdin: bytes | None, env: dict[str, str], timeout_s: float) -> Done:
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _source(stdin) as source:
        try:
            child = subprocess.Popen(
                ["git", *settings, "-C", str(where), *args],
                stdin=source, stdout=out, stderr=err, env=env, start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise GitUnusable("git is not on PATH", hint="Install git 2.38 or later.") from None
        late = _wait(child, timeout_s)
        done = Done(code=child.returncode, out=_text(out), err=_text(err))
    if late:
        raise GitTimedOut(
            args,
            done.code,
            done.err + f"\nfatal: no end after {timeout_s:g} s",
            hint="A hook or a signing program waits for something.",
        )
    return done


def _source(stdin: bytes | None) -> IO[bytes]:
    if stdin is None:
        return open(os.devnull, "rb")
    source = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    source.write(stdin)
    source.seek(0)
    return source


def _wait(child: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Whether the child had to be killed. A timer, because `wait(timeout)` polls and costs up to 50 ms."""
    late = threading.Event()

    def end() -> None:
        late.set()
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            late.clear()

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        child.wait()
    finally:
        timer.cancel()
    return late.is_set()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "surrogateescape")


def _failure(where: Path, args: Sequence[str], done: Done) -> GitFailed:
    if "dubious ownership" in done.err:
        return DubiousOwnership(args, done.code, done.err, hint=f"git config --global --add safe.directory {where}")
    if "No space left on device" in done.err:
        return GitFailed(args, done.code, done.err, hint="The disk is full; free some space and start again.")
    return GitFailed(args, done.code, done.err)


def _reason(stderr: str) -> str:
    """The line of git's complaint that says most."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (telling or lines or [""])[0]


def _without_secret(text: str) -> str:
    return re.sub(r"(\w+://)[^/@\s]+@", r"\1***@", text)
