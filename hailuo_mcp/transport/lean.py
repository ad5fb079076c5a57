"""Loading httpx without what it would load for its command line, and look for again and again."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any, cast

_NOT_TO_BE_LOADED = cast("Any", None)
"""How Python marks a module that is not to be imported."""


def load_httpx() -> None:
    """Import httpx; once it is loaded, its users import it in the usual way.

    httpx 0.28 loads its command line where rich is installed: 60 ms and 4 MB for nothing. httpcore
    1.0 tries to import sniffio at every lock, six times a request: where it is absent, each try
    searches the whole path (0.1 ms).
    """
    if "httpx" in sys.modules:
        return
    sys.modules["httpx._main"] = _NOT_TO_BE_LOADED
    try:
        import httpx  # noqa: F401  # pyright: ignore[reportUnusedImport]
    finally:
        del sys.modules["httpx._main"]
    if "sniffio" not in sys.modules and find_spec("sniffio") is None:
        sys.modules["sniffio"] = _NOT_TO_BE_LOADED
