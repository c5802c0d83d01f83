"""The watch over a run: what leaves the machine, and that an end is not waited for without bound."""

from pathlib import Path

import pytest

from milepost.formats.journal import Notified, RunEnded
from milepost.formats.preferences import Notifications
from milepost.store.journal import Journal
from milepost.ui.notify.targets import Target
from milepost.ui.notify.watch import Post, Watch
from scenarios.receiver import Receiver

SECRET = "hunter2-but-much-longer"


def watch(state: Path, url: str) -> Watch:
    return Watch(
        Post(
            state=state, project="p", writer="project", run="r", targets=(Target("phone", url),),
            wanted=Notifications(), tells=lambda event: event.run == "r", asks=False, secrets=(SECRET,),
            env={"PATH": "/usr/bin:/bin"}, now_ms=lambda: 2,
        )
    )  # fmt: skip


def ended(state: Path) -> Journal:
    journal = Journal(state, "project")
    journal.append(RunEnded(at_ms=1, run="r", state="error", reason=f"refused: {SECRET}"))
    return journal


def test_credentials_stay_here(tmp_path: Path) -> None:
    journal = ended(tmp_path)
    with Receiver().listening() as receiver:
        made = watch(tmp_path, receiver.url)
        made.start()
        made.close(last_s=120)
    (got,) = receiver.got
    assert got["title"] == "p: auto mode: error"
    assert "refused: " in got["message"] and SECRET not in got["message"]
    assert [event.ok for event in journal.own() if isinstance(event, Notified)] == [True]


@pytest.mark.parametrize("again", [False, True], ids=["first", "restarted"])
def test_what_is_not_sent_when_the_run_ends_is_noted_once(tmp_path: Path, again: bool) -> None:
    journal = ended(tmp_path)
    with Receiver().listening() as receiver:
        receiver.hold.clear()
        made = watch(tmp_path, receiver.url)
        made.start()
        made.close(last_s=0)
        if again:
            later = watch(tmp_path, receiver.url)
            later.start()
            later.close(last_s=120)
    (line,) = (event for event in journal.own() if isinstance(event, Notified))
    assert not line.ok and "ended before it was sent" in line.error
