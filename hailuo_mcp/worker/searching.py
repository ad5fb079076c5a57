"""Look for a purchase that got no answer in the provider's list of tasks.

The list tells neither prompts nor our ids, and may lag behind by minutes. So a task is recognised
by its model, size, length and kind, and by when it was sent; where several fit, a person chooses.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from math import inf

from hailuo_mcp.catalog.video_models import find_model
from hailuo_mcp.domain.remote import Phase, RemoteTask
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import NOT_BOUGHT, Status, Task
from hailuo_mcp.errors import HailuoError, InvalidRequestError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.reader import SUBMIT_LEASE
from hailuo_mcp.telemetry.events import Event
from hailuo_mcp.text import shown

_log = logging.getLogger(__name__)

EARLIER = 120.0
"""Seconds by which the provider's clock may be behind or ahead of ours."""
LATER = SUBMIT_LEASE + EARLIER
"""A request arrives while its sender still owns it."""
NOT_BOUGHT_SECONDS = 1800.0
"""So long after it was sent, the list would have shown it (v2 facts, "The task")."""
LISTED_SECONDS = 6 * 86_400.0
"""The list goes back seven days: later it proves nothing."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0
CHOICE_PAUSE = 600.0
"""While a person has to choose: what they settle may leave one that fits."""
CHOICE_SECONDS = 86_400.0
MOST_PAGES = 100
FULL_PAGE = 20
MOST_CANDIDATES = 20
_NAMED = 5
"""So many candidates are named in a message."""

Values = Mapping[str, object]


async def search(context: Context, task: Task) -> None:
    """Look once for an unconfirmed task whose lease this process holds."""
    with context.step("search", task) as step:
        changed = await _search(context, task)
        found = changed or task
        step.note(status=found.status, remote_id=found.remote_id)
    context.changes.announce(task.task_id)


async def _search(context: Context, task: Task) -> Task | None:
    found = await _look(context, task)
    if isinstance(found, RemoteTask):
        return await _bring_home(context, task, found)
    return await _record(context, task, found)


async def _look(context: Context, task: Task) -> RemoteTask | Values:
    """The task of the list that it certainly is, or what to record."""
    if task.sent_at is None or not context.searches(task):
        return {"due_at": 0.0}
    if task.remote_id:
        return await _asked_by_id(context, task)
    began = context.clock()
    try:
        listed = await read_list(context, task, since=task.sent_at - EARLIER)
    except InvalidRequestError:
        return {"due_at": 0.0}
    except HailuoError as exc:
        _log.info("the provider's list could not be read for %s: %s", task.task_id, exc.code)
        listed = None
    if listed is None:
        return _later(context, task)
    return await _decide(context, task, listed, age=began - task.sent_at)


async def _decide(
    context: Context, task: Task, listed: list[RemoteTask], *, age: float
) -> RemoteTask | Values:
    # In this order: what is answered meanwhile is still a rival, or known already.
    others = await context.store.awaiting_ids(context.account)
    rivals = [other for other in others if other.task_id != task.task_id]
    fitting = [one for one in listed if fits(task, one)]
    known = await context.store.known_ids({one.remote_id for one in fitting} | {*task.candidates})
    fitting = [one for one in fitting if one.remote_id not in known]
    if not fitting:
        gone = set(task.candidates) - known  # somebody deleted them there
        decided = NOT_BOUGHT_SECONDS <= age <= LISTED_SECONDS and not gone
        return _not_bought() if decided else _later(context, task)
    theirs = [other for other in rivals if any(fits(other, one) for one in fitting)]
    if len(fitting) == 1 and not theirs:
        return fitting[0]
    if any(other.status is Status.SUBMITTING for other in theirs):
        return _later(context, task)
    return _choice(context, task, fitting)


async def read_list(context: Context, task: Task, *, since: float) -> list[RemoteTask] | None:
    """The account's tasks of this model back to `since`; None if some may be missing."""
    found, read, total = dict[str, RemoteTask](), 0, 0
    for page in range(1, MOST_PAGES + 1):
        listed = await context.client.newest(model=task.model, page=page)
        rows, of_all = listed.tasks, listed.total > len(listed.tasks)
        if of_all and listed.total < total:  # one was deleted: others are on a page that was read
            return None
        if any(one.created_at <= 0 for one in rows):
            return None
        found |= {one.remote_id: one for one in rows}
        read, total = read + len(rows), listed.total
        # Where the list does not tell its length, `total` is that of the page.
        at_its_end = read >= total and (of_all or len(rows) < FULL_PAGE)
        if at_its_end or (rows and rows[-1].created_at < since):
            return list(found.values())
        if not rows:
            return None
    return None


