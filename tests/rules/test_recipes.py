"""Which commands make a fresh checkout ready, by its lock files."""

import pytest

from milepost.rules.recipes import (
    CONFIGURED,
    LOCK_FILES,
    MOST_PLACES,
    Command,
    Recipes,
    Step,
    configured,
    lock_hash,
    recipes,
)
from milepost.rules.tool_caches import caches

V1 = b"# yarn lockfile v1\n\n"
BERRY = b"__metadata:\n  version: 8\n"


def shown(found: Recipes) -> list[str]:
    return [f"{command.cwd}: {' '.join(command.argv)}" for step in found.steps for command in step.commands]


def only(files: dict[str, bytes]) -> Step:
    (step,) = recipes(files).steps
    return step


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({}, []),
        ({"README.md": b""}, []),
        ({"uv.lock": b""}, [".: uv sync --frozen"]),
        ({"poetry.lock": b""}, [".: poetry install --no-interaction"]),
        (
            {"requirements.txt": b"", "requirements-dev.txt": b""},
            [
                ".: python3 -m venv .venv",
                ".: .venv/bin/python -m pip install -r requirements.txt -r requirements-dev.txt",
            ],
        ),
        ({"pnpm-lock.yaml": b""}, [".: pnpm install --frozen-lockfile"]),
        ({"yarn.lock": V1}, [".: yarn install --frozen-lockfile --non-interactive"]),
        ({"yarn.lock": BERRY}, [".: yarn install --immutable"]),
        ({"package-lock.json": b"{}"}, [".: npm ci"]),
        ({"npm-shrinkwrap.json": b"{}"}, [".: npm ci"]),
        ({"go.sum": b""}, [".: go mod download"]),
        ({"go.sum": b"", "vendor/modules.txt": b""}, []),
        ({"Cargo.lock": b""}, [".: cargo fetch --locked"]),
    ],
)
def test_what_a_lock_file_asks_for(files: dict[str, bytes], commands: list[str]) -> None:
    assert shown(recipes(files)) == commands


def test_all_of_a_tree_in_the_same_order_whatever_order_they_come_in() -> None:
    files = {
        "frontend/package-lock.json": b"{}",
        "Cargo.lock": b"",
        "go.sum": b"",
        "api/requirements.txt": b"",
        "package-lock.json": b"{}",
        "uv.lock": b"",
    }
    wanted = ["uv", "npm", "go", "cargo", "pip in api", "npm in frontend"]
    assert [step.name for step in recipes(files).steps] == wanted
    assert [step.name for step in recipes(dict(reversed(files.items()))).steps] == wanted


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ({"uv.lock": b"", "requirements.txt": b""}, "uv"),
        ({"poetry.lock": b"", "requirements.txt": b""}, "poetry"),
        ({"pnpm-lock.yaml": b"", "package-lock.json": b""}, "pnpm"),
        ({"yarn.lock": V1, "package-lock.json": b""}, "yarn"),
        ({"pnpm-lock.yaml": b"", "package-lock.json": b"", "package.json": b'{"packageManager": "npm@11.0.0"}'}, "npm"),
        ({"package-lock.json": b"", "package.json": b'{"packageManager": "pnpm@9"}'}, "npm"),
        ({"pnpm-lock.yaml": b"", "package-lock.json": b"", "package.json": b"{"}, "pnpm"),
        ({"package-lock.json": b"", "package.json": b'["packageManager"]'}, "npm"),
        ({"package-lock.json": b"", "package.json": b'{"packageManager": {"name": "yarn"}}'}, "npm"),
    ],
)
def test_one_tool_for_one_directory(files: dict[str, bytes], tool: str) -> None:
    assert only(files).tool == tool


@pytest.mark.parametrize(
    "path",
    ["a/b/package-lock.json", "docs/requirements.txt", "node_modules/go.sum", ".cache/uv.lock", "Examples/uv.lock"],
)
def test_what_lies_deeper_or_aside_is_not_the_projects_own(path: str) -> None:
    assert recipes({path: b""}) == Recipes(steps=())


def test_a_tree_with_very_many_is_bounded_and_says_what_is_left_out() -> None:
    places = [f"p{number:02}" for number in range(MOST_PLACES + 2)]
    found = recipes({"uv.lock": b""} | {f"{place}/go.sum": b"" for place in places})
    assert len(found.steps) == MOST_PLACES + 1
    assert found.left_out == tuple(places[-2:])


def test_below_the_top_everything_is_named_from_the_top() -> None:
    step = only({"api/requirements.txt": b"", "api/requirements/base.txt": b"", "api/constraints.txt": b""})
    assert step.reads == ("api/constraints.txt", "api/requirements.txt", "api/requirements/base.txt")
    assert step.fills == "api/.venv"
    assert step.check == Command((".venv/bin/python", "-c", ""), "api")
    assert {command.cwd for command in step.commands} == {"api"}


def test_poetry_keeps_its_environment_in_the_worktree() -> None:
    assert dict(only({"poetry.lock": b""}).commands[0].env) == {"POETRY_VIRTUALENVS_IN_PROJECT": "true"}


def test_the_hash_changes_with_lock_place_and_commands_only() -> None:
    files = {"package-lock.json": b"1", "package.json": b"{}"}
    step = only(files)
    base = lock_hash(step, files, "/a")
    assert lock_hash(step, {**files, "package.json": b'{"name": "x"}'}, "/a") == base
    assert lock_hash(step, {**files, "package-lock.json": b"2"}, "/a") != base
    assert lock_hash(step, files, "/b") != base
    assert lock_hash(step._replace(commands=(Command(("npm", "install"), "."),)), files, "/a") != base
    assert lock_hash(step, {**files, "package-lock.json": b"\xff\x00"}, "/a") != base


def test_commands_of_a_person_are_one_step_for_all_lock_files() -> None:
    commands = (Command(("make", "deps"), "."), Command(("npm", "ci"), "web"))
    step = configured(commands, ["web/package-lock.json", "uv.lock", "package.json", "a/b/go.sum"])
    assert (step.name, step.commands, step.reads) == (CONFIGURED, commands, ("uv.lock", "web/package-lock.json"))


def test_every_lock_file_has_a_recipe() -> None:
    assert [name for name in LOCK_FILES if len(recipes({name: b""}).steps) != 1] == []


@pytest.mark.parametrize(
    ("tool", "env", "expected"),
    [
        ("npm", {"HOME": "/h"}, ("/h/.cache", "/h/.npm")),
        ("npm", {"HOME": "/h", "npm_config_cache": "/c"}, ("/h/.cache", "/c")),
        ("npm", {}, ()),
        ("uv", {"HOME": "/h", "XDG_CACHE_HOME": "relative"}, ("/h/.cache/uv", "/h/.local/share/uv")),
        ("go", {"HOME": "/h", "GOPATH": "/g:/other"}, ("/h/.cache", "/h/go/pkg/mod", "/h/.cache/go-build", "/g/pkg")),
        ("make", {"HOME": "/h"}, ("/h/.cache",)),
    ],
)
def test_caches(tool: str, env: dict[str, str], expected: tuple[str, ...]) -> None:
    assert caches(tool, env) == expected
