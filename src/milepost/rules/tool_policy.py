"""What a unit's session may read and write, decided before a tool call runs.

Paths are POSIX, relative to the session's directory, with symlinks resolved and no `..` left. In the state directory
only the documents named here may be written: everything else there is the program's own (journal, locks, metrics,
worktrees, preferences, evidence) or another milestone's. The shell is outside of this: a session that has it is held
in by the sandbox and by the checks after the session. Source: spec auto 1.2, 4.2, 5.17.
"""

from collections.abc import Callable
from enum import StrEnum

from milepost.model import work
from milepost.model.ids import milestone_of_directory


class ToolPolicy(StrEnum):
    """What a unit's session may touch; enforced in code before a call runs. Spec auto 4.2, 5.17."""

    ALL = "all"
    """Everything inside the worktree, and the shell."""
    PLANNING = "planning"
    """Read anywhere in the worktree, write only below the milestone's own directory; no shell."""
    PLANNING_DISPATCH = "planning-dispatch"
    """As planning, plus the project's registers (DECISIONS, REQUIREMENTS, PROJECT, KNOWLEDGE)."""
    DISCUSSION = "discussion"
    """As planning-dispatch, and it may ask the person."""
    DOCS = "docs"
    """As planning-dispatch, plus OVERRIDES and the documentation of the repository (`*.md`, `docs/`)."""


SHELL = "shell"
ASK = "ask"
WRITERS = frozenset({"write", "edit"})
_LOOKERS = ("read", "list", "search")
REGISTERS = frozenset({"decisions.md", "requirements.md", "project.md", "knowledge.md"})
DOCUMENTS = REGISTERS | {"queue.md"}
"""Files at the top of the state directory that agents write (spec auto 1.2, column W); orders and captures are words
of a person, and a session that wrote them would speak in that person's name.
"""


def offered(policy: ToolPolicy) -> tuple[str, ...]:
    """Names of the tools a session under `policy` is shown."""
    looking = (*_LOOKERS, "write", "edit")
    if policy is ToolPolicy.DISCUSSION:
        return (*looking, ASK)
    return (*looking, SHELL) if policy is ToolPolicy.ALL else looking


def refusal(policy: ToolPolicy, tool: str, path: str, *, state_dir: str, milestone: str) -> str | None:
    """Why `tool` may not touch `path`, as the model is told; None: it may.

    path: relative to the session's directory, `.` for that directory itself; ignored for the shell.
    state_dir: `.gsd` or `.sf`. milestone: the session's own (or the key of its quick task), the only one whose
    directory is open to it.
    """
    if tool == SHELL:
        return None if policy is ToolPolicy.ALL else "This session has no shell; use read, list and search."
    if tool == ASK:
        return None if policy is ToolPolicy.DISCUSSION else "Nobody is there to be asked; decide, and note the choice."
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    own = f"{state_dir}/{work.home(milestone) if work.is_quick(milestone) else f'milestones/{milestone}'}/"
    if any(part.casefold() == ".git" for part in parts):
        return f"{path} belongs to git; the program does all git work."
    if tool not in WRITERS:
        return None
    if not parts:
        return "That is the working directory itself, not a file."
    if parts[0].casefold() == state_dir.casefold():
        return _state_refusal(policy, parts[1:], milestone, own)
    return _REPOSITORY[policy](path, own)


def _state_refusal(policy: ToolPolicy, parts: tuple[str, ...], milestone: str, own: str) -> str | None:
    match parts:
        case ("milestones", directory, *rest) if rest:
            if milestone_of_directory(directory) != milestone:
                return f"{directory} is not this unit's milestone; write below {own} only."
            return _evidence_refusal(rest[-1])
        case ("quick", directory, *rest) if rest and f"quick-{directory}" == milestone:
            return _evidence_refusal(rest[-1])
        case (name,) if name.casefold() in _TOP[policy]:
            return None
        case _:
            return f"{'/'.join(parts) or 'The state directory'} is kept by the program; write below {own}."


def _evidence_refusal(name: str) -> str | None:
    if name.upper().endswith(("-META.JSON", "-VERIFY.JSON")):
        return f"{name} is written by the program, from what it ran itself."
    return None


def _anywhere(_path: str, _own: str) -> str | None:
    return None


def _nowhere(path: str, own: str) -> str | None:
    return f"{path} is outside of what this unit plans; write below {own} only."


def _documentation(path: str, own: str) -> str | None:
    if path.casefold().endswith(".md") or path.casefold().startswith("docs/"):
        return None
    return f"{path} is no documentation; write *.md, docs/ and below {own} only."


_REPOSITORY: dict[ToolPolicy, Callable[[str, str], str | None]] = {
    ToolPolicy.ALL: _anywhere,
    ToolPolicy.PLANNING: _nowhere,
    ToolPolicy.PLANNING_DISPATCH: _nowhere,
    ToolPolicy.DISCUSSION: _nowhere,
    ToolPolicy.DOCS: _documentation,
}
_TOP: dict[ToolPolicy, frozenset[str]] = {
    ToolPolicy.ALL: DOCUMENTS,
    ToolPolicy.PLANNING: frozenset(),
    ToolPolicy.PLANNING_DISPATCH: REGISTERS,
    ToolPolicy.DISCUSSION: REGISTERS,
    ToolPolicy.DOCS: REGISTERS | {"overrides.md"},
}
