"""Which seeds are run: `--seed N` (or MILEPOST_CHAOS_SEED) one of them, else MILEPOST_CHAOS_RUNS from MILEPOST_CHAOS_FIRST."""

import os

import pytest

RUNS = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that replays one seed; there when the path given to pytest is this directory."""
    parser.addoption("--seed", type=int, action="append", default=None, help="replay this seed of the chaos test")


def pytest_configure(config: pytest.Config) -> None:
    """The marker by which these runs are left out (`-m 'not chaos'`)."""
    config.addinivalue_line("markers", "chaos: seeded runs in which processes are killed at random moments")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each seed."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", _seeds(metafunc.config))


def _seeds(config: pytest.Config) -> list[int]:
    asked = config.getoption("--seed", default=None) or []
    if not asked and (named := os.environ.get("MILEPOST_CHAOS_SEED")):
        asked = [int(word) for word in named.split(",")]
    first, runs = (int(os.environ.get(f"MILEPOST_CHAOS_{name}", default)) for name, default in (("FIRST", "0"), ("RUNS", str(RUNS))))  # fmt: skip # noqa: E501
    return asked or list(range(first, first + runs))
