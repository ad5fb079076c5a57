"""Counts are taken with the same provider everywhere."""

import pytest

from .counts_of import Provider


@pytest.fixture
def provider() -> Provider:
    return Provider()
