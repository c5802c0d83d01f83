"""What a run needs to know of the machine's environment, read once at the door.

Source: DESIGN "Units and agents" (sandbox, credentials).
"""

import os
from collections.abc import Mapping
from pathlib import Path

from milepost.process.confine import describe
from milepost.process.environment import withheld

_CACHES = (
    ".cache",
    ".npm",
    ".pnpm-store",
    ".yarn",
    ".cargo",
    ".rustup",
    ".gradle",
    ".m2",
    ".local/share/uv",
    ".local/share/pnpm",
    "go/pkg",
    "Library/Caches",
)
"""Below the home directory: what package managers and test runners write to."""

_SHORTEST_SECRET = 8


def secret_values(env: Mapping[str, str]) -> tuple[str, ...]:
    """Values of the variables that are kept from commands, to be redacted wherever they turn up."""
    return tuple(value for name, value in env.items() if len(value) >= _SHORTEST_SECRET and _secret(name, value))


def _secret(name: str, value: str) -> bool:
    # Base URLs and the like are withheld too, but are no secrets, and redacting them would hide what went wrong.
    return (
        withheld(name)
        and not value.startswith(("http://", "https://", "/"))
        and any(word in name.upper() for word in ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL"))
    )


def caches(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Cache directories that exist and that commands may write."""
    home = env.get("HOME")
    found = [Path(home) / name for name in _CACHES] if home else []
    found += [Path(env[name]) for name in ("XDG_CACHE_HOME", "PIP_CACHE_DIR", "GOCACHE", "CARGO_HOME") if env.get(name)]
    return tuple(path for path in found if path.is_dir() and os.access(path, os.W_OK))


def enforced(*, sandbox: bool) -> str:
    """What holds the commands of agents and gates, in one plain sentence."""
    return describe() if sandbox else "Commands are not confined: --no-sandbox was given."


def instructions(home: str, state: Path) -> tuple[str, ...]:
    """The agent-instruction files, the global one first (spec auto 1.2)."""
    found = (Path(home) / "agent-instructions.md", state / "agent-instructions.md")
    return tuple(path.read_text("utf-8", errors="replace") for path in found if path.is_file())
