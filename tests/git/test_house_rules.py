"""What the source never does, read from its syntax: each was somebody's lost work once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import milepost

SOURCE = Path(milepost.__file__).parent
TREES = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")}


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Every call: its file, itself, and the name it calls (the last part of it)."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func
                last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                yield name, node, last


def git_words() -> Iterator[tuple[str, list[str]]]:
    """Every call of git: its file, and the words that stand in the source."""
    for name, node, called in calls():
        if called == "git":
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            yield f"{name}:{node.lineno}", words


def test_there_is_something_to_look_at() -> None:
    assert len(TREES) > 200
    assert len(list(git_words())) > 100


@pytest.mark.spec(id="FM-70")
@pytest.mark.spec(id="FM-86")
def test_the_current_directory_is_never_changed() -> None:
    names = {"chdir", "fchdir"}
    assert [name for name, _, called in calls() if called in names] == []
    mentioned = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in names
    }
    assert mentioned == set()


@pytest.mark.spec(id="FM-24")
@pytest.mark.spec(id="FM-70")
def test_every_call_of_git_says_where() -> None:
    found = [node for _, node, called in calls() if called == "git"]
    assert [node.lineno for node in found if not node.args or isinstance(node.args[0], ast.Constant)] == []


@pytest.mark.spec(id="FM-90")
@pytest.mark.spec(id="FM-91")
def test_nothing_is_stashed_cleaned_or_checked_out() -> None:
    never = {"stash", "clean", "checkout", "gc", "prune", "filter-branch"}
    assert [(where, words) for where, words in git_words() if words[:1] and words[0] in never] == []


@pytest.mark.spec(id="FM-62")
def test_no_branch_is_moved_or_deleted_by_force_and_nothing_is_pushed_by_force() -> None:
    force = {"-f", "-D", "-B", "-M", "--force", "--force-with-lease", "+HEAD"}
    verbs = {"branch", "switch", "push", "update-ref", "tag"}
    assert [
        (where, words) for where, words in git_words() if words[:1] and words[0] in verbs and force & set(words)
    ] == []


@pytest.mark.spec(id="FM-80")
@pytest.mark.spec(id="FM-81")
@pytest.mark.spec(id="FM-101")
def test_the_one_hard_reset_is_of_a_worktree_that_nobody_worked_in_yet() -> None:
    hard = [
        where.partition(":")[0] for where, words in git_words() if "--hard" in words or "-a" in words or "-A" in words
    ]
    assert hard == ["git/worktrees.py"]


@pytest.mark.spec(id="FM-97")
def test_no_shell_reads_what_we_start() -> None:
    shells = [name for name, node, _ in calls() for word in node.keywords if word.arg == "shell" and _true(word.value)]
    assert shells == []
    assert [name for name, _, called in calls() if called in ("system", "popen", "getoutput", "getstatusoutput")] == []


@pytest.mark.spec(id="FM-73")
@pytest.mark.spec(id="DV-33")
def test_there_is_no_database() -> None:
    imported = {
        alias.name.partition(".")[0]
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").partition(".")[0]
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert "fcntl" in imported
    assert not imported & {"sqlite3", "dbm", "shelve", "sqlalchemy"}


def _true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True
