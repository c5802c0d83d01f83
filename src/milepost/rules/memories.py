"""What is remembered now, what of it a session is told, and what a model's reply adds. Pure.

    score = confidence × (1 + 0.1 × hits);  −0.1 for every 20 transcripts that said nothing about it, never below 0.1
    the 50 best are kept; the 30 best that fit into 2000 tokens are told

A memory that a person added does not fade. Source: spec auto 5.19, 5.17.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from milepost.formats.memory import (
    Category,
    Created,
    Examined,
    Fact,
    Forgotten,
    Reinforced,
    Superseded,
    Updated,
)
from milepost.formats.preferences import Preferences
from milepost.model.units import Unit, UnitKind
from milepost.rules import secrets
from milepost.rules.complexity import Tier
from milepost.rules.models import KNOWN, price_of, provider_of
from milepost.rules.routing import Means

KEPT: Final = 50
TOLD: Final = 30
TOLD_CHARS: Final = 8_000
"""2000 tokens at 4 characters."""
SPACING_MS: Final = 30_000
"""From one look at a transcript to the next, whoever takes it."""
LEAST_CHARS: Final = 1_024
"""An agent that said less than this teaches nothing: it would not be worth the money."""
TRANSCRIPT_CHARS: Final = 30_000
"""Most of what an agent said that is looked through: the end of it, where it sums up."""
REPLY_TOKENS: Final = 2_048
MOST_ACTIONS: Final = 20
"""More than that of one reply is not taken."""
MOST_CHARS: Final = 400
"""Length of one memory."""
_UNHEARD: Final = 20
_STEP: Final = 0.1
_LEAST: Final = 0.1
_CONFIDENCE: Final = 0.8

_ASSIGNED: Final = re.compile(
    r"((?:key|token|secret|passw(?:or)?d|credential)s?[\w-]{0,20}[\"'\\]*\s*[:=]\s*[\"'\\]*)[A-Za-z0-9_\-./+=]{20,}",
    re.IGNORECASE,
)

_NOT_FROM: Final = frozenset(
    {
        UnitKind.COMPLETE_SLICE,
        UnitKind.REWRITE_DOCS,
        UnitKind.TRIAGE_CAPTURES,
        UnitKind.DISCUSS_MILESTONE,
        UnitKind.DISCUSS_SLICE,
    }
)
"""They repeat what other sessions said, or what a person did."""


class Memory(NamedTuple):
    """One thing that is known."""

    id: str
    category: Category
    content: str
    confidence: float
    """0.1 to 1, as it stands now."""
    hits: int
    """How often it was found true again."""
    unit: str
    """`kind/id` of the unit that taught it; empty: a person said so."""
    attempt: str
    transcript: str
    created_ms: int
    updated_ms: int

    @property
    def score(self) -> float:
        """What it is ranked by."""
        return self.confidence * (1 + _STEP * self.hits)

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        return self.unit.replace("/", " ", 1) or "a person"


class _Entry(NamedTuple):
    memory: Memory
    heard: int
    """How many transcripts had been looked through when it was last spoken of."""


class Origin(NamedTuple):
    """Whose transcript teaches, and when."""

    at_ms: int
    unit: str = ""
    attempt: str = ""
    transcript: str = ""


def fold(facts: Iterable[Fact]) -> tuple[Memory, ...]:
    """What is known now, the best first; at most 50."""
    known: dict[str, _Entry] = {}
    looks = 0
    for fact in facts:
        match fact:
            case Examined():
                looks += 1
            case Created():
                known[fact.id] = _Entry(_created(fact), looks)
            case Updated(id=name) if name in known:
                memory = _faded(known[name], looks)
                known[name] = _Entry(memory._replace(content=fact.content, updated_ms=fact.at_ms), looks)
            case Reinforced(id=name) if name in known:
                memory = _faded(known[name], looks)
                known[name] = _Entry(memory._replace(hits=memory.hits + 1, updated_ms=fact.at_ms), looks)
            case Superseded(id=name) | Forgotten(id=name):
                known.pop(name, None)
            case _:
                pass
    return ranked(_faded(entry, looks) for entry in known.values())[:KEPT]


def ranked(memories: Iterable[Memory]) -> tuple[Memory, ...]:
    """The best first; of equals, that which was spoken of last."""
    return tuple(sorted(memories, key=lambda one: (-one.score, -one.updated_ms, one.id)))


def told(memories: Sequence[Memory]) -> tuple[Memory, ...]:
    """Those that a session is told, the best first: at most 30, and no more than 2000 tokens of lines."""
    found: list[Memory] = []
    left = TOLD_CHARS
    for memory in memories:
        left -= len(line(memory)) + 1
        if left < 0 or len(found) == TOLD:
            break
        found.append(memory)
    return tuple(found)


def line(memory: Memory) -> str:
    """A memory as a session, or the one who looks for more, reads it."""
    return f"- {memory.id} ({memory.category}, from {memory.source}): {memory.content}"


def teaches(unit: Unit) -> bool:
    """Whether sessions of such a unit are looked through at all."""
    return unit.kind not in _NOT_FROM


def may_look(facts: Sequence[Fact], attempt: str, now_ms: int) -> bool:
    """Whether the transcript of an attempt may be looked through now: each once, and not within 30 s of another."""
    looks = [fact for fact in facts if isinstance(fact, Examined)]
    if any(look.attempt == attempt for look in looks):
        return False
    # A clock that was set back must not forbid it for hours.
    return not looks or not 0 <= now_ms - looks[-1].at_ms < SPACING_MS


def created(facts: Iterable[Fact], content: str, category: Category, origin: Origin, confidence: float) -> Created:
    """The fact of a new memory, under the next free id."""
    taken = [int(fact.id[3:]) for fact in facts if isinstance(fact, Created) and fact.id[3:].isdigit()]
    identity = f"MEM{max(taken, default=0) + 1:03d}"
    return Created(**origin._asdict(), id=identity, category=category, content=one_line(content), confidence=confidence)


def learnt(facts: Sequence[Fact], reply: str, origin: Origin) -> tuple[Fact, ...]:
    """The facts that a model's reply adds to `facts`. What makes no sense in it is passed over; never raises."""
    book = [*facts]
    for action in actions(reply)[:MOST_ACTIONS]:
        book += _taken(action, book, len(facts), origin)
    return tuple(book[len(facts) :])


