"""Settings about windows, flat rates and prices, as they are written and as they are read."""

import pytest

from milepost.formats.preferences import Billing, BudgetWindow, Preferences, Price
from milepost.formats.preferences_layers import Raw, merge, resolve
from milepost.formats.preferences_yaml import Parsed, parse


def read(*lines: str) -> Parsed:
    return parse("\n".join(["---", *lines, "---", ""]), "P")


def settings(*lines: str) -> Preferences:
    found = read(*lines)
    assert found.problems == ()
    return resolve(found.raw)


@pytest.mark.parametrize(
    "line", ["budget_window: {usd: 5, hours: 3}", "budget_window: [{usd: 5, hours: 3}]"], ids=["one", "list"]
)
def test_a_window_may_stand_alone(line: str) -> None:
    assert settings(line).budget_window == (BudgetWindow(usd=5, hours=3),)


def test_several_windows_and_those_of_the_global_file_all_hold() -> None:
    below: Raw = read("budget_window: {usd: 50, hours: 168}").raw
    above: Raw = read("budget_window: [{usd: 5}]").raw
    assert resolve(merge(below, above)).budget_window == (BudgetWindow(usd=50, hours=168), BudgetWindow(usd=5))


def test_a_window_needs_an_amount() -> None:
    found = read("budget_window: {hours: 3}")
    assert "needs usd" in str(found.problems[0])
    assert resolve(found.raw).budget_window == ()


def test_the_rest() -> None:
    found = settings(
        "reserve_for_person: 20",
        "billing: {flat_rate: ['plan/*'], window_hours: 1, tokens_per_window: 1000}",
        "prices: {ollama/*: {input: 0, output: 0}, gpt-x: {input: 1.5, output: 4, cache_read: 0.1, cache_write: 2}}",
    )
    assert found.reserve_for_person == 20
    assert found.billing == Billing(flat_rate=("plan/*",), window_hours=1, tokens_per_window=1000)
    assert found.prices["ollama/*"] == Price(input=0, output=0)
    assert found.prices["gpt-x"] == Price(input=1.5, output=4, cache_read=0.1, cache_write=2)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("reserve_for_person: 100", "from 0 to 99"),
        ("prices: 5", "must be an object"),
        ("prices: {x: 5}", "must be an object with input, output"),
        ("prices: {x: {input: -1}}", "from 0 up"),
        ("prices: {x: {inputs: 1}}", "did you mean"),
        ("prices: {x: {input: 1}}", "needs output"),
        ("prices:\n  x: {input: 1, output: 2}\n  x: {input: 2, output: 2}", "set twice"),
        ("billing: {tokens_per_window: 0}", "from 1 up"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(line: str, word: str) -> None:
    assert any(word in str(problem) for problem in read(line).problems)


def test_without_any() -> None:
    assert Preferences().prices == {}
    assert resolve({}) == Preferences()
