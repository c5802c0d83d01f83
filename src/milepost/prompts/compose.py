"""A unit, the files and the workplace → the prompt. Pure; the same input gives the same bytes.

    verification failure          (of this unit only)
    crash briefing, retry diagnostic
    the unit's template, with the inlined context in it

Source: spec auto 5.17, 5.7, 5.13, 2.9 (levels).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from milepost.formats.preferences import Preferences
from milepost.formats.tree import Tree
from milepost.model.units import Unit
from milepost.prompts.blanks import fill
from milepost.prompts.brief import Desk, Extras, Workplace
from milepost.prompts.briefing import BRIEFING_CHARS
from milepost.prompts.gather import Group, Piece, gather
from milepost.prompts.manifest import LEVELS, Level, items
from milepost.prompts.names import names
from milepost.prompts.shrink import Budgets, Shrunk, budgets, share, shrink

__all__ = ["Extras", "Inlined", "Prompt", "Workplace", "compose"]

INSTRUCTION_CHARS = 8_000
"""Most of the project's own instructions that goes into the system prompt."""
_ORDER = (Group.NEEDED, Group.SUMMARY, Group.EXTRA)
_SEPARATOR = "\n\n---\n\n"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Inlined(NamedTuple):
    """One block that was inlined, for records and for people who ask what the model was told."""

    label: str
    path: str
    """Relative to the session's directory; empty for what is no file."""
    chars: int
    """Length of what there was to inline."""
    kept_chars: int
    """How much of it is in the prompt; less than `chars` when it was cut."""


class Prompt(NamedTuple):
    """What one session is given."""

    system: str
    text: str
    inlined: tuple[Inlined, ...]
    truncated_sections: int
    """Sections that were left out or cut, over all blocks."""


def compose(unit: Unit, tree: Tree, workplace: Workplace, prefs: Preferences, extras: Extras | None = None) -> Prompt:
    """The prompt of `unit`.

    tree: the state directory the session will see. Raises BadPlaceholder, MissingValue or NoTemplate only for a
    broken installation; documents that cannot be read are named in the prompt instead.
    """
    level = LEVELS.get(prefs.token_profile, Level.STANDARD)
    desk = Desk(
        unit=unit,
        tree=tree,
        workplace=workplace,
        level=level,
        gate=prefs.verification_commands,
        extras=extras or Extras(),
    )
    values = names(desk)
    limits = budgets(desk.extras.window_tokens)
    pieces = [piece for item in items(unit.kind, level) for piece in gather(item, desk, values)]
    fitted = _fit(pieces, limits)
    sections = "\n\n".join(_block(piece, cut.text) for piece, cut in zip(pieces, fitted, strict=True))
    inlined = fill("blocks/inlined", {"sections": sections}) if sections else ""
    body = fill(unit.kind.value, {**values, "inlined": inlined})
    return Prompt(
        system=clean(_system(desk, prefs)),
        text=clean(_SEPARATOR.join([*_before(desk.extras, limits), body])),
        inlined=tuple(_record(piece, cut) for piece, cut in zip(pieces, fitted, strict=True)),
        truncated_sections=sum(len(cut.left_out) for cut in fitted),
    )


def clean(text: str) -> str:
    """`text` as valid Unicode: each byte that was not UTF-8 becomes U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def _before(extras: Extras, limits: Budgets) -> list[str]:
    """Blocks in front of the unit's own: what failed comes first, then what went before."""
    blocks = (
        (extras.verification_failure, limits.failure),
        (extras.crash_briefing, BRIEFING_CHARS),
        (extras.retry_diagnostic, BRIEFING_CHARS),
    )
    return [shrink(text.strip(), limit, "").text for text, limit in blocks if text.strip()]


def _system(desk: Desk, prefs: Preferences) -> str:
    base = fill("blocks/system", {"state_dir": desk.workplace.state_dir})
    base = f"{base}\n\n{desk.extras.skills}" if desk.extras.skills else base
    own = [f"- {line}" for line in prefs.custom_instructions if line.strip()]
    texts = [text.strip() for text in (*desk.extras.instructions, "\n".join(own)) if text.strip()]
    if texts:
        told = shrink("\n\n".join(texts), INSTRUCTION_CHARS, "").text
        base = f"{base}\n\n{fill('blocks/instructions', {'instructions': told})}"
    return f"{base}\n\n{desk.extras.memories}" if desk.extras.memories else base


def _fit(pieces: Sequence[Piece], limits: Budgets) -> list[Shrunk]:
    """Each piece in its share: forms whole, then what is needed, then summaries, then the rest.

    A group leaves a third of what there is to those after it, as far as they can use it.
    """
    granted = [len(piece.text) if piece.group is Group.FORM else 0 for piece in pieces]
    for place, group in enumerate(_ORDER):
        later = sum(len(piece.text) for piece in pieces if piece.group in _ORDER[place + 1 :])
        left = max(limits.inlined - sum(granted), 0)
        limit = left - min(left // 3, later)
        limit = min(limit, limits.summaries) if group is Group.SUMMARY else limit
        chosen = [number for number, piece in enumerate(pieces) if piece.group is group]
        for number, chars in zip(chosen, share([len(pieces[n].text) for n in chosen], limit), strict=True):
            granted[number] = chars
    return [shrink(piece.text, chars, piece.path) for piece, chars in zip(pieces, granted, strict=True)]


def _block(piece: Piece, text: str) -> str:
    source = f"Source: `{piece.path}`\n" if piece.path else ""
    return f"### {piece.label}\n{source}\n{text}"


def _record(piece: Piece, cut: Shrunk) -> Inlined:
    return Inlined(label=piece.label, path=piece.path, chars=len(piece.text), kept_chars=cut.kept)