def actions(reply: str) -> tuple[Mapping[str, object], ...]:
    """The objects of the first JSON list in a reply, with or without words and fences around it; empty for none."""
    decoder = json.JSONDecoder()
    for found in re.finditer(r"\[", reply):
        try:
            value, _ = decoder.raw_decode(reply, found.start())
        except (ValueError, RecursionError):
            continue
        objects = tuple(one for one in value if isinstance(one, dict))
        if objects or not value:
            return objects
    return ()


def models_for(prefs: Preferences, line: tuple[str, ...], means: Means) -> tuple[str, ...]:
    """Whom to ask what a transcript teaches; empty: nobody, for want of a cheap model or because a person says so.

    line: the models of a helper (`subagent`), best first. The model of the command line is absolute; where the
    preferences do not say, only the cheapest light model of the same provider is asked.
    """
    wanted = prefs.memory
    if wanted.enabled is False:
        return ()
    if means.pinned:
        return line if wanted.enabled else ()
    if wanted.model:
        return (wanted.model,)
    owner = provider_of(line[0]) if line else ""
    light = [known for known in KNOWN if known.provider == owner and known.tier is Tier.LIGHT]
    # Whether it could be asked is known of the built-in agent only.
    cheap = [(known.usd, known.name) for known in light if means.reachable and known.name in means.reachable]
    return (min(cheap)[1],) if cheap else line if wanted.enabled else ()


