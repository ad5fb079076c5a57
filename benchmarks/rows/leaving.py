"""How long a server stays when its client has gone, and what becomes of clips on their way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import median

from rig.report import Figure
from rig.session import Session
from rig.stage import Stage

BOTH = ("ours", "official")
GIVE_UP = 60.0
AFTER_SECONDS = 12.0


async def leaving(stage: Stage) -> list[Figure]:
    """With three clips on their way, of which the official server's callers wait for theirs."""
    found = []
    for how in ("EOF", "SIGTERM", "SIGINT"):
        seconds: dict[str, list[float]] = {"ours": [], "official": []}
        kept: dict[str, list[float]] = {"ours": [], "official": []}
        with stage.folder() as folder, stage.provider(folder, 100_000) as provider:
            for turn in range(min(stage.rounds, 3)):
                home = folder / how / str(turn)
                # Both at once: neither works while it leaves, and the official one takes its time.
                ends = await asyncio.gather(
                    *(_end(stage, name, home, provider.url, how) for name in BOTH)
                )
                for name, (spent, saved) in zip(BOTH, ends, strict=True):
                    seconds[name].append(spent)
                    kept[name].append(saved)
        found += [
            Figure(
                row="leaving",
                what=f"leaves after {how} with three clips on their way",
                unit="s",
                **seconds,
                goal="≤ 0.2 s",
                met=median(seconds["ours"]) <= 0.2,
            ),
            Figure(
                row="leaving",
                what="of the three, on disk after the next start",
                unit="",
                **kept,
                goal="3",
                met=min(kept["ours"]) == 3,
            ),
        ]
    return found


async def _end(stage: Stage, name: str, home: Path, url: str, how: str) -> tuple[float, float]:
    """(seconds to the end of the process, clips on disk some seconds after its next start)."""
    async with stage.server(name, home, url) as server:
        await _buy(server, f"{how} {name}")
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
    await asyncio.sleep(2.0)
    for call in calls:
        call.cancel()
