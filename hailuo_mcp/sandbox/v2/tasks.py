"""A v2 task as the API shows it: its status, its usage, and the list with its filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hailuo_mcp.sandbox.job import NO_ENDS, Ends, Job, Phase
from hailuo_mcp.sandbox.refusal import MESSAGES, invalid
from hailuo_mcp.sandbox.v2.table import ADAPTIVE, GENERATION, MODELS, REGENERATION, nearest_ratio

FAMILY = "minimax-v2"
"""What marks the tasks of this API in the book."""

_WORDS = {
    Phase.PREPARING: "queued",
    Phase.QUEUEING: "queued",
    Phase.PROCESSING: "running",
    Phase.SUCCESS: "succeeded",
    Phase.FAIL: "failed",
    Phase.CANCELLED: "cancelled",
}
_STATUSES = (*dict.fromkeys(_WORDS.values()), "expired")
_MOST_PAGE = 500
_UNKNOWN_ERROR = 1000


def status(task: Job, phase: Phase) -> str:
    """Return the status word of a phase."""
    return "expired" if phase is Phase.FAIL and task.ending == "expired" else _WORDS[phase]


def usage(task: Job, phase: Phase) -> dict[str, object]:
    """Return what is charged, once it is; empty before, and for whatever did not succeed."""
    if phase is not Phase.SUCCESS:
        return {}
    counted: dict[str, object] = {
        "total_seconds": task.input_seconds + task.output_seconds,
        "input_seconds": task.input_seconds,
        "output_seconds": task.output_seconds,
        "input_image_count": task.input_images,
        "total_tokens": 0,
    }
    if task.input_audio_seconds:
        counted["input_audio_seconds"] = task.input_audio_seconds
    return counted


def shown(task: Job, phase: Phase, now: float, ends: Ends = NO_ENDS) -> dict[str, object]:
    """Return the task as a query shows it, without the link."""
    word = status(task, phase)
    body: dict[str, object] = {
        "id": task.task_id,
        "model": task.model,
        "status": "rendering" if task.is_weird(now) and word == "running" else word,
        "created_at": int(task.created_at),
        "updated_at": int(_updated_at(task, phase, ends)),
        "resolution": task.resolution,
        "duration": task.duration,
        "ratio": nearest_ratio(task.width, task.height),
        "task_type": task.kind,
        "modality": "video",
        "usage": usage(task, phase),
    }
    if word == "failed":
        code = task.ending_code or _UNKNOWN_ERROR
        body["error"] = {"code": code, "message": MESSAGES[code]}
    return body


def listed(task: Job, now: float, ends: Ends) -> dict[str, object]:
    """Return the task as the list shows it: the ratio as it was ordered, and no link."""
    ratio = "" if task.kind == REGENERATION else task.ratio or ADAPTIVE
    return {**shown(task, task.phase(now, ends), now, ends), "ratio": ratio}


def page(
    found: Iterable[tuple[Job, Ends]], query: Mapping[str, str], now: float
) -> dict[str, object]:
    """Return one page of an account's tasks, given newest first."""
    number = _whole(query, "page_num", 1, 10**9)
    size = _whole(query, "page_size", 20, _MOST_PAGE)
    words = _filter(query, "status", _STATUSES)
    models = _filter(query, "model", tuple(MODELS))
    types = _filter(query, "task_type", (GENERATION, REGENERATION, "h3_context_ir"))
    ids = _filter(query, "task_ids", ())
    items = [
        listed(task, now, ends)
        for task, ends in found
        if ends.deleted_at is None
        and "lost-task" not in task.faults
        and now - task.created_at >= task.faults.value("list-lag", 0.0)
        and (not words or status(task, task.phase(now, ends)) in words)
        and (not models or task.model in models)
        and (not types or task.kind in types)
        and (not ids or task.task_id in ids)
    ]
    start = (number - 1) * size
    return {"items": items[start : start + size], "total": len(items)}


def _updated_at(task: Job, phase: Phase, ends: Ends) -> float:
    if ends.cancelled_at is not None:
        return ends.cancelled_at
    if phase in (Phase.SUCCESS, Phase.FAIL):
        return task.finished_at
    return task.processing_at() if phase is Phase.PROCESSING else task.created_at


def _whole(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    raw = query.get(name) or str(default)
    is_short = len(raw) <= len(str(most))  # Python refuses to read endless digits
    if not (raw.isascii() and raw.isdigit() and is_short and 1 <= int(raw) <= most):
        raise invalid(f"{name} must be an integer from 1 to {most}")
    return int(raw)


def _filter(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> list[str]:
    """Return the values of a filter, given once with commas between them."""
    wanted = [word for word in query.get(f"filter.{name}", "").split(",") if word]
    if known and not set(wanted) <= set(known):
        raise invalid(f"filter.{name} must be one of {', '.join(known)}")
    return wanted
