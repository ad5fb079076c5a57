"""Whether a journal of 10,000 clips is slower than an empty one."""

from __future__ import annotations

import time
from statistics import median

from rig.report import Figure
from rig.stage import Stage

CLIPS = 10_000


async def history(stage: Stage) -> list[Figure]:
    with stage.folder() as folder:
        measured = [
            stage.inside("history.py", folder / str(turn), CLIPS) for turn in range(stage.rounds)
        ]
        stage.inside("fill_journal.py", folder / "full" / "ours" / "state", CLIPS)
        begin: dict[str, list[float]] = {"full": [], "empty": []}
        first: dict[str, list[float]] = {"full": [], "empty": []}
        for _ in range(max(3, 2 * stage.rounds)):
            for home, values in begin.items():
                async with stage.server("ours", folder / home) as server:
                    await server.greet()
                    await server.tools()
                    values.append((time.perf_counter() - server.started) * 1000)
                    seconds, _ = await server.call("list_tasks")
                    first[home].append(seconds * 1000)
    figures = [
        Figure(
            row="history",
            what=f"{what} in a journal of {CLIPS:,}, p99",
            unit="ms",
            ours=[one[key] for one in measured],
            goal="≤ 5 ms",
            met=median(one[key] for one in measured) <= 5,
        )
        for key, what in (
            ("list", "list of the newest 20"),
            ("query", "query of one task"),
            ("budget", "budget check of a purchase"),
        )
    ]
    growth = median(a / b for a, b in zip(begin["full"], begin["empty"], strict=True))
    return [
        *figures,
        Figure(
            row="history",
            what=f"start with a journal of {CLIPS:,}",
            unit="ms",
            ours=begin["full"],
            goal=f"unchanged (is {growth:.2f} × an empty one's)",
            met=growth <= 1.05,
        ),
        Figure(
            row="history",
            what=f"the first call after it, with a journal of {CLIPS:,}",
            unit="ms",
            ours=first["full"],
            detail={"with an empty journal": median(first["empty"])},
        ),
    ]
