"""The modules that make pages of the reference, which are no package of the product."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="session")
def page() -> Callable[[str], ModuleType]:
    """Loads one by its name."""

    def load(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(DOCS))
            return importlib.import_module(f"pages.{name}")

    return load
