"""A loopback HTTP server that takes notifications (Apprise's `json://`) and keeps them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """What arrived, and how it is answered."""

    def __init__(self) -> None:
        self.status = 200
        self.hold = threading.Event()
        """Set: requests are answered at once. The server clears nothing by itself."""
        self.hold.set()
        self.got: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.got.append(body)
                outer.hold.wait(60)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """An address with something secret in it."""
        return f"json://127.0.0.1:{self.port}/hooks/s3cretpart"

    @property
    def titles(self) -> list[str]:
        return [each["title"] for each in self.got]

    def said(self, words: str) -> list[dict[str, str]]:
        return [each for each in self.got if words in each["title"] or words in each["message"]]

    @contextmanager
    def listening(self) -> Iterator["Receiver"]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.hold.set()
            self._server.shutdown()
            self._server.server_close()
