"""The built-in agent: a model provider, our tools, one loop. Its library is loaded when a session begins."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager

from milepost.agents.builtin import library, models
from milepost.agents.builtin.conversation import Conversation
from milepost.agents.driven import DrivenSession
from milepost.agents.session import SessionSpec
from milepost.agents.tools.commands import ShellRunner
from milepost.agents.tools.toolbox import Toolbox


class BuiltinAgent:
    """Works through a provider's API with the models a session names."""

    def __init__(
        self, env: Mapping[str, str], *, unusable: set[str] | None = None, shell_runner: ShellRunner | None = None
    ) -> None:
        """env: keys and base URLs (see `models`); never handed to tools.

        unusable: names of models that a provider will not serve, for this run; kept up to date.
        """
        self._env = env
        self._unusable = set[str]() if unusable is None else unusable
        self._runner = shell_runner

    @property
    def name(self) -> str:
        """For people and records."""
        return "builtin"

    def check(self, names: Iterable[str]) -> None:
        """Raise UnknownModel or NotConfigured for the first of `names` that could not be asked. Loads nothing."""
        models.check(names, self._env)

    def preload(self, names: Iterable[str]) -> None:
        """Load what the first of `names` needs; for a thread, while the rest gets ready. Raises nothing."""
        library.preload(names, self._env)

    @asynccontextmanager
    async def open(self, spec: SessionSpec) -> AsyncGenerator[DrivenSession, None]:
        """A session with the models of `spec`; leaving the context ends its connections."""
        toolbox = Toolbox(spec, shell_runner=self._runner)
        session = DrivenSession(Conversation(spec, self._env, toolbox, self._unusable).drive)
        try:
            yield session
        finally:
            await session.aclose()
