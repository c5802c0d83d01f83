"""A task's `Verify:` line as it is written in real plans: commands, code spans, and the words around them.

    pytest tests/test_store.py && ruff check src
    `npm test` passes, `npm run lint` clean
    cargo test -- config::tests passes. The file is readable afterwards.
    Open the page and check that it renders

About a third of real lines are prose, a quarter is code with prose. What may be a command is a candidate, all
else is kept as words for a person; together they are the whole line. Source: spec auto 5.13, in-the-wild 5.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from milepost.rules.gate_commands import Word, parts


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PROGRAMS = _set(
    """
    pytest python python3 uv uvx pip pip3 poetry pdm hatch tox nox ruff mypy black isort flake8 pyright pylint
    npm npx pnpm yarn bun bunx deno node tsc jest vitest mocha eslint prettier playwright biome vite
    cargo rustc go gofmt golangci-lint make cmake ctest ninja just gradle mvn java javac dotnet ruby bundle rake
    rspec php composer phpunit mix swift xcodebuild zig terraform docker bash sh zsh git grep rg test ls cat find
    diff wc curl jq sed awk [
    """
)
"""Programs so usual in gates that naming one first is meant as a command, also where it is not installed."""

_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_SEARCHERS = _set("grep rg ag ack echo printf sed awk find test [ git")
_VERDICT = _set("passes pass succeeds succeed exits completes works returns shows prints reports fails")
_DASHES = _set("— – → => ->")
_GLUE = _set(
    """
    the an is are was were be with and or when then that this it its which into from onto of for each should must
    can will via using without after before if in on to by as at has have had not sure still no
    """
)
_BEING = _set("exists exist works runs loads renders compiles builds opens starts appears")
_SENTENCE = re.compile(r"\w[,.;:!?]")
_AS_HOPED = re.compile(
    r"\W*(both |all |still |also )*(pass|succe|complete|clean|green|works?\b|ok\b|exits? (with )?(code )?0\b|run)",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"^\s*[<>=≤≥]|\b(returns?|shows?|prints?|reports?|outputs?|yields?|produces?|finds?|gives?)\s+"
    r"(no|nothing|empty|zero|0|none|only|just)\b|\bis empty\b|\b(fails?|throws?|rejects?|refuses?|rejected|refused)\b"
    r"|\bnon-?zero\b|\bexits?\s+(with\s+)?(code\s+)?[1-9]|\b(should|does|must|do) ?n[o']t\b"
    r"|\b0 (hits|matches|results)\b",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(r"(^|\b(run|runs|running|via|with|execute))\W*$", re.IGNORECASE)
_CONNECTORS = re.compile(r"\b(and|then|plus|also)\b|\W", re.IGNORECASE)


class Candidate(NamedTuple):
    """Text that may be a command."""

    text: str
    prose_possible: bool
    """Whether it stood without backticks, so it may be a sentence after all."""


class Words(NamedTuple):
    """Text that is for a person."""

    text: str
    reason: str


def read(line: str) -> tuple[Candidate | Words, ...]:
    """The pieces of a Verify line in their order. Nothing but connectors (`and`, commas) is left out. Never raises."""
    text = line.strip()
    bare = not _SPAN.search(text) or text.split(None, 1)[0].lower() in PROGRAMS | {"cd"}
    return tuple(_bare(text) if bare else _spans(text)) if text else ()


def is_sentence(words: Sequence[Word]) -> bool:
    """Whether words that start with the name of a program are a sentence all the same."""
    plain = [word.text for word in words if not word.quoted]
    if any(_SENTENCE.fullmatch(text[-2:]) for text in plain[:-1]) or _GLUE & {text.lower() for text in plain}:
        return True
    letters = len(plain) == len(words) and all(text.isalpha() for text in plain)
    if not letters or plain[0] in PROGRAMS:
        return False
    return len(plain) > 2 or (len(plain) == 2 and plain[1] in _BEING)


def _bare(text: str) -> Iterator[Candidate | Words]:
    cut = _end_of_command(text)
    command, after = text[:cut].strip(), text[cut:].strip()
    if _otherwise(after):
        yield Words(text, "what it should do is said in words")
        return
    yield Candidate(command, prose_possible=True)
    if after:
        yield Words(after, "an expectation in words")


def _end_of_command(text: str) -> int:
    """Where words about the result begin: at `passes`, a dash, a parenthesis."""
    for part in parts(text):
        searches = bool(part.words) and part.words[0].text in _SEARCHERS
        for before, word in zip(part.words, part.words[1:], strict=False):
            said = word.text.rstrip(".,;:").lower() in _VERDICT and not searches and not before.text.startswith("-")
            if not word.quoted and (said or word.text in _DASHES or word.text.startswith("(")):
                return word.start
    return len(text)


def _spans(text: str) -> Iterator[Candidate | Words]:
    spans = list(_SPAN.finditer(text))
    ends = [*(span.start() for span in spans[1:]), len(text)]
    before = text[: spans[0].start()]
    if _CONNECTORS.sub("", before):
        yield Words(before.strip(), "words")
    for span, end in zip(spans, ends, strict=True):
        code, after = span.group(2).strip(), text[span.end() : end]
        yield _span(code, before, after)
        if _CONNECTORS.sub("", after):
            yield Words(after.strip(), "an expectation in words")
        before = after


def _span(code: str, before: str, after: str) -> Candidate | Words:
    if _otherwise(after):
        return Words(code, "what it should do is said in words")
    if " " not in code and not _AS_HOPED.match(after) and not _INTRODUCED.search(before):
        return Words(code, "one word of code in a sentence")
    return Candidate(code, prose_possible=False)


def _otherwise(after: str) -> bool:
    """Whether the clause behind a command wants something else of it than success."""
    return not _AS_HOPED.match(after) and bool(_OTHERWISE.search(re.split(r"[.;](?:\s|$)", after)[0]))
