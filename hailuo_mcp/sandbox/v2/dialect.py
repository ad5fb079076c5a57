"""The v2 API: true HTTP statuses, tasks that can be listed, cancelled and regenerated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.sandbox import callbacks, faults, ids, pictures, signed_links, wire
from hailuo_mcp.sandbox.backend import http_error, key_holder
from hailuo_mcp.sandbox.book import CANCEL, DELETE
from hailuo_mcp.sandbox.dialect import Dialect, Handler, parameter
from hailuo_mcp.sandbox.faults import Faults
from hailuo_mcp.sandbox.job import Ends, Job, Phase
from hailuo_mcp.sandbox.minimax import base_resp
from hailuo_mcp.sandbox.refusal import TIMEOUT, Refusal, Unknown, invalid
from hailuo_mcp.sandbox.rules import Order
from hailuo_mcp.sandbox.v2 import inputs, tasks
from hailuo_mcp.sandbox.v2.orders import (
    BASE,
    FIRST,
    IMAGE,
    LAST,
    V2Order,
    read_create,
    read_regeneration,
)
from hailuo_mcp.sandbox.v2.table import (
    ADAPTIVE,
    DRAFT,
    GENERATION,
    H3,
    WEEK,
    adapted_size,
    clip_size,
    cost,
    keeper_size,
)

_MOST_BODY = 64_000_000
_MOST_UPLOAD = 50_000_000
NOT_ENABLED = "invalid params, source_task_id is not enabled for this account"
_STATUS_OF_CODE = {
    **dict.fromkeys((1000, 1013, 1024, 1033), 500),
    TIMEOUT: 504,
    **dict.fromkeys((1002, 1039, 1041, 2045), 429),
    **dict.fromkeys((1004, 2049), 401),
    **dict.fromkeys((1008, 1028, 1030, 2056), 402),
    **dict.fromkeys((1026, 1027), 422),
}
_TYPES = {
    400: "bad_request_error",
    401: "authorized_error",
    402: "insufficient_balance_error",
    422: "unprocessable_entity_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
# What an edge's refusal says by itself, where the API's own would carry a code.
_EDGE_CODES = {401: 1004, 429: 1002, 500: 1000, 504: 1001, 529: 1000}


class Generations(Dialect):
    """Creates of `POST /v2/video_generation`, and everything else about v2 tasks."""

    name = "minimax-v2"
    family = tasks.FAMILY
    creates = ("/v2/video_generation",)
    most_bytes = _MOST_BODY

    @property
    def reads(self) -> Mapping[str, Handler]:
        return {
            "/v2/query/video_generation/{task_id}": self.query,
            "/v2/query/video_generation": self.listing,
        }

    @property
    def calls(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("DELETE", "/v2/video_generation/{task_id}"): self.end,
            ("POST", "/v2/h3_context_ir"): self.context,
            ("POST", "/v1/files/upload"): self.upload,
        }

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        return read_create(body)

    def ids(self) -> tuple[str, str, str]:
        """Return an 18-digit task id; the file id is never shown."""
        return ids.digits18(), "", ids.digits15()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return nothing but the id."""
        return {"task_id": task.task_id}

    def refused(self, refusal: Refusal) -> Response:
        """Answer with a true HTTP status; the v1 code stands in the message."""
        status = refusal.code if refusal.is_http else _STATUS_OF_CODE.get(refusal.code, 400)
        code = _EDGE_CODES.get(refusal.code, 0) if refusal.is_http else refusal.code
        message = refusal.message or HTTPStatus(status).phrase.lower()
        if isinstance(refusal, Unknown):
            message = "invalid task_id"
        body = {
            "type": "error",
            "error": {
                "type": _TYPES.get(status, "server_error"),
                "message": f"{message} ({code})" if code else message,
                "http_code": str(status),
            },
            "request_id": ids.hex16(),
        }
        return http_error(status, body)

    def is_visible(self, task: Job, key: str) -> bool:
        """Find the account's tasks of the last seven days whose record is not deleted."""
        is_young = self.backend.now() - task.created_at < WEEK
        is_mine = (task.key, task.family) == (key, self.family)
        return is_mine and is_young and self.backend.book.ends(task.task_id).deleted_at is None

    async def with_inputs(self, draft: Job, order: Order) -> Job:
        """Fetch the files, and settle size and price."""
        if not isinstance(order, V2Order):
            raise TypeError(order)
        found = await inputs.load(order.items, self.backend, draft.key)
        kept = {it.item.role: it.sha256 for it in reversed(found)}
        shapes = [it.size for it in found if it.size]
        if order.ratio == ADAPTIVE:
            width, height = adapted_size(order.resolution, shapes[0] if shapes else None)
        else:
            width, height = clip_size(order.resolution, order.ratio)
        return priced(
            replace(
                draft,
                width=width,
                height=height,
                ratio=order.ratio,
                first=kept.get(FIRST, ""),
                last=kept.get(LAST, ""),
                subject=kept.get(IMAGE, ""),
                items=_identities(order, found),
                input_seconds=inputs.whole_seconds(found, "video"),
                input_images=sum(it.item.medium == "image" for it in found),
                input_audio_seconds=inputs.whole_seconds(found, "audio"),
                sound=True,
            )
        )

    def callback(self, task: Job, phase: Phase, base: str) -> Mapping[str, object]:
        """Return the task as a query would show it; nothing once it is cancelled or deleted."""
        if self.backend.book.ends(task.task_id) != Ends():
            return {}
        return self._whole(task, phase, base)

    async def query(self, request: Request) -> Response:
        """Answer with the task, and a fresh link once there is a clip."""
        task, now = self.polled_job(request), self.backend.now()
        ends = self.backend.book.ends(task.task_id)
        base = signed_links.base_of(request, self.backend)
        return JSONResponse(self._whole(task, task.phase(now, ends), base, ends))

    def _whole(
        self, task: Job, phase: Phase, base: str, ends: Ends | None = None
    ) -> dict[str, object]:
        body = tasks.shown(task, phase, self.backend.now(), ends or Ends())
        if phase is Phase.SUCCESS:
            body["content"] = {"url": signed_links.issue_at(base, self.backend, task)[0]}
        return {"task": body}

    async def listing(self, request: Request) -> Response:
        """Answer with one page of the account's tasks of the last seven days."""
        who, now = key_holder(request), self.backend.now()
        self.backend.book.record("list", at=now, key=who.key)
        self.chaos()
        names = dict.fromkeys(name for name, _ in request.query_params.multi_items())
        query = {name: ",".join(request.query_params.getlist(name)) for name in names}
        found = self.backend.book.tasks_since(who.key, self.family, now - WEEK)
        return JSONResponse(tasks.page(found, query, now))

    async def end(self, request: Request) -> Response:
        """Cancel what is queued, refuse what runs, and delete the record of what is final."""
        who, now = key_holder(request), self.backend.now()
        task = self.backend.book.task(parameter(request, "task_id"))
        if task is None or not self.is_visible(task, who.key):
            raise Unknown("task_id")
        self.chaos()
        done: dict[str, object] = {}

        def decide(ends: Ends) -> str:
            word = tasks.status(task, task.phase(now, ends))
            if ends.deleted_at is not None:
                raise Unknown("task_id")
            if word == "running":
                raise invalid("the task is running and cannot be cancelled")
            is_queued = word == "queued"
            done["action"] = "cancelled" if is_queued else "deleted"
            done["status"] = "cancelled" if is_queued else word
            return CANCEL if is_queued else DELETE

        self.backend.book.end(task, now, decide)
        if done["action"] == "cancelled" and self.backend.book.happened("challenge", task.task_id):
            ends = self.backend.book.ends(task.task_id)
            body = partial(self._whole, task, base="", ends=ends)
            self.backend.in_background(callbacks.tell(self.backend, task, Phase.CANCELLED, body))
        if "cancel-lost" in task.faults:
            raise wire.Interrupt(wire.NoAnswer())
        return JSONResponse({"task_id": task.task_id, **done})

    async def context(self, request: Request) -> Response:
        """Refuse the prompt helper, which makes no video."""
        key_holder(request)
        raise invalid("h3_context_ir is not offered by the sandbox")

    async def upload(self, request: Request) -> Response:
        """Keep a file for `mm_file://<id>`; this one call answers as v1 does."""
        try:
            return JSONResponse(await self._upload(request))
        except Refusal as refusal:
            if refusal.is_http:
                return self.refused(refusal)
            return JSONResponse({"base_resp": base_resp(refusal.code, refusal.message)})

    async def _upload(self, request: Request) -> dict[str, object]:
        who, now = key_holder(request), self.backend.now()
        async with request.form(max_files=1) as form:
            purpose, file = form.get("purpose"), form.get("file")
            if not purpose or not isinstance(purpose, str):
                raise invalid("purpose is required")
            if not isinstance(file, UploadFile):
                raise invalid("file is required")
            content, name = await file.read(_MOST_UPLOAD + 1), file.filename or ""
        if not content or len(content) > _MOST_UPLOAD:
            raise invalid(f"file must have 1 to {_MOST_UPLOAD} bytes")
        file_id = ids.digits15()
        sha256 = pictures.keep(content, self.backend.options.state_dir)
        self.backend.book.keep_upload(file_id, who.key, sha256, now)
        facts = {
            "file_id": int(file_id),
            "bytes": len(content),
            "created_at": int(now),
            "filename": name,
            "purpose": purpose,
        }
        return {"file": facts, "base_resp": base_resp()}


