"""`M###-META.json`: facts about a milestone that the program keeps, committed with the plan.

    {
      "integrationBranch": "main"
    }

Other keys stay as they are. Two spaces of indent, newline at the end. Source: spec auto 1.2, 6.3.
"""

from collections.abc import Mapping

import msgspec

from milepost.errors import FormatError
from milepost.formats import _records

_HINT = "Mend it, or move it away: the next start writes a new one."


def integration_branch(text: str | None) -> str | None:
    """The branch that the milestone merges into; None for a missing or corrupt file and for an empty name."""
    try:
        branch = _fields(text, "META.json").get("integrationBranch")
    except FormatError:
        return None
    return branch if isinstance(branch, str) and branch else None


def with_integration_branch(text: str | None, branch: str, *, path: str = "META.json") -> str:
    """The file's text with the branch set. Raises FormatError for a text that is no JSON object: it is not replaced."""
    return _records.encode({**_fields(text, path), "integrationBranch": branch}, newline=True).decode()


def _fields(text: str | None, path: str) -> Mapping[str, object]:
    if text is None or not text.strip():
        return {}
    try:
        content: object = msgspec.json.decode(text.removeprefix("\ufeff").encode("utf-8", "surrogateescape"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(path, 0, f"not JSON: {error}", hint=_HINT) from error
    if not isinstance(content, dict):
        raise FormatError(path, 0, "must be a JSON object", hint=_HINT)
    return content
