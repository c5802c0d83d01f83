"""`gsd stop`: end the running auto mode from any terminal. Source: spec auto 5.4, 5.20; field-reports #22."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import processes
from milepost.formats.signal import Order, Signal
from milepost.process.identity import Identity, alive
from milepost.store import lease, mailbox
from milepost.ui.cli import arguments, context
from milepost.worker.orders import ANY

_POLL_S = 0.05


class FleetRuns(MilepostError):
    """What runs here is not an auto mode but parallel workers, which have commands of their own."""


class StillRunning(MilepostError):
    """The process got the order and has not ended yet."""


def run(argv: Sequence[str], program: str) -> int:
    """Post the order, send SIGTERM, wait for the process to let go."""
    made = arguments.Parser(prog=f"{program} stop", description="End the running auto mode; work is kept.")
    made.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="how long to wait (default 30)")
    options = made.parse_args(argv)
    where = context.find(program)
    state = Path(where.root, where.state_dir)
    path = lease_path(state)
    holder = runner(state)
    if holder is None:
        return nothing(state, program, "stop")
    order(path.parent, Order.STOP, holder.run)
    _terminate(holder)
    deadline = time.monotonic() + options.wait
    while lease.holder(path) is not None:
        if time.monotonic() > deadline:
            raise StillRunning(f"pid {holder.pid} has not ended after {options.wait:.0f} s", hint=f"{program} status")
        time.sleep(_POLL_S)
    sys.stdout.write(f"Stopped (pid {holder.pid}). {program} auto goes on from here.\n")
    return ExitCode.DONE


def lease_path(state: Path) -> Path:
    """The lease of an auto mode."""
    return state / "parallel" / "auto.lease"


def runner(state: Path) -> lease.Holder | None:
    """The auto mode that runs; None when there is none, also while parallel workers share its lease."""
    found = lease.holder(lease_path(state), state / "journal" / "project.jsonl")
    return None if found is None or found.shared else found


def nothing(state: Path, program: str, command: str) -> int:
    """Say that no auto mode runs. Raises FleetRuns when parallel workers do: they were not meant, and go on."""
    found = processes.runners(state)
    if found:
        raise FleetRuns(
            f"no auto mode is running; parallel workers are: {', '.join(one.named for one in found)}",
            hint=f"{program} parallel {command} is for them.",
        )
    sys.stdout.write("Nothing is running.\n")
    return ExitCode.DONE


def order(box: Path, what: Order, run_id: str) -> None:
    """Post an order for the run that holds the project now."""
    mailbox.post(box, ANY, Signal(signal=what, sent_at=time.time_ns() // 1_000_000, sender="person", run=run_id))


def _terminate(holder: lease.Holder) -> None:
    """SIGTERM, if the process is still the one that took the lease; its number alone proves nothing."""
    who = Identity(host=holder.host, boot_id=holder.boot_id, pid=holder.pid, start_ticks=holder.start_ticks)
    if alive(who) and holder.pid > 0:
        # It may end by itself at this very moment.
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGTERM)
