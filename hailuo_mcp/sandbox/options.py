"""The sandbox's options: where its book is, how fast it is, how it misbehaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """Random faults, each a probability between 0 and 1, drawn from one seeded generator."""

    seed: int = 0
    reset: float = 0.0
    """The connection is reset before the create is accepted."""
    rate_refusal: float = 0.0
    """1002, or the dialect's own form of it, before the create is accepted."""
    error_before: float = 0.0
    """HTTP 5xx before the create is accepted."""
    error_after: float = 0.0
    """HTTP 5xx although the create was accepted."""
    lost: float = 0.0
    """The create is accepted and the connection closed without an answer."""
    poll_error: float = 0.0
    """A status or file request answers 5xx, 1002 or resets."""
    slow_download: float = 0.0
    cut_download: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """One sandbox; several with the same `state_dir` are one provider with several front doors."""

    state_dir: Path
    seconds_to_ready: float = 4.0
    rpm: int = 0
    """Creates per rolling minute and key; 0 enforces none."""
    fast_clips: bool = False
    """Render each size and length once, plain and tiny, and hand out the same file."""
    link_seconds: float = 3600.0
    chaos: Chaos | None = None
    clock: Callable[[], float] = time.time
    public_url: str = ""
    """What download links start with; empty: the host that the request came to."""
    compat_data_urls: bool = False
    """Let the compat dialect take `data:` URLs, of which seed 004 says nothing."""

    @property
    def book_path(self) -> Path:
        """Where the account book lies."""
        return self.state_dir / "sandbox.sqlite3"
