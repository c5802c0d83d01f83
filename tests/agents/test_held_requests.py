"""Before each request, and before its end, the built-in agent asks whether a person holds it."""

from collections.abc import Sequence

import pytest

from agents.conftest import MakeSpec
from agents.test_builtin import EDIT, OPENAI, last, run
from fakemodel import Answer, Failing, FakeModel, Reply
from milepost.agents.session import Stop

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("answers", "moment", "requests"),
    [
        ([Reply(text="Done.")], 0, 1),
        ([Reply(calls=[EDIT]), Reply(text="Done.")], 1, 2),
        ([Failing(503), Reply(text="Done.")], 1, 2),
        ([Reply(text="Done."), Reply(text="Done again.")], 1, 2),
    ],
    ids=["before the first", "after the tools", "before it asks again", "before the end"],
)
async def test_what_is_said_then_is_in_the_next_request(
    answers: Sequence[Answer], moment: int, requests: int, make_spec: MakeSpec
) -> None:
    made: list[int] = []
    with FakeModel(answers) as server:

        async def held() -> tuple[str, ...]:
            made.append(len(server.seen))
            return ("Use tabs.",) if len(made) == moment + 1 else ()

        spec = make_spec(models=(OPENAI[1],))._replace(held=held)
        events = await run(server, OPENAI[0], spec)
        said = [any("Use tabs." in text for text in seen.asked.texts) for seen in server.seen]
    assert last(events).stop is Stop.END
    assert said == [number >= moment for number in range(requests)]
    assert made == list(range(requests + 1))  # before each request, and before the end
