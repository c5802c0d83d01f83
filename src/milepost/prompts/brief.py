"""What a prompt is made from: the workplace, and what the attempt at hand adds to the files."""

from typing import NamedTuple

from milepost.formats.tree import Tree
from milepost.model.units import Unit
from milepost.prompts.manifest import Level


class Workplace(NamedTuple):
    """Where the session works."""

    cwd: str
    """Absolute directory."""
    branch: str
    """Branch that is checked out there."""
    state_dir: str
    """`.gsd` or `.sf`, below cwd."""


class Extras(NamedTuple):
    """What this attempt knows beyond the files. Texts may be empty: then their block is left out."""

    verification_failure: str = ""
    """From `briefing.verification_failure`; only ever of this very unit."""
    crash_briefing: str = ""
    """From `briefing.crash_briefing`, after a session that was cut off."""
    retry_diagnostic: str = ""
    """From `briefing.unfinished`, after a session that left something owing."""
    overrides: tuple[str, ...] = ()
    """Instructions still in force. Empty: those of OVERRIDES.md."""
    captures: tuple[str, ...] = ()
    """Notes for this unit: those classified replan for replan-slice, deferred ones for reassess-roadmap."""
    captures_file: str = ""
    """Absolute path of `CAPTURES.md`, which lies in the project's root."""
    others: tuple[str, ...] = ()
    """Open milestones that a captured note may be handed to, each with its title."""
    asked: str = ""
    """What a hook or a quick task is for."""
    artifact: str = ""
    """The file that a hook is to write, relative to the session's directory; empty: none."""
    instructions: tuple[str, ...] = ()
    """Texts of the agent-instruction files, the global one first."""
    skills: str = ""
    """What is said of skills, from `skills.block`."""
    memories: str = ""
    """What earlier sessions found out, from `memories.block`."""
    attempt: int = 1
    """Counts from 1."""
    window_tokens: int = 0
    """The model's context window; 0: unknown."""
    now: str = ""
    """UTC time for artefacts (`2026-03-17T11:00:00Z`); empty: the model is told to fill it in."""


class Desk(NamedTuple):
    """All that the readers of single sources need."""

    unit: Unit
    tree: Tree
    workplace: Workplace
    level: Level
    gate: tuple[str, ...]
    """Commands of the preferences that the gate runs after every task; empty: those of the task's plan."""
    extras: Extras

    def shown(self, path: str) -> str:
        """A path below the state directory as the session sees it, relative to its directory."""
        return f"{self.workplace.state_dir}/{path}"

    @property
    def sid(self) -> str:
        """The slice's id; empty for a unit of a whole milestone."""
        return self.unit.slice or ""

    @property
    def tid(self) -> str:
        """The task's id; empty for any other unit."""
        return self.unit.task or ""
