"""Credentials that somebody wrote into a settings file, where they would be committed and read by every session.

    anthropic_api_key: sk-ant-…         budget: sk-proj-…

Source: issue "Preferences" (keys never in a project), field report 44.
"""

import re
from collections.abc import Iterator
from typing import Final

_NAMED: Final = re.compile(
    r"^\s*(?:export\s+)?[\"']?\w*(?:api_?key|token|secret|password)[\"']?\s*[:=]\s*[\"']?(?!\$)[^\s\"'#{\[]{16,}",
    re.IGNORECASE,
)
_SHAPED: Final = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,}|AIza[\w-]{35}|gsk_\w{20,}|xai-\w{20,}|gh[pousr]_\w{36,}|xox[abeoprs]-[\w-]{10,})"
)


def key_lines(text: str) -> Iterator[int]:
    """The lines, from 1, on which a credential stands."""
    for number, line in enumerate(text.splitlines(), 1):
        if _SHAPED.search(line) or _NAMED.match(line):
            yield number
