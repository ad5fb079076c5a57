"""What the kernel says of a process: its CPU time and its memory."""

from __future__ import annotations

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far, from /proc/PID/stat (ticks of 10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_exact(pid: int) -> float:
    """The same from /proc/PID/schedstat of each thread that still lives, in nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def memory(pid: int) -> dict[str, float]:
    """Resident and highest resident memory in MB (of 1,000,000 bytes)."""
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "rss": int(rows["VmRSS"].split()[0]) * 1024 / 1e6,
        "peak": int(rows["VmHWM"].split()[0]) * 1024 / 1e6,
    }
