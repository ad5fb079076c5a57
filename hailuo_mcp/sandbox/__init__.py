"""The free imitation of every provider in the seeds: real HTTP, real rules, real clips, no charge.

It is written from the providers' own texts and imports nothing else of this package, so that a
misunderstanding in the client is not repeated, and thereby hidden, by its own test double.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hailuo_mcp.sandbox.options import Chaos, SandboxOptions

if TYPE_CHECKING:
    from hailuo_mcp.sandbox.app import create_app
    from hailuo_mcp.sandbox.report import read_book
    from hailuo_mcp.sandbox.serve import RunningSandbox, run, serve_in_thread

__all__ = [
    "Chaos",
    "RunningSandbox",
    "SandboxOptions",
    "create_app",
    "read_book",
    "run",
    "serve_in_thread",
]

# The web framework takes a tenth of a second to import: only those who serve pay for it.
_HOMES = {
    "RunningSandbox": "serve",
    "create_app": "app",
    "read_book": "report",
    "run": "serve",
    "serve_in_thread": "serve",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # the module protocol: any attribute may be asked for
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
