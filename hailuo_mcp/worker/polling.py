"""After the purchase: read the status until the task ends, then have its clip on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from hailuo_mcp.backoff import backoff
from hailuo_mcp.dialects.refusals import explain
from hailuo_mcp.domain import POLLED, Link, Mode, Phase, RemoteStatus, Status, Task
from hailuo_mcp.errors import (
    AuthenticationError,
    DownloadError,
    HailuoError,
    ProviderError,
    RateLimitError,
    RemoteTaskNotFoundError,
)
from hailuo_mcp.files.download import CorruptClipError, save
from hailuo_mcp.files.naming import file_name, write_sidecar
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.views import cost_words
from hailuo_mcp.worker.schedule import GIVE_UP_SECONDS, next_poll, save_again

_log = logging.getLogger(__name__)

NOT_FOUND_TRIES = 6
NOT_FOUND_SECONDS = 3600.0
"""A young task may not be visible everywhere at once, and a provider may be out of order: not found
this often in a row, and not seen for this long, it counts as lost."""
GIVE_UP_POLLS = 100
"""No fewer reads, however old it is."""
FREE: Mapping[str, object] = {"owner": "", "lease_until": 0.0}


class Follower:
    """Takes one due step of a task that this process holds the lease of."""

    def __init__(self, desk: Desk, chance: Callable[[], float]) -> None:
        self._desk = desk
        self._chance = chance

    async def step(self, task: Task) -> None:
        if task.status in POLLED:
            ready = await self._poll(task)
            if ready is None:
                return
            task = ready
        if task.status is Status.SUCCEEDED:
            await self._save(task)

    async def _poll(self, task: Task) -> Task | None:
        """One status read. Returns the task, still held, when its clip is to be saved now."""
        began = self._desk.clock()
        try:
            found = await self._ask(task)
            self._believe(task, found)
        except HailuoError as exc:
            await self._trouble(task, exc)
            return None
        finally:
            self._desk.observe("poll", self._desk.clock() - began)
        now = self._desk.clock()
        read: dict[str, object] = {
            "remote_status": found.word[:40],
            "polled_at": now,
            "polls": task.polls + 1,
            "tries": 0,
            "error": "",
            "error_kind": "",
            "error_code": found.error_code,
            "detail": found.detail,
            "trace_id": found.trace_id or task.trace_id,
        }
        if found.phase is Phase.SUCCEEDED:
            save = self._desk.rules.auto_download
            changed = await self._write(
                task,
                **read,
                status=Status.SUCCEEDED,
                finished_at=now,
                file_id=found.file_id,
                url=found.url,
                url_expires_at=found.url_expires_at,
                width=found.width,
                height=found.height,
                due_at=now if save else 0.0,
                **({} if save else FREE),
            )
            return changed if save else None
        if found.phase in (Phase.FAILED, Phase.CANCELLED):
            cancelled = found.phase is Phase.CANCELLED
            await self._write(
                task,
                **(read | {"error": self._why(found), "error_kind": "provider_failed"}),
                status=Status.CANCELLED if cancelled else Status.FAILED,
                due_at=0.0,
                **FREE,
            )
            return None
        age = now - (task.submitted_at or task.created_at)
        # Often enough, too: one look under a wrong clock says nothing about age.
        if age > GIVE_UP_SECONDS and task.polls + 1 >= GIVE_UP_POLLS:
            await self._lose(task, "the provider never said that it ended")
            return None
        await self._write(
            task,
            **read,
            status=Status.QUEUED if found.phase is Phase.QUEUED else Status.RUNNING,
            unfinished_at=now,
            due_at=next_poll(
                now=now,
                submitted_at=task.submitted_at or task.created_at,
                render_times=await self._desk.render_times(task),
                usual=self._desk.catalogued(task),
                poll_seconds=self._desk.rules.poll_seconds,
                told=self._desk.told(task),
                in_flight=await self._desk.in_flight(),
            ),
            **FREE,
        )
        return None

    def _believe(self, task: Task, found: RemoteStatus) -> None:
        """Raise where this key cannot know: of a foreign task a provider may say that it failed."""
        ended = found.phase in (Phase.FAILED, Phase.CANCELLED)
        if ended and task.account != self._desk.account:
            raise AuthenticationError(
                "The provider says that this clip failed, but it was asked with another key than "
                "the one that bought it. Nothing is settled. Run hailuo-mcp with that key again.",
                detail=found.detail,
            )

    async def _ask(self, task: Task) -> RemoteStatus:
        template = task.mode is Mode.TEMPLATE
        try:
            return await self._desk.client.query(task.remote_id, template=template)
        except RemoteTaskNotFoundError:
            if not task.remote_alias:
                raise
            return await self._desk.client.query(task.remote_alias, template=template)

    async def _trouble(self, task: Task, exc: HailuoError) -> None:
        """A read that failed says nothing about the task: ask again later."""
        own = task.account == self._desk.account
        seen = max(task.submitted_at or task.created_at, task.unfinished_at or 0.0)
        if (
            isinstance(exc, RemoteTaskNotFoundError)
            and own
            and task.tries + 1 >= NOT_FOUND_TRIES
            and not 0 <= self._desk.clock() - seen < NOT_FOUND_SECONDS
        ):
            await self._lose(task, "the provider says that it knows no such task")
            return
        late = self._desk.clock() - seen > GIVE_UP_SECONDS
        wait = backoff(
            task.tries,
            first=self._desk.rules.poll_seconds,
            most=60.0 if own and not late else 3600.0,
            jitter=self._chance(),
        )
        if isinstance(exc, RateLimitError) and exc.retry_after is not None:
            wait = max(wait, min(exc.retry_after, 600.0))
        now = self._desk.clock()
        await self._write(
            task,
            polls=task.polls + 1,
            polled_at=now,
            tries=task.tries + 1,
            error=str(exc),
            error_kind=exc.code,
            error_code=exc.provider_code if isinstance(exc, ProviderError) else "",
            detail=exc.detail,
            due_at=now + wait,
            **FREE,
        )

    async def _lose(self, task: Task, why: str) -> None:
        _log.warning("task %s is given up: %s", task.task_id, why)
        await self._write(
            task,
            status=Status.UNCONFIRMED,
            error=f"It was accepted, but {why}.",
            error_kind="unconfirmed",
            due_at=0.0,
            **FREE,
        )

    def _why(self, found: RemoteStatus) -> str:
        if found.phase is Phase.CANCELLED:
            return "The provider cancelled it. Nothing was charged."
        if not found.error_code or found.error_code == "0":
            return (
                "The provider could not make this clip and gave no reason. Nothing was charged. "
                "Change the prompt or the picture a little, or try it again later."
            )
        return explain(found.error_code, provider=self._desk.provider).message()

    async def _save(self, task: Task) -> None:
        desk = self._desk
        target = desk.folders.output_dir / file_name(task.created_at, task.prompt, task.task_id)
        asked = False

        async def link(fresh: bool) -> Link:  # noqa: FBT001  # the downloader's signature
            nonlocal asked
            known = RemoteStatus(
                phase=Phase.SUCCEEDED,
                word=task.remote_status,
                file_id=task.file_id,
                url=task.url,
                url_expires_at=task.url_expires_at,
            )
            if (fresh or asked or task.tries) and not task.file_id:
                known = await self._ask(task)
            asked = True
            return await desk.client.link(known)

        began = desk.clock()
        try:
            saved = await save(link, desk.client.stream, target, task_id=task.task_id)
        except HailuoError as exc:
            await self._save_trouble(task, exc)
            return
        desk.observe("download", desk.clock() - began)
        done = await self._write(
            task,
            file=str(saved.path),
            bytes=saved.bytes,
            sha256=saved.sha256,
            width=saved.width or task.width,
            height=saved.height or task.height,
            seconds=saved.seconds,
            save_error="",
            tries=0,
            due_at=0.0,
            **FREE,
        )
        if done:
            self._describe(saved.path, done)

    async def _save_trouble(self, task: Task, exc: HailuoError) -> None:
        now, said = self._desk.clock(), str(exc)
        wait = save_again(
            exc,
            tries=task.tries + 1,
            age=now - (task.finished_at or task.created_at),
            own=task.account == self._desk.account,
            jitter=self._chance(),
        )
        if wait is None and isinstance(exc, CorruptClipError):
            said += f" It was tried {task.tries + 1} times and is not tried again by itself."
        # Not its words: they name the file, which is named by the prompt. The journal has them.
        _log.warning("saving %s failed (%s), try %d", task.task_id, exc.code, task.tries + 1)
        await self._write(
            task,
            tries=task.tries + 1,
            save_error=said,
            detail=exc.detail,
            due_at=0.0 if wait is None else now + wait,
            **FREE,
        )

    def _describe(self, clip: Path, task: Task) -> None:
        """The sidecar is a courtesy: a clip without it is still saved."""
        facts: dict[str, object] = {
            "task_id": task.task_id,
            "remote_id": task.remote_id,
            "provider": task.provider,
            "model": task.model,
            "mode": task.known_mode,
            "prompt": task.prompt,
            "duration": task.duration,
            "resolution": task.resolution,
            "width": task.width,
            "height": task.height,
            "seconds": task.seconds,
            "cost": cost_words(task) or None,
            "created_at": task.created_at,
            "sha256": task.sha256,
            "request": task.request,
        }
        try:
            write_sidecar(clip, {name: value for name, value in facts.items() if value is not None})
        except (OSError, DownloadError):
            _log.warning("the description of %s could not be written", task.task_id)

    async def _write(self, task: Task, **values: object) -> Task | None:
        """Record a step if the lease is still ours and nobody took it before; news either way."""
        changed = await self._desk.journal.change(
            task.task_id,
            values,
            now=self._desk.clock(),
            held_by=self._desk.owner,
            remote_id=task.remote_id,  # a person may have settled it with another one
            status_in=POLLED if task.status in POLLED else (Status.SUCCEEDED,),
        )
        self._desk.changes.tell(task.task_id)
        return changed
