"""Things that wait for each other."""

from collections.abc import Iterable, Mapping


def circle(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Those that are part of a circle or wait for one, in their order; empty when all can be done.

    needs: id to the ids it waits for; ids that are no keys count as done.
    """
    left = {entry: set(waits) for entry, waits in needs.items()}
    while ready := [entry for entry, waits in left.items() if not waits & left.keys()]:
        for entry in ready:
            del left[entry]
    return tuple(left)
