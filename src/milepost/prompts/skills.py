"""What a session is told about skills: which there are, which to prefer, and the text of those that always count.

Source: spec auto 2.9, 5.17.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from milepost.formats.preferences import Preferences, SkillRule
from milepost.prompts.shrink import shrink

INLINED_CHARS: Final = 12_000
"""Most of the skills' own texts that goes into one prompt."""
_DESCRIBED_CHARS: Final = 200
_LISTED: Final = 40


class Offered(NamedTuple):
    """A skill as a session may know it."""

    name: str
    description: str
    path: str
    """As the session reads it."""
    text: str
    unused: bool = False
    """For longer than `skill_staleness_days`."""


def block(skills: Sequence[Offered], prefs: Preferences) -> str:
    """The part of the system prompt; empty when there is nothing to say."""
    wanted = [one for one in skills if not _named(one, prefs.avoid_skills)]
    always = [one for one in wanted if _named(one, prefs.always_use_skills)]
    parts = [*_listed([one for one in wanted if one not in always], prefs), *_rules(prefs), *_inlined(always)]
    return "\n\n".join(("# Skills", *parts)) if parts else ""


def _listed(skills: Sequence[Offered], prefs: Preferences) -> Iterable[str]:
    preferred = [one for one in skills if _named(one, prefs.prefer_skills)]
    named = {name for rule in prefs.skill_rules for name in (*rule.use, *rule.prefer)}
    ruled = [one for one in skills if _named(one, tuple(named)) and one not in preferred]
    rest = [one for one in skills if one not in preferred and one not in ruled]
    if preferred:
        yield _list("Prefer these where they fit; read the file first:", preferred)
    if ruled:
        yield _list("For the situations below:", ruled)
    if prefs.skill_discovery == "off":
        return
    fresh, unused = [one for one in rest if not one.unused], [one for one in rest if one.unused]
    if fresh and prefs.skill_discovery == "auto":
        yield _list("Read and follow each of these that fits the work at hand:", fresh)
    elif fresh:
        yield _list(
            "These exist too. Where one would help, name it in what you write; read it only when you must:", fresh
        )
    if unused:
        yield f"Unused for long, and perhaps out of date: {', '.join(one.name for one in unused[:_LISTED])}."


def _list(head: str, skills: Sequence[Offered]) -> str:
    lines = [f"- **{one.name}** (`{one.path}`): {_short(one.description)}" for one in skills[:_LISTED]]
    return "\n".join((head, *lines))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DESCRIBED_CHARS else line[: _DESCRIBED_CHARS - 1] + "…"


def _rules(prefs: Preferences) -> Iterable[str]:
    lines = [f"- When {rule.when}: {'; '.join(_actions(rule))}." for rule in prefs.skill_rules if any(rule[1:])]
    if prefs.avoid_skills:
        lines.append(f"- Never use: {', '.join(prefs.avoid_skills)}.")
    if lines:
        yield "\n".join(("Rules:", *lines))


def _actions(rule: SkillRule) -> Iterable[str]:
    for word, names in (("use", rule.use), ("prefer", rule.prefer), ("leave alone", rule.avoid)):
        if names:
            yield f"{word} {', '.join(names)}"


def _inlined(skills: Sequence[Offered]) -> Iterable[str]:
    share = INLINED_CHARS // max(len(skills), 1)
    for one in skills:
        yield f"## Always: {one.name}\n\n{shrink(one.text, share, one.path).text}"


def _named(one: Offered, names: Sequence[str]) -> bool:
    # A preference may name the skill or the path of its directory or file.
    ways = {one.name, one.path, one.path.removesuffix("/SKILL.md")}
    return any(name.rstrip("/").removesuffix("/SKILL.md") in ways or name in ways for name in names)
