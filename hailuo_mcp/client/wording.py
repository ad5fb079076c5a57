"""Makes HailuoClient's errors speak to a programmer."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from hailuo_mcp.errors import HailuoError
from hailuo_mcp.wording.programmer import error_text


@contextmanager
def for_programmers() -> Generator[None]:
    """Give an error that leaves the block its message; its facts stay unchanged."""
    try:
        yield
    except HailuoError as error:
        error.args = (error_text(error),)
        raise
