"""`gsd knowledge rule|pattern|lesson TEXT`: one more row of what every session should know.

Source: spec auto 2.5, 7.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.formats.knowledge import Kind
from milepost.model import ids
from milepost.store import notebook
from milepost.ui.cli import arguments, capture, context


def run(argv: Sequence[str], program: str) -> int:
    """Append the row and print its id."""
    made = arguments.Parser(prog=f"{program} knowledge", description="Teach every later session something.")
    made.add_argument("kind", choices=[kind.value for kind in Kind], help="which table of KNOWLEDGE.md")
    made.add_argument("text", nargs="*", metavar="TEXT", help="the rule, the pattern, or what happened")
    made.add_argument("--scope", default="global", metavar="SCOPE", help="M001, M001/S02 or global (default)")
    options = made.parse_args(argv)
    text = capture.said(options.text, program, f"knowledge {options.kind}")
    where = context.find(program)
    scope = _scope(options.scope)
    identity = notebook.learn(Path(where.root, where.state_dir), Kind(options.kind), text, scope=scope)
    sys.stdout.write(f"{identity}  {text}  ({scope})\n")
    return ExitCode.DONE


def _scope(text: str) -> str:
    """`global`, a milestone, or a slice of one. Raises BadId."""
    if text == "global":
        return text
    milestone, slash, rest = text.partition("/")
    ids.require_milestone(milestone)
    return f"{milestone}/{ids.require_part(rest)}" if slash else milestone
