"""Which model the sessions beside the plan are asked for: triage and hooks."""

import pytest

from fakemodel.replies import Answer, Asked, Reply
from scenarios.stage import Stage
from scenarios.test_routing_over_http import Asking, honest

HOOK = """\
post_unit_hooks:
  - {name: review, after: [execute-task], prompt: Look at what was made}
models: {execution: openai/best, subagent: openai/helper}
"""


@pytest.fixture
def asking(stage: Stage) -> Asking:
    return Asking(stage.make())


def script(asked: Asked) -> Answer:
    return Reply(text="It is fine.") if "Look at what was made" in asked.texts[0] else honest()(asked)


def of_hook(asking: Asking, more: str = "", hook: str = HOOK) -> list[str]:
    """The models that the hook's sessions were asked of."""
    asking.run(f"{hook}{more}", script=script)
    return [seen.asked.model for seen in asking.seen if "Look at what was made" in seen.asked.texts[0]]


@pytest.mark.covers("key:models.subagent")
def test_a_hook_has_the_model_of_helpers(asking: Asking) -> None:
    assert of_hook(asking) == ["helper"]
    assert asking.models("execute-task") == ["best"]


@pytest.mark.covers("key:dynamic_routing.hooks")
@pytest.mark.parametrize(("wanted", "model"), [("true", "small"), ("false", "helper")])
def test_hooks_are_routed_or_not(asking: Asking, wanted: str, model: str) -> None:
    routed = f"dynamic_routing: {{enabled: true, hooks: {wanted}, tier_models: {{light: openai/small}}}}\n"
    assert of_hook(asking, routed) == [model]
    assert asking.models("execute-task") == ["small"]


@pytest.mark.covers("key:dynamic_routing.hooks")
def test_a_hook_that_names_its_model_has_it(asking: Asking) -> None:
    routed = "dynamic_routing: {enabled: true, tier_models: {light: openai/small}}\n"
    named = HOOK.replace("prompt: Look at what was made", "prompt: Look at what was made, model: openai/own")
    assert of_hook(asking, routed, named) == ["own"]


@pytest.mark.covers("key:models.subagent")
def test_triage_has_the_model_of_helpers(stage: Stage) -> None:
    stage.make()
    stage.prefer("---\nphases: {skip_research: true}\nmodels: {execution: best, subagent: helper}\n---\n")
    stage.gsd("capture", "The list should be sorted")
    stage.auto()
    kinds = {str(event["kind"]): event["model"] for event in stage.events("attempt-started")}
    assert kinds["triage-captures"] == "helper"
