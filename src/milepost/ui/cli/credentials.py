"""Which credentials there are: those of the environment, and for providers that it lacks, those that `gsd keys` kept.

Only what asks a provider is given the two together. Commands of agents and gates, git and workers that are started get
the environment, without credentials or as it is; a worker reads the file itself. Source: issue "Preferences".
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from milepost.agents.builtin.models import OTHERS
from milepost.process.environment import withheld
from milepost.store import dotenv, keys
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import surroundings
from milepost.ui.cli.context import Where

PROVIDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "ollama": ("OLLAMA_API_KEY",),
    **{name: (variable,) for name, variable in OTHERS.items()},
}
"""Provider → the variables that its key may stand in."""

_WORDS: Final = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "WEBHOOK")


def environ(home: str) -> Mapping[str, str]:
    """The environment with the kept keys that it lacks. Raises KeysOpen, FormatError or OSError for the file."""
    return together(os.environ, keys.read(home))


def secrets(home: str) -> tuple[str, ...]:
    """Values that are redacted wherever they turn up: the environment's, and all that are kept, used or not."""
    kept = surroundings.secret_values({name: value for name, value in keys.read(home).items() if is_credential(name)})
    return tuple(dict.fromkeys((*surroundings.secret_values(os.environ), *kept)))


def of_project(where: Where) -> tuple[str, ...]:
    """The same, and those that the project's `.env` holds."""
    names = dotenv.named(Snapshot(where.root, where.state_dir))
    return tuple(dict.fromkeys((*secrets(where.home), *dotenv.secret_values(Path(where.root), names))))


def together(env: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """`env`, and what is kept of providers that it has no key of; only names that commands never get."""
    missing = {
        name: value for name, value in kept.items() if is_credential(name) and not any(env.get(v) for v in _same(name))
    }
    return {**env, **missing}


def is_credential(name: str) -> bool:
    """Whether a variable may be kept: its name says that it is secret, and commands do not get it."""
    return withheld(name) and any(word in name.upper() for word in _WORDS)


def _same(name: str) -> tuple[str, ...]:
    """The variables of the same provider: one of them in the environment is enough."""
    return next((variables for variables in PROVIDERS.values() if name in variables), (name,))
