"""The environment of a parallel worker: by which a coordinator, or a person, says what it is to work on.

    GSD_PARALLEL_WORKER=1  GSD_MILESTONE_LOCK=M001      both, always: one alone means nothing
    GSD_PROJECT_ROOT=/project                           the user's checkout
    GSD_PARALLEL_DIR=/project/.gsd/parallel             where orders and status files are
    GSD_WORKER_RUN=r…  GSD_FLEET=f…                     its run id and the fleet's session
    GSD_LEASE_FD=7  GSD_GUARD_FD=8                      the milestone's lease, taken before it was started
    GSD_WORKER_MODEL=claude-…                           for every unit

`SF_…` means the same. A person types the first line only. Source: parallel PR-023, PR-310, PR-313, FM-53; spec 4.
"""

from collections.abc import Mapping
from typing import NamedTuple

from milepost.errors import MilepostError
from milepost.model.ids import require_milestone

_PREFIXES = ("GSD_", "SF_")


class BadAssignment(MilepostError):
    """The variables of a parallel worker contradict each other."""


class Assignment(NamedTuple):
    """What a worker is to do, and for whom. Empty fields were not said."""

    milestone: str
    root: str = ""
    parallel_dir: str = ""
    run: str = ""
    fleet: str = ""
    lease_fd: int | None = None
    guard_fd: int | None = None
    model: str = ""


def prefix(state_dir: str) -> str:
    """How the variables of a dialect begin: `GSD_`, or `SF_` for `.sf`."""
    return "SF_" if state_dir == ".sf" else "GSD_"


def is_worker(env: Mapping[str, str]) -> bool:
    """Whether this process is a parallel worker: it may not start another fleet (PR-174, PR-318)."""
    return any(env.get(f"{p}PARALLEL_WORKER") for p in _PREFIXES)


def encode(given: Assignment, state_dir: str) -> dict[str, str]:
    """The variables, named in the project's dialect."""
    values = {
        "PARALLEL_WORKER": "1",
        "MILESTONE_LOCK": given.milestone,
        "PROJECT_ROOT": given.root,
        "PARALLEL_DIR": given.parallel_dir,
        "WORKER_RUN": given.run,
        "FLEET": given.fleet,
        "LEASE_FD": "" if given.lease_fd is None else str(given.lease_fd),
        "GUARD_FD": "" if given.guard_fd is None else str(given.guard_fd),
        "WORKER_MODEL": given.model,
    }
    return {f"{prefix(state_dir)}{name}": value for name, value in values.items() if value}


def decode(env: Mapping[str, str]) -> Assignment | None:
    """What the environment assigns; None when it is not a worker's. Raises BadAssignment or BadId.

    A lock without the worker flag is left over from something else and means nothing (FM-53).
    """
    for p in _PREFIXES:
        if not env.get(f"{p}PARALLEL_WORKER"):
            continue
        milestone = env.get(f"{p}MILESTONE_LOCK", "")
        if not milestone:
            raise BadAssignment(
                f"{p}PARALLEL_WORKER is set and {p}MILESTONE_LOCK is not", hint=f"unset {p}PARALLEL_WORKER"
            )
        return Assignment(
            milestone=require_milestone(milestone),
            root=env.get(f"{p}PROJECT_ROOT", ""),
            parallel_dir=env.get(f"{p}PARALLEL_DIR", ""),
            run=env.get(f"{p}WORKER_RUN", ""),
            fleet=env.get(f"{p}FLEET", ""),
            lease_fd=_descriptor(env, f"{p}LEASE_FD"),
            guard_fd=_descriptor(env, f"{p}GUARD_FD"),
            model=env.get(f"{p}WORKER_MODEL", ""),
        )
    return None


def _descriptor(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name, "")
    if text and not text.isdecimal():
        raise BadAssignment(f"{name} is {text!r}, which is no file descriptor", hint=f"unset {name}")
    return int(text) if text else None
