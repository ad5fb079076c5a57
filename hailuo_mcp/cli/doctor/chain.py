"""The whole chain, from the program to the provider, in the order in which things break."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping

import anyio.to_thread

from hailuo_mcp.cli.doctor.apps import check_apps, keyed_apps
from hailuo_mcp.cli.doctor.disk import check_folders
from hailuo_mcp.cli.doctor.finding import Finding
from hailuo_mcp.cli.doctor.http import check_http
from hailuo_mcp.cli.doctor.journal import check_journal
from hailuo_mcp.cli.doctor.program import check_media, check_program
from hailuo_mcp.cli.doctor.provider import Connect, check_provider
from hailuo_mcp.cli.doctor.variables import check_settings
from hailuo_mcp.cli.doctor.way import Reach, reach
from hailuo_mcp.cli.machine import Machine


async def examine(
    machine: Machine,
    environ: Mapping[str, str],
    *,
    overrides: Mapping[str, object],
    connect: Connect,
    knock: Reach = reach,
    asks: bool = False,
    clock: Callable[[], float] = time.time,
) -> AsyncGenerator[Finding]:
    """Every finding as soon as it is known; `asks` as check_provider has it."""
    for finding in (*check_program(machine), *check_media(machine)):
        yield finding
    settings, findings = check_settings(environ, overrides)
    for finding in findings:
        yield finding
    if settings is not None:
        for finding in check_folders(settings, environ):
            yield finding
        for finding in await anyio.to_thread.run_sync(check_journal, settings, clock()):
            yield finding
        elsewhere = keyed_apps(machine)
        async for finding in check_provider(settings, connect, knock, keyed=elsewhere, asks=asks):
            yield finding
        for finding in check_http(settings):
            yield finding
    for finding in check_apps(machine):
        yield finding
