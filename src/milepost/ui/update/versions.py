"""Versions of Python distributions, as far as it takes to tell which is newer (PEP 440), and for which Python it is."""

import re
from typing import Final, NamedTuple, TypeAlias

_FORM: Final = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<stage>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre>\d*))?"
    r"(?:-(?P<bare>\d+)|[-_.]?(?P<late>post|rev|r)[-_.]?(?P<post>\d*))?"
    r"(?:[-_.]?(?P<early>dev)[-_.]?(?P<dev>\d*))?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
_STAGES: Final = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_CLAUSE: Final = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*([0-9][^\s,]*)\s*")

Key: TypeAlias = tuple[int, tuple[int, ...], tuple[int, str, int], int, tuple[int, int]]


class Version(NamedTuple):
    """One, in the order of age: of two, the greater is the newer."""

    key: Key
    text: str

    @property
    def settled(self) -> bool:
        """Whether it is a release, and not one to try out."""
        return self.key[2][0] == _FINAL and self.key[4] == _NO_DEV


_DEV_ONLY, _PRE, _FINAL = 0, 1, 2
_NO_DEV: Final = (1, 0)


def parse(text: str) -> Version | None:
    """The version; None for what is none."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    part = found.groupdict()
    release = tuple(map(int, part["release"].split(".")))
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    post = int(part["bare"] or part["post"] or 0) if part["bare"] or part["late"] else -1
    dev = (0, int(part["dev"] or 0)) if part["early"] else _NO_DEV
    if part["stage"]:
        stage = part["stage"].lower()
        pre = (_PRE, _STAGES.get(stage, stage), int(part["pre"] or 0))
    else:
        pre = (_DEV_ONLY if part["early"] and post < 0 else _FINAL, "", 0)
    return Version((int(part["epoch"] or 0), release, pre, post, dev), text.strip())


def allows(wanted: str, version: str) -> bool:
    """Whether `Requires-Python` lets a version pass; a clause that cannot be read does not keep it out."""
    have = parse(version)
    return have is None or all(_passes(clause, have) for clause in wanted.split(",") if clause.strip())


def _passes(clause: str, have: Version) -> bool:
    found = _CLAUSE.fullmatch(clause)
    bound = parse(found[2].removesuffix(".*")) if found else None
    if found is None or bound is None:
        return True
    sign, numbers = found[1], tuple(map(int, re.findall(r"\d+", found[2])))
    begins = _release(have, len(numbers)) == numbers
    if sign == "~=":
        return have.key >= bound.key and _release(have, len(numbers) - 1) == numbers[:-1]
    if found[2].endswith(".*"):
        return begins if sign == "==" else not begins
    return {
        "==": have.key == bound.key,
        "!=": have.key != bound.key,
        "<=": have.key <= bound.key,
        ">=": have.key >= bound.key,
        "<": have.key < bound.key,
        ">": have.key > bound.key,
    }[sign]


def _release(version: Version, length: int) -> tuple[int, ...]:
    release = version.key[1]
    return (release + (0,) * length)[:length]
