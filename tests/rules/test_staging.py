"""What an automatic commit leaves aside."""

import pytest

from milepost.rules.gitignore import RUNTIME_PATTERNS
from milepost.rules.staging import excluded


def reason(path: str, *, commit_docs: bool = True, state_dir: str = ".gsd") -> str | None:
    return excluded(path, milestone="M001", commit_docs=commit_docs, state_dir=state_dir)


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "README.md",
        ".gsd/DECISIONS.md",
        ".gsd/PREFERENCES.md",
        ".gsd/milestones/M001/M001-ROADMAP.md",
        ".gsd/milestones/M001/slices/S01/tasks/T01-VERIFY.json",
        ".gsd/milestones/M001-LEGACY-NAME/slices/S01/S01-PLAN.md",
        ".gsd/milestones/notes.md",
        "gsd/metrics.json",
        "metrics.json",
        "docs/environment.env.md",
        ".env.example",
        "config/.env.sample",
        "certs/README.pem.md",
    ],
)
def test_taken(path: str) -> None:
    assert reason(path) is None


@pytest.mark.parametrize(
    "path",
    [
        ".gsd/activity/001-x.jsonl",
        ".gsd/forensics/a",
        ".gsd/parallel/M001.status.json",
        ".gsd/auto.lock",
        ".gsd/metrics.json",
        ".gsd/completed-units-M001.json",
        ".gsd/STATE.md",
        ".gsd/gsd.db-wal",
        ".gsd/journal/run.jsonl",
        ".gsd/milestones/M001/slices/S01/S01-CONTINUE.md",
        ".gsd/milestones/M001/slices/S01/continue.md",
        ".gsd/milestones/M001/M001-ROADMAP.md.tmp.0a1b2c3d",
        ".gsd/worktrees/M001/.gsd/milestones/M001/M001-ROADMAP.md",
        ".gsd/routing-history.json",
        ".gsd/runtime/preferences.cache.json",
    ],
)
def test_run_time_files(path: str) -> None:
    assert reason(path) == "run-time file"


@pytest.mark.parametrize("pattern", [pattern for pattern in RUNTIME_PATTERNS if "*" not in pattern])
def test_what_gitignore_names_is_not_staged_either(pattern: str) -> None:
    assert reason(f".gsd/{pattern}x" if pattern.endswith("/") else f".gsd/{pattern}") == "run-time file"


def test_another_milestone() -> None:
    assert reason(".gsd/milestones/M002/M002-CONTEXT.md") == "belongs to M002"
    assert reason(".gsd/milestones/M001-ab12cd/M001-ab12cd-CONTEXT.md") == "belongs to M001-ab12cd"


def test_docs_that_are_not_committed() -> None:
    assert reason(".gsd/DECISIONS.md", commit_docs=False) is not None
    assert reason("src/a.py", commit_docs=False) is None


def test_the_other_dialect() -> None:
    assert reason(".sf/metrics.json", state_dir=".sf") == "run-time file"
    assert reason(".gsd/metrics.json", state_dir=".sf") is None


@pytest.mark.parametrize(
    "path",
    [".env", ".env.local", "app/.env.production", "keys/server.pem", ".ssh/id_rsa", "id_ed25519", "a.p12", ".ENV"],
)
def test_secrets(path: str) -> None:
    assert reason(path) == "looks like a secret"


def test_documents_of_a_quick_task_are_committed_with_it_alone() -> None:
    path = ".gsd/quick/1-fix-it/1-SUMMARY.md"
    taken = {
        key: excluded(path, milestone=key, commit_docs=True, state_dir=".gsd") for key in ("M001", "quick-1-fix-it")
    }
    assert taken == {"M001": "belongs to quick-1-fix-it", "quick-1-fix-it": None}
    assert excluded(".gsd/milestones/M001/M001-X.md", milestone="quick-1-fix-it", commit_docs=True, state_dir=".gsd")
