"""What is sampled of a running server: by the kernel, the journal, its folders, its own count."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from rig import accounting
from rig.curves import Rule

CLIPS, PAPERS = (".mp4",), (".json",)
TABLES = (
    *("tasks", "codes", "approvals", "slots", "tenant_slots", "owners", "accounts", "totals"),
    *("account_counts", "caller_counts", "account_spending", "caller_spending"),
)

RULES = (
    Rule("rss", "resident memory", "MB", share=0.03, least=3.0),
    Rule("private", "memory of its own", "MB", share=0.03, least=3.0),
    Rule("objects", "Python objects", share=0.01, least=3000),
    Rule("fds", "descriptors", least=12),
    Rule("threads", "threads", least=4),
    Rule("loop_tasks", "tasks of the event loop", share=0.1, least=30),
    Rule("sessions", "sessions of the older era", share=0.2, least=12),
    Rule("series", "series in /metrics", most=2500),  # its labels are closed sets
    Rule("wal", "journal's -wal", "MB", share=0.1, least=1.0),
    Rule("temporary", "temporary files", least=10),
    Rule("state_files", "other files of the state folder", least=6),
    Rule("rows_codes", "journal: consent codes", least=20),
    Rule("rows_slots", "journal: slots of the rate limit", share=0.2, least=100),
    Rule("rows_owners", "journal: processes", least=1),
    Rule("uploads", "uploads of the last day", most=100 * 5 + 5),
    Rule("inputs", "input pictures of the last day", with_="uploads made", each=1),
    Rule("tasks", "tasks in the journal", with_="purchases", each=1),
    Rule("journal", "journal", "MB", with_="tasks", least=0.001),
    Rule("spending_rows", "journal: sums of money", with_="tasks", least=0.2),
    Rule("log", "log", "MB", with_="requests", least=0.0001),
    Rule("clips", "clips kept", with_="tasks", each=1),
    Rule("papers", "their .json", with_="clips", each=1),
)
"""`with_` names another figure, or one of the team's own counts."""

_REQUESTS = re.compile(r"^hailuo_http_requests_total.* (\S+)$", re.MULTILINE)
_PRIVATE = re.compile(r"^Private_\w+:\s+(\d+)", re.MULTILINE)


class Sampler:
    def __init__(self, pid: int, folder: Path, census: Path) -> None:
        self._pid, self._folder, self._census = pid, folder, census

    async def take(self, metrics: str) -> dict[str, Any]:
        """All figures of this moment; `metrics`: the answer of /metrics."""
        counted = await self._counted()
        facts: dict[str, Any] = {
            "rss": accounting.memory(self._pid)["rss"],
            "private": _private(self._pid),
            "fds": _entries(Path(f"/proc/{self._pid}/fd")),
            "threads": _entries(Path(f"/proc/{self._pid}/task")),
            "cpu": accounting.cpu_seconds(self._pid),
            "series": len(re.findall(r"^\w+[{ ]", metrics, re.MULTILINE)),
            "requests": sum(float(n) for n in _REQUESTS.findall(metrics)),
            "objects": counted.get("objects", 0),
            "loop_tasks": counted.get("tasks", 0),
            "sessions": counted.get("watched", {}).get("StreamableHTTPServerTransport", 0),
        }
        facts |= await asyncio.to_thread(self._on_disk)
        return {name: round(value, 5) for name, value in facts.items()}

    async def _counted(self) -> dict[str, Any]:
        before = self._size()
        os.kill(self._pid, signal.SIGUSR2)
        for _ in range(200):
            await asyncio.sleep(0.02)
            if self._size() > before:
                text = self._census.read_text(encoding="utf-8")
                if text.endswith("\n"):
                    return json.loads(text.splitlines()[-1])
        return {}

    def _size(self) -> int:
        return self._census.stat().st_size if self._census.exists() else 0

    def _on_disk(self) -> dict[str, float]:
        state = self._folder / "state"
        journal = state / "journal.sqlite3"
        kept = [path for path in _files(self._folder / "clips") if path.suffix in CLIPS]
        papers = [path for path in _files(self._folder / "clips") if path.suffix in PAPERS]
        others = [p for p in _files(self._folder / "clips") if p.suffix not in CLIPS + PAPERS]
        own = [
            path
            for path in _files(state)
            if path.relative_to(state).parts[0] not in ("inputs", "uploads", "spool")
        ]
        spool = len(list(_files(state / "spool"))) + len(others)
        facts: dict[str, float] = {
            "journal": _bytes(journal) / 1e6,
            "wal": _bytes(journal.with_name(journal.name + "-wal")) / 1e6,
            "log": _bytes(self._folder / "server.log") / 1e6,
            "temporary": spool + len(list(_files(self._folder / "tmp"))),
            "state_files": len(own),
            "inputs": len(list(_files(state / "inputs"))),
            "uploads": len(list(_files(state / "uploads"))),
            "clips": len(kept),
            "papers": len(papers),
        }
        address = f"{journal.as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as db:
            for table in TABLES:
                row = db.execute(f"SELECT count(*) FROM {table}").fetchone()
                facts[f"rows_{table}"] = row[0]
        facts["tasks"] = facts["rows_tasks"]
        facts["spending_rows"] = facts["rows_account_spending"] + facts["rows_caller_spending"]
        return facts


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.rglob("*") if path.is_file())


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _private(pid: int) -> float:
    """What no other process has of its memory, in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(n) for n in _PRIVATE.findall(text)) * 1024 / 1e6
