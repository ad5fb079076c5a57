"""Writes a journal of so many finished clips, as a year of use would leave it."""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from decimal import Decimal
from pathlib import Path

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task, Unit
from hailuo_mcp.journal.sql.rows import INSERT, row_of
from hailuo_mcp.journal.sqlite import schema
from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME
from hailuo_mcp.studio.request_record import new_task_id

ACCOUNT = "the account"


def tasks(count: int, now: float) -> list[Task]:
    dice = random.Random(1)
    ends = (Status.SUCCEEDED,) * 18 + (Status.FAILED, Status.UNCONFIRMED)
    money = {Status.SUCCEEDED: Money.SPENT, Status.FAILED: Money.RELEASED}
    made = []
    for number in range(count):
        at = now - (count - number) * 60.0
        status = dice.choice(ends)
        text = f"Shot {number}: a lighthouse at dusk, waves, slow push in, gulls " * 6
        made.append(
            Task(
                task_id=new_task_id(at),
                account=ACCOUNT,
                provider="minimax-cn",
                caller="",
                status=status,
                created_at=at,
                updated_at=at + 90,
                mode=Mode.T2V,
                model="MiniMax-Hailuo-2.3",
                duration=6,
                resolution="768P",
                prompt=text,
                request=json.dumps({"prompt": text, "model": "MiniMax-Hailuo-2.3"}),
                identity=f"{number:064x}",
                attempt=1,
                remote_id=f"{number:018d}",
                remote_status="Success",
                amount=Decimal(2),
                unit=Unit.CNY,
                money=money.get(status, Money.RESERVED),
                due_at=0.0,
                submitted_at=at,
                unfinished_at=at + 80,
                finished_at=at + 90,
                file=f"/videos/{number}.mp4",
                bytes=6_000_000,
                sha256=f"{number:064x}",
            )
        )
    return made


def fill(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    schema.migrate(db)
    db.execute("BEGIN")
    db.executemany(INSERT, [row_of(task, Decimal(2)) for task in tasks(count, time.time())])
    db.execute("COMMIT")
    db.close()
    return path


if __name__ == "__main__":
    print(json.dumps(str(fill(Path(sys.argv[1]), int(sys.argv[2])))))
