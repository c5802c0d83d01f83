"""The marker by which the simulated nights are left out."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """`-m 'not night'`."""
    config.addinivalue_line("markers", "night: a whole night with a provider in every mood; takes minutes")
