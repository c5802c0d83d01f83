"""`git.worktree_post_create`: a program of the project's that is run in each new worktree.

A relative path starts at the project's root. It runs in the worktree, with `SOURCE_DIR` and `WORKTREE_DIR` set, for
at most 30 s, reads nothing, and leaves no process behind. It is the person's own and is not confined. When it fails,
that is said, and work goes on: what is missing, the gates will show. Source: parallel PR-325, FM-74.
"""

from pathlib import Path

from milepost.process import spawn
from milepost.process.spawn import Finished, SpawnFailed
from milepost.rules import secrets
from milepost.worker.shift import Shift
from milepost.worker.stoppable import unless_stopped

NAME = "worktree_post_create"
TIMEOUT_S = 30.0


async def run_post_create(worktree: Path, shift: Shift, *, timeout_s: float = TIMEOUT_S) -> bool:
    """Run the hook, when one is set, and say how it failed, when it did; False when a stop cut it short.

    Never raises for what the hook does.
    """
    hook = shift.preferences.git.worktree_post_create
    if not hook:
        return True
    program = str(shift.root / hook)  # An absolute path stays as it is.
    env = {**shift.env, "SOURCE_DIR": str(shift.root), "WORKTREE_DIR": str(worktree)}

    async def run() -> Finished:
        return await spawn.run([program], cwd=worktree, env=env, timeout_s=timeout_s)

    try:
        done = await unless_stopped(shift.stop, run)
    except SpawnFailed as error:
        shift.watcher.note(f"{NAME} did not start: {error}")
        return True
    if done is None:
        return False
    for sentence in _said(done, timeout_s):
        shift.watcher.note(secrets.redact(sentence, shift.secrets))
    return True


def _said(done: Finished, timeout_s: float) -> list[str]:
    said = []
    if how := _failure(done, timeout_s):
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        said.append(f"{NAME} failed ({how}){''.join(f': {line}' for line in last)}")
    if done.leftovers and not done.timed_out:
        said.append(f"{NAME} left processes running, which were ended: {done.leftovers}")
    return said


def _failure(done: Finished, timeout_s: float) -> str:
    """How it ended, when that was not well; empty when it was."""
    if done.timed_out:
        return f"ended after {timeout_s:g} s"
    if done.signal is not None:
        return f"signal {done.signal}"
    return "" if done.code == 0 else str(done.code)
