"""Which lines are conflict markers, and which are text that looks like them."""

import pytest

from milepost.git.markers import leftover

CONFLICT = b"a\n<<<<<<< milestone/M001\nb\n=======\nc\n>>>>>>> main\nd\n"


@pytest.mark.spec(id="DV-16")
@pytest.mark.spec(id="FM-84")
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (CONFLICT, (2, 4, 6)),
        (CONFLICT.replace(b"\n", b"\r\n"), (2, 4, 6)),
        (CONFLICT.replace(b"=======\n", b"||||||| 4be1\nx\n=======\n"), (2, 4, 6, 8)),
        (b"<<<<<<<\n=======\n>>>>>>>\n", (1, 2, 3)),
        (b"a\n=======\nc\n", (2,)),
        (b"a\nc\n>>>>>>> main\n", (3,)),
        (b"<<<<<<< HEAD\na", (1,)),
        (b"<<<<<<<< main:a\nt\n========\nm\n>>>>>>>> m:b\n", (1, 3, 5)),
        (b"a\nb\n", ()),
        (b"", ()),
        (b"Title\n========\n", ()),
        (b"Title\n=========\n", ()),
        (b"a <<<<<<< b\n <<<<<<< b\n<<<<<< b\n<<<<<<<b\n", ()),
        (b"\0\n" + CONFLICT, ()),
    ],
    ids=[
        "three", "CRLF", "diff3", "no labels", "only the divider", "only the end", "only the beginning, no newline",
        "a conflict within", "none", "empty", "a longer rule", "a much longer rule", "inside a line", "binary",
    ],
)  # fmt: skip
def test_lines(text: bytes, lines: tuple[int, ...]) -> None:
    assert leftover(text) == lines


@pytest.mark.parametrize(
    ("base", "one", "other", "text", "lines"),
    [
        (b"T\n=======\n", b"T\n=======\nb\n", b"T\n=======\nc\n", b"T\n=======\nb\nc\n", ()),
        (b"", b"T\n=======\n", b"U\n=======\n", b"T\n=======\nU\n=======\n", ()),
        (b"T\n=======\n", b"T\n=======\nb\n", b"T\n=======\nc\n", b"T\n=======\nb\n=======\nc\n", (2, 4)),
        (CONFLICT, CONFLICT + b"b\n", CONFLICT + b"c\n", CONFLICT + b"bc\n", ()),
        (CONFLICT, CONFLICT + b"b\n", CONFLICT + b"c\n", CONFLICT + b"<<<<<<< HEAD\nbc\n", (8,)),
        (CONFLICT, b"gone\n", CONFLICT, CONFLICT, ()),
        (b"", b"b\n", b"c\n", CONFLICT, (2, 4, 6)),
    ],
    ids=["a heading", "a heading from each", "and a divider", "a page about conflicts", "and a marker", "one", "new"],
)
def test_what_a_side_brought_is_text(
    base: bytes, one: bytes, other: bytes, text: bytes, lines: tuple[int, ...]
) -> None:
    assert leftover(text, base=base, one=one, other=other) == lines


@pytest.mark.parametrize("size", [3, 20])
def test_a_project_with_markers_of_another_size(size: int) -> None:
    text = b"<" * size + b" a\nb\n" + b"=" * size + b"\nc\n" + b">" * size + b" d\n"
    assert leftover(text, size=size) == (1, 3, 5)
    assert leftover(CONFLICT, size=size) == (2, 4, 6)
