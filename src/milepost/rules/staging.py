"""Which paths an automatic commit of a milestone may contain.

    .gsd/activity/…            run-time file, never committed
    .gsd/milestones/M002/…     another milestone's, when M001 is at work
    src/app.py                 committed

Pure. Source: spec auto 1.3, 1.4; field-reports #25 (gsd-2#1991).
"""

import re

from milepost.model.ids import milestone_of_directory

_RUNTIME_DIRECTORIES = frozenset(
    {"activity", "forensics", "runtime", "worktrees", "parallel", "journal", "debug", "audit", "locks", "tmp"}
)
_RUNTIME_FILES = frozenset(
    {
        "auto.lock", "metrics.json", "completed-units.json", "STATE.md", "gsd.db", "gsd.db-shm", "gsd.db-wal",
        "DISCUSSION-MANIFEST.json", "routing-history.json", "hook-state.json", "orchestrator.json",
        "notifications.jsonl", "event-log.jsonl", "state-manifest.json", "doctor-history.jsonl",
    }
)  # fmt: skip
_RUNTIME_NAMES = re.compile(r".*\.tmp\Z|\..*\.tmp[^/]*\Z|export-[^/]*\Z")
_CONTINUE = re.compile(r"milestones/.*(?:-CONTINUE|/continue)\.md\Z")


def is_runtime(path: str, state_dir: str) -> bool:
    """Whether a repository path is a run-time file of the state directory: derived, local, never in a commit."""
    if not path.startswith(f"{state_dir}/"):
        return False
    inner = path[len(state_dir) + 1 :]
    first, _, rest = inner.partition("/")
    if rest:
        return first in _RUNTIME_DIRECTORIES or _CONTINUE.match(inner) is not None
    return first in _RUNTIME_FILES or first in _RUNTIME_DIRECTORIES or _RUNTIME_NAMES.match(first) is not None


def owner_of(path: str, state_dir: str) -> str | None:
    """The milestone whose directory a repository path is in; None outside of any."""
    prefix = f"{state_dir}/milestones/"
    if not path.startswith(prefix):
        return None
    return milestone_of_directory(path[len(prefix) :].split("/")[0])


def excluded(
    path: str, *, milestone: str | None, state_dir: str = ".gsd", commit_docs: bool = True, extra: tuple[str, ...] = ()
) -> str | None:
    """Why a repository path may not be in an automatic commit; None when it may.

    milestone: the one at work; other milestones' directories are then refused. None refuses none of them.
    commit_docs: False keeps the whole state directory out. extra: further paths, and directories ending in `/`.
    """
    if is_runtime(path, state_dir):
        return "run-time file"
    if not commit_docs and (path == state_dir or path.startswith(f"{state_dir}/")):
        return "planning files are not committed (git.commit_docs)"
    owner = owner_of(path, state_dir)
    if milestone is not None and owner not in (None, milestone):
        return f"belongs to {owner}"
    listed = any(path == one or (one.endswith("/") and path.startswith(one)) for one in extra)
    return "excluded by the caller" if listed else None
