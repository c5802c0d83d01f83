import pytest

from milepost.process.environment import for_gate, scrubbed, withheld


@pytest.mark.parametrize(
    "name",
    [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_ORG_ID",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GEMINI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "HF_TOKEN",
        "NPM_TOKEN",
        "SOME_API_KEY_2",
        "some_api_key",
        "TAVILY_APIKEY",
        "DB_PASSWORD",
        "APP_SECRET",
        "SECRET_KEY",
        "SSH_AUTH_SOCK",
        "GIT_DIR",
        "GIT_AUTHOR_NAME",
        "GSD_MILESTONE_LOCK",
        "SF_DEBUG",
        "MILEPOST_RUN",
        "CLAUDECODE",
        "BASH_ENV",
    ],
)
def test_withheld(name: str) -> None:
    assert withheld(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "LANG",
        "TERM",
        "TMPDIR",
        "VIRTUAL_ENV",
        "HTTPS_PROXY",
        "NO_PROXY",
        "npm_config_registry",
        "PIP_INDEX_URL",
        "UV_CACHE_DIR",
        "CARGO_HOME",
        "DATABASE_URL",
        "MAX_TOKENS",
        "TOKENIZERS_PARALLELISM",
        "NODE_ENV",
        "KEYBOARD",
        "PATH_TO_X",
        "MILEPOST_SPAWN",
        "GSD_PARALLEL_WORKER",
        "SF_PARALLEL_WORKER",
    ],
)
def test_given(name: str) -> None:
    assert not withheld(name)


def test_nothing_asks_a_person() -> None:
    env = scrubbed({"PATH": "/bin", "PAGER": "less", "GIT_DIR": "/else", "OPENAI_API_KEY": "k"})
    assert (env["PATH"], env["PAGER"], env["GIT_TERMINAL_PROMPT"]) == ("/bin", "cat", "0")
    assert not {"GIT_DIR", "OPENAI_API_KEY", "CI"} & env.keys()


def test_what_the_user_allows_and_what_is_added() -> None:
    env = scrubbed({"NPM_TOKEN": "t", "HF_TOKEN": "h"}, keep=["NPM_TOKEN"], extra={"PAGER": "more", "GSD_X": "1"})
    assert (env["NPM_TOKEN"], env["PAGER"], env["GSD_X"]) == ("t", "more", "1")
    assert "HF_TOKEN" not in env


def test_a_gate_runs_as_in_continuous_integration_unless_told_otherwise() -> None:
    assert for_gate({})["CI"] == "1"
    assert for_gate({"CI": "false"})["CI"] == "false"
