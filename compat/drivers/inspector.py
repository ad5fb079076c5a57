"""The MCP Inspector's command line: each call is a connection of its own, and a process."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scene import CannotSetError, Host, Refused, Server, UnfitError, parameters, play

FAILED_TOOL = 5
"""Its exit code when a tool says isError."""


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    if within is not None:
        raise CannotSetError("no such option")

    async def inspect(*options: str) -> tuple[int, str]:
        where = [server.url, "--transport", "http"] if server.url else []
        start = [] if server.url else ["--", server.command, *server.args]
        environ = [f"-e{name}={value}" for name, value in server.env.items()]
        process = await asyncio.create_subprocess_exec(
            f"{os.environ['MATRIX_MODULES']}/.bin/mcp-inspector",
            "--cli",
            *where,
            "--protocol-era",
            server.variant,
            *options,
            "-q",
            *([] if server.url else environ),
            *start,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **server.env, "PATH": os.environ["PATH"]},
        )
        out, err = await process.communicate()
        print(options, process.returncode, out.decode()[-400:], err.decode()[-400:])
        if process.returncode not in (0, FAILED_TOOL):
            raise UnfitError(f"exit {process.returncode}: {(err or out).decode()[-160:]}")
        return process.returncode or 0, out.decode()

    _, listed = await inspect("--method", "tools/list", "--format", "json")
    tools = json.loads(listed)
    tools = tools.get("result", tools)["tools"]
    # The lint of what other clients stumble over; it fails on an error.
    await inspect("--method", "tools/list", "--strict")

    async def call(name: str, arguments: dict[str, object]) -> str:
        code, said = await inspect(
            *("--method", "tools/call", "--tool-name", name),
            *("--tool-args-json", json.dumps(arguments)),
            *("--format", "json"),
        )
        return (Refused if code == FAILED_TOOL else str)(said)

    async def names() -> list[str]:
        return [tool["name"] for tool in tools]

    yield Host(
        names=names,
        call=call,
        shown=lambda: {tool["name"]: parameters(tool["inputSchema"]) for tool in tools},
        converter="--strict",
    )


play(connect)
