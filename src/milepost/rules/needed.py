"""Which keys a milestone still lacks: those its SECRETS manifest names that are neither set nor skipped. Pure.

Source: spec auto 2.13 (status computation).
"""

from collections.abc import Container
from enum import StrEnum

from milepost.formats import secrets_manifest
from milepost.formats.secrets_manifest import Secret
from milepost.formats.tree import Tree, milestone_file, read


class Standing(StrEnum):
    """How it stands with one key."""

    EXISTING = "existing"
    """In the environment or in `.env`."""
    SKIPPED = "skipped"
    PENDING = "pending"


def of(tree: Tree, milestone: str) -> tuple[Secret, ...]:
    """The keys that a milestone names; none without a manifest."""
    path = milestone_file(tree, milestone, "SECRETS")
    return secrets_manifest.parse(read(tree, path)).secrets if path else ()


def standing(secret: Secret, have: Container[str]) -> Standing:
    """How it stands. have: names that have a value. A key that was `collected` and is gone is pending again."""
    if secret.name in have:
        return Standing.EXISTING
    return Standing.SKIPPED if secret.status == "skipped" else Standing.PENDING


def pending(tree: Tree, milestone: str, have: Container[str]) -> tuple[Secret, ...]:
    """The keys without which the milestone's tasks are not begun."""
    return tuple(s for s in of(tree, milestone) if standing(s, have) is Standing.PENDING)


def guidance(secret: Secret) -> str:
    """How to come by a key, in one line; empty when the manifest does not say."""
    where = (secret.service, secret.dashboard, f"format: {secret.format_hint}" if secret.format_hint else "")
    steps = "; ".join(f"{number}. {step}" for number, step in enumerate(secret.steps, start=1))
    return ", ".join(part for part in (*where, steps) if part)
