"""Skills of one attempt: which its session is told of, and which it used. Source: spec auto 2.9."""

import os
from pathlib import Path

from milepost.formats.journal import SkillUsed
from milepost.prompts.skills import Offered, block
from milepost.store import regular, skills
from milepost.store.skills import Found
from milepost.unit.bench import Bench

_DAY_MS = 86_400_000


def told(bench: Bench, *, shell: bool) -> str:
    """The block for the system prompt. shell: whether the session may read outside of its directory."""
    used: dict[str, int] = {}
    for event in bench.journal.everything():
        if isinstance(event, SkillUsed):
            used[event.skill] = event.at_ms
    always = bench.preferences.always_use_skills
    offered = (_offered(one, used, bench) for one in _found(bench))
    return block([o for o in offered if shell or not o.path.startswith("/") or o.name in always], bench.preferences)


def note_used(attempt: str, transcript: Path, bench: Bench) -> None:
    """Write down which skills a session read, or was given."""
    found = _found(bench)
    if not found:
        return
    calls = [line for line in regular.read(transcript).splitlines() if b'"toolCall"' in line]
    for one in found:
        names = {str(one.path), _shown(one, bench)}
        read = any(name.encode() in line for name in names for line in calls)
        if read or one.skill.name in bench.preferences.always_use_skills:
            bench.journal.append(SkillUsed(at_ms=bench.now_ms(), run=bench.run, attempt=attempt, skill=one.skill.name))


def _found(bench: Bench) -> tuple[Found, ...]:
    place, env = bench.workspace, bench.env
    home = Path(env["HOME"]) if env.get("HOME") else None
    settings = env.get("SF_HOME" if place.state_dir == ".sf" else "GSD_HOME")
    roots = dict.fromkeys((place.cwd, place.root))
    return skills.find(roots, home, Path(settings) if settings else None, state_dir=place.state_dir)


def _offered(one: Found, used: dict[str, int], bench: Bench) -> Offered:
    days = bench.preferences.skill_staleness_days
    latest = max(used.get(one.skill.name, 0), int(one.changed_s * 1000))
    unused = bool(days) and bench.now_ms() - latest > days * _DAY_MS
    return Offered(one.skill.name, one.skill.description, _shown(one, bench), one.skill.text, unused)


def _shown(one: Found, bench: Bench) -> str:
    cwd = bench.workspace.cwd
    inside = one.path.is_relative_to(cwd)
    return os.path.relpath(one.path, cwd) if inside else str(one.path)
