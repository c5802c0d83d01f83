"""What a file of answers says to one question. Pure. Source: spec auto 7.1, formats.answers."""

from typing import NamedTuple

from milepost.formats.answers import FIRST_OPTION, Answers


class Reply(NamedTuple):
    """What was found."""

    text: str | None
    """The answer; None: the file has none."""
    key: str = ""
    """What names the question in the file; empty: nothing does."""
    fault: str = ""
    """Why an answer that is there cannot be taken; empty otherwise."""


def reply(answers: Answers, number: int, question: str, options: tuple[str, ...]) -> Reply:
    """The answer to the question of that number in the run (from 1), else to that text, else to its first line."""
    known = {_plain(key): key for key in answers.questions}
    lines = question.strip().splitlines()
    names = (str(number), _plain(question), _plain(lines[0] if lines else ""))
    key = next((known[name] for name in names if name in known), None)
    if key is None:
        return Reply(None)
    given = answers.questions[key]
    if wrong := [each for each in given if options and each not in options]:
        no_option = f"{', '.join(map(repr, wrong))} is no option of {_plain(question)!r}"
        return Reply(None, key, f"{no_option}; its options: {', '.join(map(repr, options))}")
    return Reply(", ".join(given), key)


def default(answers: Answers, options: tuple[str, ...]) -> str | None:
    """What becomes of a question that neither the file nor anybody else answers; None: the agent decides."""
    return options[0] if options and answers.strategy == FIRST_OPTION else None


def _plain(text: str) -> str:
    """Without the line breaks of whoever wrote it."""
    return " ".join(text.split())