def estimate(model: str) -> int | None:
    """Micro-USD that one look may cost at most; None: the model's price is not known."""
    usd = price_of(model)
    return None if usd is None else round((TRANSCRIPT_CHARS / 3 + REPLY_TOKENS * 3) * usd)


def scrubbed(text: str, known_values: Iterable[str] = ()) -> str:
    """`text` without credentials: what `secrets` knows, and anything long that is assigned to a key or a token."""
    return _ASSIGNED.sub(r"\1[redacted: assigned secret]", secrets.redact(text, known_values))


def one_line(text: str) -> str:
    """A memory's content: one line of bounded length, so that it can be no heading or list of a prompt."""
    joined = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return joined if len(joined) <= MOST_CHARS else joined[: MOST_CHARS - 1].rstrip() + "…"


def _taken(action: Mapping[str, object], book: Sequence[Fact], before: int, origin: Origin) -> Iterator[Fact]:
    """What one action adds."""
    known = {memory.id: memory for memory in fold(book)}
    name, content = _name(action, "id"), _text(action, "content")
    match _text(action, "action", "type", "op").upper():
        case "CREATE" if content:
            yield from _new(action, content, known, book, origin)
        case "UPDATE" if name in known and content:
            yield Updated(**origin._asdict(), id=name, content=one_line(content))
        case "REINFORCE" if name in known:
            yield Reinforced(**origin._asdict(), id=name)
        case "SUPERSEDE" if name in known:
            other = _name(action, "superseded_by", "supersededBy", "by")
            made = [fact.id for fact in book[before:] if isinstance(fact, Created)]
            # The model cannot know the id of what it has just created.
            other = other if other in known else next(reversed(made), "")
            if other and other != name:
                yield Superseded(**origin._asdict(), id=name, superseded_by=other)


def _new(
    action: Mapping[str, object], content: str, known: Mapping[str, Memory], book: Sequence[Fact], origin: Origin
) -> Iterator[Fact]:
    same = next((m.id for m in known.values() if _alike(m.content, content)), None)
    if same is not None:
        yield Reinforced(**origin._asdict(), id=same)
        return
    made = created(book, content, _category(action), origin, _confidence(action))
    yield made
    for name in _names(action.get("supersedes"), known):
        yield Superseded(**origin._asdict(), id=name, superseded_by=made.id)


def _created(fact: Created) -> Memory:
    return Memory(
        id=fact.id,
        category=fact.category,
        content=fact.content,
        confidence=fact.confidence,
        hits=0,
        unit=fact.unit,
        attempt=fact.attempt,
        transcript=fact.transcript,
        created_ms=fact.at_ms,
        updated_ms=fact.at_ms,
    )


def _faded(entry: _Entry, looks: int) -> Memory:
    steps = (looks - entry.heard) // _UNHEARD if entry.memory.unit else 0
    confidence = max(_LEAST, round(entry.memory.confidence - _STEP * steps, 3)) if steps else entry.memory.confidence
    return entry.memory._replace(confidence=confidence)


def _text(action: Mapping[str, object], *keys: str) -> str:
    return next((value.strip() for key in keys if isinstance(value := action.get(key), str)), "")


def _name(action: Mapping[str, object], *keys: str) -> str:
    return _text(action, *keys).upper()


def _names(value: object, known: Container[str]) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(one.upper() for one in listed if isinstance(one, str) and one.upper() in known))


def _category(action: Mapping[str, object]) -> Category:
    word = _text(action, "category").lower()
    return Category(word) if word in set(Category) else Category.PATTERN


def _confidence(action: Mapping[str, object]) -> float:
    value = action.get("confidence")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _CONFIDENCE
    return min(1.0, max(_LEAST, float(value))) if value == value else _CONFIDENCE


def _alike(one: str, other: str) -> bool:
    return one_line(one).casefold().rstrip(".") == one_line(other).casefold().rstrip(".")
