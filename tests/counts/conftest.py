"""Counts are taken with the same provider everywhere."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from counts_of import Provider


@pytest.fixture
def provider() -> Provider:
    return Provider()
