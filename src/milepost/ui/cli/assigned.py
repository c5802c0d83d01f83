"""What the environment assigns to a run: nothing, or one milestone as a parallel worker; and what it holds for it.

    GSD_MILESTONE_LOCK=M001 GSD_PARALLEL_WORKER=1 gsd headless auto --json

An auto mode holds the project alone. A worker holds its milestone alone and the project together with other workers,
so that the kernel keeps the two kinds of run apart. Source: parallel PR-023, PR-310, PR-313, FM-02, FM-19, FM-40,
FM-51, FM-53.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from milepost import __version__
from milepost.errors import ExitCode, MilepostError
from milepost.formats import assignment
from milepost.formats.assignment import Assignment
from milepost.formats.journal import RunEnded, RunStarted
from milepost.formats.preferences import Preferences
from milepost.git import repo
from milepost.store.journal import Journal
from milepost.store.lease import Handed, Holder, Lease, LeaseHeld, LeaseLost
from milepost.ui.cli import context
from milepost.ui.cli.main import state_dir
from milepost.worker.ports import PortLease, lease, worktree_name
from milepost.worker.shift import Shift


class OtherProject(MilepostError):
    """The environment assigns another project than the one the process was started in; nothing was begun."""


def read(env: Mapping[str, str]) -> Assignment | None:
    """The assignment; None for an auto mode. Raises BadAssignment or BadId."""
    return assignment.decode(env)


def ignored(env: Mapping[str, str]) -> str:
    """What to say of a lock that means nothing, since nobody said that this is a worker; empty: there is none."""
    for name in ("GSD_MILESTONE_LOCK", "SF_MILESTONE_LOCK"):
        if env.get(name) and not assignment.is_worker(env):
            return f"{name}={env[name]} is ignored: it counts for parallel workers only"
    return ""


def where(given: Assignment | None, program: str) -> context.Where:
    """The project: the assigned one, which the current directory must belong to, else that of the directory."""
    found = context.find(program) if given is None or not given.root else _assigned(given.root, program)
    if given is not None and given.parallel_dir:
        _require_box(given.parallel_dir, found)
    return found


def _assigned(given: str, program: str) -> context.Where:
    """Never looks upwards: what is assigned is there, or nothing is."""
    root = os.path.realpath(given)
    here = repo.inspect(Path(context.cwd())).root
    if os.path.realpath(here) != root:
        raise OtherProject(
            f"the assigned project is {given}, and {context.cwd()} belongs to {here}",
            hint="Start the worker in the milestone's worktree, or in the project itself.",
        )
    names = (name for name in (state_dir(program), ".gsd", ".sf") if os.path.isdir(os.path.join(root, name)))
    name = next(names, None)
    if name is None:
        raise context.NoProject(f"{given}: no {state_dir(program)}/ there", hint=f"{program} init makes one.")
    return context.Where(root=root, state_dir=name, home=context.home(name))


def _require_box(given: str, found: context.Where) -> None:
    expected = os.path.join(found.root, found.state_dir, "parallel")
    if os.path.realpath(given) != os.path.realpath(expected):
        raise OtherProject(
            f"the assigned directory for orders is {given}, and that of the project is {expected}",
            hint="Unset GSD_PARALLEL_DIR.",
        )


def settings(given: Assignment | None, prefs: Preferences) -> Preferences:
    """The preferences of the run: a worker always has a worktree of its own."""
    return prefs if given is None else prefs._replace(git=prefs.git._replace(isolation="worktree"))


def model(given: Assignment | None, asked: str | None, prefs: Preferences) -> str | None:
    """The model for every unit: the command line's, else the one for workers; None: by phase."""
    return asked or (given and (given.model or prefs.parallel.worker_model)) or None


@contextmanager
def held(given: Assignment | None, state: Path, who: Holder) -> Iterator[tuple[Lease, ...]]:
    """Hold what the run needs. Yields what a worker must keep; raises LeaseHeld or LeaseLost."""
    project, guard = state / "parallel" / "auto.lease", state / "journal" / "project.jsonl"
    if given is None:
        with Lease(project, str(state.parent), who, guard=guard) as whole:
            yield (whole,)
        return
    with _own(given, state, who) as own, Lease(project, str(state.parent), who, shared=True, guard=guard) as shared:
        yield (own, shared)


@contextmanager
def ports(given: Assignment | None, found: context.Where, prefs: Preferences) -> Iterator[PortLease | None]:
    """A worker's block of ports, held as long as it lives; None for an auto mode, which is alone."""
    if given is None:
        yield None
        return
    name = worktree_name(Path(found.root), given.milestone)
    # One place for all dialects: ports are the machine's.
    with lease(Path(context.home(".gsd")), name, prefs.parallel.ports) as block:
        yield block


def _own(given: Assignment, state: Path, who: Holder) -> Lease:
    """The milestone's lease: as the coordinator handed it over, else to be taken."""
    mid = given.milestone
    path, guard = state / "parallel" / f"{mid}.lease", state / "journal" / f"{mid}.jsonl"
    if given.lease_fd is None:
        return Lease(path, mid, who, guard=guard)
    return Lease.adopt(Handed(lease=given.lease_fd, guard=given.guard_fd), path, mid, who, guard=guard)


def furnished(shift: Shift, ports: PortLease | None) -> Shift:
    """With the ports and the name of a worker's worktree in the environment of its commands."""
    if ports is None:
        return shift
    if ports.note:
        shift.watcher.note(ports.note)
    env = {**shift.env, **ports.env(shift.state_dir)}
    return replace(shift, env=env, port_base=ports.base)


@contextmanager
def ending_noted(given: Assignment | None, found: context.Where) -> Iterator[None]:
    """See to it that a worker which cannot even begin has a terminal record: why is in the journal, not in a log only.

    Not when the milestone is somebody else's: then the journal is, too.
    """
    try:
        yield
    except (MilepostError, OSError) as error:
        # A lease that was handed over is ours: what is held then is something else.
        foreign = isinstance(error, LeaseLost) or (isinstance(error, LeaseHeld) and given and given.lease_fd is None)
        if given is not None and given.run and not foreign:
            _note(given, Path(found.root, found.state_dir), error)
        raise


def _note(given: Assignment, state: Path, error: MilepostError | OSError) -> None:
    """Begun and ended: an end alone, read before the coordinator has noted the start, would be of an unknown run."""
    journal, now = Journal(state, given.milestone), time.time_ns() // 1_000_000
    code = error.exit_code if isinstance(error, MilepostError) else ExitCode.ERROR
    ended = RunEnded(
        at_ms=now,
        run=given.run,
        state=code.name.lower(),
        reason=str(error),
        hint=error.hint if isinstance(error, MilepostError) else "",
        milestone=given.milestone,
    )
    # A full disk is the error that comes out; it is not to be replaced by that of this very line.
    with suppress(OSError):
        told = {type(event) for event in journal.own() if getattr(event, "run", "") == given.run}
        if RunStarted not in told:
            journal.append(_started(given, now))
        if RunEnded not in told:
            journal.append(ended)


def _started(given: Assignment, now_ms: int) -> RunStarted:
    return RunStarted(
        at_ms=now_ms,
        run=given.run,
        pid=os.getpid(),
        version=__version__,
        command="auto",
        milestone=given.milestone,
        fleet=given.fleet,
    )
