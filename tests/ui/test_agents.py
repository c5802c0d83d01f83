"""Who works in a run, and with which models."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from milepost.agents.choose import UnknownAgent
from milepost.errors import FormatError
from milepost.formats.preferences import ModelChoice, Preferences
from milepost.model.units import UnitKind
from milepost.testing.scripted import ScriptedAgent
from milepost.ui.cli import agents
from milepost.ui.cli.agents import NoModel, Wanted


def wanted(agent: str = "builtin", model: str | None = None, record: Path | None = None) -> Wanted:
    return Wanted(agent=agent, model=model, record=record, pace_s=0.0)


KEYS = [(variable, name) for name, variables, _ in agents.DEFAULTS for variable in variables]


@pytest.mark.parametrize(("variable", "provider"), KEYS)
def test_a_key_names_its_provider_and_a_model(variable: str, provider: str) -> None:
    env = {variable: "qwen3"}
    assert agents.providers(env) == {provider}
    assert agents.providers({variable: ""}) == frozenset()
    model = agents.default_model(env)
    assert model == ("ollama/qwen3" if provider == "ollama" else {n: m for n, _, m in agents.DEFAULTS}[provider])


def test_the_first_provider_with_a_key_is_taken() -> None:
    assert agents.default_model({"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b"}) == agents.DEFAULTS[0][2]
    assert agents.default_model({}) == ""


def test_a_model_of_the_command_line_is_for_every_unit() -> None:
    found = agents.models(wanted(model="big"), Preferences(models={"planning": ModelChoice(model="other")}), {})
    assert found == {str(kind): ("big",) for kind in UnitKind}


def test_the_settings_choose_and_the_default_is_last() -> None:
    settings = Preferences(models={"planning": ModelChoice(model="opus", fallbacks=("gpt",))})
    found = agents.models(wanted(), settings, {"ANTHROPIC_API_KEY": "x"})
    default = agents.DEFAULTS[0][2]
    assert found["plan-slice"] == ("opus", "gpt", default)
    assert found["run-uat"][-1] == default


def test_without_a_key_and_a_model_nothing_is_started() -> None:
    make = agents.maker(wanted(), agents.models(wanted(), Preferences(), {}), {})
    with pytest.raises(NoModel) as raised:
        make({})
    assert "ANTHROPIC_API_KEY" in raised.value.hint
    assert agents.models(wanted("scripted:x"), Preferences(), {})["plan-slice"] is not None


def test_an_agent_is_made_for_each_milestone_from_what_was_played(tmp_path: Path) -> None:
    script = tmp_path / "s.json"
    script.write_text('[{"unit": "*", "steps": []}]')
    make = agents.maker(wanted(f"scripted:{script}"), {}, {})
    one, other = make({}), make({"x": 3})
    assert isinstance(one, ScriptedAgent)
    assert isinstance(other, ScriptedAgent)
    assert (one._played, other._played) == ({}, {"x": 3})


@pytest.mark.parametrize(
    ("text", "error"), [(None, FileNotFoundError), ("{", FormatError), ('[{"unit": "*", "steps": [{}]}]', FormatError)]
)
def test_what_is_wrong_with_a_file_is_said_at_once(text: str | None, error: type[Exception], tmp_path: Path) -> None:
    script = tmp_path / "s.json"
    if text is not None:
        script.write_text(text)
    with pytest.raises(error, match=r"s\.json"):
        agents.maker(wanted(f"scripted:{script}"), {}, {})


def test_a_recorder_is_put_around(tmp_path: Path) -> None:
    from milepost.agents.replay import Recorder

    script = tmp_path / "s.json"
    script.write_text("[]")
    assert isinstance(agents.maker(wanted(f"scripted:{script}", record=tmp_path / "tape"), {}, {})({}), Recorder)


@pytest.mark.parametrize(
    ("agent", "env", "error"),
    [
        ("builtin", {}, NoModel), ("builtin", {"ANTHROPIC_API_KEY": "k"}, None), ("scripted:/no.json", {}, OSError),
        ("magic", {}, UnknownAgent),
    ],
)  # fmt: skip
def test_what_would_keep_every_worker_from_working(
    agent: str, env: dict[str, str], error: type[Exception] | None
) -> None:
    with pytest.raises(error) if error else nullcontext():
        agents.require(wanted(agent), Preferences(), env)
