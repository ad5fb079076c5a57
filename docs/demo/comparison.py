"""Buys the same clip twice with an MCP server whose answer was lost, or whose client gave up.

    hailuo-mcp sandbox --port 8791 --seconds 3        # in another terminal
    /tmp/client/bin/pip install fastmcp               # a client of somebody else's
    MINIMAX_API_KEY=k MINIMAX_API_HOST=http://127.0.0.1:8791 MINIMAX_MCP_BASE_PATH=/tmp \
        /tmp/client/bin/python docs/demo/comparison.py minimax-mcp model=MiniMax-Hailuo-02

The last line says how many purchases the sandbox took for the two clips. It reaches nothing else:
give the server the sandbox's address, as above, and never a real key.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.request
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

SANDBOX = "http://127.0.0.1:8791"
PATIENCE = 20.0
"""Seconds, less than the clip takes: clients give up after 5 to 300."""
PROMPTS = ("a cat [sandbox:lost]", "a dog [sandbox:seconds=90]")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def bought() -> int:
    with urllib.request.urlopen(f"{SANDBOX}/sandbox/book") as book:
        return int(json.load(book)["totals"]["creates_accepted"])


async def ask(client: Client[Any], arguments: dict[str, str]) -> str:
    call = client.call_tool("generate_video", arguments, raise_on_error=False)
    try:
        answer = await asyncio.wait_for(call, PATIENCE)
    except TimeoutError:
        return "no answer"
    return " ".join(str(getattr(part, "text", "")) for part in answer.content)[:200]


async def main() -> None:
    command, *given = sys.argv[1:]
    more = dict(one.split("=", 1) for one in given)
    before = bought()
    for prompt in PROMPTS:
        for _ in range(2):  # each in a server of its own, as after a restart
            began = time.perf_counter()
            async with Client(StdioTransport(command, [], env=dict(os.environ))) as client:
                tools = await client.list_tools()
                size = sum(len(tool.model_dump_json(exclude_none=True)) for tool in tools)
                started = time.perf_counter() - began
                answer = await ask(client, {"prompt": prompt, **more})
            say(f"{prompt}: {len(tools)} tools, {size} characters, {started:.1f} s. {answer}")
    say(f"{bought() - before} purchases for 2 clips")


if __name__ == "__main__":
    asyncio.run(main())
