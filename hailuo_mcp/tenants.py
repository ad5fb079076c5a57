"""The tenants of a running server: their tokens and studios, as their file says now."""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import TaskGroup, TaskStatus

from hailuo_mcp.bootstrap import for_tenant, open_account, wall_of
from hailuo_mcp.catalog.prices import plan_rpm
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.task import TENANT
from hailuo_mcp.errors import ConfigError, Do, HailuoError, Step
from hailuo_mcp.settings import Settings
from hailuo_mcp.settings.tenants import Tenant, read_tables, tenants_of
from hailuo_mcp.studio.reader import OwnSettings, account_of
from hailuo_mcp.studio.studio import Studio

_log = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
"""How often the file is read again: a change is in force within ten seconds."""


class Tenants:
    """Reads the file again and again; of a file that cannot be used, nothing is taken over."""

    def __init__(self, file: Path, operator: Settings, environ: Mapping[str, str]) -> None:
        """Read the file.

        Raises:
            ConfigError: it cannot be used, and there is no earlier one that could be kept.
        """
        self._file = file
        self._operator = operator
        self._environ = environ
        self.fault: HailuoError | None = None
        """Why the file as it is now is not in force."""
        self.on_change: Callable[[], None] = lambda: None
        """Called after another content has come into force."""
        self.own = OwnSettings()
        """For the studios of this process."""
        self._tenants: dict[str, Tenant] = {}
        self._main: Studio | None = None
        self._jobs: TaskGroup | None = None
        self._closing = anyio.Event()
        self._looking = anyio.Lock()
        self._accounts: dict[str, Studio] = {}
        self._studios: dict[str, Studio] = {}
        """By caller."""
        self._content, tables = read_tables(file)
        self._found: bytes | None = self._content
        """What the last look has found."""
        self._put_in_force(tenants_of(tables, operator, environ))

    @property
    def all(self) -> Mapping[str, Tenant]:
        """By name, without "tenant:"."""
        return self._tenants

    @property
    def secrets(self) -> list[str]:
        """The tenants' keys, which no log may contain."""
        return [it.settings.key for it in self._tenants.values() if it.settings.key]

    def tenant_named(self, name: str) -> str | None:
        """The caller's name of the tenant that is named so; None if there is none."""
        tenant = self._tenants.get(name)
        return tenant.caller if tenant else None

    def caller_of(self, digest: bytes) -> str | None:
        """The tenant whose token has this digest; the time that it takes tells nothing."""
        found = None
        for tenant in self._tenants.values():
            for known in tenant.tokens:
                if hmac.compare_digest(known, digest):
                    found = tenant.caller
        return found

    def studio(self, caller: str) -> Studio:
        """The studio of a tenant that is in the file.

        Raises:
            ConfigError: it is not in the file any more, or its account could not be opened yet.
        """
        if self.tenant_named(caller.removeprefix(TENANT)) is None:
            raise ConfigError(
                "This access was withdrawn by the operator of this server.",
                Step(Do.ARRANGE, "give this tenant access again"),
            )
        if caller not in self._studios:
            raise ConfigError(
                "This tenant's account cannot be used yet.",
                Step(Do.REPEAT, f"{LOOK_SECONDS:.0f}"),
            )
        return self._studios[caller]

    def studio_at(self, account: str) -> Studio | None:
        """The studio whose worker works for this account; None for the operator's and unknown."""
        return self._accounts.get(account)

    def accounts(self) -> list[Studio]:
        """The studios of the accounts that only tenants have, while a tenant has them."""
        used = {account_of(tenant.settings) for tenant in self._tenants.values()}
        return [studio for account, studio in self._accounts.items() if account in used]

    @asynccontextmanager
    async def running(self, main: Studio) -> AsyncGenerator[None]:
        """Keep the tenants' accounts open and follow the file until the block is left."""
        self._main, self._closing = main, anyio.Event()
        async with anyio.create_task_group() as jobs, anyio.create_task_group() as looks:
            self._jobs = jobs
            await self._open_studios()
            looks.start_soon(self._keep_looking)
            try:
                yield
            finally:
                looks.cancel_scope.cancel()
                self._main = self._jobs = None
                self._studios.clear()
                self._closing.set()

    async def look(self) -> None:
        """Read the file; take over what has changed in it, if all of it can be used.

        Only what two looks have found is taken over: an editor may be writing it.
        """
        async with self._looking:
            try:
                found = await anyio.Path(self._file).read_bytes()
            except OSError:
                found = None
            settled, self._found = found == self._found, found
            if not settled:
                return
            if found == self._content and self.fault is None:
                if len(self._studios) < len(self._tenants):  # an account could not be opened
                    await self._open_studios()
                return
            try:
                self._content, tables = read_tables(self._file)
                tenants = tenants_of(tables, self._operator, self._environ)
            except ConfigError as error:
                if self.fault is None or self.fault.what != error.what:
                    _log.error("the file of tenants stays as it was: %s", error.what)
                self.fault = error
                return
            self.fault = None
            self._put_in_force(tenants)
            self.on_change()
            await self._open_studios()
            _log.warning("the file of tenants was read again: %d tenants", len(tenants))

    async def _keep_looking(self) -> None:
        while True:
            await anyio.sleep(LOOK_SECONDS)
            await self.look()

    def _put_in_force(self, tenants: Mapping[str, Tenant]) -> None:
        """From here on these are the tenants."""
        self._tenants = dict(tenants)
        # Studios of those who left are dropped; what they bought goes on, in the same folders.
        callers = {tenant.caller for tenant in tenants.values()}
        self._studios = {name: it for name, it in self._studios.items() if name in callers}
        self.own.account_rpm |= self._account_limits()
        for tenant in tenants.values():
            settings = tenant.settings
            self.own.folders[tenant.caller] = tenant.folder
            self.own.rpm.pop(tenant.caller, None)
            if tenant.rpm is not None:
                self.own.rpm[tenant.caller] = tenant.rpm
            if studio := self._studios.get(tenant.caller):
                account = self._open_account(account_of(settings))
                if account is None:
                    del self._studios[tenant.caller]
                elif studio.settings != settings or studio.shared_wall != wall_of(tenant):
                    self._studios[tenant.caller] = for_tenant(account, tenant)

    def _account_limits(self) -> dict[str, int | None]:
        """Submits per minute of each account: the operator's own, or the highest of its tenants."""
        operator = self._operator
        limits = {account_of(operator): _limit(operator, operator.rpm)}
        for tenant in self._tenants.values():
            account = account_of(tenant.settings)
            if account == account_of(operator):
                continue
            limit = _limit(tenant.settings, tenant.rpm or operator.rpm)
            before = limits.get(account, 0)
            limits[account] = None if limit is None or before is None else max(limit, before)
        return limits

    def _open_account(self, account: str) -> Studio | None:
        if self._main is not None and account == self._main.account:
            return self._main
        return self._accounts.get(account)

    async def _open_studios(self) -> None:
        """For each tenant without a studio, one; and its account, which stays open.

        What a tenant bought is saved, also after it was removed.
        """
        for tenant in list(self._tenants.values()):
            name = account_of(tenant.settings)
            try:
                if self._open_account(name) is None and self._jobs is not None:
                    await self._jobs.start(self._keep_open, tenant.settings)
            except HailuoError as error:
                _log.warning("the account of tenant %s: %s", tenant.name, error.what)
            account = self._open_account(name)
            if account is not None and tenant.caller not in self._studios:
                self._studios[tenant.caller] = for_tenant(account, tenant)

    async def _keep_open(
        self, settings: Settings, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        if self._main is None:
            return
        async with open_account(self._main, settings) as studio:
            self._accounts[studio.account] = studio
            task_status.started()
            try:
                await self._closing.wait()
            finally:
                del self._accounts[studio.account]


def _limit(settings: Settings, rpm: int) -> int | None:
    return rpm or plan_rpm(settings.plan, PROVIDERS[settings.provider].region)
