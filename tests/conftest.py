"""What every test stands on: a private home, no host git configuration, a fresh repository."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from milepost.rules import limits


def pytest_configure() -> None:
    """A shell that runs the tests in the background makes them deaf to signals, and with them all that they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def private_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the machine's home, keys or git configuration."""
    home = tmp_path_factory.mktemp("home")
    gitconfig = home / ".gitconfig"
    gitconfig.write_text(
        "[user]\n\tname = Ada Tester\n\temail = ada@example.invalid\n"
        "[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )
    for name in list(os.environ):
        if (
            name == "CI"
            or name.startswith(("GIT_", "GSD_", "SF_"))
            or name.endswith(("_API_KEY", "_BASE_URL", "_TOKEN"))
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv(limits.SCALE, "0.001")  # Nobody waits a minute for a provider that is not there.
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    return home


def run_git(where: Path, *args: str) -> str:
    """Plain git for arranging and looking, apart from the code under test."""
    done = subprocess.run(["git", "-C", str(where), *args], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A fresh repository on `main` with one commit."""
    root = tmp_path / "project"
    root.mkdir()
    run_git(root, "init", "-q", "-b", "main")
    (root / "README.md").write_text("# A project\n")
    run_git(root, "add", "README.md")
    run_git(root, "commit", "-qm", "first")
    return root
