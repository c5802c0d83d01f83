"""`.gitignore` as a text edit."""

import subprocess
from pathlib import Path

import pytest

from milepost.rules.gitignore import GENERAL_PATTERNS, RUNTIME_PATTERNS, ensure


def test_an_empty_file_gets_everything_once() -> None:
    lines = ensure("", commit_docs=True, manage=True).splitlines()
    for pattern in RUNTIME_PATTERNS:
        assert lines.count(f".gsd/{pattern}") == 1
    for pattern in GENERAL_PATTERNS:
        assert lines.count(pattern) == 1
    assert lines[0].startswith("#")


@pytest.mark.parametrize("text", ["", "node_modules/\n", "a\r\nb\r\n", "no newline", ".gsd\n", "\n\n", " .gsd/ \nx"])
@pytest.mark.parametrize("commit_docs", [True, False])
def test_twice_is_once(text: str, commit_docs: bool) -> None:
    once = ensure(text, commit_docs=commit_docs, manage=True)
    assert ensure(once, commit_docs=commit_docs, manage=True) == once


def test_what_the_user_wrote_stays_in_front() -> None:
    text = "# mine\n.gsd/secret-notes/\n*.bak"
    assert ensure(text, commit_docs=True, manage=True).startswith(text + "\n")


def test_crlf_stays_crlf() -> None:
    edited = ensure("a\r\nb\r\n", commit_docs=True, manage=True)
    assert edited.count("\n") == edited.count("\r\n") > 40


@pytest.mark.parametrize("line", [".gsd", ".gsd/", "  .gsd/  "])
def test_a_line_that_hides_the_plan_goes(line: str) -> None:
    edited = ensure(f"a\n{line}\nb\n", commit_docs=True, manage=True)
    assert edited.startswith("a\nb\n")
    assert not any(found.strip() in (".gsd", ".gsd/") for found in edited.splitlines())


def test_no_docs_ignores_the_whole_directory() -> None:
    edited = ensure("a\n", commit_docs=False, manage=True)
    assert ".gsd/" in edited.splitlines()
    assert ".gsd/runtime/" not in edited
    assert ensure(".gsd\n", commit_docs=False, manage=True) == ".gsd\n"


def test_unmanaged_is_untouched() -> None:
    assert ensure(".gsd/\n", commit_docs=True, manage=False) == ".gsd/\n"


def test_the_other_dialect() -> None:
    edited = ensure("", commit_docs=True, manage=True, state_dir=".sf")
    assert ".sf/runtime/" in edited.splitlines()
    assert ".gsd" not in edited


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        (".gsd/journal/a.jsonl", True),
        (".gsd/gsd.db-wal", True),
        (".gsd/milestones/M001/slices/S01/S01-CONTINUE.md", True),
        (".gsd/milestones/M001/M001-META.json.tmp.1a2b3c4d", True),
        (".gsd/milestones/M001/M001-ROADMAP.md", False),
        (".gsd/PREFERENCES.md", False),
        (".gsd/CAPTURES.md", False),
        (".env", True),
        (".env.example", False),
    ],
)
def test_git_reads_it_as_meant(repo: Path, path: str, ignored: bool) -> None:
    (repo / ".gitignore").write_text(ensure("", commit_docs=True, manage=True))
    asked = subprocess.run(["git", "-C", str(repo), "check-ignore", "-q", path], check=False)
    assert (asked.returncode == 0) is ignored
