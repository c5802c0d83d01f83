"""Which milestone comes when, and what it waits for."""

import pytest

from milepost.model.state import RegistryEntry, Status
from milepost.ui.views import queue

DONE = RegistryEntry("M001", "Foundation", Status.COMPLETE)
ACTIVE = RegistryEntry("M002", "Sign-in", Status.ACTIVE, ("M001",))
MAIL = RegistryEntry("M003", "Mail", Status.PENDING, ("M002", "M001"))
DIGEST = RegistryEntry("M004", "Digest", Status.PENDING, ("M003", "M009"))


@pytest.mark.spec(id="PR-191")
def test_status_and_chains() -> None:
    assert queue.text((DONE, ACTIVE, MAIL, DIGEST)) == (
        "# Queue\n\n"
        "1. M001 — Foundation — complete\n"
        "2. M002 — Sign-in — active\n"
        "3. M003 — Mail — pending — waits for M002\n"
        "4. M004 — Digest — pending — waits for M003, M009 (not there) → M002\n"
    )


def test_nothing() -> None:
    assert queue.text(()) == "# Queue\n\nThere are no milestones yet.\n"


def test_a_circle_ends_where_it_closes() -> None:
    one = RegistryEntry("M001", "One", Status.PENDING, ("M002",))
    two = RegistryEntry("M002", "Two", Status.PENDING, ("M001", "M002"))
    assert queue.waits(one, (one, two)) == (("M002",), ("M001",))


def test_a_wide_and_deep_plan_is_no_flood() -> None:
    layers = [[f"M{10 * layer + place:03d}" for place in range(5)] for layer in range(1, 9)]
    entries = [
        RegistryEntry(name, "", Status.PENDING, tuple(layers[number - 1]) if number else ())
        for number, layer in enumerate(layers)
        for name in layer
    ]
    assert [len(level) for level in queue.waits(entries[-1], entries)] == [5] * 7
    assert len(queue.text(entries)) < 20_000


def test_titles_do_not_command_the_terminal_and_programs_get_the_same() -> None:
    loud = RegistryEntry("M001", "A\x1b[2J\nb", Status.PENDING, ("M002",))
    assert "\x1b" not in queue.text((loud,))
    assert len(queue.text((loud,)).splitlines()) == 3
    assert queue.document((DONE, ACTIVE, MAIL))[2] == {
        "id": "M003", "title": "Mail", "status": "pending", "draft": False, "waitsFor": [["M002"]],
    }  # fmt: skip
