"""How a process of ours signs a lease: who it is, beyond its number, and what it does. Source: DESIGN rule 9."""

from milepost.process import identity
from milepost.store.lease import Holder


def signed(run: str, command: str, now_ms: int) -> Holder:
    """The record of this process. command: what it does, as `gsd stop` and others read it."""
    own = identity.own()
    return Holder(
        pid=own.pid,
        run=run,
        host=own.host,
        boot_id=own.boot_id,
        start_ticks=own.start_ticks,
        started_at=now_ms,
        command=command,
    )
