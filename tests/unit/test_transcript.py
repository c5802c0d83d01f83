"""What was said and done in one session, readable after any crash."""

import json
from pathlib import Path

import pytest

from milepost.agents.session import (
    Ended,
    ErrorKind,
    Event,
    SessionError,
    Stop,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Usage,
)
from milepost.unit.transcript import Transcript
from store.children import in_child, limit_files_to
from unit.workbench import START_MS, TASK


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def messages(path: Path) -> list[dict[str, object]]:
    return [found["message"] for found in lines(path) if found["type"] == "message"]  # type: ignore[misc]


def told(tmp_path: Path, *events: Event, secrets: tuple[str, ...] = ()) -> Path:
    with Transcript(tmp_path, TASK, known_secrets=secrets) as transcript:
        for event in events:
            transcript.add(event)
    return transcript.path


def test_the_head_and_the_prompt(tmp_path: Path) -> None:
    with Transcript(tmp_path, TASK) as transcript:
        transcript.begin(attempt="a-1", unit=TASK, cwd=Path("/w"), at_ms=START_MS, prompt="Do it.")
        head, prompt = lines(transcript.path)
    assert (head["type"], head["version"], head["id"], head["cwd"]) == ("session", 1, "a-1", "/w")
    assert head["timestamp"] == "2025-11-21T21:20:00.000Z"
    assert head["unit"] == "execute-task M001/S01/T01"
    assert prompt["message"] == {"role": "user", "content": [{"type": "text", "text": "Do it."}]}


def test_names_are_numbered_and_never_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "activity").mkdir()
    for name in ("007-plan-slice-M001-S01.jsonl", "notes.txt", "x-1.jsonl"):
        (tmp_path / "activity" / name).touch()
    with Transcript(tmp_path, TASK) as one, Transcript(tmp_path, TASK) as other:
        assert one.path.name == "008-execute-task-M001-S01-T01.jsonl"
        assert other.path.name == "009-execute-task-M001-S01-T01.jsonl"


def test_streamed_words_are_one_message_until_a_request_is_over(tmp_path: Path) -> None:
    path = told(
        tmp_path, Thought(text="hm"), Thought(text=", so"), Text(text="I "), Text(text="write."),
        ToolCall(id="c1", name="write", args={"path": "a"}),
        Usage(model="m", input=5, output=2, cache_read=1, micro_usd=1500),
        ToolResult(id="c1", name="write", ok=False, text="refused", refused=True), Text(text="Sorry."),
        Ended(stop=Stop.END, requests=1, tool_calls=1),
    )  # fmt: skip
    first, result, last = messages(path)
    assert first["content"] == [
        {"type": "thinking", "thinking": "hm, so"},
        {"type": "text", "text": "I write."},
        {"type": "toolCall", "id": "c1", "name": "write", "arguments": {"path": "a"}},
    ]
    usage = first["usage"]
    assert isinstance(usage, dict)
    assert (usage["totalTokens"], usage["cost"], usage["model"]) == (8, {"total": 0.0015}, "m")
    assert result["role"] == "toolResult"
    assert (result["toolCallId"], result["isError"]) == ("c1", True)
    assert last == {"role": "assistant", "content": [{"type": "text", "text": "Sorry."}]}
    assert lines(path)[-1] == {"type": "end", "stopReason": "end"}


def test_a_price_nobody_knows_is_null(tmp_path: Path) -> None:
    [message] = messages(told(tmp_path, Usage(model="m", input=5, output=2)))
    assert isinstance(message["usage"], dict)
    assert message["usage"]["cost"] is None


def test_an_error_is_named(tmp_path: Path) -> None:
    error = SessionError(kind=ErrorKind.RATE_LIMIT, text="slow down")
    assert lines(told(tmp_path, Ended(stop=Stop.ERROR, error=error)))[-1] == {
        "type": "end", "stopReason": "error", "errorKind": str(ErrorKind.RATE_LIMIT), "errorMessage": "slow down",
    }  # fmt: skip


def test_every_entry_is_on_disk_before_the_next_event(tmp_path: Path) -> None:
    with Transcript(tmp_path, TASK) as transcript:
        transcript.add(ToolCall(id="c", name="shell", args={"command": "make"}))
        transcript.add(Usage(model="m", input=1, output=1))
        assert len(messages(transcript.path)) == 1
        transcript.add(Text(text="cut off"))
        assert len(messages(transcript.path)) == 1
    assert messages(transcript.path)[-1]["content"] == [{"type": "text", "text": "cut off"}]


SECRET = 'pa"ss\\word\nof two lines'


@pytest.mark.parametrize("secret", ["hunter2-hunter2", SECRET])
def test_credentials_never_reach_the_disk_and_lines_stay_json(secret: str, tmp_path: Path) -> None:
    key = "sk-ant-" + "a1b2" * 12
    path = told(
        tmp_path, Text(text=f"The key is {secret[:5]}"), Text(text=f"{secret[5:]}."),
        ToolCall(id="c", name="shell", args={"command": f"curl -H 'Authorization: Bearer {key}' x"}),
        ToolResult(id="c", name="shell", ok=True, text=f"OPENAI_API_KEY={key}\nhttps://me:{key}@host/"),
        secrets=(secret,),
    )  # fmt: skip
    text = path.read_text()
    assert len(messages(path)) == 2
    assert key not in text
    assert secret.splitlines()[-1] not in text


def test_text_that_is_no_utf8_is_written_all_the_same(tmp_path: Path) -> None:
    with Transcript(tmp_path, TASK) as transcript:
        transcript.begin(attempt="a", unit=TASK, cwd=Path("/w\udcff"), at_ms=START_MS, prompt="caf\udce9")
        transcript.add(Text(text="\ud83d"))
    _, prompt, said = lines(transcript.path)
    assert "caf?" in json.dumps(prompt)
    assert said["type"] == "message"


def test_a_full_disk_is_an_oserror_and_the_file_is_closed(tmp_path: Path) -> None:
    def work() -> None:
        limit_files_to(2_000)
        long = [ToolResult(id="c", name="read", ok=True, text="x" * 500)] * 10
        with pytest.raises(OSError, match="too large"):
            told(tmp_path, *long)

    assert in_child(work) == 0
    [path] = (tmp_path / "activity").iterdir()
    assert len(path.read_text().splitlines()) >= 3
