"""The tools of one session: every call is checked, contained and allowed before it runs, whoever makes it.

A model, a cassette and a test's script all go through here, so they all meet the same walls.
"""

from collections.abc import Mapping
from typing import NamedTuple

from milepost.agents.session import SessionSpec
from milepost.agents.tools import commands, files
from milepost.agents.tools.catalogue import (
    Args,
    Ask,
    BadCall,
    Edit,
    List,
    Read,
    Search,
    Shell,
    ToolSchema,
    Write,
    parse,
    schemas,
)
from milepost.agents.tools.commands import ShellRunner
from milepost.agents.tools.files import ToolFailed
from milepost.agents.tools.paths import Outside, Place, contain
from milepost.errors import MilepostError
from milepost.rules.tool_policy import WRITERS, refusal


class Answer(NamedTuple):
    """What came of one call."""

    ok: bool
    text: str
    """As the model sees it, at most about `outputs.LIMIT` characters."""
    refused: bool = False
    """The call never ran: the policy or the walls of the working directory stood against it."""
    malformed: bool = False
    """The call never ran: no such tool, or arguments that are not its own."""


class _Refused(Exception):
    pass


class Toolbox:
    """The tools a session may use, on its own directory."""

    def __init__(self, spec: SessionSpec, *, shell_runner: ShellRunner | None = None) -> None:
        """shell_runner: how processes are started; None: `milepost.process.spawn.run`."""
        self._spec = spec
        self._runner = shell_runner or _spawn()

    @property
    def schemas(self) -> tuple[ToolSchema, ...]:
        """The tools as a provider is told of them, only those the policy allows."""
        return schemas(self._spec.policy)

    async def call(self, name: str, args: Mapping[str, object]) -> Answer:
        """Run one tool. Never raises for what a model or the disk may do wrong: that is an answer, too."""
        try:
            call = parse(name, args)
            ok, text = await self._run(name, call)
        except _Refused as refused:
            return Answer(ok=False, text=f"Refused: {refused}", refused=True)
        except Outside as outside:
            return Answer(ok=False, text=f"Refused: {outside}", refused=True)
        except BadCall as bad:
            return Answer(ok=False, text=str(bad), malformed=True)
        except ToolFailed as failed:
            return Answer(ok=False, text=str(failed))
        except MilepostError as error:
            return Answer(ok=False, text=str(error))
        except OSError as error:
            return Answer(ok=False, text=f"{error.filename or name}: {error.strerror or error}")
        return Answer(ok=ok, text=text.encode("utf-8", "replace").decode())

    async def _run(self, name: str, call: Args) -> tuple[bool, str]:
        match call:
            case Read(path=path, start=start, end=end):
                return True, files.read(self._place(name, path).path, start, end)
            case Write(path=path, content=content):
                return True, files.write(self._place(name, path).path, content)
            case Edit(path=path, old=old, new=new):
                return True, files.edit(self._place(name, path).path, old, new)
            case List(path=path):
                return True, files.names(self._place(name, path).path)
            case Search(pattern=pattern, path=path, glob=glob):
                place = self._place(name, path)
                return await commands.search(self._spec, self._runner, pattern, place.relative or str(place.path), glob)
            case Shell(command=command, timeout=timeout):
                self._require_allowed(name, "")
                return await commands.shell(self._spec, self._runner, command, timeout)
            case Ask(question=question, options=options):
                self._require_allowed(name, "")
                return True, await self._spec.ask(question, options)

    def _place(self, name: str, raw: str) -> Place:
        also = None if name in WRITERS else self._spec.output_dir
        place = contain(raw, self._spec.cwd, also=also)
        if place.relative:
            self._require_allowed(name, place.relative)
        return place

    def _require_allowed(self, name: str, relative: str) -> None:
        spec = self._spec
        against = refusal(spec.policy, name, relative, state_dir=spec.state_dir, milestone=spec.unit.milestone)
        if against is not None:
            raise _Refused(against)


def _spawn() -> ShellRunner:
    from milepost.process.spawn import run  # only sessions start processes; choosing an agent does not

    return run
