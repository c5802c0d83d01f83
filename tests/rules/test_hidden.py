"""Which values of `.env` are redacted: keys and passwords, never words that stand everywhere."""

import pytest

from milepost.rules.hidden import hidden


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_API_KEY", "qk9-ZZtop-11xx22"),
        ("JWT_SECRET", "c2VjcmV0IQ=="),
        ("DB_PASSWORD", "tr0ub4dor&3"),
        ("DB_PASS", "correct horse battery staple"),
        ("GITHUB_TOKEN", "abcdefghijklmnopqrst"),
        ("github_token_2", "0a1b2c3d4e5f"),
        ("SESSION_SALT", "%%salt9871"),
    ],
)
def test_what_a_name_says_is_secret(name: str, value: str) -> None:
    assert hidden({name: value}) == (value,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG_TOKEN", "true"),
        ("PORT", "3000"),
        ("AUTH", "localhost"),
        ("SECRET_KEY", "development"),
        ("API_KEY", "your-api-key-here"),
        ("API_KEY", "changeme"),
        ("API_KEY", "<paste it here>"),
        ("API_KEY", "abc1234"),
        ("PASSWORD", "password"),
        ("TOKEN_TTL", "86400seconds"),
        ("KEY_PREFIX", "users:cache:1"),
        ("SSH_KEY", "/home/ada/.ssh/id_ed25519"),
        ("SSH_KEY", "~/.ssh/id_ed25519"),
        ("SIGNING_KEY", "certs/signing.pem"),
        ("AUTH", "auth.example.com"),
        ("AUTH", "localhost:8080"),
        ("CACHE_TOKEN", "1763760000000"),
        ("AUTH_TOKEN", "https://auth.example.com/token"),
        ("DATABASE_URL", "postgres://localhost/app_development"),
        ("APP_NAME", "qk9-ZZtop-11xx22"),
        ("NEXT_PUBLIC_STRIPE_KEY", "qk9-ZZtop-11xx22"),
    ],
)
def test_what_stands_in_ordinary_text_is_left_alone(name: str, value: str) -> None:
    assert hidden({name: value}) == ()


def test_of_an_address_the_password_counts_whatever_it_is_called() -> None:
    assert hidden({"DATABASE_URL": "postgres://app:tr0ub4dor3@db:5432/app"}) == ("tr0ub4dor3",)
    assert hidden({"SLACK_WEBHOOK_URL": "https://hooks.example/T1/B2/x9"}) == ("https://hooks.example/T1/B2/x9",)


def test_what_a_manifest_asks_for_is_secret_under_any_name() -> None:
    values = {"SEARCH": "qk9-ZZtop-11xx22", "REGION": "frankfurt"}
    assert hidden(values, named={"SEARCH", "REGION"}) == ("qk9-ZZtop-11xx22",)
    assert hidden(values) == ()


def test_what_is_handed_out_with_the_code_is_a_placeholder() -> None:
    assert hidden({"API_KEY": "dev-0000-1111"}, examples={"dev-0000-1111"}) == ()
