"""`gsd secrets`: the keys that milestones need from outside, how to get them, and where they go.

    gsd secrets [MID]
    gsd secrets set STRIPE_API_KEY          asked for without an echo, or read from standard input
    gsd secrets skip STRIPE_API_KEY

A value goes into the project's `.env`, which git does not see, and is never shown. Source: spec auto 2.13, 5.2 (13).
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from getpass import getpass
from pathlib import Path
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import by_hand
from milepost.fleet.site import Site
from milepost.formats import dotenv as format_
from milepost.formats import secrets_manifest
from milepost.formats.secrets_manifest import Secret
from milepost.formats.tree import Tree, milestone_file, milestone_ids, read
from milepost.git import repo
from milepost.git.exclude import exclude
from milepost.git.ignored import ignored
from milepost.model.ids import require_milestone
from milepost.rules import needed
from milepost.store import dotenv
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import arguments, context, sites


class NoSuchKey(MilepostError):
    """No milestone names it, or what was given cannot be its value."""


def run(argv: Sequence[str], program: str) -> int:
    """List, or one of the two."""
    if argv and argv[0] in ACTIONS:
        return ACTIONS[argv[0]](argv[1:], program)
    made = arguments.Parser(
        prog=f"{program} secrets",
        description="The keys that milestones need from outside, and how each stands; values are never shown. "
        f"`{program} secrets set|skip --help` say more.",
    )
    made.add_argument("milestone", nargs="?", metavar="MID", help="only those of one milestone")
    made.add_argument("--json", action="store_true", help="the same as a JSON list")
    options = made.parse_args([word for word in argv if word != "list"])
    where = context.find(program)
    tree = Snapshot(where.root, where.state_dir)
    have = _have(Path(where.root))
    only = require_milestone(options.milestone) if options.milestone else ""
    found = [(mid, s) for mid, s in _named(tree) if only in ("", mid)]
    if options.json:
        sys.stdout.write(json.dumps([_document(mid, secret, have) for mid, secret in found]) + "\n")
    else:
        sys.stdout.write("".join(_line(mid, s, have) for mid, s in found) or "No milestone needs a key.\n")
    return ExitCode.DONE


def _set(argv: Sequence[str], program: str) -> int:
    made = arguments.Parser(
        prog=f"{program} secrets set", description="Put a key into the project's .env, where only you can read it."
    )
    made.add_argument("name", metavar="NAME", help="the variable; its value is asked for, or read from standard input")
    name = made.parse_args(argv).name
    where = context.find(program)
    root = Path(where.root)
    _require(name, Snapshot(where.root, where.state_dir), program)
    if not ignored(root, dotenv.NAME):
        exclude(repo.inspect(root).common_dir, (dotenv.NAME,))
    if not ignored(root, dotenv.NAME):
        hint = f"git rm --cached {dotenv.NAME}, or set the variable in the environment instead."
        raise NoSuchKey(f"{dotenv.NAME} is committed in this project, so no key goes into it", hint=hint)
    value = _value(name)
    dotenv.put(root, name, format_.assignment(name, value))
    sys.stdout.write(f"{name} is in {dotenv.NAME}. {program} auto goes on from here.\n")
    return ExitCode.DONE


def _skip(argv: Sequence[str], program: str) -> int:
    made = arguments.Parser(prog=f"{program} secrets skip", description="Go on without a key.")
    made.add_argument("name", metavar="NAME", help="the variable that is not to be waited for")
    name = made.parse_args(argv).name
    site = sites.site(program)
    tree = Snapshot(str(site.root), site.state_dir)
    _require(name, tree, program)
    concerned = dict.fromkeys(mid for mid, secret in _named(tree) if secret.name == name)
    for mid in concerned:
        _mark(mid, name, site)
    sys.stdout.write(f"{', '.join(concerned)}: tasks begin without {name}. {program} auto goes on from here.\n")
    return ExitCode.DONE


def _mark(milestone: str, name: str, site: Site) -> None:
    with by_hand.desk(milestone, site, f"secrets skip {name}") as desk:
        path = milestone_file(desk.tree, milestone, "SECRETS")
        if path is not None:
            text = secrets_manifest.with_status(read(desk.tree, path), name, "skipped")
            desk.write({path: text}, f"docs({milestone}): go on without {name}\n")


def _named(tree: Tree) -> Iterator[tuple[str, Secret]]:
    for mid in milestone_ids(tree):
        for secret in needed.of(tree, mid):
            yield mid, secret


def _require(name: str, tree: Tree, program: str) -> None:
    if all(secret.name != name for _, secret in _named(tree)):
        raise NoSuchKey(f"no milestone needs a key {name!r}", hint=f"{program} secrets lists them.")


def _have(root: Path) -> frozenset[str]:
    return frozenset(name for name, value in os.environ.items() if value) | dotenv.lines(root).keys()


def _value(name: str) -> str:
    given = getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline()
    value = given.strip()
    if not value or "\0" in value:
        raise NoSuchKey(f"no value for {name} was given", hint="Type it when asked, or pipe one line into the command.")
    return value


def _document(milestone: str, secret: Secret, have: frozenset[str]) -> dict[str, object]:
    standing = needed.standing(secret, have)
    return {"milestone": milestone, **secret._asdict(), "steps": list(secret.steps), "status": str(standing)}


def _line(milestone: str, secret: Secret, have: frozenset[str]) -> str:
    how = needed.guidance(secret)
    return f"{milestone}  {secret.name}  {needed.standing(secret, have)}{f'  {how}' if how else ''}\n"


ACTIONS: Final[Mapping[str, Callable[[Sequence[str], str], int]]] = {"set": _set, "skip": _skip}
"""What is done with a key that is named."""
