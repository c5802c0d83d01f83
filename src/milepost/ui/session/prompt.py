"""The prompt itself: a line is typed at the foot of the screen while what runs is shown above it.

Between two keys, `tend` is called several times a second; what it returns is printed above the line. Nothing is
printed by anybody else while a line is typed. Source: spec auto 5.20; parallel PR-244.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import anyio
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.completion import Completer
from prompt_toolkit.filters import Condition, has_completions
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from milepost.ui.session.kept import Kept
from milepost.ui.session.question import Question

_TICK_S: Final = 0.1
_ESCAPE_S: Final = 0.1
"""So long it is waited whether Escape is the beginning of another key."""


class Host(Protocol):
    """Whose prompt it is."""

    def tend(self) -> list[str]:
        """Look after what runs; the lines to print."""
        ...

    def foot(self) -> str:
        """The line below the prompt."""
        ...

    def asked(self) -> Question | None:
        """What a person is asked just now."""
        ...

    def busy(self) -> bool:
        """Whether Escape means anything."""
        ...

    def escape(self) -> None:
        """It was pressed."""
        ...

    def interrupt(self) -> None:
        """Ctrl-C was pressed, on an empty line."""
        ...

    def leaving(self) -> bool:
        """Whether nobody sits there any more."""
        ...


class Prompt:
    """One for the whole session."""

    def __init__(self, host: Host, program: str, home: Path, completer: Completer) -> None:
        self._host = host
        self._program = program
        self._begun = False
        self._meant: Question | None = None
        """The question that stood there when the line was begun."""
        self._lines: list[str] = []
        """To be printed; what is not when a line is entered is printed after it."""
        self._session: PromptSession[str] = PromptSession(
            history=Kept(home, wanted=lambda: host.asked() is None),
            completer=completer,
            complete_while_typing=False,
            bottom_toolbar=self._foot,
            key_bindings=self._keys(),
            reserve_space_for_menu=4,
        )
        self._session.app.ttimeoutlen = _ESCAPE_S
        self._plain: PromptSession[str] = PromptSession(bottom_toolbar=self._foot)
        self._session.default_buffer.on_text_changed += lambda _: self._changed()

    def read(self) -> tuple[str, Question | None]:
        """A line, and the question that it answers. Raises EOFError when there are no more."""
        self._begun, self._meant = False, None
        line = self._run(self._session, self._before)
        return line, self._meant if line else self._host.asked()

    def ask(self, question: str) -> str:
        """A line in answer to a question of the session's own; empty: none, or Ctrl-C. Raises EOFError."""
        try:
            return self._run(self._plain, lambda: FormattedText([("bold", f"{question} ")])).strip()
        except KeyboardInterrupt:
            return ""

    def _run(self, session: "PromptSession[str]", before: Callable[[], FormattedText]) -> str:
        self._lines += self._host.tend()
        self._print()
        try:
            return session.prompt(before, pre_run=self._begin)
        finally:
            self._print()

    def _begin(self) -> None:
        get_app().create_background_task(self._tend())

    async def _tend(self) -> None:
        app = get_app()
        shown = self._foot()
        while not self._host.leaving():
            self._lines += self._host.tend()
            if self._lines:
                await run_in_terminal(self._print)
            if (now := self._foot()) != shown:
                shown = now
                app.invalidate()
            await anyio.sleep(_TICK_S)
        if app.future is not None and not app.future.done():
            app.exit(exception=EOFError())

    def _print(self) -> None:
        lines, self._lines = self._lines, []
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()

    def _before(self) -> FormattedText:
        return FormattedText([("bold", "answer> " if self._host.asked() else f"{self._program}> ")])

    def _foot(self) -> str:
        return self._host.foot()

    def _changed(self) -> None:
        begun = bool(self._session.default_buffer.text)
        if begun != self._begun:
            self._begun, self._meant = begun, self._host.asked() if begun else None

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("escape", eager=True, filter=Condition(self._host.busy) & ~has_completions)
        def _escape(event: KeyPressEvent) -> None:
            del event
            self._host.escape()

        @keys.add("c-c")
        @keys.add("<sigint>")
        def _interrupt(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.reset()
            else:
                self._host.interrupt()

        return keys
