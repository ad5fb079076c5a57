"""A few of the pictures of mutated_pictures.py, which has as many as you like."""

from .mutated_pictures import trial


def test_broken_pictures_are_refused_or_mended_within_bounds() -> None:
    rows, wrong = trial(seed=14, count=40)
    assert not wrong
    assert {row["found"] for row in rows} == {"refused", "mended", "taken"}
