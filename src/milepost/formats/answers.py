"""The file of `--answers`: what a session that asks is told, and keys that tasks need, for runs without a person.

    {
      "questions": {
        "Which database?": "PostgreSQL",
        "Which feeds?": ["RSS", "Atom"],
        "2": "Ada Lovelace"
      },
      "secrets": {"STRIPE_KEY": "sk_…"},
      "defaults": {"strategy": "cancel"}
    }

A question is named by its number in the run (the first is 1), by its text, or by the first line of that. Where there
are options, an answer is one of them or a list of them; else it is any text. `strategy` is what
becomes of all other questions when nobody else is there: `first_option` (the default, as GSD has it) or `cancel`: the
agent decides. Source: spec auto 7.1.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from milepost.errors import FormatError

FIRST_OPTION: Final = "first_option"
CANCEL: Final = "cancel"
_PARTS: Final = ("questions", "secrets", "defaults")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Answers(NamedTuple):
    """The file."""

    questions: Mapping[str, tuple[str, ...]]
    """Number, text or first line → one answer, or several."""
    secrets: Mapping[str, str]
    strategy: str
    """FIRST_OPTION or CANCEL."""


def parse(text: str, path: str) -> Answers:
    """What the file says. Raises FormatError with the line; no message holds a value."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(path, error.lineno, f"not JSON: {error.msg}") from None
    except RecursionError:
        raise FormatError(path, 0, "not JSON that can be read: nested too deeply") from None
    reader = _Reader(text, path)
    whole = reader.mapping(found, "")
    reader.only(whole, _PARTS)
    parts = {name: reader.mapping(whole.get(name, {}), name) for name in _PARTS}
    reader.only(parts["defaults"], ("strategy",))
    return Answers(
        questions={key: reader.answer(key, value) for key, value in parts["questions"].items()},
        secrets={name: reader.secret(name, value) for name, value in parts["secrets"].items()},
        strategy=reader.strategy(parts["defaults"].get("strategy", FIRST_OPTION)),
    )


class _Reader:
    """Takes values out, and says on which line one is not what it should be."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path

    def mapping(self, value: object, name: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise self._wrong(name, f"{name or 'the file'} must be an object: {{…}}")
        return value

    def only(self, found: Mapping[str, object], known: tuple[str, ...]) -> None:
        for key in found:
            if key not in known:
                raise self._wrong(key, f"{key!r} is not known here; known: {', '.join(known)}")

    def answer(self, key: str, value: object) -> tuple[str, ...]:
        given = value if isinstance(value, list) else [value]
        texts = tuple(each for each in given if isinstance(each, str) and each.strip())
        if not texts or len(texts) != len(given):
            raise self._wrong(key, f"the answer to {key!r} must be a text or a list of texts, none of them empty")
        return texts

    def secret(self, name: str, value: object) -> str:
        if not _NAME.match(name):
            raise self._wrong(name, f"{name!r} is no name of a variable")
        if not isinstance(value, str) or not value or "\0" in value:
            raise self._wrong(name, f"the secret {name} must be a text that is not empty")
        return value

    def strategy(self, value: object) -> str:
        if value not in (FIRST_OPTION, CANCEL):
            raise self._wrong("strategy", f"strategy must be {FIRST_OPTION} or {CANCEL}")
        return str(value)

    def _wrong(self, key: str, expected: str) -> FormatError:
        """key: near which it is; of two that are written alike the first is taken."""
        written = (json.dumps(key), json.dumps(key, ensure_ascii=False)) if key else ("",)
        found = next((hit for each in written if (hit := re.search(rf"{re.escape(each)}\s*:", self._text))), None)
        line = self._text.count("\n", 0, found.start()) + 1 if key and found else 1
        return FormatError(self._path, line, expected)