class Regenerations(Generations):
    """Creates of `POST /v2/video_regeneration`: a 768P draft again in 2K."""

    name = "minimax-v2-regeneration"
    creates = ("/v2/video_regeneration",)

    @property
    def reads(self) -> Mapping[str, Handler]:
        return {}

    @property
    def calls(self) -> Mapping[tuple[str, str], Handler]:
        return {}

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        return read_regeneration(body)

    def faults(self, order: Order, key: str) -> Faults:
        """Return what the source's prompt asks to go wrong: with its id no prompt is sent."""
        if not isinstance(order, V2Order) or not order.source_task_id:
            return super().faults(order, key)
        source = self._source(order.source_task_id, key)
        if "not-enabled" in source.faults:
            raise Refusal(2013, NOT_ENABLED, note="[sandbox:not-enabled]")
        return faults.restore(source.markers)

    async def with_inputs(self, draft: Job, order: Order) -> Job:
        """Take everything but the size and the price from the source."""
        if not isinstance(order, V2Order):
            raise TypeError(order)
        if order.source_task_id:
            source = self._source(order.source_task_id, draft.key)
            if reason := self._unfit(source, self.backend.book.ends(source.task_id)):
                raise invalid(f"source_task_id: {reason}")
        else:
            source = await self._source_of_clip(draft, order)
        width, height = keeper_size((source.width, source.height))
        return priced(
            replace(
                source,
                task_id=draft.task_id,
                platform_id=draft.platform_id,
                file_id=draft.file_id,
                dialect=draft.dialect,
                created_at=draft.created_at,
                seconds_to_ready=draft.seconds_to_ready,
                kind=draft.kind,
                resolution=draft.resolution,
                width=width,
                height=height,
                ending=draft.ending,
                markers=draft.markers,
                callback_url=draft.callback_url,
                source=source.task_id,
            )
        )

    def _source(self, task_id: str, key: str) -> Job:
        source = self.backend.book.task(task_id)
        if source is None or not self.is_visible(source, key):
            raise Unknown("source_task_id")
        return source

    def _unfit(self, task: Job, ends: Ends) -> str:
        """Return why a task cannot be regenerated; empty: it can."""
        if (task.model, task.kind, task.resolution) != (H3, GENERATION, DRAFT):
            return f"only a {DRAFT} generation of {H3} can be regenerated"
        if task.phase(self.backend.now(), ends) is not Phase.SUCCESS:
            return "the task has not succeeded"
        return ""

    async def _source_of_clip(self, draft: Job, order: V2Order) -> Job:
        """Find the generation whose unaltered clip and items the content holds."""
        found = await inputs.load(order.items, self.backend, draft.key)
        (clip,) = (it.sha256 for it in found if it.item.role == BASE)
        since = self.backend.now() - WEEK
        digests: dict[str, str] = {}
        made: list[Job] = []
        for task, ends in self.backend.book.tasks_since(draft.key, self.family, since):
            if ends.deleted_at is not None or self._unfit(task, ends):
                continue
            path = self.backend.render_queue.path(task)
            if str(path) not in digests:
                with suppress(FileNotFoundError):
                    digests[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            if clip and digests.get(str(path)) == clip:
                made.append(task)
        if not made:
            raise invalid(f"base_video must be an unaltered {DRAFT} clip of this account")
        rest = [it for it in found if it.item.role != BASE]
        for task in made:
            if task.items == _identities(order, rest):
                return task
        raise invalid("content must hold the same items as the base_video's own request")


def _identities(order: V2Order, found: list[inputs.Input]) -> list[str]:
    """Return what the content held, so that two contents can be compared."""
    prompt = hashlib.sha256(order.prompt.encode("utf-8", "replace")).hexdigest()
    return [f"text:{prompt}", *sorted(it.identity for it in found)]


def priced(task: Job) -> Job:
    """Return the record with what its success costs, counted as its usage will count it."""
    output = task.duration + int(task.faults.value("usage-more", 0.0))
    price = cost(
        task.model,
        task.kind,
        task.resolution,
        output=output,
        video=task.input_seconds,
        images=task.input_images,
    )
    return replace(
        task,
        output_seconds=output,
        credits="",
        cny=price.cny,
        usd=price.usd,
        incomplete=price.incomplete,
    )
