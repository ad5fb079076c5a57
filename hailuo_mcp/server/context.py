"""What the process owns and every request uses: the studio, once it is open."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.mcpserver import Context

from hailuo_mcp.domain.task import tenant_of
from hailuo_mcp.errors import HailuoError, JournalError
from hailuo_mcp.server.client_memory import LastAnswers, WaitLimits

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.tenants import Tenants

RETRY_SECONDS = 60.0
"""Clips in flight need polling even if nobody calls while the journal cannot be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a request."""

    name: str = ""
    """Empty for the person at this computer, who sees everybody's tasks."""
    local: bool = True
    """Whether this computer's folders are theirs."""
    may_buy: bool = True
    """Whether their token allows the tools that spend."""
    base_url: str = ""
    """This server as they reach it; empty over stdio."""


@dataclass(kw_only=True)
class AppContext:
    """The SDK's lifespan context. The SDK neither opens nor closes anything in it."""

    caller: Callable[[], Caller] = Caller
    """Who makes the present request; over HTTP its token says so."""
    wait_limits: WaitLimits = field(default_factory=WaitLimits)
    last_answers: LastAnswers = field(default_factory=LastAnswers)
    studio_wanted: anyio.Event = field(default_factory=anyio.Event)
    """Somebody needs the studio now; until then it may open at leisure."""
    shutting_down: anyio.Event = field(default_factory=anyio.Event)
    retry_wait: float = 3.0
    """Seconds that a call waits for another try to open; then the last error answers it."""
    tenants: Tenants | None = None
    """The callers with settings, and so with a studio, of their own."""
    opened: Studio | None = None
    """The operator's studio, once it is open."""
    _error: HailuoError | None = None
    _decided: anyio.Event = field(default_factory=anyio.Event)
    _calls: int = 0
    _idle: anyio.Event = field(default_factory=anyio.Event)

    async def run_studio(
        self,
        open_studio: Callable[[], AbstractAsyncContextManager[Studio]],
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """Keep the studio open until `shut_down`; no request owns what goes on in it.

        A journal that is locked, or a full disk, is tried again at the next call.
        """
        while not self.shutting_down.is_set():
            try:
                async with open_studio() as studio:
                    self.set_studio(studio)
                    await self.shutting_down.wait()
            except HailuoError as error:
                self.set_error(error)
                if not isinstance(error, JournalError):
                    await self.shutting_down.wait()
                    return
                # Those who wait get the error; a later call waits for another try.
                self._decided, self.studio_wanted = anyio.Event(), anyio.Event()
                with anyio.move_on_after(0 if self.shutting_down.is_set() else retry_seconds):
                    await self.studio_wanted.wait()

    def shut_down(self) -> None:
        self.shutting_down.set()
        self.studio_wanted.set()  # ends a wait for a reason to open

    def set_studio(self, studio: Studio) -> None:
        self.opened = studio
        self._decided.set()

    def set_error(self, error: HailuoError) -> None:
        """There is no studio; every call is answered with the reason."""
        self._error = error
        self._decided.set()

    @property
    def notice(self) -> str:
        """What every message begins with, errors included: the sandbox says what it is."""
        if self.opened is None:
            return ""
        from hailuo_mcp.wording.agent import opening

        try:
            studio = self._studio_of(self.caller().name, self.opened)
        except HailuoError:
            return ""
        return opening(studio.provider.name, studio.losses, of_tenant=self.is_tenant)

    @property
    def is_tenant(self) -> bool:
        """Whether the present caller is a tenant: the operator is somebody else."""
        return bool(tenant_of(self.caller().name))

    async def studio(self) -> Studio:
        """The present caller's studio; wait until it is open.

        Raises:
            HailuoError: it cannot be opened: the settings or the journal are broken; or the caller
                is a tenant that was removed.
        """
        return self._studio_of(self.caller().name, await self.operators_studio())

    async def operators_studio(self) -> Studio:
        """Wait until it is open.

        Raises:
            HailuoError: it cannot be opened.
        """
        self.studio_wanted.set()
        with anyio.move_on_after(inf if self._error is None else self.retry_wait):
            await self._decided.wait()
        if self.opened is None:
            raise self._error.with_traceback(None) if self._error else RuntimeError("no studio")
        return self.opened

    def working_for(self, account: str) -> Studio | None:
        """The studio whose worker works for this account, or could take it over."""
        return (self.tenants.studio_at(account) if self.tenants else None) or self.opened

    def _studio_of(self, caller: str, operators: Studio) -> Studio:
        if self.tenants is None or not tenant_of(caller):
            return operators
        return self.tenants.studio(caller)

    @contextmanager
    def track_call(self) -> Generator[None]:
        """Count a call as in progress."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def wait_until_idle(self) -> None:
        """Wait until no call is in progress."""
        while self._calls:
            self._idle = anyio.Event()
            await self._idle.wait()


Ctx = Context[AppContext, Any]
"""What the SDK gives each handler."""
