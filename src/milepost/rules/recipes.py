"""Which commands make a fresh checkout ready to work in, by the lock files that lie in it.

    uv.lock                  uv sync --frozen
    poetry.lock              poetry install
    requirements*.txt        a virtual environment in .venv, and pip install -r
    pnpm-lock.yaml           pnpm install --frozen-lockfile
    yarn.lock                yarn install --immutable (--frozen-lockfile for version 1)
    package-lock.json        npm ci
    go.sum                   go mod download
    Cargo.lock               cargo fetch --locked

They change no lock file. At the top, and one directory down. Of several that would fill the same directory, one is
taken: what `packageManager` in package.json names, else the first in this list. Source: issue "Parallel";
field-reports #20; the tools' own manuals.
"""

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

MOST_PLACES = 8
"""Directories below the top that are set up; a tree with more of them wants `parallel.setup_commands`."""
CONFIGURED = "configured"

_REQUIREMENTS = (
    *("requirements.txt", "requirements-dev.txt", "requirements_dev.txt", "dev-requirements.txt"),
    *("requirements-test.txt", "test-requirements.txt"),
)
_VENDORED = "vendor/modules.txt"
"""Go takes its modules from there and downloads nothing."""
_BESIDE = (_VENDORED, "requirements/")
_ASIDE = frozenset(
    {"doc", "docs", "example", "examples", "sample", "samples", "demo", "demos", "test", "tests", "testdata"}
    | {"fixtures", "template", "templates", "vendor", "third_party", "node_modules", "site-packages"}
)
"""Lock files in directories of these names are rarely what the project itself needs."""


class Command(NamedTuple):
    """One command, and where it runs relative to the worktree."""

    argv: tuple[str, ...]
    cwd: str
    env: tuple[tuple[str, str], ...] = ()


class Step(NamedTuple):
    """What one tool does in one directory."""

    name: str
    """`npm`, `npm in frontend`, `configured`."""
    tool: str
    """The program that must be on PATH; its caches are written."""
    commands: tuple[Command, ...]
    reads: tuple[str, ...]
    """Paths whose bytes decide whether it has to be done again."""
    fills: str = ""
    """Directory that belongs to the tool; empty: it makes none in the worktree."""
    leaves: tuple[str, ...] = ()
    """Other paths that it may leave in the worktree."""
    check: Command | None = None
    """Must succeed when all is done and `fills` is there."""

    @property
    def locks(self) -> str:
        """The files that asked for it, for a sentence."""
        return ", ".join(self.reads)


class Recipes(NamedTuple):
    """What a tree asks for, in order."""

    steps: tuple[Step, ...]
    left_out: tuple[str, ...] = ()
    """Directories with lock files that are too many."""


class _Directory(NamedTuple):
    """One directory with lock files."""

    path: str
    files: Mapping[str, bytes]
    """By their names."""

    def has(self, *names: str) -> bool:
        return any(name in self.files for name in names)

    def step(self, tool: str, reads: Sequence[str], *argvs: Sequence[str]) -> Step:
        where = self.path or "."
        return Step(
            name=f"{tool} in {self.path}" if self.path else tool,
            tool=tool,
            commands=tuple(Command(tuple(argv), where) for argv in argvs),
            reads=self.below(*reads),
        )

    def below(self, *names: str) -> tuple[str, ...]:
        return tuple(posixpath.join(self.path, name) for name in names)


def _uv(here: _Directory) -> Step | None:
    if not here.has("uv.lock"):
        return None
    return _with_environment(here.step("uv", ["uv.lock"], ["uv", "sync", "--frozen"]), here)


def _poetry(here: _Directory) -> Step | None:
    if not here.has("poetry.lock"):
        return None
    # Its own choice would be a directory below the home, of which it keeps one for each project path.
    inside = (("POETRY_VIRTUALENVS_IN_PROJECT", "true"),)
    install = Command(("poetry", "install", "--no-interaction"), here.path or ".", inside)
    return _with_environment(here.step("poetry", ["poetry.lock"])._replace(commands=(install,)), here)


def _pip(here: _Directory) -> Step | None:
    wanted = [name for name in _REQUIREMENTS if name in here.files]
    if not wanted:
        return None
    install = [".venv/bin/python", "-m", "pip", "install"]
    for name in wanted:
        install += ["-r", name]
    reads = [name for name in sorted(here.files) if name.endswith(".txt") and name != _VENDORED]
    step = here.step("pip", reads, ["python3", "-m", "venv", ".venv"], install)
    return _with_environment(step._replace(tool="python3"), here)


def _with_environment(step: Step, here: _Directory) -> Step:
    (path,) = here.below(".venv")
    return step._replace(fills=path, check=Command((".venv/bin/python", "-c", ""), here.path or "."))


