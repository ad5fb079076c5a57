"""What one purchase costs beside the HTTP request itself."""

from __future__ import annotations

import asyncio
import json
import time
from statistics import median
from urllib.parse import urlsplit

from rig import accounting
from rig.report import Figure, percentile
from rig.stage import Stage

BOTH = ("ours", "official")
CALLS = 100


async def overhead(stage: Stage) -> list[Figure]:
    """generate_video over stdio, against the same POST on a connection of its own, in turn."""
    calls = 30 if stage.short else CALLS
    extra: dict[str, list[float]] = {"ours": [], "official": []}
    tail: dict[str, list[float]] = {"ours": [], "official": []}
    cpu: dict[str, list[float]] = {"ours": [], "official": []}
    with stage.folder() as folder, stage.provider(folder) as provider:
        for turn in range(stage.rounds):
            for name in BOTH:
                async with stage.server(name, folder / str(turn), provider.url) as server:
                    await server.greet()
                    over: list[float] = []
                    for number in range(calls + 5):
                        if number == 5:  # the first ones load modules
                            begun = accounting.cpu_exact(server.pid)
                        prompt = f"a lighthouse, {turn} {number} [ready:3600]"
                        more = {"async_mode": True} if name == "official" else {}
                        bare = await _post(provider.url, prompt)
                        whole, _ = await server.call("generate_video", prompt=prompt, **more)
                        over.append((whole - bare) * 1000)
                    extra[name].append(median(over[5:]))
                    tail[name].append(percentile(over[5:], 0.99))
                    cpu[name].append((accounting.cpu_exact(server.pid) - begun) / calls * 1000)
    return [
        Figure(
            row="call",
            what="one generate_video call beyond the bare HTTP request, median",
            unit="ms",
            **extra,
            goal="≤ 15 ms with a durable journal write",
            met=median(extra["ours"]) <= 15,
            detail={"calls a round": calls, "official": "async_mode, writes nothing down"},
        ),
        Figure(row="call", what="the same at p99", unit="ms", **tail),
        Figure(row="call", what="CPU time of the server for one such call", unit="ms", **cpu),
    ]


async def _post(url: str, prompt: str) -> float:
    """Seconds of the request alone: connect, send, read the answer."""
    place = urlsplit(url)
    body = json.dumps({"model": "MiniMax-Hailuo-2.3", "prompt": prompt}).encode()
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(
        f"POST /v1/video_generation HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n"
        f"Authorization: Bearer a-key\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await reader.read()
    spent = time.perf_counter() - begun
    writer.close()
    return spent
