"""A project and processes that play a fleet in it."""

import pytest

from fleet import stand

fleet = pytest.fixture(stand.project, name="fleet")
