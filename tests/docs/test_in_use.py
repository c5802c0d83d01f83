"""Whether anything acts on a setting is found in the code, and is true of every setting there is."""

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from milepost.formats.preferences_schema import reference

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def in_use(page: Callable[[str], ModuleType]) -> ModuleType:
    """The module that looks."""
    return page("in_use")


def test_every_setting_acts(in_use: ModuleType) -> None:
    assert [entry.key for entry in reference() if not in_use.acts(entry.key)] == []


@pytest.mark.parametrize("key", ["git.nothing", "git.isolation_of", "models.sleeping", "skill_rules[].why", "nothing"])
def test_what_nobody_reads_does_not_act(in_use: ModuleType, key: str) -> None:
    assert not in_use.acts(key)


READ = {
    "def f(settings: Git): return settings.remote": {"git.remote"},
    "def f(settings: Git | None): return settings.remote": {"git.remote"},
    "def f(settings: Remote): return settings.remote": set(),
    "def f(shift): return shift.preferences.git.remote": {"git", "git.remote"},
    "def f(prefs):\n  git = prefs.git\n  return git.remote": {"git", "git.remote"},
    "def f(prefs): return [rule.when for rule in prefs.skill_rules]": {"skill_rules", "skill_rules[].when"},
    "def f(prefs):\n  for hook in prefs.post_unit_hooks: hook.name": {"post_unit_hooks", "post_unit_hooks[].name"},
    "def f(git): return git.remote": set(),
    "def f(settings: RemoteQuestions): return getattr(settings, f'{what}')": set(),
    "def f(settings: Notifications): return getattr(settings, f'on_comp{what}')": {"notifications.on_complete"},
}


@pytest.mark.parametrize(("code", "read"), READ.items(), ids=[str(number) for number in range(len(READ))])
def test_what_counts_as_reading(in_use: ModuleType, code: str, read: set[str]) -> None:
    assert set(in_use._in_file(ast.parse(code))) == read
