"""How hard a unit looks, from its plan alone: light, standard or heavy. Plain counting; nothing is asked of a model.

A kind has a tier of its own; a task's comes from its plan, that of planning a slice from the length of its research.
For tasks the documented thresholds count (steps, files, length of the description, code blocks) together with the
signals that only GSD's program knew (dependencies, estimated lines, families of words, kinds of work):

    heavy      one measure at its upper threshold, or words of two families
    standard   a word of one family, or one that makes a task more than simple
    light      documentation, comments, settings, renaming; or every measure at or below its lower threshold
    standard   all else, and a task of which nothing is written

Source: spec auto 5.14, 10.1 (classifier).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from milepost.formats import plan
from milepost.formats.tree import Tree, read, slice_file, task_file
from milepost.model.units import Unit


class Tier(StrEnum):
    """How much model a unit needs."""

    LIGHT = "light"
    STANDARD = "standard"
    HEAVY = "heavy"

    @property
    def up(self) -> "Tier":
        """The next stronger one; heavy stays heavy."""
        return _LADDER[min(self.height + 1, 2)]

    @property
    def down(self) -> "Tier":
        """The next cheaper one; light stays light."""
        return _LADDER[max(self.height - 1, 0)]

    @property
    def height(self) -> int:
        """0, 1 or 2."""
        return _LADDER.index(self)


_LADDER: Final = (Tier.LIGHT, Tier.STANDARD, Tier.HEAVY)


class Complexity(NamedTuple):
    """What a unit looks like."""

    tier: Tier
    reasons: tuple[str, ...]
    """In words, for people: `9 steps`, `security`."""
    tags: tuple[str, ...] = ()
    """Kinds of work that the title names: docs, config, rename, test, refactor; what is learnt is kept per tag."""


class Measures(NamedTuple):
    """What is counted in a task's plan. 0: nothing of it is written."""

    steps: int = 0
    files: int = 0
    length: int = 0
    """Characters of the description."""
    blocks: int = 0
    """Fenced blocks of code."""
    depends: int = 0
    lines: int = 0
    """Lines of code that the plan expects."""
    families: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Words that make a task more than simple, without a family."""


OF_KIND: Final[Mapping[str, Tier]] = {
    "complete-slice": Tier.LIGHT,
    "run-uat": Tier.LIGHT,
    "triage-captures": Tier.LIGHT,
    "hook": Tier.LIGHT,
    "replan-slice": Tier.HEAVY,
    "reassess-roadmap": Tier.HEAVY,
}
"""Kinds that are not standard."""

LOW: Final = Measures(steps=3, files=3, length=499)
"""The most that is still light; documented as ≤ 3, ≤ 3 and < 500."""
HIGH: Final = Measures(steps=8, files=8, length=2001, blocks=5, depends=3, lines=500)
"""The least that is heavy; the first four are documented (≥ 8, ≥ 8, > 2000, ≥ 5)."""
RESEARCH_LINES: Final = 200
"""A slice with a longer research document is heavy to plan."""

_FAMILIES: Final[Mapping[str, str]] = {
    "migration": r"migrat",
    "architecture": r"architect|redesign",
    "security": r"security|authenticat|authoriz|oauth|encrypt|crypto",
    "performance": r"performance|optimi[sz]",
    "concurrency": r"concurren|parallel|distributed|race condition|deadlock",
    "compatibility": r"backwards?[- ]compat|breaking change",
}
_WORDS: Final = r"research|investigat|refactor|integrat|complex"
_TAGS: Final[Mapping[str, str]] = {
    "docs": r"docs?|documentation|readme|changelog|comments?|typos?",
    "config": r"config(?:uration)?|settings",
    "rename": r"renam(?:e|ing)",
    "refactor": r"refactor(?:ing)?",
    "test": r"tests?|specs?",
}
_EASY: Final = frozenset({"docs", "config", "rename"})
_FILES: Final = re.compile(r"(?im)^[ \t]*(?:[-*][ \t]+)?\*{0,2}Files:\*{0,2}[ \t]*(.+)$")
_DEPENDS: Final = re.compile(r"(?im)^[ \t]*(?:[-*][ \t]+)?\*{0,2}Depends(?: on)?:\*{0,2}[ \t]*(.+)$")
_SECTION: Final = re.compile(r"(?m)^#{2,3}[ \t]+(.+?)[ \t]*$")
_STEP: Final = re.compile(r"(?m)^(?:\d+[.)]|[-*])[ \t]+\S")
_PATH: Final = re.compile(r"`([^`\s]*[./][^`\s]*)`")
_FENCED: Final = re.compile(r"(?ms)^[ \t]*```.*?(?:^[ \t]*```|\Z)")


def classify(unit: Unit, tree: Tree) -> Complexity:
    """The tier of a unit. Never raises; what cannot be read is not there."""
    kind = str(unit.kind)
    if kind == "execute-task" and unit.task:
        return _of_task(unit, tree)
    own = Complexity(OF_KIND.get(kind, Tier.STANDARD), (kind,))
    if kind == "plan-slice" and unit.slice:
        lines = read(tree, slice_file(tree, unit.milestone, unit.slice, "RESEARCH")).count("\n")
        return Complexity(Tier.HEAVY, (f"{lines} lines of research",)) if lines > RESEARCH_LINES else own
    return own


def weigh(found: Measures, tags: Iterable[str] = ()) -> tuple[Tier, tuple[str, ...]]:
    """The tier of a task with these measures, and why."""
    if heavy := tuple(_at_least(found, HIGH)):
        return Tier.HEAVY, heavy
    if len(found.families) > 1:
        return Tier.HEAVY, found.families
    if said := (*found.families, *found.words):
        return Tier.STANDARD, said
    if easy := tuple(tag for tag in tags if tag in _EASY):
        return Tier.LIGHT, easy
    if not found.length:
        return Tier.STANDARD, ("nothing is written about it",)
    above = tuple(_at_least(found, Measures(steps=LOW.steps + 1, files=LOW.files + 1, length=LOW.length + 1)))
    return (Tier.STANDARD, above) if above else (Tier.LIGHT, ("small in every measure",))


def _at_least(found: Measures, limit: Measures) -> Iterator[str]:
    words = ("steps", "files", "characters", "code blocks", "dependencies", "lines")
    for count, least, word in zip(found[:6], limit[:6], words, strict=True):
        if least and count >= least:
            yield f"{count} {word}"


def _of_task(unit: Unit, tree: Tree) -> Complexity:
    mid, sid, tid = unit.milestone, unit.slice or "", unit.task or ""
    entry = plan.parse(read(tree, slice_file(tree, mid, sid, "PLAN"))).task(tid)
    own = read(tree, task_file(tree, mid, sid, tid, "PLAN"))
    title = entry.title if entry else ""
    tags = tuple(tag for tag, pattern in _TAGS.items() if re.search(rf"(?i)\b(?:{pattern})\b", title))
    tier, reasons = weigh(measure(own, entry), tags)
    return Complexity(tier, reasons, tags)


def measure(own: str, entry: plan.Task | None) -> Measures:
    """Count a task's own plan (`T##-PLAN.md`, may be empty) and its entry in the plan of the slice."""
    body, sections = _sections(own)
    listed = f"{entry.title}\n{entry.description}" if entry else ""
    prose = sections.get("description") or ("" if sections else body) or (entry.description if entry else "")
    everything = f"{listed}\n{body}"
    # What is to be checked afterwards does not make the work itself harder.
    said = "\n".join((listed, prose, sections.get("steps", "")))
    files = (
        set(entry.files if entry else ()) | set(_files(body)) | set(_PATH.findall(sections.get("expected output", "")))
    )
    return Measures(
        steps=max(len(_STEP.findall(_bare(sections.get("steps", "")))), _front(own, "estimated_steps")),
        files=max(len(files), _front(own, "estimated_files")),
        length=len(_bare(prose).strip()),
        blocks=len(_FENCED.findall(everything)),
        depends=max((len(_split(found)) for found in _DEPENDS.findall(everything)), default=0),
        lines=_lines(everything),
        families=tuple(name for name, pattern in _FAMILIES.items() if re.search(rf"(?i)\b(?:{pattern})", said)),
        words=tuple(dict.fromkeys(word.lower() for word in re.findall(rf"(?i)\b(?:{_WORDS})\w*", said))),
    )


def _sections(text: str) -> tuple[str, Mapping[str, str]]:
    """A plan without its front matter, and its sections by lower-case heading."""
    body = re.sub(r"(?s)\A---\r?\n.*?\n---\r?\n", "", text)
    parts = _SECTION.split(body)
    return body, {name.lower(): content for name, content in zip(parts[1::2], parts[2::2], strict=True)}


def _bare(text: str) -> str:
    return _FENCED.sub("", text)


def _front(text: str, key: str) -> int:
    front = re.match(r"(?s)---\r?\n(.*?)\n---", text)
    found = re.search(rf"(?m)^{key}:[ \t]*(\d{{1,6}})[ \t]*\r?$", front[1]) if front else None
    return int(found[1]) if found else 0


def _files(text: str) -> Iterator[str]:
    for listed in _FILES.findall(text):
        yield from _split(listed)


def _split(listed: str) -> list[str]:
    entries = (entry.strip(" `\r.") for entry in re.split(r"[,;]", listed))
    return [entry for entry in entries if entry and entry.lower() not in ("none", "-", "—", "[]")]


def _lines(text: str) -> int:
    found = re.search(r"~\s*(\d{1,7})\s+lines", text)
    return int(found[1]) if found else 0
