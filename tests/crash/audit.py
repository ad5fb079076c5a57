"""After the killing: the journal and the clips against the sandbox's own account book."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol


@dataclass
class Audit:
    figures: dict[str, object] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def demand(self, holds: bool, what: str) -> None:
        if not holds:
            self.violations.append(what)


class Clips(Protocol):
    """Where the clips are."""

    def read(self, file: str) -> bytes | None:
        """The clip of this name in the journal; None if there is none."""
        ...

    def names(self) -> Iterable[str]:
        """Every clip there is, as the journal would name it."""
        ...

    def parts(self) -> int:
        """How many are left unfinished."""
        ...


@dataclass(frozen=True)
class Folder:
    path: Path

    def read(self, file: str) -> bytes | None:
        return Path(file).read_bytes() if Path(file).is_file() else None

    def names(self) -> Iterable[str]:
        return [str(path) for path in self.path.rglob("*.mp4")]

    def parts(self) -> int:
        return len(list(self.path.rglob("*.part")))


def audit(
    tasks: list[dict[str, Any]],
    book: dict[str, Any],
    clips: Clips,
    *,
    bought_again: Collection[str] = (),
    limit: int = 20,
) -> Audit:
    """Compare; every sentence in `violations` is a broken promise.

    `bought_again`: prompts that may be bought more than once, because they failed and were asked
    for again.
    """
    found = Audit()
    accepted = [
        facts for account in book["accounts"].values() for facts in account["tasks"].values()
    ]
    _purchases(found, tasks, accepted, bought_again, limit)
    _money(found, tasks, accepted)
    _files(found, tasks, clips, limit)
    statuses = Counter(str(task["status"]) for task in tasks)
    found.figures["tasks in the journal"] = dict(sorted(statuses.items()))
    open_ones = [task["task_id"] for task in tasks if task["status"] in _OPEN]
    found.demand(not open_ones, f"still unfinished: {open_ones[:limit]}")
    return found


_LISTED = ("MiniMax-H3", "MiniMax-H3-Max")
"""Models on v2, whose tasks the provider lists."""
_IN_LIST = "One task in the provider's list fits it"
_OPEN = ("pending", "submitting", "queued", "running")


def tasks_in_file(path: Path) -> list[dict[str, Any]]:
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    try:
        found = [dict(row) for row in db.execute("SELECT * FROM tasks ORDER BY created_at")]
        (check,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    finally:
        db.close()
    if check != "ok":
        raise AssertionError(f"the journal is damaged: {check}")
    return found


def tasks_in_database(url: str) -> list[dict[str, Any]]:
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(url, row_factory=dict_row) as db:
        return db.execute("SELECT * FROM tasks ORDER BY created_at").fetchall()


def _purchases(
    found: Audit,
    tasks: list[dict[str, Any]],
    accepted: list[dict[str, Any]],
    bought_again: Collection[str],
    limit: int,
) -> None:
    remote = {facts["task_id"]: facts for facts in accepted}
    known = [task["remote_id"] for task in tasks if task["remote_id"]]
    invented = [one for one in known if one not in remote]
    found.demand(not invented, f"ids that the sandbox never gave: {invented[:limit]}")
    found.demand(len(known) == len(set(known)), "two tasks share one purchase")
    unknown = [facts for one, facts in remote.items() if one not in set(known)]
    # What the sandbox took and the journal has no id of: each must be an unconfirmed task.
    open_by_prompt: defaultdict[str, int] = defaultdict(int)
    for task in tasks:
        if task["status"] == "unconfirmed" and not task["remote_id"]:
            open_by_prompt[_plain(task["prompt"])] += 1
    stray = []
    for facts in unknown:
        if open_by_prompt[_plain(facts["prompt"])] > 0:
            open_by_prompt[_plain(facts["prompt"])] -= 1
        else:
            stray.append(facts["prompt"])
    found.demand(not stray, f"bought and not marked: {stray[:limit]}")
    wrong = [
        task["task_id"]
        for task in tasks
        if task["remote_id"] in remote
        and _plain(remote[task["remote_id"]]["prompt"]) != _plain(task["prompt"])
    ]
    found.demand(not wrong, f"taken for another purchase: {wrong[:limit]}")
    shown = {one for task in tasks for one in json.loads(task["candidates"])}
    listed = [facts for facts in unknown if facts.get("model") in _LISTED]
    lost = [facts["task_id"] for facts in listed if facts["task_id"] not in shown]
    found.demand(not lost, f"on v2, neither adopted nor shown: {lost[:limit]}")
    times = Counter(_plain(facts["prompt"]) for facts in accepted)
    twice = {
        prompt: count for prompt, count in times.items() if count > 1 and prompt not in bought_again
    }
    found.demand(not twice, f"bought twice: {dict(list(twice.items())[:limit])}")
    found.figures |= {
        "submits accepted by the sandbox": len(accepted),
        "of these known to the journal by id": len(set(known) & set(remote)),
        "of these unconfirmed in the journal": len(unknown) - len(stray),
        "of these on v2 and shown to choose from": len(listed) - len(lost),
        "adopted from the provider's list": sum(_IN_LIST in task["warnings"] for task in tasks),
        "on v2 neither adopted nor shown (must be 0)": len(lost),
        "of these neither (must be 0)": len(stray),
        "requests bought twice (must be 0)": len(twice),
        "unconfirmed that the sandbox never received": sum(open_by_prompt.values()),
    }


def _plain(prompt: str) -> str:
    return prompt.partition(" [sandbox:")[0].strip()


def _money(found: Audit, tasks: list[dict[str, Any]], accepted: list[dict[str, Any]]) -> None:
    def micro(rows: list[dict[str, Any]]) -> Decimal:
        return Decimal(sum(int(row["counted"]) for row in rows)) / 1_000_000

    spent = micro([task for task in tasks if task["money"] == "spent"])
    reserved = micro([task for task in tasks if task["money"] == "reserved"])
    bill = sum((Decimal(facts["cny"]) for facts in accepted if facts["billed"]), Decimal(0))
    billed = {_plain(facts["prompt"]) for facts in accepted if facts["billed"]}
    received = {_plain(facts["prompt"]) for facts in accepted}
    open_ones = [task for task in tasks if task["status"] == "unconfirmed"]
    never = micro([task for task in open_ones if _plain(task["prompt"]) not in received])
    failed = micro([task for task in open_ones if _plain(task["prompt"]) in received - billed])
    wrong = [
        task["task_id"]
        for task in tasks
        if task["money"]
        != {"succeeded": "spent", "failed": "released", "cancelled": "released"}.get(
            task["status"], "reserved"
        )
    ]
    found.demand(not wrong, f"money that does not fit the status: {wrong[:20]}")
    found.demand(
        spent + reserved - bill == never + failed,
        f"{spent} spent + {reserved} reserved - {bill} billed is not {never} + {failed}",
    )
    found.figures |= {
        "spent (CNY)": spent,
        "reserved": reserved,
        "billed by the sandbox": bill,
        "spent + reserved - bill": spent + reserved - bill,
        "reserved by unconfirmed tasks never received": never,
        "reserved by unconfirmed tasks that failed there, unseen": failed,
    }


def _files(found: Audit, tasks: list[dict[str, Any]], clips: Clips, limit: int) -> None:
    done = [task for task in tasks if task["status"] == "succeeded"]
    bad: list[str] = []
    for number, task in enumerate(done):
        data = clips.read(task["file"]) if task["file"] else None
        if data is None:
            bad.append(f"{task['task_id']}: no file ({task['save_error'][:80]})")
        elif hashlib.sha256(data).hexdigest() != task["sha256"] or len(data) != task["bytes"]:
            bad.append(f"{task['task_id']}: not the bytes of the journal")
        elif not _whole(data):
            bad.append(f"{task['task_id']}: not a whole MP4")
        elif number % max(1, len(done) // 10) == 0 and not _plays(data):
            bad.append(f"{task['task_id']}: does not play")
    found.demand(not bad, f"clips: {bad[:limit]}")
    recorded = {task["file"] for task in done}
    strays = [name for name in clips.names() if name not in recorded]
    found.demand(not strays, f"clips that nobody knows of: {strays[:limit]}")
    found.figures |= {
        "succeeded": len(done),
        "of these whole": len(done) - len(bad),
        "left-over .part files": clips.parts(),
    }


def _whole(data: bytes) -> bool:
    """Boxes from the first byte to the last, with a head and an index (ISO/IEC 14496-12, 4.2)."""
    at, kinds = 0, []
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size < 8:
            return False
        kinds.append(kind)
        at += size
    return at == len(data) and kinds[:1] == [b"ftyp"] and b"moov" in kinds and b"mdat" in kinds


def _plays(data: bytes) -> bool:
    try:
        import av
    except ImportError:
        return True
    with av.open(io.BytesIO(data)) as film:
        return next(film.decode(video=0)) is not None
