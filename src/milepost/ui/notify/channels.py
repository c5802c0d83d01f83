"""Slack, Discord and Telegram: put a question into one channel, and read what people reply to it.

    Slack      chat.postMessage          conversations.replies     an answer is a reply in the thread
    Discord    POST …/messages           GET …/messages?after=     a reply to the message
    Telegram   sendMessage, force_reply  getUpdates                a reply to the message

Only replies to the question's own message count, so that two runs can ask in one channel; what bots say does not.
Telegram's updates are read without confirming them: several runs may share one bot.
"""

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol

from milepost.ui.notify.web import Request, ServiceFailed, call

_MOST: Final = 1900
"""Characters of a message; Discord takes 2000."""
_SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""Without this, words of a model could address everybody (`<!channel>`)."""


class Channel(Protocol):
    """A place where people can be asked. All methods block, and raise ServiceFailed."""

    def post(self, text: str, under: str = "") -> str:
        """Say something, `under` a message or by itself; the new message's id."""
        ...

    def replies(self, message: str) -> tuple[str, ...]:
        """What people replied to it, oldest first."""
        ...


class Slack:
    """A bot token with `chat:write` and `channels:history` (`groups:history` for a private channel)."""

    def __init__(self, token: str, channel: str, base: str = "https://slack.com/api") -> None:
        self._channel, self._base = channel, base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    def post(self, text: str, under: str = "") -> str:
        """See `Channel`."""
        thread = {"thread_ts": under} if under else {}
        body = {"channel": self._channel, "text": _short(text).translate(_SLACK), **thread}
        told = self._ask(Request(f"{self._base}/chat.postMessage", self._headers, body))
        return _text(told, "ts")

    def replies(self, message: str) -> tuple[str, ...]:
        """See `Channel`."""
        query = {"channel": self._channel, "ts": message, "limit": 200}
        told = self._ask(Request(f"{self._base}/conversations.replies", self._headers, query=query))
        said = (each for each in _objects(told.get("messages")) if each.get("ts") != message)
        return tuple(html.unescape(_text(each, "text")) for each in said if each.get("user") and not each.get("bot_id"))

    def _ask(self, request: Request) -> Mapping[str, object]:
        told = _object(call(request))
        if told.get("ok") is not True:
            raise ServiceFailed(str(told.get("error") or "it refused, without a reason"))
        return told


class Discord:
    """A bot that may read and write in the channel."""

    def __init__(self, token: str, channel: str, base: str = "https://discord.com/api/v10") -> None:
        self._url = f"{base.rstrip('/')}/channels/{channel}/messages"
        self._headers = {"Authorization": f"Bot {token}"}

    def post(self, text: str, under: str = "") -> str:
        """See `Channel`."""
        reference = {"message_reference": {"message_id": under, "fail_if_not_exists": False}} if under else {}
        body = {"content": _short(text), "allowed_mentions": {"parse": []}, **reference}
        return _text(_object(call(Request(self._url, self._headers, body))), "id")

    def replies(self, message: str) -> tuple[str, ...]:
        """See `Channel`."""
        told = call(Request(self._url, self._headers, query={"after": message, "limit": 100}))
        said = (each for each in reversed([*_objects(told)]) if not _object(each.get("author")).get("bot"))
        return tuple(
            _text(each, "content")
            for each in said
            if _object(each.get("message_reference")).get("message_id") == message
        )


class Telegram:
    """A bot that is in the chat."""

    def __init__(self, token: str, channel: str, base: str = "https://api.telegram.org") -> None:
        self._channel = channel
        self._url = f"{base.rstrip('/')}/bot{token}"

    def post(self, text: str, under: str = "") -> str:
        """See `Channel`."""
        below: dict[str, object] = {"reply_markup": {"force_reply": True}}
        if under:
            below = {"reply_parameters": {"message_id": int(under), "allow_sending_without_reply": True}}
        body = {"chat_id": self._channel, "text": _short(text), **below}
        told = _object(call(Request(f"{self._url}/sendMessage", body=body)))
        return str(_object(told.get("result")).get("message_id") or "")

    def replies(self, message: str) -> tuple[str, ...]:
        """See `Channel`."""
        query = {"offset": -100, "timeout": 0, "allowed_updates": '["message"]'}
        told = _object(call(Request(f"{self._url}/getUpdates", query=query)))
        return tuple(self._read(_objects(told.get("result")), message))

    def _read(self, updates: Iterable[Mapping[str, object]], message: str) -> Iterator[str]:
        for update in updates:
            said = _object(update.get("message"))
            asked, chat = _object(said.get("reply_to_message")), _object(said.get("chat"))
            here = self._channel in (str(chat.get("id")), f"@{chat.get('username')}")
            if here and str(asked.get("message_id")) == message and not _object(said.get("from")).get("is_bot"):
                yield _text(said, "text")


KINDS: Final[Mapping[str, tuple[str, str, Callable[..., Channel]]]] = {
    "slack": ("SLACK_BOT_TOKEN", "SLACK_API_URL", Slack),
    "discord": ("DISCORD_BOT_TOKEN", "DISCORD_API_URL", Discord),
    "telegram": ("TELEGRAM_BOT_TOKEN", "TELEGRAM_API_URL", Telegram),
}
"""`remote_questions.channel` → the variable of its token, that of another address than the public one, and what
speaks to it."""


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _text(value: Mapping[str, object], name: str) -> str:
    return str(value.get(name) or "")
