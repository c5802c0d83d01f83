"""The environment of commands that an agent or a gate runs: the user's, without what only we may know.

Names decide, not values. A project may need any variable, so this takes away rather than admits: provider
keys and settings, whatever is called a token or a secret, `GIT_*` (it would send git to another repository),
and our own switches, except the one that says "inside a parallel worker": a command there may start no other fleet
(parallel PR-174). What remains is set so that nothing waits for a person. `CI` is set for gates only: it
keeps test runners out of their watch mode, but would also keep an agent from writing a first snapshot.
"""

import re
from collections.abc import Collection, Mapping

from milepost.process.kin import MARK

_PREFIXES = (
    *("ANTHROPIC_", "OPENAI_", "GOOGLE_", "GEMINI_", "AZURE_", "AWS_", "MISTRAL_", "GROQ_", "XAI_", "COHERE_"),
    *("OPENROUTER_", "DEEPSEEK_", "CLAUDE_", "CLAUDECODE", "CODEX_", "COPILOT_", "CURSOR_"),
    *("GIT_", "GSD_", "SF_", "MILEPOST_", "SSH_AUTH_", "SSH_AGENT_", "GPG_"),
)
_SECRET = re.compile(
    r"(^|_)(TOKEN|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEYS?|ACCESS_?KEY|PRIVATE_?KEY|"
    r"SIGNING_?KEY|ENCRYPTION_?KEY|AUTH_?KEY|PAT|COOKIE)(_|\d*$)"
)
_KEPT = frozenset({MARK, "GSD_PARALLEL_WORKER", "SF_PARALLEL_WORKER"})
_STARTUP = frozenset({"BASH_ENV", "ENV", "PROMPT_COMMAND", "PYTHONSTARTUP", "PYTHONINSPECT"})
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "true",
    "GCM_INTERACTIVE": "never",
    "PAGER": "cat",
    "EDITOR": "true",
    "VISUAL": "true",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_NO_INPUT": "1",
}


def scrubbed(
    env: Mapping[str, str], *, extra: Mapping[str, str] | None = None, keep: Collection[str] = ()
) -> dict[str, str]:
    """`env` for a command: without credentials and leads to other repositories, and never asking a person.

    keep: names the user allows although they look like credentials. extra: set last, as given.
    """
    open_to_all = {name: value for name, value in env.items() if name in keep or not withheld(name)}
    return {**open_to_all, **_QUIET, **(extra or {})}


def for_gate(env: Mapping[str, str]) -> dict[str, str]:
    """`env` of a gate: as in continuous integration, and with output that is not lost when it hangs."""
    return {"CI": "1", "PYTHONUNBUFFERED": "1", **env}


def withheld(name: str) -> bool:
    """Whether a variable of that name is kept from commands."""
    upper = name.upper()
    if upper in _KEPT:
        return False
    return upper in _STARTUP or upper.startswith(_PREFIXES) or bool(_SECRET.search(upper))
