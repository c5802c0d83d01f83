"""A session that a person holds: it stands before its next request, pays nothing, and goes on in the same conversation.

    Escape → the request in flight ends, and is booked → `held` in the journal → … → let go, or a sentence → `let-go`

Its time limits stand still meanwhile (`supervise`); a stop ends it as ever. A process that dies leaves an interrupted
unit, and nothing that is held. Source: issue "The session"; docs/decisions/0024.
"""

import anyio

from milepost.formats.journal import Held, LetGo, Steered
from milepost.unit.bench import Bench
from milepost.unit.transcript import Transcript


async def stand(attempt: str, bench: Bench, transcript: Transcript) -> tuple[str, ...]:
    """Wait while the session is held; returns what is to be said to it before it goes on. Raises OSError."""
    if bench.hold.wanted:
        await _wait(attempt, bench)
    said = bench.hold.heard()
    for text in said:
        line = text.partition("\n")[0]
        transcript.steer(words(text))
        bench.journal.append(Steered(at_ms=bench.now_ms(), run=bench.run, attempt=attempt, why="person", text=line))
        bench.watcher.note(f"told the session: {line}")
    return tuple(words(text) for text in said)


def words(text: str) -> str:
    """What a person says, as the model reads it."""
    return f"The person in charge looked at your work and says: {text}\n\nHeed it, and go on with this unit."


async def _wait(attempt: str, bench: Bench) -> None:
    hold = bench.hold
    bench.journal.append(Held(at_ms=bench.now_ms(), run=bench.run, attempt=attempt))
    hold.stands = True
    try:
        await hold.passed(bench.stop)
        if bench.stop.is_set():
            await anyio.sleep_forever()  # Until the session is cancelled: no request may slip out before.
    finally:
        hold.stands = False
    bench.journal.append(LetGo(at_ms=bench.now_ms(), run=bench.run, attempt=attempt))
