"""A package index on loopback, as PEP 691 and PEP 503 describe them."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

JSON, HTML = "application/vnd.pypi.simple.v1+json", "text/html"


@dataclass(kw_only=True)
class Index:
    """What it offers, and what was asked of it."""

    files: dict[str, Mapping[str, object]] = field(default_factory=dict)
    """Name to `requires-python`, `yanked`."""
    kind: str = JSON
    password: str = ""
    """`name:password` that it wants; empty: none."""
    status: int = 200
    box: Path = Path("/nowhere")
    """Where the files lie that are fetched."""
    asked: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.password + '@' if self.password else ''}{self.address}/simple"

    def page(self) -> bytes:
        if self.kind == HTML:
            return "".join(_link(name, said) for name, said in self.files.items()).encode()
        listed = [
            {"filename": name, "url": f"../../files/{name}", "hashes": {}, **said} for name, said in self.files.items()
        ]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": "milepost", "files": listed}).encode()


def _link(name: str, said: Mapping[str, object]) -> str:
    python = (
        f' data-requires-python="{said["requires-python"]}"'.replace(">", "&gt;", 1)
        if "requires-python" in said
        else ""
    )
    return f'<a href="../../files/{name}#sha256=0"{python}{" data-yanked" if said.get("yanked") else ""}>{name}</a>\n'


@contextmanager
def serving(index: Index) -> Iterator[Index]:
    """It answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            wanted = "Basic " + base64.b64encode(index.password.encode()).decode()
            if index.password and self.headers.get("Authorization") != wanted:
                self.answer(401, b"", HTML)
            elif self.path == "/simple/milepost/":
                self.answer(index.status, index.page(), index.kind)
            elif self.path.startswith("/files/"):
                self.answer(200, (index.box / self.path.removeprefix("/files/")).read_bytes(), "application/zip")
            else:
                self.answer(404, b"", HTML)

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
