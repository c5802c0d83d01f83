"""Which model is really asked: the preferences in a file, the command in a process, the model behind HTTP."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fakemodel.replies import Answer, Asked, ByPrompt, Call, Failing, Reply
from fakemodel.server import FakeModel, Seen
from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, Ran, Stage

TITLES = {
    "execute-task": "# Execute task T01 of slice S01, milestone M001\n",
    "complete-slice": "# Complete slice S01 of milestone M001\n",
    "complete-milestone": "# Complete milestone M001\n",
}
UNITS = dict(zip(TITLES, ("M001/S01/T01", "M001/S01", "M001"), strict=True))
QUICK = projects.QUICK.removeprefix("---\n").removesuffix("---\n")


def honest() -> ByPrompt:
    """Does every unit of the small project."""
    return ByPrompt({title: _replies(f"{kind}/{UNITS[kind]}") for kind, title in TITLES.items()})


def _replies(key: str) -> list[Reply]:
    calls = [Call(str(step["tool"]), step["args"]) for step in projects.steps(key) if "tool" in step]  # type: ignore[arg-type]
    return [Reply(text="Now.", calls=calls), Reply(text="Done.")]


@dataclass
class Asking:
    """A project whose models are behind a server of ours; what was asked of them."""

    stage: Stage
    seen: list[Seen] = field(default_factory=list)

    def run(
        self,
        preferences: str,
        *args: str,
        script: Callable[[Asked], Answer] | None = None,
        providers: tuple[str, ...] = ("openai",),
        command: tuple[str, ...] = ("auto",),
        code: int | None = DONE,
    ) -> Ran:
        text = f"---\n{QUICK}{preferences}---\n"
        if (self.stage.state / "PREFERENCES.md").read_text() != text:
            self.stage.prefer(text)
        with FakeModel(script or honest()) as server:
            env = {name: value for provider in providers for name, value in server.env(provider).items()}
            ran = self.stage.gsd(*command, *args, **env)
            self.seen = list(server.seen)
        return ran if code is None else ran.require(code)

    def one(self, preferences: str, **how: Any) -> Ran:
        """One unit, however it ends."""
        return self.run(preferences, command=("next",), code=None, **how)

    def models(self, kind: str = "") -> list[str]:
        """The models that were asked, in order, each as often as its sessions began."""
        return [s.asked.model for s in self.seen if not s.asked.turns and TITLES.get(kind, "") in s.asked.texts[0]]

    def started(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.stage.events("attempt-started") if e["kind"] == kind]

    def rows(self) -> dict[str, Mapping[str, Any]]:
        return {row["type"]: row for row in json.loads((self.stage.state / "metrics.json").read_text())["units"]}


@pytest.fixture
def asking(stage: Stage) -> Asking:
    return Asking(stage.make())


TIERS = """\
dynamic_routing:
  enabled: true
  tier_models: {light: openai/small, standard: openai/middle, heavy: openai/large}
models: {execution: openai/best, completion: openai/best, planning: openai/best}
"""


@pytest.mark.covers(
    "key:dynamic_routing.enabled",
    "key:dynamic_routing.tier_models.light",
    "key:dynamic_routing.tier_models.standard",
)
@pytest.mark.spec(id="PR-247")
def test_each_unit_is_given_the_model_of_its_tier(asking: Asking) -> None:
    asking.run(TIERS)
    assert asking.models("execute-task") == ["small"]
    assert asking.models("complete-slice") == ["small"]
    assert asking.models("complete-milestone") == ["middle"]
    (begun,) = asking.started("execute-task")
    assert (begun["model"], begun["tier"], begun["ceiling"]) == ("openai/small", "light", "openai/best")
    assert "tier_models.light" in begun["routed"]


@pytest.mark.covers("key:dynamic_routing.enabled", "key:models.execution")
def test_without_routing_the_configured_model_is_asked(asking: Asking) -> None:
    asking.run(TIERS.replace("enabled: true", "enabled: false"))
    assert asking.models("execute-task") == ["best"]
    assert asking.started("execute-task")[0].get("routed", "") == ""


def test_the_model_of_the_command_line_is_for_every_unit(asking: Asking) -> None:
    asking.run(TIERS, "--model", "openai/mine")
    assert set(asking.models()) == {"mine"}


def lazy_unless(model: str) -> Callable[[Asked], Answer]:
    """Only one model does anything."""
    script = honest()
    return lambda asked: script(asked) if asked.model == model else Reply(text="I would rather not.")


@pytest.mark.covers("key:dynamic_routing.escalate_on_failure", "promise:escalate")
def test_the_next_attempt_is_one_tier_up(asking: Asking) -> None:
    asking.one(TIERS, script=lazy_unless("middle"))
    assert asking.models() == ["small"]
    asking.one(TIERS, script=lazy_unless("middle"))
    assert asking.models() == ["middle"]
    assert [begun["tier"] for begun in asking.started("execute-task")] == ["light", "standard"]
    assert "failed" in asking.started("execute-task")[1]["routed"]


@pytest.mark.covers("key:dynamic_routing.escalate_on_failure", "key:dynamic_routing.tier_models.heavy")
def test_up_to_the_ceiling_and_no_further(asking: Asking) -> None:
    asking.run(TIERS, script=lazy_unless("none"), code=BLOCKED)
    asked = asking.models()
    assert asked[:2] == ["small", "middle"]
    assert set(asked[2:]) <= {"best"}
    # The ceiling is a heavy model already: the model of that tier is not asked in its place.
    assert "large" not in asked


@pytest.mark.covers("key:dynamic_routing.escalate_on_failure")
def test_not_unless_it_is_wanted(asking: Asking) -> None:
    stays = TIERS.replace("enabled: true", "enabled: true\n  escalate_on_failure: false")
    asking.run(stays, script=lazy_unless("none"), code=BLOCKED)
    assert set(asking.models()) == {"small"}


@pytest.mark.covers("key:dynamic_routing.budget_pressure")
@pytest.mark.parametrize(("wanted", "model"), [("true", "small"), ("false", "middle")])
def test_a_budget_that_is_half_spent_makes_standard_work_light(asking: Asking, wanted: str, model: str) -> None:
    spent = {"type": "x", "id": "M000", "model": "m", "startedAt": 1, "finishedAt": 2, "tokens": {}, "cost": 60.0}
    (asking.stage.state / "metrics.json").write_text(
        json.dumps({"version": 1, "projectStartedAt": 1, "units": [spent]})
    )
    pressed = TIERS.replace("enabled: true", f"enabled: true\n  budget_pressure: {wanted}")
    asking.run(f"{pressed}budget_ceiling: 100\n")
    assert asking.models("complete-milestone") == [model]


@pytest.mark.covers("key:dynamic_routing.cross_provider")
@pytest.mark.parametrize(("wanted", "model"), [("true", "claude-haiku-5-5"), ("false", "gpt-5.4-mini")])
def test_a_cheaper_model_of_another_provider(asking: Asking, wanted: str, model: str) -> None:
    asking.one(
        f"dynamic_routing: {{enabled: true, cross_provider: {wanted}}}\nmodels: {{execution: openai/gpt-5.5}}\n",
        providers=("openai", "anthropic"))  # fmt: skip
    assert asking.models() == [model]


def test_a_model_without_a_key_is_passed_over(asking: Asking) -> None:
    asking.one("dynamic_routing: {enabled: true, tier_models: {light: claude-haiku-5-5}}\nmodels: {execution: openai/gpt-5.5}\n")  # fmt: skip
    assert asking.models() == ["gpt-5.4-mini"]
    assert "cannot be asked" in asking.started("execute-task")[0]["routed"]


PHASES = """\
models:
  execution: {model: doer, provider: openai, fallbacks: [openai/second]}
  completion: openai/closer
