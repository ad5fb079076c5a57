"""From the provider's success to the whole file on disk, and how often it was asked on the way."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from statistics import mean, median

from rig.report import Figure
from rig.session import Session
from rig.stage import Provider, Stage

SIZE = 6_000_000
CLIPS = 8


def durations(turn: int, clips: int) -> list[float]:
    """Around 60 s, spread evenly, so that no schedule is lucky."""
    return [50.0 + 20.0 * ((number + turn / 7) % clips) / clips for number in range(clips)]


async def polled(stage: Stage) -> list[Figure]:
    """Two waves: the first teaches ours how long such clips take, as a user's first ones do."""
    waves = ("first", "later")
    late: dict[str, list[float]] = {}
    polls: dict[str, list[float]] = {}
    fixed: dict[str, list[float]] = {}
    for turn in range(1 if stage.short else max(2, stage.rounds // 2)):
        with stage.folder() as folder, stage.provider(folder, SIZE) as provider:
            async with (
                stage.server("ours", folder, provider.url) as ours,
                stage.server("official", folder, provider.url) as official,
            ):
                await ours.greet()
                await official.greet()
                for wave in waves:
                    mark = f"{wave} {turn}"
                    seconds = durations(turn, CLIPS)
                    await asyncio.gather(
                        _buy(ours, f"{mark} ours", seconds, blocking=False),
                        _buy(official, f"{mark} official", seconds, blocking=True),
                        asyncio.sleep(max(seconds) + 25),
                    )
            for name in ("ours", "official"):
                for wave in waves:
                    kept = _kept(folder / name, provider, f"{wave} {turn} {name}")
                    lags = [lag for lag, _, _ in kept]
                    key = f"{name} {wave}"
                    late.setdefault(key, []).extend(lags)
                    polls.setdefault(key, []).append(mean(count for _, count, _ in kept))
                    # A fixed schedule is late by half of its interval in the middle.
                    fixed.setdefault(key, []).append(
                        mean(math.ceil(took / (2 * median(lags))) for _, _, took in kept)
                    )
    figures = []
    for wave, words in (("later", "once three such clips are known"), ("first", "the first clips")):
        mine, theirs = f"ours {wave}", f"official {wave}"
        figures += [
            Figure(
                row="delivery",
                what=f"provider's success to whole file on disk, 6 MB, 50 to 70 s, {words}",
                unit="s",
                ours=late[mine],
                official=late[theirs],
                goal="median ≤ 3 s",
                met=median(late[mine]) <= 3,
            ),
            Figure(
                row="delivery",
                what=f"status requests per clip, {words}",
                unit="",
                ours=polls[mine],
                official=polls[theirs],
                goal=f"≤ half of a fixed schedule as late as ours ({median(fixed[mine]):.0f})",
                met=median(polls[mine]) <= 0.5 * median(fixed[mine]),
            ),
        ]
    return figures


async def called_back(stage: Stage) -> list[Figure]:
    """The same, told by the provider instead of asking."""
    late: list[float] = []
    polls: list[float] = []
    for turn in range(stage.rounds):
        with stage.folder() as folder, stage.provider(folder, SIZE) as provider:
            async with stage.http_server(folder, provider.url) as server:
                seconds = [6.0 + number / 3 for number in range(CLIPS)]
                await server.buy([f"[ready:{one}] told {turn} {one}" for one in seconds])
                await asyncio.sleep(max(seconds) + 3)
            kept = _kept(folder / "ours", provider, "told")
            if len(kept) < CLIPS:
                raise RuntimeError(f"only {len(kept)} of {CLIPS} clips came by callback")
            late += [lag for lag, _, _ in kept]
            polls.append(mean(count for _, count, _ in kept))
    return [
        Figure(
            row="callback",
            what="provider's success to whole file on disk, 6 MB, by callback",
            unit="s",
            ours=late,
            goal="≤ 0.5 s",
            met=median(late) <= 0.5,
        ),
        Figure(row="callback", what="status requests per clip, by callback", unit="", ours=polls),
    ]


async def _buy(server: Session, mark: str, seconds: list[float], *, blocking: bool) -> None:
    calls = [server.call("generate_video", prompt=f"[ready:{one:.2f}] {mark}") for one in seconds]
    if blocking:
        await asyncio.gather(*calls)
    else:
        for call in calls:
            await call


def _kept(home: Path, provider: Provider, mark: str) -> list[tuple[float, int, float]]:
    """(seconds from success to the whole file, polls, seconds it took) of each clip of a wave.

    The n-th clip to be ready is the n-th file: both servers name files by ids of their own.
    """
    tasks = [task for task in provider.book().values() if mark in task["prompt"]]
    ready = sorted((task["ready_at"], task) for task in tasks)
    whole = sorted(
        max(path.stat().st_mtime, path.stat().st_ctime)
        for path in home.rglob("*.mp4")
        if path.stat().st_size == SIZE and path.stat().st_ctime > ready[0][0]
    )[: len(ready)]
    if len(whole) < len(ready):
        raise RuntimeError(f"{mark}: {len(whole)} of {len(ready)} files came")
    return [
        (saved - at, len(task["polls"]), at - task["created_at"])
        for saved, (at, task) in zip(whole, ready, strict=True)
    ]
