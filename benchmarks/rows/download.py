"""One gigabyte from the provider to a checked file over a link of 1 Gbit/s, beside curl."""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from pathlib import Path

from rig.report import Figure, ratio
from rig.stage import Provider, Stage

GIGABYTE = 1_000_000_000
GIGABIT = 125e6
"""Bytes a second."""
ROUNDS = 3


async def download(stage: Stage) -> list[Figure]:
    if not shutil.which("curl"):
        return []
    size = GIGABYTE // 4 if stage.short else GIGABYTE
    whole = f"{size / 1e9:g} GB"
    found = _measure(stage, size)
    share = ratio(found["curl"], found["ours"])
    alike = ratio(found["curl, then sha256sum and sync"], found["ours"])
    growth = found.pop("growth")
    return [
        Figure(
            row="download",
            what=f"download of {whole} over 1 Gbit/s, hashed, checked and synced to the disk",
            unit="s",
            ours=found["ours"],
            goal=f"≥ 0.95 × curl's speed (is {share:.2f}; with sha256sum and sync after curl, "
            f"which make it the same work, {alike:.2f})",
            met=share >= 0.95,
            detail=dict(found),
        ),
        Figure(
            row="download",
            what=f"memory that a download of {whole} adds",
            unit="MB",
            ours=growth,
            goal="≤ 16 MB",
            met=max(growth) <= 16,
        ),
    ]


def _measure(stage: Stage, size: int) -> dict[str, list[float]]:
    names = ("ours", "curl", "our CPU", "curl's CPU", "growth", "curl, then sha256sum and sync")
    found: dict[str, list[float]] = {name: [] for name in names}
    with stage.folder() as folder, stage.provider(folder, size, GIGABIT) as provider:
        for _ in range(ROUNDS):
            target = folder / "clip.mp4"
            mine = stage.inside("download.py", provider.url, target)
            target.unlink()
            spent, used = _curl(provider, target)
            begun = time.perf_counter()
            subprocess.run(["sha256sum", str(target)], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["sync", str(target)], check=True)
            alike = spent + time.perf_counter() - begun
            target.unlink()
            values = (mine["seconds"], spent, mine["cpu"], used, mine["growth"], alike)
            for name, value in zip(names, values, strict=True):
                found[name].append(value)
    return found


def _curl(provider: Provider, target: Path) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(["curl", "-s", "-f", "-o", str(target), f"{provider.url}/clip"], check=True)
    spent = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
