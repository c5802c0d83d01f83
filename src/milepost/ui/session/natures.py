"""Which commands run beside the prompt, and how their words change for that; all others run in its place."""

from collections.abc import Sequence

from milepost.ui.cli import headless
from milepost.ui.session import completion
from milepost.ui.session.job import Nature

_AT_ONCE = ("--help", "-h", "--dry-run", "--detach", "--list", "--discard")
_IDEAS = ("new-milestone", "new-project")
_VALUED = (
    *("--model", "--agent", "--record", "--pace", "--retry", "--timeout"),
    *("--max-units", "--until", "--max-cost", "--max-time"),
)
_GIVEN = ("--context", "--context-text", "--headless")


def of(words: Sequence[str], program: str) -> Nature | None:
    """The nature of a command; None: it is over at once."""
    name, *rest = words
    if set(_AT_ONCE).intersection(rest):
        return None
    if name == "parallel":
        first = sub_command(rest)
        watching = first == "watch" or (first == "status" and "--watch" in rest)
        return Nature.FLEET if first == "start" else Nature.WATCH if watching else None
    if name == "headless":
        return Nature.WORK if headless.asks_an_agent(rest) else None
    if name in ("logs", "status", "forensics"):
        return Nature.WATCH if {"-f", "--follow", "--watch", "--ask"}.intersection(rest) else None
    return Nature.WORK if completion.supervises(name, program) else None


def sub_command(rest: Sequence[str]) -> str:
    """Of `parallel`, which alone means `start`."""
    return rest[0] if rest and not rest[0].startswith("-") else "start"


def previewed(words: Sequence[str]) -> tuple[str, ...]:
    """The same start, only shown."""
    kept = [word for word in words[1:] if word not in ("start", "--yes", "-y", "--json")]
    return ("parallel", "start", *kept, "--dry-run")


def agreed(words: Sequence[str]) -> bool:
    """Whether a start of the fleet is not to be asked about."""
    return bool({"--yes", "-y"}.intersection(words))


def wants_text(words: Sequence[str]) -> bool:
    """Whether a new milestone is named by its command alone, and its paragraph is still to be said."""
    given = any(word.split("=")[0] in _GIVEN for word in words)
    return words[0] in _IDEAS and not given and not _free(words[1:])


def _free(words: Sequence[str]) -> list[str]:
    """Words that are neither options nor their values."""
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in _VALUED
    ]
