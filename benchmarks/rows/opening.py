"""Start, idle memory and the tool list: what every launch of a client pays."""

from __future__ import annotations

import asyncio
import json
import time
from statistics import median

from rig import accounting
from rig.report import Figure, ratio
from rig.stage import Stage

THREE = ("ours", "official", "floor")
IDLE_SECONDS = 3.0
"""Long enough for whatever a server does by itself after its start."""


async def start(stage: Stage) -> list[Figure]:
    """Spawn to tools/list answered, by the clock and by the process's own CPU time."""
    clock: dict[str, list[float]] = {name: [] for name in THREE}
    cpu: dict[str, list[float]] = {name: [] for name in THREE}
    with stage.folder() as folder:
        for turn in range(max(3, 3 * stage.rounds) + 1):
            for name in THREE:
                async with stage.server(name, folder) as server:
                    await server.greet()
                    await server.tools()
                    if turn:  # the first finds cold files
                        clock[name].append((time.perf_counter() - server.started) * 1000)
                        cpu[name].append(accounting.cpu_exact(server.pid) * 1000)
    found = []
    for what, values in (("by the clock", clock), ("CPU time", cpu)):
        floor, official = (ratio(values["ours"], values[other]) for other in ("floor", "official"))
        found.append(
            Figure(
                row="start",
                what=f"start: spawn to tools/list answered, {what}",
                unit="ms",
                **values,
                goal=f"≤ 1.0 × floor (is {floor:.2f}), ≤ 0.9 × official (is {official:.2f})",
                met=floor <= 1.0 and official <= 0.9,
            )
        )
    return found


async def memory(stage: Stage) -> list[Figure]:
    """Resident, after the tool list and some seconds of doing nothing."""
    found: dict[str, list[float]] = {name: [] for name in THREE}
    first: list[float] = []
    later: list[float] = []
    with stage.folder() as folder:
        state = folder / "full" / "ours" / "state"
        stage.inside("fill_journal.py", state, 1000)
        for _ in range(max(2, stage.rounds)):
            for note in state.glob("*.settled"):  # as a purchase makes it worthless
                note.unlink()
            for name, home, values in (
                *((name, folder, found[name]) for name in THREE),
                ("ours", folder / "full", first),
                ("ours", folder / "full", later),
            ):
                async with stage.server(name, home) as server:
                    await server.greet()
                    await server.tools()
                    await asyncio.sleep(IDLE_SECONDS)
                    values.append(accounting.memory(server.pid)["rss"])
    floor, official = median(found["floor"]), median(found["official"])
    return [
        Figure(
            row="memory",
            what=f"resident memory, idle after tools/list, {state}",
            unit="MB",
            **(found | {"ours": values}),
            goal=f"≤ 1.10 × floor (is {mine / floor:.2f}), ≤ 0.9 × official "
            f"(is {mine / official:.2f})",
            met=mine <= 1.10 * floor and mine <= 0.9 * official,
        )
        for state, values in (
            ("nothing bought yet", found["ours"]),
            ("1,000 clips bought", later),
            ("1,000 clips bought, the first start since", first),
        )
        for mine in [median(values)]
    ]


async def tokens(stage: Stage) -> list[Figure]:
    """Four bytes of compact JSON to a token, for every server alike."""
    read, whole, counts = {}, {}, {}
    with stage.folder() as folder:
        for name in ("ours", "official"):
            async with stage.server(name, folder) as server:
                await server.greet()
                tools, whole[name] = await server.tools()
                shown = [
                    {key: tool[key] for key in ("name", "description", "inputSchema")}
                    for tool in tools
                ]
                read[name] = sum(_bytes(tool) for tool in shown)
                counts[name] = len(tools)
    return [
        Figure(
            row="tokens",
            what="tokens that a model reads of the tool list (name, description, input schema)",
            unit="",
            ours=[round(read["ours"] / 4)],
            official=[round(read["official"] / 4)],
            goal="≤ 2,500",
            met=read["ours"] / 4 <= 2500,
            detail={"tools": counts},
        ),
        Figure(
            row="tokens",
            what="the whole tools/list answer, output schemas and hints included",
            unit="bytes",
            ours=[whole["ours"]],
            official=[whole["official"]],
        ),
    ]


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
