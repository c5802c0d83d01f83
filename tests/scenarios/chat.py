"""Loopback servers that answer like Slack, Discord and Telegram, with a channel in which somebody may reply."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "xoxb-secret-token"
CHANNEL = "4711"
Message = dict[str, object]


class Chat:
    """One service with one channel."""

    def __init__(self, kind: str, answers: Sequence[str] = ()) -> None:
        """answers: what a person replies to the first, second, … question; empty: nothing."""
        self.kind = kind
        self.answers = list(answers)
        self.posted: list[dict[str, object]] = []
        """Bodies of all that was said by the bot."""
        self.tokens: list[str] = []
        self.looks = 0
        self.busy = 0
        """So many looks are refused first."""
        self.broken = ""
        """The reason with which messages are refused."""
        self.noise: list[Message] = []
        self._messages: list[Message] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._say(*chat.post(self._path(), body))

            def do_GET(self) -> None:
                self._say(*chat.get(self._path(), {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}))

            def _path(self) -> str:
                chat.tokens.append(self.headers.get("Authorization") or self.path.split("/")[1])
                return urlsplit(self.path).path

            def _say(self, code: int, body: object) -> None:
                text = json.dumps(body).encode()
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def env(self) -> dict[str, str]:
        """The token, and the address of this server."""
        name = self.kind.upper()
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {f"{name}_BOT_TOKEN": TOKEN, f"{name}_API_URL": url}

    @property
    def texts(self) -> list[str]:
        return [str(body.get("text") or body.get("content")) for body in self.posted]

    @contextmanager
    def listening(self) -> Iterator["Chat"]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def post(self, path: str, body: dict[str, object]) -> tuple[int, object]:
        if self.broken == "redirect":
            return 302, {}
        if self.broken:
            return (200, {"ok": False, "error": self.broken}) if self.kind == "slack" else (403, {"message": self.broken, "description": self.broken})  # fmt: skip
        self.posted.append(body)
        name = str(1000 + len(self.posted))
        under = body.get("thread_ts") or body.get("message_reference") or body.get("reply_parameters")
        if not under:
            self._messages.append({"id": name, "bot": True, "under": "", "text": "asked"})
            self._messages += [{"bot": False, "under": "", "text": "9 (no reply)"}, *self.noise]
            if self.answers and (answer := self.answers.pop(0)):
                self._messages.append({"bot": True, "under": name, "text": "1"})
                self._messages.append({"bot": False, "under": name, "text": answer})
        match self.kind:
            case "slack":
                assert path == "/chat.postMessage" and body["channel"] == CHANNEL
                return 200, {"ok": True, "ts": name}
            case "discord":
                assert path == f"/channels/{CHANNEL}/messages" and body["allowed_mentions"] == {"parse": []}
                return 200, {"id": name}
            case _:
                assert path == f"/bot{TOKEN}/sendMessage" and body["chat_id"] == CHANNEL
                return 200, {"ok": True, "result": {"message_id": int(name)}}

    def get(self, path: str, query: dict[str, str]) -> tuple[int, object]:
        self.looks += 1
        if self.looks <= self.busy:
            return 429, {"retry_after": 1, "parameters": {"retry_after": 1}}
        match self.kind:
            case "slack":
                assert path == "/conversations.replies" and query["channel"] == CHANNEL
                found = [m for m in self._messages if query["ts"] in (m.get("id"), m["under"])]
                return 200, {"ok": True, "messages": [self._slack(m) for m in found]}
            case "discord":
                assert path == f"/channels/{CHANNEL}/messages"
                later = [m for m in self._messages if m.get("id") != query["after"]]
                return 200, [self._discord(m) for m in reversed(later)]
            case _:
                assert path == f"/bot{TOKEN}/getUpdates" and int(query.get("offset", "-1")) < 0, "nothing is confirmed"
                return 200, {"ok": True, "result": [{"update_id": 1, "message": self._telegram(m)} for m in self._messages]}  # fmt: skip

    def _slack(self, message: Message) -> Message:
        who = {"bot_id": "B1", "user": "U0"} if message["bot"] else {"user": "U1"}
        return {"ts": message.get("id", "9999"), "text": str(message["text"]).replace("&", "&amp;"), **who}

    def _discord(self, message: Message) -> Message:
        under = {"message_reference": {"message_id": message["under"]}} if message["under"] else {}
        return {"id": "9999", "content": message["text"], "author": {"bot": message["bot"]}, **under}

    def _telegram(self, message: Message) -> Message:
        under = {"reply_to_message": {"message_id": int(str(message["under"]))}} if message["under"] else {}
        chat = {"id": int(str(message.get("chat", CHANNEL)))}
        return {"message_id": 9999, "text": message["text"], "chat": chat, "from": {"is_bot": message["bot"]}, **under}
