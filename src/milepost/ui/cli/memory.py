"""`gsd memory`: what sessions found out, and what later ones are told.

    gsd memory
    gsd memory show MEM003
    gsd memory forget MEM003
    gsd memory add "We deploy on Fridays"

Source: spec auto 5.19.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.formats.memory import Category, Fact, Forgotten
from milepost.model.moments import iso
from milepost.rules import memories as rules
from milepost.rules.memories import Memory, Origin
from milepost.store import memories
from milepost.ui.cli import arguments, capture, context, credentials

_JSON = "the same as JSON"


class NoMemory(MilepostError):
    """There is none of that number."""


def run(argv: Sequence[str], program: str) -> int:
    """List, or one of the three."""
    actions: Mapping[str, Callable[[Sequence[str], str], int]] = {"show": _show, "forget": _forget, "add": _add}
    if argv and argv[0] in actions:
        return actions[argv[0]](argv[1:], program)
    made = arguments.Parser(
        prog=f"{program} memory",
        description="What sessions found out, the best first; later sessions are told it. "
        f"`{program} memory show|forget|add --help` say more.",
    )
    made.add_argument("action", nargs="?", choices=("list", *actions), help="list (default), show, forget, add")
    made.add_argument("--json", action="store_true", help="the same as a JSON list")
    options = made.parse_args(argv)
    known = rules.fold(memories.read(_state(program)))
    if options.json:
        sys.stdout.write(json.dumps([_document(memory) for memory in known]) + "\n")
    elif known:
        sys.stdout.write("".join(f"{rules.line(memory)[2:]}\n" for memory in known))
    else:
        sys.stdout.write(f'Nothing yet. {program} memory add "…" adds something.\n')
    return ExitCode.DONE


def _show(argv: Sequence[str], program: str) -> int:
    made = arguments.Parser(prog=f"{program} memory show", description="One memory, and where it comes from.")
    made.add_argument("id", metavar="ID", help="MEM001")
    made.add_argument("--json", action="store_true", help=_JSON)
    options = made.parse_args(argv)
    memory = _one(_state(program), options.id, program)
    sys.stdout.write(json.dumps(_document(memory)) + "\n" if options.json else _whole(memory, program))
    return ExitCode.DONE


def _forget(argv: Sequence[str], program: str) -> int:
    made = arguments.Parser(prog=f"{program} memory forget", description="Take one out: no session is told it again.")
    made.add_argument("id", metavar="ID", help="MEM001")
    made.add_argument("--json", action="store_true", help="what was taken out, as JSON")
    options = made.parse_args(argv)
    state = _state(program)
    memory = _one(state, options.id, program)
    memories.add(state, lambda _: [Forgotten(at_ms=_now_ms(), id=memory.id)])
    sys.stdout.write(json.dumps(_document(memory)) + "\n" if options.json else f"{memory.id} is forgotten.\n")
    return ExitCode.DONE


def _add(argv: Sequence[str], program: str) -> int:
    made = arguments.Parser(prog=f"{program} memory add", description="Add one of your own; it does not fade.")
    made.add_argument("text", nargs="*", metavar="TEXT", help="one sentence")
    made.add_argument(
        "--category", choices=[str(c) for c in Category], default=str(Category.PREFERENCE), help="what it is about"
    )
    made.add_argument("--json", action="store_true", help=_JSON)
    options = made.parse_args(argv)
    said = capture.said(options.text, program, "memory add")
    text = rules.scrubbed(said, credentials.of_project(context.find(program)))

    def new(facts: tuple[Fact, ...]) -> list[Fact]:
        return [rules.created(facts, text, Category(options.category), Origin(_now_ms()), 1.0)]

    [memory] = rules.fold(memories.add(_state(program), new))
    sys.stdout.write(json.dumps(_document(memory)) + "\n" if options.json else f"{rules.line(memory)[2:]}\n")
    return ExitCode.DONE


def _state(program: str) -> Path:
    where = context.find(program)
    return Path(where.root, where.state_dir)


def _one(state: Path, name: str, program: str) -> Memory:
    found = next((m for m in rules.fold(memories.read(state)) if m.id == name.upper()), None)
    if found is None:
        raise NoMemory(f"there is no memory {name!r}", hint=f"{program} memory lists them.")
    return found


def _document(memory: Memory) -> dict[str, object]:
    return {**memory._asdict(), "score": round(memory.score, 3)}


def _whole(memory: Memory, program: str) -> str:
    lines = [
        f"{memory.id}  {memory.content}",
        f"  {memory.category}, confidence {memory.confidence:g}, found true again {memory.hits} times",
        f"  from {memory.source}, {iso(memory.created_ms)}",
    ]
    if memory.transcript:
        lines += [f"  attempt {memory.attempt}, {memory.transcript}"]
    return "\n".join((*lines, f"  {program} memory forget {memory.id} takes it out.")) + "\n"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
