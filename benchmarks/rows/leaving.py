"""How long a server stays when its client has gone, and what becomes of clips on their way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import median

from rig.report import Figure
from rig.session import Session
from rig.stage import Stage

BOTH = ("ours", "official")
WAYS = ("EOF", "SIGTERM", "SIGINT")
READY_SECONDS = 10.0
"""Six servers start and buy in this time; then all are told to leave at the same moment."""
GIVE_UP = 60.0
AFTER_SECONDS = 40.0
"""The first read of a clip of a kind that is not known yet comes after half a minute."""


async def leaving(stage: Stage) -> list[Figure]:
    """With three clips on their way, of which the official server's callers wait for theirs."""
    cases = [(how, name) for how in WAYS for name in BOTH]
    ends: dict[tuple[str, str], list[tuple[float, float]]] = {case: [] for case in cases}
    for _ in range(min(stage.rounds, 3)):
        # All at once: nobody works while a server leaves, and some take their time.
        with stage.folder() as folder, stage.provider(folder, 100_000) as provider:
            together = asyncio.get_running_loop().time() + READY_SECONDS
            found = await asyncio.gather(
                *(_end(stage, *case, folder / case[0], provider.url, together) for case in cases)
            )
            for case, end in zip(cases, found, strict=True):
                ends[case].append(end)
    figures = []
    for how in WAYS:
        seconds = {name: [spent for spent, _ in ends[how, name]] for name in BOTH}
        kept = {name: [saved for _, saved in ends[how, name]] for name in BOTH}
        figures += [
            Figure(
                row="leaving",
                what=f"leaves after {how} with three clips on their way",
                unit="s",
                **seconds,
                goal="≤ 0.2 s",
                met=median(seconds["ours"]) <= 0.2,
                detail={"given up after": GIVE_UP},
            ),
            Figure(
                row="leaving",
                what=f"of the three, on disk after {how} and the next start",
                unit="",
                **kept,
                goal="3",
                met=min(kept["ours"]) == 3,
            ),
        ]
    return figures


async def _end(
    stage: Stage, how: str, name: str, home: Path, url: str, together: float
) -> tuple[float, float]:
    """(seconds to the end of the process, clips on disk some time after its next start)."""
    loop = asyncio.get_running_loop()
    async with stage.server(name, home, url) as server:
        await _buy(server, f"{how} {name}")
        await asyncio.sleep(max(0.0, together - loop.time()))
        try:
            async with asyncio.timeout(GIVE_UP):
                spent = await server.leave(how)
        except TimeoutError:
            spent = GIVE_UP
    # The next start of the app is all that a user does.
    async with stage.server(name, home, url) as server:
        await server.greet()
        await asyncio.sleep(AFTER_SECONDS)
    return spent, len(list((home / name).rglob("*.mp4")))


async def _buy(server: Session, mark: str) -> None:
    await server.greet()
    calls = [
        asyncio.ensure_future(
            server.ask(
                "tools/call",
                name="generate_video",
                arguments={"prompt": f"a lighthouse {mark} {number} [ready:6]"},
            )
        )
        for number in range(3)
    ]
    await asyncio.sleep(3.0)
    for call in calls:
        call.cancel()
