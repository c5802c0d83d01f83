"""The switch by which a person holds the session in flight; a thread that reads them sets it, the session looks.

A run has one, and a wish to hold outlives a unit: it is obeyed before the next request to a model, whosever that is.
Source: issue "The session"; docs/decisions/0024.
"""

import threading
from collections.abc import Callable
from typing import Final

import anyio

_LOOK_S: Final = 0.1


class Hold:
    """Off at first."""

    def __init__(self) -> None:
        self.told: Callable[[bool], None] = lambda _stands: None
        """Told when a session begins to stand still, and when it goes on."""
        self._lock = threading.Lock()
        self._wanted = self._forsaken = self._stands = False
        self._said: list[str] = []

    @property
    def wanted(self) -> bool:
        """Whether no request is to be made."""
        return self._wanted

    @property
    def stands(self) -> bool:
        """Whether a session stands still: nothing is in flight, and it waits for a person."""
        return self._stands

    @stands.setter
    def stands(self, stands: bool) -> None:
        self._stands = stands
        self.told(stands)

    def take(self) -> None:
        """Hold."""
        self._wanted = True

    def let_go(self, text: str = "") -> None:
        """Go on, with what the person wants to have said first; empty: nothing."""
        with self._lock:
            self._said += [text] if text.strip() else []
        self._wanted = False

    def forsake(self) -> None:
        """Nobody is there any more who could let it go on."""
        self._forsaken = True

    def heard(self) -> tuple[str, ...]:
        """What a person said since the last time."""
        with self._lock:
            taken, self._said = tuple(self._said), []
        return taken

    async def passed(self, stop: anyio.Event) -> None:
        """Wait until it is off, somebody said something, or the run is to stop.

        A hold that nobody can end any more ends the run: what was held was not to go on by itself.
        """
        while self._wanted and not self._said and not stop.is_set():
            if self._forsaken:
                stop.set()
            await anyio.sleep(_LOOK_S)