def _pnpm(here: _Directory) -> Step | None:
    if not here.has("pnpm-lock.yaml"):
        return None
    return _node(here, "pnpm-lock.yaml", ["pnpm", "install", "--frozen-lockfile"])


def _yarn(here: _Directory) -> Step | None:
    if not here.has("yarn.lock"):
        return None
    if b"# yarn lockfile v1" in here.files["yarn.lock"]:
        return _node(here, "yarn.lock", ["yarn", "install", "--frozen-lockfile", "--non-interactive"])
    step = _node(here, "yarn.lock", ["yarn", "install", "--immutable"])
    return step._replace(leaves=here.below(".pnp.cjs", ".pnp.loader.mjs", ".yarn"))


def _npm(here: _Directory) -> Step | None:
    lock = next((name for name in ("npm-shrinkwrap.json", "package-lock.json") if here.has(name)), "")
    return _node(here, lock, ["npm", "ci"]) if lock else None


def _node(here: _Directory, lock: str, argv: Sequence[str]) -> Step:
    (path,) = here.below("node_modules")
    return here.step(argv[0], [lock], argv)._replace(fills=path)


def _go(here: _Directory) -> Step | None:
    if not here.has("go.sum") or here.has(_VENDORED):
        return None
    return here.step("go", ["go.sum"], ["go", "mod", "download"])


def _cargo(here: _Directory) -> Step | None:
    if not here.has("Cargo.lock"):
        return None
    return here.step("cargo", ["Cargo.lock"], ["cargo", "fetch", "--locked"])


_Recipe = Callable[[_Directory], Step | None]
_PYTHON: tuple[_Recipe, ...] = (_uv, _poetry, _pip)
_NODE: Mapping[str, _Recipe] = {"pnpm": _pnpm, "yarn": _yarn, "npm": _npm}
_ALONE: tuple[_Recipe, ...] = (_go, _cargo)

LOCK_FILES = (
    *("uv.lock", "poetry.lock", *_REQUIREMENTS, "pnpm-lock.yaml", "yarn.lock", "npm-shrinkwrap.json"),
    *("package-lock.json", "go.sum", "Cargo.lock"),
)
"""A directory with one of these is looked at."""
ALSO_READ = ("package.json", "requirements*.txt", "requirements/*.txt", "constraints*.txt", _VENDORED)
"""Patterns of other files beside them that recipes look into."""


def recipes(files: Mapping[str, bytes]) -> Recipes:
    """The steps for a tree. files: path → content of everything that LOCK_FILES and ALSO_READ name in it. Pure."""
    places = {place for place in map(posixpath.dirname, _locks(files)) if _counts(place)}
    ordered = sorted(places)  # The top is the empty path and comes first.
    taken = ordered[: MOST_PLACES + ("" in places)]
    steps = tuple(step for place in taken for step in _steps(_Directory(place, _beside(place, files))))
    return Recipes(steps=steps, left_out=tuple(ordered[len(taken) :]))


def _locks(files: Iterable[str]) -> Iterable[str]:
    return (path for path in files if posixpath.basename(path) in LOCK_FILES)


def _counts(place: str) -> bool:
    return "/" not in place and not place.startswith(".") and place.lower() not in _ASIDE


def _beside(place: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What lies in one directory and what belongs to it, by the names there."""
    start = f"{place}/" if place else ""
    found = {path[len(start) :]: content for path, content in files.items() if path.startswith(start)}
    return {name: content for name, content in found.items() if "/" not in name or name.startswith(_BESIDE)}


def _steps(here: _Directory) -> tuple[Step, ...]:
    groups = (_PYTHON, _by_preference(here), *((recipe,) for recipe in _ALONE))
    found = (next((step for recipe in group if (step := recipe(here))), None) for group in groups)
    return tuple(step for step in found if step)


def _by_preference(here: _Directory) -> tuple[_Recipe, ...]:
    named = _package_manager(here.files.get("package.json", b""))
    first = [_NODE[named]] if named in _NODE else []
    return (*first, *_NODE.values())


def _package_manager(text: bytes) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    name = found.get("packageManager") if isinstance(found, dict) else None
    return name.partition("@")[0] if isinstance(name, str) else ""


def configured(commands: Sequence[Command], files: Iterable[str]) -> Step:
    """The one step of commands that a person set; changed lock files have it done again."""
    reads = tuple(path for path in sorted(_locks(files)) if _counts(posixpath.dirname(path)))
    tool = commands[0].argv[0] if commands else ""
    return Step(name=CONFIGURED, tool=tool, commands=tuple(commands), reads=reads)


def lock_hash(step: Step, files: Mapping[str, bytes], place: str) -> str:
    """What is the same as long as a step need not be done again. place: the worktree, since environments know it."""
    digest = hashlib.blake2b(digest_size=16)
    facts = [place, step.name, repr(step.commands)]
    for path in step.reads:
        facts += [path, files[path].decode("latin-1")]
    for fact in facts:
        data = fact.encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
