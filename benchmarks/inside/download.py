"""Saves one clip the way the server does, and tells its time, CPU time and memory."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.files.download import save
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.provider_api import Transport


def resident(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(name)


async def main(url: str, target: Path) -> dict[str, float]:
    host = url.removeprefix("http://")
    transport = Transport(url, lambda: "a-key", HostPolicy(own=frozenset({host})))

    async def link(_fresh: bool) -> Link:
        return Link(url=f"{url}/clip?1")

    # A small one first: what is loaded once is not what a download adds.
    async with transport.links.open(Link(url=f"{url}/book")) as answer:
        await answer.stream_to(lambda _block: None)
    _forget_peak()
    before, begun, cpu = resident("VmRSS"), time.perf_counter(), _cpu()
    saved = await save(link, transport.links.open, target)
    seconds, used = time.perf_counter() - begun, _cpu() - cpu
    assert saved.bytes
    await transport.aclose()
    return {"seconds": seconds, "cpu": used, "growth": resident("VmHWM") - before}


def _forget_peak() -> None:
    """The highest resident size counts from here."""
    Path("/proc/self/clear_refs").write_text("5")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], Path(sys.argv[2])))))
