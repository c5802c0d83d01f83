"""What a person wants to be said to every session reaches the model."""

import pytest

from fakemodel.server import FakeModel
from milepost.testing import projects
from scenarios.stage import DONE, Stage
from scenarios.test_routing_over_http import honest

SENTENCE = "Write British English in every file."


@pytest.mark.covers("key:custom_instructions")
@pytest.mark.parametrize("given", [True, False])
def test_every_request_says_it(stage: Stage, given: bool) -> None:
    line = f"custom_instructions: ['{SENTENCE}']\n" if given else ""
    stage.make(preferences=projects.QUICK.replace("---\n", f"---\n{line}", 1))
    with FakeModel(honest()) as server:
        stage.gsd("auto", "--model", "openai/gpt-5", **server.env("openai")).require(DONE)
    assert len({seen.asked.texts[0] for seen in server.seen}) == 3
    assert {SENTENCE in seen.asked.system for seen in server.seen} == {given}
