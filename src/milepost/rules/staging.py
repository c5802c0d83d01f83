"""What an automatic commit of one milestone takes, and what it leaves aside, with the reason.

Left aside: run-time files, the directories of other milestones, everything in the state directory when planning
files are not committed, and files that look like secrets. Source: spec auto 1.4, field reports (leaked keys).
"""

import re
from typing import Final

from milepost.model.work import owner as owner_of
from milepost.rules.gitignore import RUNTIME_PATTERNS

_SECRET: Final = re.compile(
    r"\.env(?!\.(?:example|sample|template|dist|defaults?)\Z)(?:\..+)?|.+\.(?:pem|pfx|p12|jks|keystore|kdbx|ppk)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.pgpass|\.pypirc|\.git-credentials"
    r"|credentials\.json|service[-_]account.*\.json|.+\.tfstate(?:\.backup)?",
    re.IGNORECASE,
)


def excluded(path: str, *, milestone: str, commit_docs: bool, state_dir: str) -> str | None:
    """Why `path` is not staged for `milestone`; None when it is.

    path: relative to the repository's root, with `/`. state_dir: `.gsd` or `.sf`. Pure; never raises.
    """
    if looks_secret(path):
        return "looks like a secret"
    inside = _below(path, state_dir)
    if inside is None:
        return None
    if not commit_docs:
        return "planning files are not committed here (git.commit_docs: false)"
    if is_runtime(inside):
        return "run-time file"
    owner = owner_of(inside)
    return f"belongs to {owner}" if owner not in (None, milestone) else None


def looks_secret(path: str) -> bool:
    """Whether a file is by its name one that holds keys (`.env`, `*.pem`, `id_rsa`; not `.env.example`)."""
    return _SECRET.fullmatch(path.rpartition("/")[2]) is not None


def is_runtime(inside: str) -> bool:
    """Whether a path below the state directory is of the running program and not of the plan."""
    return _RUNTIME.match(inside) is not None


def _below(path: str, state_dir: str) -> str | None:
    """The path inside the state directory, None for one outside."""
    if path == state_dir:
        return ""
    return path.removeprefix(f"{state_dir}/") if path.startswith(f"{state_dir}/") else None


def _expression(pattern: str) -> str:
    """A pattern of `.gitignore`, relative to the state directory, as a regular expression."""
    body = re.escape(pattern.rstrip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return body + (r"(?:/.*)?\Z" if pattern.endswith("/") else r"\Z")


_RUNTIME: Final = re.compile("|".join(_expression(pattern) for pattern in RUNTIME_PATTERNS))
