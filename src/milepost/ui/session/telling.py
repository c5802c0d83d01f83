"""What a child process says, as a person reads it: its JSON lines become sentences, and one line that moves.

Whatever is no JSON of a known kind is shown as it is, without what could command the terminal.
"""

import json
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from milepost.errors import ExitCode
from milepost.model import money
from milepost.model.words import counted
from milepost.ui.views.parallel_text import plain

_ENDINGS: Final = frozenset(code.name.lower() for code in ExitCode)


class Put(NamedTuple):
    """A question of a session at work."""

    id: str
    text: str
    options: tuple[str, ...] = ()


class Told(NamedTuple):
    """What one line amounts to."""

    text: str = ""
    """Lines to show; empty: none."""
    last: bool = False
    """Whether it is how the run ended; after that come only hints and sums."""
    question: Put | None = None
    withdrawn: str = ""
    """The id of a question that nobody has to answer any more."""


class Telling:
    """One child, and how far it came."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._begin("")

    @property
    def moving(self) -> str:
        """The unit, since when, what it took, what it does; empty between units."""
        return f"{self.unit}  {self._took()}  {self._doing}".rstrip() if self.unit else ""

    def take(self, line: str) -> Told:
        """One line, without its end."""
        record = _record(line)
        if record is None:
            return Told(text=plain(line), last=line.partition(":")[0] in _ENDINGS)
        return self._know(record)

    def _know(self, record: Mapping[str, object]) -> Told:
        match record["type"]:
            case "unit-started":
                return self._started(record)
            case "tool-call":
                self._doing = plain(f"{record.get('name', '')} {record.get('target', '')}".strip())
            case "tool-result":
                self._doing = "waiting for the model"
            case "usage":
                self._count(record)
            case "held" | "let-go":
                return self._stand(held=record["type"] == "held")
            case "session-ended":
                return self._ended(record)
            case "question":
                return Told(question=_put(record))
            case "question-withdrawn":
                return Told(withdrawn=str(record.get("id", "")))
            case "end" | "summary":
                return Told(text=self._over(record), last=True)
            case "note":
                return Told(text=f"  {_text(record)}")
            case _ if "milestone" in record:
                return Told(text=f"{plain(str(record['milestone']))} {_text(record)}")
            case _:
                pass
        return Told()

    def _begin(self, unit: str) -> None:
        self.unit = unit
        self._since = time.monotonic()
        self._tokens = 0
        self._usd: float | None = 0.0
        self._flat = False
        self._doing = ""

    def _started(self, record: Mapping[str, object]) -> Told:
        self._begin(plain(f"{record.get('unitType', '')} {record.get('unitId', '')}"))
        number = record.get("number", 1)
        return Told(text=f"▸ {self.unit}" + (f" (attempt {number})" if number != 1 else ""))

    def _count(self, record: Mapping[str, object]) -> None:
        self._tokens += sum(int(_number(record, key)) for key in ("input", "output", "cacheRead", "cacheWrite"))
        self._flat = self._flat or bool(record.get("flatRate"))
        known = self._usd is not None and isinstance(record.get("cost"), int | float)
        self._usd = (self._usd or 0.0) + _number(record, "cost") if known else None

    def _stand(self, *, held: bool) -> Told:
        self._doing = "HELD" if held else "waiting for the model"
        return Told(text="  held: nothing is asked and nothing paid until you let it go on" if held else "")

    def _ended(self, record: Mapping[str, object]) -> Told:
        self._doing = "checking"
        error = f": {plain(str(record['error']))}" if "error" in record else ""
        requests = counted(int(_number(record, "requests")), "request")
        return Told(text=f"  session ended ({record.get('stop', '')}){error}: {requests}, {self._took()}")

    def _over(self, record: Mapping[str, object]) -> str:
        code = int(_number(record, "code" if record["type"] == "end" else "exitCode"))
        name = ExitCode(code).name.lower() if code in set(ExitCode) else f"exit {code}"
        hint = plain(str(record.get("hint") or "")).replace("gsd ", f"{self._program} ")
        return f"{name}: {plain(str(record.get('reason', '')))}" + (f"\n  {hint}" if hint else "")

    def _took(self) -> str:
        seconds = int(time.monotonic() - self._since)
        cost = "flat rate" if self._flat and not self._usd else money.show(_micro(self._usd))
        return f"{seconds // 60}:{seconds % 60:02d}  {money.show_tokens(self._tokens)} tokens  {cost}"


def _micro(usd: float | None) -> int | None:
    return None if usd is None else money.from_usd(usd)


def _record(line: str) -> dict[str, object] | None:
    try:
        found = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("type"), str) else None


def _put(record: Mapping[str, object]) -> Put:
    options = record.get("options")
    listed = tuple(map(str, options)) if isinstance(options, list) else ()
    return Put(id=str(record.get("id", "")), text=str(record.get("text", "")), options=listed)


def _text(record: Mapping[str, object]) -> str:
    return "\n  ".join(plain(line) for line in str(record.get("text", "")).splitlines())


def _number(record: Mapping[str, object], key: str) -> float:
    found = record.get(key)
    return found if isinstance(found, int | float) else 0
