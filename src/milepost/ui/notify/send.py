"""Send notices to targets, each through a process of its own, and say what arrived. Never raises for a target."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from milepost.rules.notices import Kind, Notice
from milepost.ui.notify.targets import Target

TIMEOUT_S: Final = 20.0
_LAST_WORDS: Final = 300
_TONES: Final[Mapping[Kind, str]] = {
    Kind.COMPLETE: "success",
    Kind.MILESTONE: "success",
    Kind.ERROR: "failure",
    Kind.BUDGET: "warning",
    Kind.ATTENTION: "warning",
    Kind.TEST: "info",
}


class Delivery(NamedTuple):
    """What came of one notice at one target."""

    target: Target
    notice: Notice
    ok: bool
    error: str = ""
    unavailable: bool = False
    """The desktop is not there after all; nothing failed."""


class Job(NamedTuple):
    """What one target is to be told."""

    target: Target
    notices: tuple[Notice, ...]


def send(jobs: Sequence[Job], env: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> list[Delivery]:
    """To all targets at once. env: of our own process; timeout_s: for all of them together."""
    started = [(job, _start(job, env)) for job in jobs]
    until = time.monotonic() + timeout_s
    return [each for job, process in started for each in _finish(job, process, until, timeout_s)]


class _Begun(NamedTuple):
    process: "subprocess.Popen[bytes] | None"
    error: str
    text: bytes


def _start(job: Job, env: Mapping[str, str]) -> _Begun:
    told = [{"title": n.title, "body": n.body, "tone": _TONES[n.kind]} for n in job.notices]
    text = json.dumps({"url": job.target.url, "notices": told}).encode()
    # -P: what lies in the current directory, which is the user's project, is not to be imported.
    argv = [sys.executable, "-P", "-m", "milepost.ui.notify.post"]
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(env),
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return _Begun(None, f"no process could be started: {error.strerror}", text)
    return _Begun(process, "", text)


def _finish(job: Job, begun: _Begun, until: float, timeout_s: float) -> list[Delivery]:
    target, notices = job
    if begun.process is None:
        return [Delivery(target, notice, ok=False, error=begun.error) for notice in notices]
    try:
        out, err = begun.process.communicate(begun.text, timeout=max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        begun.process.kill()
        begun.process.communicate()
        return [Delivery(target, notice, ok=False, error=f"no answer in {timeout_s:g} s") for notice in notices]
    return _read(target, notices, out, err)


def _read(target: Target, notices: Sequence[Notice], out: bytes, err: bytes) -> list[Delivery]:
    try:
        answer = json.loads(out)
        sent = [(bool(each["ok"]), str(each["error"])) for each in answer["sent"]]
        unavailable = bool(answer["unavailable"])
    except (ValueError, KeyError, TypeError):
        last = (err.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"])[-1]
        sent, unavailable = [(False, f"the sender broke: {last}")] * len(notices), False
    return [
        Delivery(target, notice, ok, target.redacted(error)[:_LAST_WORDS], unavailable)
        for notice, (ok, error) in zip(notices, sent, strict=False)
    ]
