"""The model that will carry a plan out, as far as planning has to know it: how much it can hold at once.

Source: spec auto 5.17 (budgets), 10.2.
"""

from collections.abc import Mapping

from milepost.agents.builtin import windows
from milepost.model.units import UnitKind


def window(models: Mapping[str, tuple[str, ...]]) -> int:
    """The context window of the first model that executes tasks, in tokens; 0 where none is named.

    models: unit kind → models, the first preferred.
    """
    line = models.get(UnitKind.EXECUTE_TASK, ())
    return windows.window(line[0]) if line else 0
