"""`gsd queue`: which milestone comes when, and what it waits for; `add`, `move` and `order` change that.

    gsd queue
    gsd queue add "Export to CSV"                   a milestone at the end; no model is asked
    gsd queue move M003 --before M002
    gsd queue order M003 M001 M002

Source: spec auto 1.5, 7 (queue); parallel PR-191, PR-212.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.formats.tree import milestone_ids
from milepost.model.ids import require_milestone
from milepost.rules.derive import derive
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import arguments, brief, context
from milepost.ui.views import plan_tree, queue

_DROP = "strike out dependencies that the new order violates"


class BadWish(MilepostError):
    """A command line that does not say what is wanted."""


def run(argv: Sequence[str], program: str) -> int:
    """List, or one of the three."""
    if argv and argv[0] in ACTIONS:
        return ACTIONS[argv[0]](argv[1:], program)
    made = arguments.Parser(
        prog=f"{program} queue",
        description="The milestones in order, and what each waits for. "
        f"`{program} queue add|move|order --help` say how to change that.",
    )
    made.add_argument("action", nargs="?", choices=("list", *ACTIONS), help="list (default), add, move, order")
    made.add_argument("--json", action="store_true", help="the same as a JSON list")
    options = made.parse_args(argv)
    where = context.find(program)
    sys.stdout.write(_shown(where, as_json=options.json))
    return ExitCode.DONE


def _shown(where: context.Where, *, as_json: bool = False) -> str:
    """The queue as it is now."""
    tree = Snapshot(where.root, where.state_dir)
    registry = derive(tree, lock=None).registry
    drafts = plan_tree.drafts(tree, registry)
    return json.dumps(queue.document(registry, drafts)) + "\n" if as_json else queue.text(registry, drafts)


def _add(argv: Sequence[str], program: str) -> int:
    from milepost.ui.cli.new_milestone import site_of
    from milepost.worker import adding, queueing

    made = arguments.Parser(prog=f"{program} queue add", description="Put a new milestone at the end of the queue.")
    made.add_argument("text", nargs="*", help="what it is to achieve, in a paragraph")
    made.add_argument("--context", metavar="FILE", help="read it from a file, - for standard input")
    made.add_argument("--after", metavar="MID", action="append", default=[], help="it waits for this one; repeatable")
    made.add_argument("--draft", action="store_true", help="it is to be discussed before it is planned")
    options = made.parse_args(argv)
    text = _text(options)
    site = site_of(context.find(program), program)
    known = milestone_ids(Snapshot(str(site.root), site.state_dir))
    if unknown := [mid for mid in options.after if mid not in known]:
        raise BadWish(f"there is no milestone {', '.join(unknown)}", hint=f"{program} queue lists them.")
    suffix = adding.DRAFT if options.draft else adding.CONTEXT
    mid = adding.add(adding.Wish(text, depends=tuple(options.after), suffix=suffix), site)
    order = (*(each for each in known if each != mid), mid)
    paths = [f"milestones/{mid}/{mid}-{suffix}.md", *queueing.listed(order, site), *queueing.sync(order, site)]
    why = adding.commit(paths, f"docs: queue {mid}\n", site)
    then = f"{program} discuss {mid}" if options.draft else f"{program} auto comes to it"
    sys.stdout.write(f"{mid} is in the queue{f' (not committed: {why})' if why else ''}. {then}\n")
    return ExitCode.DONE


def _text(options: argparse.Namespace) -> str:
    if bool(options.text) == (options.context is not None):
        raise BadWish("say once what the milestone is to achieve", hint='gsd queue add "Export to CSV"')
    text = brief.typed(" ".join(options.text)) if options.context is None else brief.read(options.context)
    if not text.strip():
        raise BadWish("the text is empty", hint='gsd queue add "Export to CSV"')
    return text


def _move(argv: Sequence[str], program: str) -> int:
    made = arguments.Parser(prog=f"{program} queue move", description="Put one milestone elsewhere in the queue.")
    made.add_argument("id", metavar="MID", type=require_milestone, help="which one")
    place = made.add_mutually_exclusive_group(required=True)
    place.add_argument("--before", metavar="MID", help="right before this one")
    place.add_argument("--behind", metavar="MID", help="right behind this one")
    place.add_argument("--first", action="store_true", help="to the front")
    place.add_argument("--last", action="store_true", help="to the end")
    made.add_argument("--drop-dependency", action="store_true", help=_DROP)
    options = made.parse_args(argv)
    where = context.find(program)
    others = [mid for mid in milestone_ids(Snapshot(where.root, where.state_dir)) if mid != options.id]
    anchor = options.before or options.behind
    if anchor and anchor not in others:
        raise BadWish(f"there is no other milestone {anchor}", hint=f"{program} queue lists them.")
    at = 0 if options.first else len(others)
    if anchor:
        at = others.index(anchor) + bool(options.behind)
    return _reorder([*others[:at], options.id, *others[at:]], options.drop_dependency, program)


def _order(argv: Sequence[str], program: str) -> int:
    made = arguments.Parser(prog=f"{program} queue order", description="Put the milestones in this order.")
    made.add_argument("ids", metavar="MID", nargs="+", type=require_milestone, help="the first ones; others follow")
    made.add_argument("--drop-dependency", action="store_true", help=_DROP)
    options = made.parse_args(argv)
    return _reorder(options.ids, options.drop_dependency, program)


def _reorder(order: Sequence[str], drop: bool, program: str) -> int:
    from milepost.ui.cli.new_milestone import site_of
    from milepost.worker import queueing

    where = context.find(program)
    done = queueing.reorder(order, site_of(where, program), drop=drop)
    lines = [f"Dropped: {each.milestone} no longer waits for {each.other}." for each in done.dropped]
    lines += [f"{each.kind}: {each}" for each in done.problems]
    lines += [f"Not committed: {done.uncommitted}"] if done.uncommitted else []
    sys.stdout.write("".join(f"{line}\n" for line in lines) + _shown(where))
    return ExitCode.DONE


ACTIONS: Final[Mapping[str, Callable[[Sequence[str], str], int]]] = {"add": _add, "move": _move, "order": _order}
"""What changes the queue."""