def fits(task: Task, one: RemoteTask) -> bool:
    """Whether a task of the list may be this one: nothing that it tells says otherwise."""
    earliest, latest = _window(task)
    return (
        earliest <= one.created_at <= latest
        and one.upgrade in (None, task.mode is Mode.UPGRADE)
        and (not one.model or _official(one.model) == _official(task.model))
        and (not one.resolution or one.resolution.casefold() == (task.resolution or "").casefold())
        and (one.duration is None or task.duration is None or one.duration == task.duration)
        and (one.prompt is None or one.prompt.strip() == task.prompt.strip())
    )


def _window(task: Task) -> tuple[float, float]:
    """When the provider can have recorded it, by its own clock."""
    if task.sent_at is None:  # sent by an older version
        return task.created_at - EARLIER, inf
    return task.sent_at - EARLIER, task.sent_at + LATER


def _official(name: str) -> str:
    model = find_model(name)
    return model.name if model else name.casefold()


async def _bring_home(context: Context, task: Task, one: RemoteTask) -> Task | None:
    now = context.clock()
    note = (
        "The answer to its request was lost. One task in the provider's list fits it, and is taken "
        "to be it."
    )
    values: Values = {
        "status": Status.QUEUED,
        "remote_id": one.remote_id,
        "submitted_at": min(now, max(one.created_at, task.sent_at or now)),
        "warnings": (*task.warnings, note),
        "candidates": (),
        **dict.fromkeys(("owner", "error", "error_kind", "error_code"), ""),
        "lease_until": 0.0,
        "tries": 0,
        "due_at": now,
    }
    found = await context.store.bring_home(task.task_id, values, attempt=task.attempt, now=now)
    if found is None:  # settled or answered meanwhile; or another one was faster
        return await _record(context, task, _later(context, task))
    context.report(Event.ADOPTED, found, remote_id=found.remote_id)
    context.wakeup.notify()
    return found


def _choice(context: Context, task: Task, fitting: Collection[RemoteTask]) -> Values:
    """Several may be it, or one may also be another purchase's: a person chooses."""
    several = sorted(fitting, key=lambda one: one.created_at)
    ids = tuple(one.remote_id for one in several)[:MOST_CANDIDATES]
    told = ", ".join(f"{shown(one.remote_id)} ({_utc(one.created_at)})" for one in several[:_NAMED])
    more = f" and {len(several) - _NAMED} more" if len(several) > _NAMED else ""
    many = "one task" if len(several) == 1 else f"{len(several)} tasks"
    may = (
        "that may be this purchase, or another one without an answer"
        if len(several) == 1
        else "that may be this purchase"
    )
    if ids != task.candidates:
        context.report(Event.CANDIDATES, task, candidates=len(several))
    return {
        **_later(context, task, choice=True),
        "candidates": ids,
        "error": f"The provider's list has {many} {may}: {told}{more}.",
        "error_kind": "unconfirmed",
    }


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def _not_bought() -> Values:
    return {
        "status": Status.FAILED,
        "error": "The provider's list of tasks does not have it 30 minutes after it was sent, so "
        "it was not bought.",
        "error_kind": NOT_BOUGHT,
        "error_code": "",
        "candidates": (),
        "due_at": 0.0,
    }


def _later(context: Context, task: Task, *, choice: bool = False) -> Values:
    """When to look again; 0 for never."""
    now = context.clock()
    age = now - (task.sent_at or now)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(task.tries, 10))
    if age > NOT_BOUGHT_SECONDS:  # the list cannot be read, or a person has to choose
        pause = max(pause, age / 20)
    if choice:
        pause = max(pause, CHOICE_PAUSE)
    ends = age > (CHOICE_SECONDS if choice or task.candidates else LISTED_SECONDS)
    return {"tries": task.tries + 1, "due_at": 0.0 if ends else now + pause}


async def _asked_by_id(context: Context, task: Task) -> Values:
    """It was accepted once, and then given up: ask once more by its id."""
    try:
        found = await context.read_status(task)
    except HailuoError:
        return {"due_at": 0.0}
    if found.phase is Phase.UNKNOWN:
        return {"due_at": 0.0}
    now = context.clock()
    return {
        "status": Status.RUNNING,
        "unfinished_at": now,
        "error": "",
        "error_kind": "",
        "tries": 0,
        "polls": 0,
        "due_at": now,
    }


async def _record(context: Context, task: Task, values: Values) -> Task | None:
    """Record a look if the task is still unconfirmed and ours to look for."""
    changed = await context.store.change(
        task.task_id,
        {**values, "owner": "", "lease_until": 0.0},
        now=context.clock(),
        held_by=context.owner,
        remote_id=task.remote_id,
        status_in=(Status.UNCONFIRMED,),
    )
    if changed is not None and changed.error_kind == NOT_BOUGHT:
        context.report(Event.NOT_BOUGHT, changed)
    return changed
