"""Which commands prove a task: discovered once, decided here, run elsewhere.

First of these that names a command wins: the preference `verification_commands`; the task's `Verify:` line; the
scripts typecheck, lint and test of `package.json`. Nothing found is no failure, but it is said. What is not run is
in `skipped` with its reason, so no line of a plan is dropped in silence. Source: spec auto 5.13, 8.7.
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum
from typing import NamedTuple

from milepost.rules import gate_lines
from milepost.rules.gate_commands import Part, Word, parts

Resolver = Callable[[str, str], bool]
"""(first word, directory relative to the worktree) → whether that starts a program there."""

SCRIPTS = ("typecheck", "lint", "test")
_BUILTINS = frozenset(
    {*("source", ".", "export", "set", "unset", "alias", "eval", "exec", "pushd", "popd", "trap"), "if", "for", "while"}
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_NPM_PLACEHOLDER = re.compile(r"no test specified.*exit 1", re.DOTALL)
_ENDLESS = re.compile(
    r"(^| )((npm|pnpm|yarn|bun)( run)? (dev|start|serve|watch|preview)(:\S+)?|tauri dev|vite( dev| preview)?$|"
    r"next (dev|start)|flask run|-m http\.server|manage\.py runserver|uvicorn \S+:\S+|tail -f|--watch(All)?)( |$)"
)


class Source(StrEnum):
    """Where the commands were found; the wire names of `discoverySource`."""

    PREFERENCE = "preference"
    TASK_PLAN = "task-plan"
    PACKAGE_JSON = "package-json"
    NONE = "none"


class Check(NamedTuple):
    """One command of the gate."""

    command: str
    """As a person would type it, from the worktree."""
    argv: tuple[str, ...]
    cwd: str
    """Where it runs, relative to the worktree."""
    env: tuple[tuple[str, str], ...]
    """Variables set in front of it."""
    patterns: tuple[int, ...]
    """Which words of argv are file patterns, still to be expanded."""
    refused: bool
    """Whether it stood behind `!`: it must exit with something else than 0."""
    advisory: bool
    """Found, not asked for: a failure that the base commit has too does not count."""
    problem: str
    """Why it cannot be run, although it is meant to be; empty when it can. Makes the gate inconclusive."""


class Skipped(NamedTuple):
    """Text that is not run, and why."""

    text: str
    reason: str


class GatePlan(NamedTuple):
    """The whole gate of one task. No checks: nothing was found that can be run."""

    source: Source
    checks: tuple[Check, ...]
    skipped: tuple[Skipped, ...]


class _Trust(Enum):
    """How surely a text is meant as a command."""

    CONFIGURED = 3
    """A person set it as a gate."""
    CODE = 2
    """It stood in backticks."""
    TEXT = 1
    """It may be a sentence."""


class World(NamedTuple):
    """What commands are read against."""

    worktree: str
    """Absolute path, for `$PWD` and `cd` to it."""
    resolves: Resolver


def plan(*, preference: Sequence[str], verify: str, package_scripts: Mapping[str, object], world: World) -> GatePlan:
    """The gate of one task.

    preference: `verification_commands`. verify: the rest of the Verify line, empty when there is none.
    package_scripts: `scripts` of package.json, empty when there is none. Pure; never raises.
    """
    if wanted := [line.strip() for line in preference if line.strip()]:
        return _gate(Source.PREFERENCE, (found for line in wanted for found in _trusted(line, world)))
    task = _gate(Source.TASK_PLAN, _from_line(verify, world))
    if task.checks:
        return task
    scripts = _gate(Source.PACKAGE_JSON, _from_scripts(package_scripts, world))
    source = Source.PACKAGE_JSON if scripts.checks else Source.NONE
    return GatePlan(source=source, checks=scripts.checks, skipped=task.skipped + scripts.skipped)


def _gate(source: Source, found: Iterable[Check | Skipped]) -> GatePlan:
    items = tuple(dict.fromkeys(found))
    return GatePlan(
        source=source,
        checks=tuple(item for item in items if isinstance(item, Check)),
        skipped=tuple(item for item in items if isinstance(item, Skipped)),
    )


def _trusted(line: str, world: World) -> Iterator[Check | Skipped]:
    """A person wrote it as a command: what cannot be run stops the gate instead of being passed over."""
    for found in _chain(parts(line, worktree=world.worktree), world, _Trust.CONFIGURED):
        if isinstance(found, Skipped):
            hint = "; write it as: sh -c '…'" if "shell" in found.reason else ""
            yield _check(found.text, (), ".", problem=found.reason + hint)
        else:
            yield found


def _from_line(verify: str, world: World) -> Iterator[Check | Skipped]:
    for piece in gate_lines.read(verify):
        if isinstance(piece, gate_lines.Words):
            yield Skipped(piece.text, piece.reason)
        else:
            trust = _Trust.TEXT if piece.prose_possible else _Trust.CODE
            yield from _chain(parts(piece.text, worktree=world.worktree), world, trust)


def _from_scripts(scripts: Mapping[str, object], world: World) -> Iterator[Check | Skipped]:
    for name in SCRIPTS:
        body = scripts.get(name)
        if not isinstance(body, str) or not body.strip():
            continue
        command = f"npm run {name}"
        if _NPM_PLACEHOLDER.search(body):
            yield Skipped(command, "the script is npm's placeholder")
            continue
        problem = "" if world.resolves("npm", ".") else "no such program: npm"
        yield _check(command, ("npm", "run", name), ".", problem=problem)._replace(advisory=True)


def _chain(chain: Sequence[Part], world: World, trust: _Trust) -> Iterator[Check | Skipped]:
    """The parts of one `&&` chain; a `cd` moves those behind it."""
    cwd, lost = ".", ""
    for at, part in enumerate(chain):
        first = part.words[0].text if part.words else ""
        moved = _moved(part, cwd, world.worktree) if first == "cd" else cwd
        if lost:
            yield Skipped(part.text, lost)
        elif moved is None:
            lost = f"stands behind `{part.text}`"
            yield Skipped(part.text, "leaves the worktree")
        elif first == "cd":
            cwd = moved
            if at == len(chain) - 1:
                yield Skipped(part.text, "no command behind it")
        elif first in _BUILTINS or (part.problem and any(word.text == "cd" for word in part.words)):
            lost = f"stands behind `{part.text}`"
            yield Skipped(part.text, part.problem or f"needs a shell ({first})")
        else:
            yield _one(part, cwd, world, trust)


def _one(part: Part, cwd: str, world: World, trust: _Trust) -> Check | Skipped:
    command = part.text if cwd == "." else f"cd {cwd} && {part.text}"
    env, words = _assignments(part.words)
    refused = bool(words) and words[0].text == "!"
    words = words[1:] if refused else words
    if not words or not words[0].text:
        return Skipped(command, part.problem or "no command")
    name = words[0].text
    there = world.resolves(name, cwd)
    meant = trust is _Trust.CONFIGURED or name in gate_lines.PROGRAMS or name.startswith(("./", "../"))
    if not there and not meant:
        return Skipped(command, f"words, or a program that is not here ({name})")
    if part.problem:
        return Skipped(command, part.problem)
    if trust is _Trust.TEXT and gate_lines.is_sentence(words):
        return Skipped(command, "words")
    argv = tuple(word.text for word in words)
    if _ENDLESS.search(" ".join(argv)):
        return Skipped(command, "runs until it is stopped")
    patterns = tuple(at for at, word in enumerate(words) if at and word.pattern)
    return Check(
        command=command,
        argv=argv,
        cwd=cwd,
        env=env,
        patterns=patterns,
        refused=refused,
        advisory=False,
        problem="" if there else f"no such program: {name}",
    )


def _check(command: str, argv: tuple[str, ...], cwd: str, *, problem: str) -> Check:
    return Check(
        command=command, argv=argv, cwd=cwd, env=(), patterns=(), refused=False, advisory=False, problem=problem
    )


def _assignments(words: Sequence[Word]) -> tuple[tuple[tuple[str, str], ...], Sequence[Word]]:
    found: list[tuple[str, str]] = []
    for word in words:
        match = _ASSIGNMENT.fullmatch(word.text)
        if not match:
            break
        found.append((match.group(1), match.group(2)))
    return tuple(found), words[len(found) :]


def _moved(part: Part, cwd: str, worktree: str) -> str | None:
    """Where a `cd` leads, relative to the worktree; None: outside, or not to be known."""
    if part.problem or len(part.words) != 2:
        return None
    goal = posixpath.normpath(posixpath.join(worktree, cwd, part.words[1].text))
    home = posixpath.normpath(worktree)
    inside = goal == home or goal.startswith(home.rstrip("/") + "/")
    return posixpath.relpath(goal, home) if inside else None
