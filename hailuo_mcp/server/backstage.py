"""What the process owns and lends to every request: the studio, once it is open."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.mcpserver import Context

from hailuo_mcp.errors import HailuoError
from hailuo_mcp.server.patience import Patience

if TYPE_CHECKING:
    from hailuo_mcp.studio import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks."""

    name: str = ""
    """Empty for the person at this computer, who sees everybody's tasks."""
    local: bool = True
    """Whether this computer's folders are theirs."""


@dataclass(kw_only=True)
class Backstage:
    """Handed over by the SDK's lifespan, which neither opens nor closes anything."""

    caller: Callable[[], Caller] = Caller
    """Who makes the present request; over HTTP its token says so."""
    patience: Patience = field(default_factory=Patience)
    wanted: anyio.Event = field(default_factory=anyio.Event)
    """Somebody needs the studio now; until then it may open at leisure."""
    lent: Studio | None = None
    """The studio, once it is open."""
    _refusal: HailuoError | None = None
    _decided: anyio.Event = field(default_factory=anyio.Event)
    _calls: int = 0
    _idle: anyio.Event = field(default_factory=anyio.Event)

    def lend(self, studio: Studio) -> None:
        self.lent = studio
        self._decided.set()

    def refuse(self, error: HailuoError) -> None:
        """There will be no studio; every call is answered with the reason."""
        self._refusal = error
        self._decided.set()

    @property
    def notice(self) -> str:
        """What every message opens with, errors included: the sandbox says what it is."""
        return self.lent.provider.notice if self.lent else ""

    async def studio(self) -> Studio:
        """Wait until it is open.

        Raises:
            HailuoError: it cannot be opened: the settings or the journal are broken.
        """
        self.wanted.set()
        await self._decided.wait()
        if self.lent is None:
            raise self._refusal.with_traceback(None) if self._refusal else RuntimeError("no studio")
        return self.lent

    @contextmanager
    def at_work(self) -> Generator[None]:
        """A call is under way."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def quiet(self) -> None:
        """Wait until no call is under way."""
        while self._calls:
            self._idle = anyio.Event()
            await self._idle.wait()


Ctx = Context[Backstage, Any]
"""What the SDK gives each handler."""
