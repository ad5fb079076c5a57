"""Whether a server still answers while many calls wait for their clips."""

from __future__ import annotations

import asyncio
from statistics import median

from rig.report import Figure, percentile
from rig.session import Session
from rig.stage import Stage

BOTH = ("ours", "official")
CALLS = 100
SECONDS = 5.0
GIVE_UP = 30.0


async def answers(stage: Stage) -> list[Figure]:
    asked = 40 if stage.short else CALLS
    ping: dict[str, list[float]] = {"ours": [], "official": []}
    tool: list[float] = []
    with stage.folder() as folder, stage.provider(folder, 100_000) as provider:
        for turn in range(stage.rounds):
            for name in BOTH:
                async with stage.server(name, folder / str(turn), provider.url) as server:
                    await server.greet()
                    waiting = await _wait_for_clips(server, name, asked)
                    pings, tools = await _probe(server, tools=name == "ours")
                    if any(one.done() for one in waiting):
                        raise RuntimeError(f"{name}: a call did not wait")
                    ping[name].append(percentile(pings, 0.99))
                    tool += [percentile(tools, 0.99)] if tools else []
                    for one in waiting:
                        one.cancel()
    return [
        Figure(
            row="waiting",
            what=f"ping while {asked} calls wait, p99",
            unit="ms",
            **ping,
            goal="≤ 20 ms",
            met=median(ping["ours"]) <= 20,
            detail={"official": f"asked once, given up after {GIVE_UP:.0f} s"},
        ),
        Figure(
            row="waiting",
            what=f"list_tasks while {asked} calls wait, p99",
            unit="ms",
            ours=tool,
            goal="≤ 20 ms",
            met=median(tool) <= 20,
        ),
    ]


async def _wait_for_clips(server: Session, name: str, asked: int) -> list[asyncio.Task[object]]:
    """So many calls that wait, each for a clip that takes an hour."""
    prompts = [f"a lighthouse {number} [ready:3600]" for number in range(asked)]
    if name == "official":
        calls = [server.call("generate_video", prompt=prompt) for prompt in prompts]
    else:
        ids = []
        for prompt in prompts:
            _, result = await server.call("generate_video", prompt=prompt)
            ids.append(result["structuredContent"]["task_id"])
        calls = [
            server.ask(
                "tools/call",
                name="query_task",
                arguments={"task_id": one, "wait_seconds": 45},
                # Without it an unknown client is taken for one that gives up after four seconds.
                _meta={"progressToken": one},
            )
            for one in ids
        ]
    waiting = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(2.0)
    return waiting


async def _probe(server: Session, *, tools: bool) -> tuple[list[float], list[float]]:
    loop = asyncio.get_running_loop()
    pings: list[float] = []
    listed: list[float] = []
    until = loop.time() + SECONDS
    while loop.time() < until:
        try:
            async with asyncio.timeout(GIVE_UP):
                seconds, _, _ = await server.ask("ping")
        except TimeoutError:
            seconds = GIVE_UP
        pings.append(seconds * 1000)
        if tools:
            seconds, _ = await server.call("list_tasks")
            listed.append(seconds * 1000)
        await asyncio.sleep(0.02)
    return pings, listed
