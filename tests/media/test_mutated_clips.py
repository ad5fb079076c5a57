"""A sample of the damaged clips; all thousand: `python -m tests.media.mutated_clips`."""

from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("resource")

from .mutated_clips import outcomes


def test_damaged_clips_are_read_or_refused_within_bounds(tmp_path: Path) -> None:
    found = list(outcomes(tmp_path, seed=7, count=30))
    assert len(found) == 30
    assert [one for one in found if not one.fine] == []
    assert len({one.how for one in found}) > 3
