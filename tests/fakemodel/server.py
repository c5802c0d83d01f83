"""The HTTP side: one thread per connection on loopback, a list of what was seen, exact sums."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, TracebackType
from typing import Any, NamedTuple, Self

from fakemodel import wire_anthropic, wire_chat, wire_gemini, wire_responses
from fakemodel.replies import Answer, Asked, Counted, Failing, Garbage, Hanging, Reply

_WIRES: dict[str, ModuleType] = {
    "openai": wire_chat,
    "openai-responses": wire_responses,
    "anthropic": wire_anthropic,
    "google": wire_gemini,
}


class Seen(NamedTuple):
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    size: int
    """Bytes of the body."""
    asked: Asked
    answer: Answer


class FakeModel:
    """The server. A context manager; `url` is there inside."""

    def __init__(self, script: Sequence[Answer] | Callable[[Asked], Answer]) -> None:
        self.seen: list[Seen] = []
        self.hung_up = threading.Event()
        """A client went away while it was being answered."""
        self._script = script
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def env(self, provider: str) -> dict[str, str]:
        """Base URL and a key for one of openai, openai-responses, anthropic, google."""
        keys = _WIRES[provider].KEYS
        return {keys["url"]: self.url + keys["path"], keys["key"]: "sk-not-a-real-key"}

    @property
    def usage(self) -> Counted:
        """Everything that complete answers were billed with."""
        total = Counted()
        for seen in self.seen:
            if isinstance(seen.answer, Reply) and not seen.answer.unfinished and seen.answer.cut_after is None:
                total = total.plus(seen.answer.usage)
        return total

    @property
    def received(self) -> int:
        """Bytes of all request bodies."""
        return sum(seen.size for seen in self.seen)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Handle one POST."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        wire = next((w for w in _WIRES.values() if any(p in handler.path for p in w.PATHS)), None)
        if wire is None:
            _send(handler, 404, json.dumps({"error": {"message": f"no such route {handler.path}"}}).encode())
            return
        asked = wire.parse(json.loads(body), handler.path)
        with self._lock:
            answer = self._due(asked)
            headers = {name.lower(): value for name, value in handler.headers.items()}
            self.seen.append(Seen(handler.path, headers, json.loads(body), len(body), asked, answer))
        self._give(handler, wire, asked, answer)

    def _due(self, asked: Asked) -> Answer:
        if callable(self._script):
            return self._script(asked)
        if len(self.seen) < len(self._script):
            return self._script[len(self.seen)]
        return Failing(400, f"the script has no reply number {len(self.seen) + 1}")

    def _give(self, handler: BaseHTTPRequestHandler, wire: ModuleType, asked: Asked, answer: Answer) -> None:
        match answer:
            case Failing(status=status, message=message, retry_after=after, headers=headers):
                more = dict(headers) | ({} if after is None else {"Retry-After": after})
                _send(handler, status, json.dumps(wire.failure(status, message)).encode(), headers=more)
            case Garbage(body=body, content_type=kind):
                _send(handler, 200, body, content_type=kind)
            case Hanging():
                self._wait_for_goodbye(handler)
            case Reply() if asked.stream:
                self._stream(handler, wire, asked, answer)
            case Reply():
                _send(handler, 200, json.dumps(wire.whole(asked, answer)).encode())

    def _stream(self, handler: BaseHTTPRequestHandler, wire: ModuleType, asked: Asked, reply: Reply) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for number, frame in enumerate(wire.frames(asked, reply)):
            if number == reply.hang_after:
                self._wait_for_goodbye(handler)
                return
            if number == reply.cut_after:
                handler.close_connection = True
                return
            time.sleep(reply.frame_s)
            handler.wfile.write(f"{len(frame):x}\r\n".encode() + frame + b"\r\n")
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    def _wait_for_goodbye(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.settimeout(0.02)
        while not self._closing.is_set():
            try:
                if not handler.connection.recv(1):
                    self.hung_up.set()
                    return
            except TimeoutError:
                continue
            except OSError:
                self.hung_up.set()
                return

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                try:
                    fake.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    fake.hung_up.set()
                    self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    *,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
