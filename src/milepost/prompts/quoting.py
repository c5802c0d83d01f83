"""Text of others set into a prompt so that it cannot be taken for the prompt's own."""

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def fenced(text: str, language: str = "") -> str:
    """`text` as a literal block, with a fence longer than any inside it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def plain(text: str) -> str:
    """Terminal output without colours, cursor movement and other control characters."""
    return _CONTROL.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")).replace("\r", "\n"))


def tail(text: str, limit: int) -> str:
    """The last `limit` characters, from the start of a line where there is one."""
    text = text.strip("\n")
    if len(text) <= limit:
        return text
    end = text[len(text) - limit :]
    _, broken, rest = end.partition("\n")
    return f"[…]\n{rest if broken and len(rest) > limit // 2 else end}"


def one_line(text: str, limit: int) -> str:
    """`text` on one line, at most `limit` characters."""
    flat = " ".join(text[: 4 * limit].split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
