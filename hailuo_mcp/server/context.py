"""What the process owns and lends to every request: the studio, once it is open."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.mcpserver import Context

from hailuo_mcp.errors import HailuoError, JournalError
from hailuo_mcp.server.patience import Patience
from hailuo_mcp.server.questions import Questions
from hailuo_mcp.server.told import Told
from hailuo_mcp.wording.agent import opening

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio


TRY_AGAIN_SECONDS = 60.0
"""Clips under way want polling, though nobody calls while the journal cannot be opened."""


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
    questions: Questions = field(default_factory=Questions)
    told: Told = field(default_factory=Told)
    wanted: anyio.Event = field(default_factory=anyio.Event)
    """Somebody needs the studio now; until then it may open at leisure."""
    leaving: anyio.Event = field(default_factory=anyio.Event)
    retry_patience: float = 3.0
    """Seconds that a call waits for another try; then the last refusal answers it."""
    lent: Studio | None = None
    """The studio, once it is open."""
    _refusal: HailuoError | None = None
    _decided: anyio.Event = field(default_factory=anyio.Event)
    _calls: int = 0
    _idle: anyio.Event = field(default_factory=anyio.Event)

    async def own(
        self,
        opened: Callable[[], AbstractAsyncContextManager[Studio]],
        *,
        again: float = TRY_AGAIN_SECONDS,
    ) -> None:
        """Keep the studio open until the process leaves; what goes on in it is no request's.

        A journal that was locked, or a full disk, may be no trouble at the next call.
        """
        while not self.leaving.is_set():
            try:
                async with opened() as studio:
                    self.lend(studio)
                    await self.leaving.wait()
            except JournalError as error:
                self.refuse(error)
                await self._next_call(again)
            except HailuoError as error:
                self.refuse(error)
                await self.leaving.wait()

    async def _next_call(self, seconds: float) -> None:
        """Let those who waited have the refusal; who comes now waits for another try."""
        self._decided, self.wanted = anyio.Event(), anyio.Event()
        with anyio.move_on_after(0 if self.leaving.is_set() else seconds):
            await self.wanted.wait()

    def leave(self) -> None:
        self.leaving.set()
        self.wanted.set()  # whoever waits for a reason to open has a reason to end

    def lend(self, studio: Studio) -> None:
        self.lent = studio
        self._decided.set()

    def refuse(self, error: HailuoError) -> None:
        """There is no studio; whoever waits for it is answered with the reason."""
        self._refusal = error
        self._decided.set()

    @property
    def notice(self) -> str:
        """What every message opens with, errors included: the sandbox says what it is."""
        return opening(self.lent.provider.name, self.lent.losses) if self.lent else ""

    async def studio(self) -> Studio:
        """Wait until it is open.

        Raises:
            HailuoError: it cannot be opened: the settings or the journal are broken.
        """
        self.wanted.set()
        with anyio.move_on_after(inf if self._refusal is None else self.retry_patience):
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
