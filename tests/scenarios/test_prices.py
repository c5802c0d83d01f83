"""`gsd prices`: the table, what the preferences say instead, and newer data only when it is asked for."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fakemodel.replies import ByPrompt, Counted, Reply
from fakemodel.server import FakeModel
from scenarios.stage import Stage
from ui.command import run

NEWER = json.dumps(
    [
        {
            "id": "openai",
            "name": "OpenAI",
            "api_pattern": "https://api\\.openai\\.com",
            "models": [
                {
                    "id": "gpt-5.5",
                    "match": {"equals": "gpt-5.5"},
                    "prices": {"input_mtok": 1000, "output_mtok": 3000, "cache_read_mtok": 10},
                }
            ],
        }
    ]
).encode()


@contextmanager
def serving(body: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A server of one file on loopback: its address, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/data.json", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def project(stage: Stage) -> Path:
    return stage.make().root


def prefer(project: Path, *lines: str) -> None:
    (project / ".gsd" / "PREFERENCES.md").write_text("\n".join(["---", *lines, "---", ""]))


@pytest.mark.covers("command:prices")
def test_a_price_and_who_says_so(project: Path) -> None:
    prefer(
        project,
        "prices: {ollama/*: {input: 0, output: 0}, gpt-5.5: {input: 1, output: 2, cache_read: 0.5}}",
        "billing: {flat_rate: ['plan/*']}",
    )
    found = run("prices", "claude-sonnet-5-5", "ollama/qwen3", "gpt-5.5", "plan/x", "nobody/knows", cwd=project)
    assert found.code == 0, found.err
    rows = {line.split("  ")[0]: line for line in found.out.splitlines()}
    assert rows["claude-sonnet-5-5"].endswith("table")
    assert "$" in rows["claude-sonnet-5-5"]
    assert rows["ollama/qwen3"].endswith("preferences (ollama/*)")
    assert "$0" in rows["ollama/qwen3"]
    assert "$0.5" in rows["gpt-5.5"]
    assert rows["plan/x"].endswith("flat rate (plan/*)")
    assert rows["nobody/knows"].endswith("unknown price")
    assert "Table: genai-prices" in found.out
    seen = json.loads(run("prices", "local/x", "--json", cwd=project).out)
    assert seen["models"][0]["source"] is None
    assert seen["table"]["models"] > 100


def test_without_a_name_those_of_the_project(project: Path, tmp_path: Path) -> None:
    prefer(project, "models: {execution: claude-haiku-5-5}")
    assert "claude-haiku-5-5" in run("prices", cwd=project).out
    outside = run("prices", "o3", cwd=tmp_path)
    assert (outside.code, "o3" in outside.out) == (0, True)


@pytest.mark.covers("command:prices")
def test_newer_prices_are_fetched_on_request_and_count(stage: Stage) -> None:
    stage.make()
    before = stage.gsd("prices", "gpt-5.5").require(0).out
    assert "$1000" not in before
    with serving(NEWER) as (url, asked):
        told = stage.gsd("prices", "update", "--from", url).require(0).out
        assert f"from {url}, " in told
        assert asked == ["/data.json"]
        after = stage.gsd("prices", "gpt-5.5").require(0).out
        assert "$1000" in after
        assert asked == ["/data.json"]
    with FakeModel(
        ByPrompt({"": [Reply(text="Done.", usage=Counted(input=1000, output=100, cache_read=50, cache_write=0))]})
    ) as server:
        stage.gsd("auto", "--model", "openai/gpt-5.5", "--max-units", "1", **server.env("openai"))
    booked = stage.events("usage-reported")
    assert booked
    assert all(one["input"] for one in booked)
    for one in booked:
        dollars = int(one["input"]) * 1000 + int(one["output"]) * 3000 + int(one["cacheRead"]) * 10  # type: ignore[call-overload]
        assert one["microUsd"] == dollars


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [(b"{}", 200, "is no price table"), (b"[]", 200, "it lists no model"), (b"<html>", 200, "is no price table"),
     (NEWER, 500, "500")],
    ids=["object", "empty", "page", "error"],
)  # fmt: skip
def test_what_is_no_table_changes_nothing(project: Path, body: bytes, status: int, word: str) -> None:
    with serving(NEWER) as (url, _):
        assert run("prices", "update", "--from", url, cwd=project).code == 0
    with serving(body, status) as (url, _):
        refused = run("prices", "update", "--from", url, cwd=project)
    assert refused.code == 1
    assert word in refused.err
    assert "Traceback" not in refused.err
    assert "$1000" in run("prices", "gpt-5.5", cwd=project).out


def test_nobody_there(project: Path) -> None:
    refused = run("prices", "update", "--from", "http://127.0.0.1:9/data.json", cwd=project)
    assert refused.code == 1
    assert "no prices from http://127.0.0.1:9/data.json" in refused.err


def test_a_damaged_file_does_not_count_and_is_named(project: Path) -> None:
    home = Path(os.environ.get("GSD_HOME") or Path.home() / ".gsd")
    home.mkdir(parents=True, exist_ok=True)
    (home / "prices.json").write_text("{")
    found = run("prices", "gpt-5.5", cwd=project)
    assert found.code == 0
    assert "prices.json cannot be read" in found.out
    assert "table" in found.out
    assert run("prices", "--from", "http://x", cwd=project).code == 1
