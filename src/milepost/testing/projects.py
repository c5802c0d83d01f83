"""Small projects for tests, and the scripted sessions that carry them out.

    tiny(root, slices=2, tasks=1)
    script = [*sessions(slices=2, tasks=1)]

makes a repository with a plan whose every task is to write one small file, and what an honest agent does about it.
A test of a dishonest one takes the steps of a unit apart: `session(unit, raw_shell("git", "commit"), *steps(unit))`.
The gate of each task is one `grep`, so that a whole run takes about a second.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from milepost.model.units import Unit, UnitKind

Step: TypeAlias = dict[str, object]
Session: TypeAlias = dict[str, object]

QUICK = """\
---
phases:
  skip_research: true
  skip_slice_research: true
  skip_reassess: true
  skip_milestone_validation: true
---
"""
"""Preferences of a project in which only tasks and summaries are units."""


def tiny(
    root: Path,
    *,
    milestones: Sequence[str] = ("M001",),
    slices: int = 1,
    tasks: int = 1,
    verify: str | None = None,
    preferences: str = QUICK,
    depends: Mapping[str, Sequence[str]] | None = None,
    branch: str = "main",
    state_dir: str = ".gsd",
    plan_committed: bool = True,
) -> None:
    """Make a repository at `root` with a finished plan.

    verify: the gate of every task; None: that the task's file says its name. preferences: the whole PREFERENCES.md;
    empty: none. depends: milestone → milestones it waits for. plan_committed: whether the state directory is in the
    first commit, or lies there untracked.
    """
    root.mkdir(parents=True, exist_ok=True)
    _git(root, "init", "-q", "-b", branch)
    write(root, {"README.md": "# A project\n", "src/app.txt": "one\ntwo\nthree\n"})
    plan = files(milestones, slices, tasks, verify, depends or {})
    plan |= {"PREFERENCES.md": preferences} if preferences else {}
    if not plan_committed:
        _commit(root, "first")
    write(root, {f"{state_dir}/{path}": text for path, text in plan.items()})
    if plan_committed:
        _commit(root, "first")


def files(
    milestones: Sequence[str] = ("M001",),
    slices: int = 1,
    tasks: int = 1,
    verify: str | None = None,
    depends: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """The plan's files by path below the state directory."""
    found = {"PROJECT.md": "# Project\n\nSmall.\n", "DECISIONS.md": "# Decisions Register\n"}
    for mid in milestones:
        base = f"milestones/{mid}"
        found[f"{base}/{mid}-CONTEXT.md"] = _context(mid, (depends or {}).get(mid, ()))
        found[f"{base}/{mid}-ROADMAP.md"] = _roadmap(mid, slices)
        for sid in _ids("S", slices):
            found[f"{base}/slices/{sid}/{sid}-PLAN.md"] = _plan(mid, sid, tasks, verify)
            for tid in _ids("T", tasks):
                text = f"# {tid}: Write {tid}\n\n## Description\n\nWrite `{product(mid, sid, tid)}`.\n"
                found[f"{base}/slices/{sid}/tasks/{tid}-PLAN.md"] = text
    return found


def product(mid: str, sid: str, tid: str) -> str:
    """The file that a task is to write."""
    return f"work/{mid}-{sid}-{tid}.txt"


def sessions(
    milestones: Sequence[str] = ("M001",), slices: int = 1, tasks: int = 1, *, state_dir: str = ".gsd"
) -> list[Session]:
    """What an honest agent does in every unit, in the order of the plan (preferences `QUICK`)."""
    return [session(key, *steps(key, state_dir=state_dir)) for key in units(milestones, slices, tasks)]


def units(milestones: Sequence[str] = ("M001",), slices: int = 1, tasks: int = 1) -> Iterator[str]:
    """The keys of all units in the order of the plan (preferences `QUICK`)."""
    for mid in milestones:
        for sid in _ids("S", slices):
            for tid in _ids("T", tasks):
                yield f"execute-task/{mid}/{sid}/{tid}"
            yield f"complete-slice/{mid}/{sid}"
        yield f"complete-milestone/{mid}"


def session(unit: str, *done: Step) -> Session:
    """One session of the unit with that key, or of a kind, or of any (`*`)."""
    return {"unit": unit, "steps": list(done)}


