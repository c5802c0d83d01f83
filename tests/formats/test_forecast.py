"""`forecast.json`: written whole, and read as far as it can be."""

import pytest

from milepost.formats import forecast
from milepost.formats.forecast import Forecast

TOLD = (
    Forecast(a="M001", b="M002", files=("src/a.py", "é.txt"), lines=("src/a.py:3",), seen_at=1763760000000),
    Forecast(a="M001", b="main", files=("x",), seen_at=5),
)


def test_there_and_back() -> None:
    assert forecast.decode(forecast.encode(TOLD)) == TOLD
    assert forecast.decode(forecast.encode(())) == ()


def test_the_sample_of_the_docstring() -> None:
    sample = (forecast.__doc__ or "").split("\n\n")[1]
    (found,) = forecast.decode(sample.encode())
    assert (found.a, found.b, found.files, found.lines, found.seen_at) == (
        "M001", "M002", ("src/app.py",), ("src/app.py:12",), 1763760000000,
    )  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"[1]", b'[{"a": "M001"}]', b"\xff\xfe", b"[" * 100_000])
def test_what_cannot_be_read_holds_none(data: bytes) -> None:
    assert forecast.decode(data) == ()
