"""The file of `--answers`: what it may say, and where it is wrong."""

import pytest

from milepost.errors import FormatError
from milepost.formats import answers
from milepost.formats.answers import Answers

WHOLE = """\
{
  "questions": {"Which database?": "SQLite", "Which feeds?": ["RSS", "Atom"]},
  "secrets": {"SEARCH_KEY": "qk9-ZZtop"},
  "defaults": {"strategy": "cancel"}
}
"""


def test_the_whole_file() -> None:
    found = answers.parse(WHOLE, "a.json")
    assert found == Answers(
        questions={"Which database?": ("SQLite",), "Which feeds?": ("RSS", "Atom")},
        secrets={"SEARCH_KEY": "qk9-ZZtop"},
        strategy="cancel",
    )


def test_what_is_left_out() -> None:
    assert answers.parse("{}", "a.json") == Answers(questions={}, secrets={}, strategy="first_option")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "questions": {\n    "a": "b",\n  }\n}', "a.json:4: not JSON"),
        ('["a"]', "a.json:1: the file must be an object"),
        ('{\n"questions": []}', "a.json:2: questions must be an object"),
        ('{"questions": {},\n\n"answers": {}}', "a.json:3: 'answers' is not known here; known: questions, secrets"),
        ('{"questions": {\n"Wie heißt es?": 3}}', "a.json:2: the answer to 'Wie heißt es?' must be a text or a list"),
        ('{"questions": {\n"a": []}}', "a.json:2: the answer to 'a'"),
        ('{"questions": {"a": ["x", 1]}}', "a.json:1: the answer to 'a'"),
        ('{"questions": {"a": "  "}}', "a.json:1: the answer to 'a'"),
        ('{"secrets": {\n\n"NO NAME": "x"}}', "a.json:3: 'NO NAME' is no name of a variable"),
        ('{"secrets": {\n"KEY": ["hush-hush"]}}', "a.json:2: the secret KEY must be a text"),
        ('{"secrets": {"KEY": ""}}', "a.json:1: the secret KEY must be a text"),
        ('{"defaults": {\n"strategy": "guess"}}', "a.json:2: strategy must be first_option or cancel"),
        ('{"defaults": {"tactics": 1}}', "a.json:1: 'tactics' is not known here; known: strategy"),
        ("[" * 100_000, "a.json: not JSON that can be read"),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(FormatError) as raised:
        answers.parse(text, "a.json")
    assert str(raised.value).startswith(said)
    assert "hush-hush" not in str(raised.value)