"""


@pytest.mark.covers(
    "key:models.execution", "key:models.completion", "key:models.PHASE.model", "key:models.PHASE.provider"
)
def test_each_phase_has_its_model(asking: Asking) -> None:
    asking.run(PHASES)
    assert asking.models("execute-task") == ["doer"]
    assert asking.models("complete-slice") == ["closer"]
    assert asking.models("complete-milestone") == ["gpt-5.5"]


@pytest.mark.covers("key:models.PHASE.fallbacks")
def test_a_model_that_is_not_there_is_replaced_by_the_next(asking: Asking) -> None:
    script = honest()

    def missing(asked: Asked) -> Answer:
        return Failing(404, "The model `doer` does not exist") if asked.model == "doer" else script(asked)

    asking.one(PHASES, script=missing)
    assert asking.models()[0] == "doer"
    assert asking.models()[-1] == "second"


@pytest.mark.covers("key:models.execution_simple")
def test_a_light_task_has_a_model_of_its_own(asking: Asking) -> None:
    simple = f"{PHASES}  execution_simple: openai/simple\n"
    asking.one(simple, script=lazy_unless("doer"))
    assert asking.models() == ["simple"]
    assert "models.execution_simple" in asking.started("execute-task")[0]["routed"]
    # It failed there: the next attempt has the model of the phase.
    asking.one(simple, script=lazy_unless("doer"))
    assert asking.models() == ["doer"]


@pytest.mark.covers("key:models.execution_simple", "promise:classifier")
def test_a_task_that_is_not_light_has_not(asking: Asking) -> None:
    plan = asking.stage.path("slices/S01/tasks/T01-PLAN.md")
    plan.write_text(plan.read_text() + "\n## Steps\n\n1. a\n2. b\n3. c\n4. d\n")
    asking.stage.git("add", "-f", ".gsd/milestones")
    asking.one(f"{PHASES}  execution_simple: openai/simple\n")
    assert asking.models() == ["doer"]


@pytest.mark.covers("key:token_profile", "promise:token-profile")
@pytest.mark.parametrize(
    ("provider", "doer", "closer"),
    [("openai", "gpt-5.4-mini", "gpt-5.4-mini"), ("anthropic", "claude-haiku-5-5", "claude-haiku-5-5")],
)
def test_the_models_of_a_profile(asking: Asking, provider: str, doer: str, closer: str) -> None:
    asking.run("token_profile: budget\n", providers=(provider,))
    assert asking.models("execute-task") == [doer]
    assert asking.models("complete-slice") == [closer]


@pytest.mark.covers("key:token_profile", "promise:token-profile")
def test_a_profile_without_models_takes_the_default(asking: Asking) -> None:
    asking.one("token_profile: quality\n")
    assert asking.models() == ["gpt-5.5"]


@pytest.mark.covers("key:models.planning", "key:models.research")
@pytest.mark.parametrize(("skipped", "model"), [("true", "planner"), ("false", "reader")])
def test_planning_and_research_have_their_models(asking: Asking, skipped: str, model: str) -> None:
    asking.stage.git("rm", "-rqf", ".gsd/milestones/M001/slices/S01")
    asking.stage.prefer(
        f"---\nphases: {{skip_slice_research: {skipped}}}\nmodels: {{planning: openai/planner, research: openai/reader}}\n---\n"
    )
    with FakeModel(lambda _: Reply(text="No.")) as server:
        asking.stage.gsd("next", **server.env("openai"))
        assert server.seen[0].asked.model == model
