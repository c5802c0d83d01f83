"""Effects told to a journal before and after they happen."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from milepost.git.merge_plan import Journal


@contextmanager
def announced(journal: Journal, step: str, **facts: str) -> Iterator[None]:
    """Tell `(step, {"at": "begin", …})` before the block and `(step, {"at": "done", …})` after it."""
    journal(step, {"at": "begin", **facts})
    yield
    journal(step, {"at": "done", **facts})


def untold(step: str, facts: Mapping[str, str]) -> None:
    """A journal that nobody keeps."""
