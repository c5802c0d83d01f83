"""The process that talks to one target: `python -m milepost.ui.notify.post`, the job as JSON on standard input.

    {"url": "slack://…", "notices": [{"title": …, "body": …, "tone": "warning"}]}     in
    {"sent": [{"ok": true, "error": ""}], "unavailable": ""}                          out

A process of its own, so that whatever a service or its plugin does (hang, crash, log) does not reach the run, and is
over when its time is. Addresses come through the pipe, since arguments can be seen by everybody.
"""

import json
import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from apprise import NotifyBase

MISSING: Final = "the library that sends notifications is not installed; pip install 'milepost[notify]'"
NO_DESKTOP: Final = "nothing here can show a notification on the desktop (notify-send, or dbus-python for Apprise)"
_DESKTOPS: Final = ("macosx://", "dbus://", "gnome://")
_LAST_S: Final = 120
"""Nobody waits that long; a process whose parent was killed ends by itself."""
Sender = Callable[[str, str, str], str]
"""title, body, tone → the error; empty: it was sent."""


def main() -> None:
    """Read the job, do it, say what came of it."""
    signal.alarm(_LAST_S)
    job = json.load(sys.stdin)
    json.dump(work(str(job["url"]), job["notices"]), sys.stdout)


def work(url: str, notices: Sequence[Mapping[str, str]]) -> dict[str, object]:
    """Send them one after the other."""
    sender, problem = _desktop() if url == "desktop://" else _apprise(url)
    if sender is None:
        unavailable = problem if url == "desktop://" else ""
        return {"sent": [{"ok": False, "error": problem} for _ in notices], "unavailable": unavailable}
    errors = [sender(notice["title"], notice["body"], notice["tone"]) for notice in notices]
    return {"sent": [{"ok": not error, "error": error} for error in errors], "unavailable": ""}


def _apprise(url: str) -> tuple[Sender | None, str]:
    try:
        import apprise
    except ImportError:
        return None, MISSING
    heard = _Heard()
    plugin = apprise.Apprise.instantiate(url)
    if plugin is None:
        return None, heard.said() or "the address is of no service that Apprise knows"
    return _through(plugin, heard), ""


def _through(plugin: "NotifyBase", heard: "_Heard") -> Sender:
    from apprise import NotifyType

    def send(title: str, body: str, tone: str) -> str:
        heard.lines.clear()
        done = plugin.notify(body=body or title, title=title if body else "", notify_type=NotifyType(tone))
        return "" if done else heard.said() or "it was refused, without a reason"

    return send


def _desktop() -> tuple[Sender | None, str]:
    for url in _DESKTOPS:
        sender, _ = _apprise(url)
        if sender is not None:
            return sender, ""
    program = shutil.which("notify-send")
    return (None, NO_DESKTOP) if program is None else (_notify_send(program), "")


def _notify_send(program: str) -> Sender:
    def send(title: str, body: str, tone: str) -> str:
        urgency = "critical" if tone == "failure" else "normal"
        argv = [program, "--app-name=milepost", f"--urgency={urgency}", "--", title, body]
        done = subprocess.run(argv, capture_output=True, check=False)
        return "" if done.returncode == 0 else done.stderr.decode("utf-8", "replace").strip() or "notify-send failed"

    return send


class _Heard(logging.Handler):
    """What the library complained of; it says no reason otherwise."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        logging.getLogger("apprise").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(" ".join(record.getMessage().split()))

    def said(self) -> str:
        return "; ".join(dict.fromkeys(self.lines))


if __name__ == "__main__":
    main()
