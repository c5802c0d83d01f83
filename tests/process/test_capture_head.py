"""The beginning of a stream is kept however large its first piece is."""

from milepost.process.capture import Capture


def test_a_first_piece_longer_than_all_that_is_kept_leaves_its_beginning() -> None:
    capture = Capture(16, None)
    capture.feed(b"HEAD" + b"x" * 136 + b"TAIL")
    assert capture.text().startswith("HEAD\n[… 128 bytes left out …]\n")
    assert capture.text().endswith("xxxxxxxxTAIL")


def test_pieces_of_any_size_give_the_same_text() -> None:
    data = bytes(range(65, 91)) * 10
    texts = set()
    for size in (1, 3, 16, 17, 100, len(data)):
        capture = Capture(32, None)
        for start in range(0, len(data), size):
            capture.feed(data[start : start + size])
        texts.add(capture.text())
    assert len(texts) == 1