def steps(unit: str, *, state_dir: str = ".gsd") -> list[Step]:
    """What an honest agent does in the unit: one request, its files, a word."""
    kind, _, path = unit.partition("/")
    named = Unit(UnitKind(kind), path)
    made = _made(named, f"{state_dir}/milestones/{named.milestone}")
    return [usage(micro_usd=1_000), *(tool("write", path=name, content=text) for name, text in made), say("Done.")]


def tool(name: str, **args: object) -> Step:
    """A call of a tool."""
    return {"tool": name, "args": args}


def say(text: str) -> Step:
    """Words of the model."""
    return {"text": text}


def usage(*, micro_usd: int | None, input: int = 100, output: int = 10) -> Step:  # noqa: A002 (the format's word)
    """One request's tokens and price; None: nobody knows the price."""
    return {"usage": {"input": input, "output": output, "micro_usd": micro_usd, "model": "scripted"}}


def raw_shell(*argv: str) -> Step:
    """A program run past the tools and the sandbox."""
    return {"raw_shell": list(argv)}


def raw_write(path: str, text: str) -> Step:
    """A file written past the tools; relative to the session's directory, or absolute."""
    return {"raw_write": path, "text": text}


def hang() -> Step:
    """Wait until somebody ends the session."""
    return {"hang": True}


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Write files below `root`, making directories."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _made(unit: Unit, base: str) -> list[tuple[str, str]]:
    mid, sid, tid = unit.milestone, unit.slice or "", unit.task or ""
    match unit.kind:
        case UnitKind.EXECUTE_TASK:
            summary = f"{base}/slices/{sid}/tasks/{tid}-SUMMARY.md"
            return [(product(mid, sid, tid), f"made by {mid}/{sid}/{tid}\n"), (summary, _summary(tid, f"Wrote {tid}"))]
        case UnitKind.COMPLETE_SLICE:
            slice_base = f"{base}/slices/{sid}/{sid}"
            uat = f"# {sid} — UAT\n\n- UAT mode: artifact-driven\n\n1. Look at `work/`\n"
            return [(f"{slice_base}-SUMMARY.md", _summary(sid, f"{sid} works")), (f"{slice_base}-UAT.md", uat)]
        case UnitKind.VALIDATE_MILESTONE:
            return [(f"{base}/{mid}-VALIDATION.md", f"---\nverdict: pass\n---\n# Validation: {mid}\n\nAll holds.\n")]
        case UnitKind.COMPLETE_MILESTONE:
            return [(f"{base}/{mid}-SUMMARY.md", _summary(mid, f"{mid} is done"))]
        case _:
            raise ValueError(f"no steps for {unit}")


def _summary(id_: str, says: str) -> str:
    return (
        f"---\nid: {id_}\nkey_files: []\nkey_decisions: []\nblocker_discovered: false\n---\n"
        f"# {id_}: Written\n\n**{says}**\n\n## What Happened\n\n{says}.\n"
    )


def _context(mid: str, needs: Sequence[str]) -> str:
    front = f"---\ndepends_on: [{', '.join(needs)}]\n---\n" if needs else ""
    return f"{front}# {mid}: Small — Context\n\n## Project Description\n\nSmall files.\n"


def _roadmap(mid: str, slices: int) -> str:
    lines = [f"# {mid}: Small files", "", "**Vision:** Files.", "", "## Slices", ""]
    lines += [
        f"- [ ] **{sid}: Slice {sid}** `risk:low` `depends:[]`\n  > After this: files." for sid in _ids("S", slices)
    ]
    return "\n".join(lines) + "\n"


def _plan(mid: str, sid: str, tasks: int, verify: str | None) -> str:
    lines = [f"# {sid}: Slice {sid}", "", "**Goal:** Files.", "**Demo:** Look.", "", "## Tasks", ""]
    for tid in _ids("T", tasks):
        gate = verify if verify is not None else f"grep -q {mid}/{sid}/{tid} {product(mid, sid, tid)}"
        lines += [f"- [ ] **{tid}: Write {tid}** `est:5m`", "  - Do: write a file", f"  - Verify: `{gate}`"]
    return "\n".join(lines) + "\n"


def _ids(letter: str, count: int) -> list[str]:
    return [f"{letter}{number:02d}" for number in range(1, count + 1)]


def _commit(root: Path, message: str) -> None:
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", message)


def _git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(root), *args], check=True, stdout=subprocess.DEVNULL)
