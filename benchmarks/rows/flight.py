"""Many clips on their way in one process: what each costs, and whether others still get answers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from rig import accounting
from rig.report import Figure, percentile
from rig.session import Session
from rig.stage import Stage

LOADS = (10, 100, 1000)
SECONDS = 120.0
"""How long each clip takes: what the catalogue expects of a model without a sample."""
SIZE = 200_000
AT_ONCE = 8
LONGEST = 180.0


@dataclass
class Load:
    clips: int
    submit_cpu: float = 0.0
    submit_wall: float = 0.0
    flight_cpu: float = 0.0
    flight_wall: float = 0.0
    end_cpu: float = 0.0
    end_wall: float = 0.0
    peak: float = 0.0
    polls: int = 0
    saved: int = 0
    p99: float = 0.0

    @property
    def share(self) -> float:
        """Of one core, over the whole life of the load."""
        cpu = self.submit_cpu + self.flight_cpu + self.end_cpu
        return cpu / (self.submit_wall + self.flight_wall + self.end_wall)

    @property
    def cpu(self) -> float:
        return self.submit_cpu + self.flight_cpu + self.end_cpu


async def flight(stage: Stage) -> list[Figure]:
    loads = LOADS[:2] if stage.short else LOADS
    measured = [await _carry(stage, clips) for clips in loads]
    top = measured[-1]
    each = [1000 * load.cpu / load.clips for load in measured]
    detail: dict[str, object] = {"loads": [vars(load) for load in measured]}
    flying = 100 * top.flight_cpu / top.flight_wall
    name = f"{top.clips:,} clips on their way in one process"
    return [
        Figure(
            row="flight",
            what=f"{name}: saved in the end",
            unit="",
            ours=[top.saved],
            goal=f"{top.clips:,}",
            met=top.saved == top.clips,
            detail=detail,
        ),
        Figure(
            row="flight",
            what=f"{name}: CPU while all of them fly",
            unit="% of one core",
            ours=[flying],
            goal="≤ 25 %",
            met=flying <= 25,
        ),
        Figure(
            row="flight",
            what=f"{name}: CPU from the first submit to the last file",
            unit="% of one core",
            ours=[100 * top.share],
        ),
        Figure(
            row="flight",
            what=f"{name}: highest resident memory",
            unit="MB",
            ours=[top.peak],
            goal="≤ 200 MB",
            met=top.peak <= 200,
        ),
        Figure(
            row="flight",
            what=f"{name}: list_tasks and query_task answered, p99",
            unit="ms",
            ours=[top.p99],
            goal="≤ 50 ms",
            met=top.p99 <= 50,
        ),
        Figure(
            row="flight",
            what="growth: CPU for one clip with "
            + ", ".join(f"{n.clips:,}" for n in measured)
            + " on their way",
            unit="ms",
            ours=each,
            goal=f"flat (the last is {each[-1] / each[0]:.2f} × the first)",
            met=each[-1] <= 1.1 * each[0],
        ),
    ]


async def _carry(stage: Stage, clips: int) -> Load:
    """Submit all, watch them fly, and wait until the last file is there."""
    load = Load(clips=clips)
    with stage.folder() as folder, stage.provider(folder, SIZE) as provider:
        async with stage.server("ours", folder, provider.url) as server:
            await server.greet()
            await server.call("list_tasks")  # opens the studio: that is no clip's cost
            cpu, begun = accounting.cpu_exact(server.pid), time.monotonic()
            ids = await _submit(server, clips)
            load.submit_cpu = accounting.cpu_exact(server.pid) - cpu
            load.submit_wall = time.monotonic() - begun
            cpu, begun = accounting.cpu_exact(server.pid), time.monotonic()
            # Without our own questions: theirs is another row.
            await asyncio.sleep(max(5.0, SECONDS - load.submit_wall - 12.0))
            load.flight_cpu = accounting.cpu_exact(server.pid) - cpu
            load.flight_wall = time.monotonic() - begun
            spent = await _ask(server, ids, 10.0)
            load.p99 = percentile(spent, 0.99)
            cpu, begun = accounting.cpu_exact(server.pid), time.monotonic()
            while time.monotonic() - begun < LONGEST:
                await asyncio.sleep(1.0)
                load.saved = len(list((folder / "ours").rglob("*.mp4")))
                if load.saved == clips:
                    break
            load.end_cpu = accounting.cpu_exact(server.pid) - cpu
            load.end_wall = time.monotonic() - begun
            load.peak = accounting.memory(server.pid)["peak"]
            load.polls = sum(len(task["polls"]) for task in provider.book().values())
    return load


async def _submit(server: Session, clips: int) -> list[str]:
    ids: list[str] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            prompt = f"a lighthouse {number} [ready:{SECONDS}]"
            _, result = await server.call("generate_video", prompt=prompt)
            ids.append(result["structuredContent"]["task_id"])

    await asyncio.gather(*(one(number) for number in range(clips)))
    return ids


async def _ask(server: Session, ids: list[str], seconds: float) -> list[float]:
    spent: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        took, _ = await server.call("list_tasks")
        spent.append(took * 1000)
        took, _ = await server.call(
            "query_task", task_id=ids[len(spent) % len(ids)], wait_seconds=0
        )
        spent.append(took * 1000)
        await asyncio.sleep(0.03)
    return spent
