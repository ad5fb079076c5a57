"""Whether the file of tenants can be used, and whether their providers take their keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.cli.set_up.doctor.result import Result, note, of_error, ok
from hailuo_mcp.errors import ConfigError, HailuoError

if TYPE_CHECKING:
    from hailuo_mcp.cli.set_up.key_check import Connect
    from hailuo_mcp.settings import Settings


async def check_tenants(
    settings: Settings, environ: Mapping[str, str], connect: Connect
) -> AsyncGenerator[Result]:
    """Check the file, then send a free request for each account that is not the server's."""
    if settings.tenants is None:
        return
    from hailuo_mcp.settings.tenants import read_tables, tenant_of_table
    from hailuo_mcp.studio.reader import account_of

    try:
        _, tables = read_tables(settings.tenants)
    except ConfigError as exc:
        yield of_error("tenants", exc)
        return
    yield ok("tenants", f"{len(tables)} in {settings.tenants}")
    asked = {account_of(settings)}
    for name, table in tables.items():
        try:
            tenant = tenant_of_table(name, table, settings, environ)
        except ConfigError as exc:
            yield of_error("tenants", exc)
            continue
        if not tenant.tokens:
            yield note("tenants", f"{name} has no token; only an issuer's can name it.")
        if (account := account_of(tenant.settings)) in asked:
            continue
        asked.add(account)
        client = connect(tenant.settings)
        try:
            client.need_key()
            await client.check_key()
            yield ok("tenants", f"{name}: {tenant.settings.provider} accepts its key")
        except HailuoError as exc:
            found = of_error("tenants", exc, "Correct it, then run this again.")
            yield Result(
                check=found.check,
                level=found.level,
                message=f"{name}: {found.message}",
                fix=found.fix,
            )
        finally:
            await client.aclose()
