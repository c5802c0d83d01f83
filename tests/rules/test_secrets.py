"""Credentials taken out of text. All of these are made up."""

import json

import pytest

from milepost.rules.secrets import PATTERNS, find, redact

A = "Ab1" * 40
CASES = [
    ("private key", f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{A}\n-----END RSA PRIVATE KEY-----"),
    ("private key", f"-----BEGIN PRIVATE KEY-----\\n{A}\\n-----END PRIVATE KEY-----"),
    ("AWS access key", "AKIA" + "ABCDEFGH23456723"),
    ("AWS secret key", f"aws_secret_access_key = {A[:40]}"),
    ("GitHub token", "ghp_" + A[:36]),
    ("GitHub token", "github_pat_" + A[:60]),
    ("GitLab token", "glpat-" + A[:20]),
    ("Anthropic key", "sk-ant-api03-" + A[:80]),
    ("OpenAI key", "sk-" + A[:48]),
    ("OpenAI key", "sk-proj-" + A[:48]),
    ("Stripe key", "sk_live_" + A[:24]),
    ("Stripe webhook secret", "whsec_" + A[:32]),
    ("Google key", "AIza" + A[:35]),
    ("Google token", "ya29." + A[:30]),
    ("Slack token", "xoxb-123456789012-" + A[:24]),
    ("Slack webhook", "https://hooks.slack.com/services/T00000000/B00000000/" + A[:24]),
    ("Discord webhook", "https://discord.com/api/webhooks/123456789012345678/" + A[:60]),
    ("Telegram token", "123456789:AA" + A[:33]),
    ("npm token", "npm_" + A[:36]),
    ("PyPI token", "pypi-" + A[:60]),
    ("Hugging Face token", "hf_" + A[:34]),
    ("Groq key", "gsk_" + A[:52]),
    ("xAI key", "xai-" + A[:80]),
    ("SendGrid key", f"SG.{A[:22]}.{A[:43]}"),
    ("DigitalOcean token", "dop_v1_" + "0a" * 32),
    ("Databricks token", "dapi" + "0a" * 16),
    ("Azure storage key", f"AccountKey={A[:86]}=="),
    ("JSON web token", f"eyJ{A[:20]}.eyJ{A[:30]}.{A[:40]}"),
    ("bearer token", f"Authorization: Bearer {A[:32]}"),
    ("password in a URL", "postgres://app:hunter22@db.example/x"),
    ("assigned secret", "MY_SERVICE_TOKEN=abcdef123456789"),
]


@pytest.mark.parametrize(("kind", "text"), CASES, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(CASES)])
def test_each_shape(kind: str, text: str) -> None:
    line = f'before "{text}" after'
    cleaned = redact(line)
    assert f"[redacted: {kind}]" in cleaned
    assert cleaned.startswith('before "')
    assert cleaned.endswith('" after')
    assert A[:20] not in cleaned
    assert redact(cleaned) == cleaned
    assert [finding.kind for finding in find(line)] == [kind]


def test_every_pattern_has_a_case() -> None:
    assert {pattern.kind for pattern in PATTERNS} == {kind for kind, _ in CASES}


@pytest.mark.parametrize("text", [text for _, text in CASES])
def test_a_json_line_stays_json(text: str) -> None:
    line = json.dumps({"a": text, "b": [f"x {text} y"], "c": "end"})
    cleaned = json.loads(redact(line))
    assert cleaned["c"] == "end"
    assert A[:20] not in json.dumps(cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "the task-list is done",
        "class='sk-circle-fade-dot spinner'",
        "disk-usage-of-everything-on-this-machine",
        "token = request.headers.get('Authorization')",
        "API_KEY=$OPENAI_API_KEY",
        "https://example.com/a:b@c",
        "git@github.com:owner/name.git",
        "commit 4f2c1d9e8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d",
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "Bearer tokens are long",
    ],
)
def test_innocent_text_stays(text: str) -> None:
    assert redact(text) == text
    assert find(text) == ()


def test_known_values_go_wherever_they_stand() -> None:
    value = 'p"w\\d-value'
    assert value not in redact(f"x{value}y", [value])
    line = json.dumps({"out": f"key is {value}!"})
    assert json.loads(redact(line, [value])) == {"out": "key is [redacted: known value]!"}


def test_short_known_values_do_not_eat_words() -> None:
    assert redact("a test of text", ["te", ""]) == "a test of text"


def test_lines_are_counted() -> None:
    findings = find(f"one\ntwo ghp_{A[:36]}\nthree npm_{A[:36]}\n")
    assert [(finding.kind, finding.line) for finding in findings] == [("GitHub token", 2), ("npm token", 3)]
