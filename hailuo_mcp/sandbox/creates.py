"""How every create is handled, in any dialect: read, judge, record, answer."""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib.util
import json
import re
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.sandbox import callbacks, faults, signed_links, wire
from hailuo_mcp.sandbox.backend import (
    Backend,
    KeyHolder,
    fingerprint,
    json_object,
    key_holder,
)
from hailuo_mcp.sandbox.book import Attempt, Past
from hailuo_mcp.sandbox.dialect import Dialect
from hailuo_mcp.sandbox.faults import Faults
from hailuo_mcp.sandbox.job import Job
from hailuo_mcp.sandbox.refusal import RATE_LIMIT, RESET, TIMEOUT, Refusal, invalid
from hailuo_mcp.sandbox.rules import Order

_DATA_URL = re.compile(r"data:[^\"\s]{64,}")
_SHOWN = 64
_HANG_SECONDS = 120.0
_MEDIA_MISSING = 'the sandbox cannot render clips here; run: pip install "hailuo-mcp[media]"'


async def create(request: Request, dialect: Dialect) -> Response:
    """Take one create."""
    backend = dialect.backend
    raw = await request.body()
    attempt = Attempt(
        at=backend.now(),
        key=fingerprint(request),
        dialect=dialect.name,
        path=request.url.path,
        fingerprint=hashlib.sha256(raw).hexdigest()[:16],
        body=shorten(raw),
    )
    try:
        who = key_holder(request)
        if dialect.most_bytes and len(raw) > dialect.most_bytes:
            raise invalid(f"the body is larger than {dialect.most_bytes} bytes")
        order = dialect.read(json_object(raw))
        asked = dialect.faults(order, who.key)
        task = await _draft(order, asked, attempt, dialect)
    except Refusal as refusal:
        early = refusal
        backend.book.submit(attempt, lambda _: early)
        return dialect.refused(refusal)

    def decide(past: Past) -> Job | Refusal:
        return asked.refusal(past.occasion) or _house_refusal(backend, who, past) or task

    answer = asked.answer or _chaotic_answer(backend)
    verdict = backend.book.submit(attempt, decide, note=answer)
    if isinstance(verdict, Refusal):
        if verdict.code == RESET:
            return wire.NoAnswer(reset=True)
        return dialect.refused(verdict)
    backend.render_queue.begin(task)
    if task.callback_url:
        body = partial(dialect.callback, task, base=signed_links.base_of(request, backend))
        backend.in_background(callbacks.follow(backend, task, body))
    return _answer(answer, asked, task, dialect)


def _house_refusal(backend: Backend, who: KeyHolder, past: Past) -> Refusal | None:
    """Refuse for chaos, for money or for the rate, in that order."""
    if backend.dice.strikes("reset"):
        return Refusal(RESET, note="chaos")
    if backend.dice.strikes("error_before"):
        return Refusal(backend.dice.choice((500, 502, 503)), note="chaos")
    if backend.dice.strikes("rate_refusal"):
        return Refusal(RATE_LIMIT, note="chaos")
    if who.is_poor:
        return Refusal(1008)
    if backend.options.rpm and past.last_minute >= backend.options.rpm:
        return Refusal(RATE_LIMIT)
    return None


def _chaotic_answer(backend: Backend) -> str:
    if backend.dice.strikes("lost"):
        return "lost"
    return "http500-after" if backend.dice.strikes("error_after") else ""


async def _draft(order: Order, asked: Faults, attempt: Attempt, dialect: Dialect) -> Job:
    if importlib.util.find_spec("av") is None or importlib.util.find_spec("PIL") is None:
        raise Refusal(503, _MEDIA_MISSING)
    options = dialect.backend.options
    credits_, cny, usd = order.price
    task_id, platform_id, file_id = dialect.ids()
    draft = Job(
        task_id=task_id,
        platform_id=platform_id,
        file_id=file_id,
        key=attempt.key,
        dialect=dialect.name,
        family=dialect.family,
        created_at=attempt.at,
        seconds_to_ready=asked.value("seconds", options.seconds_to_ready),
        kind=order.kind,
        model=order.model,
        mode=order.mode,
        template_id=order.template_id,
        prompt=faults.without_markers(" ".join((order.prompt, *order.texts))),
        duration=order.duration,
        resolution=order.resolution,
        fps=order.fps,
        ending=asked.ending,
        markers=asked.markers,
        callback_url=order.callback_url,
        credits=credits_,
        cny=cny,
        usd=usd,
    )
    return await dialect.with_inputs(draft, order)


def _answer(answer: str, asked: Faults, task: Job, dialect: Dialect) -> Response:
    body = dialect.accepted(task)
    whole = JSONResponse(body)
    match answer:
        case "lost":
            response: Response = wire.NoAnswer()
        case "hang":
            response = wire.Later(whole, _HANG_SECONDS)
        case "garbage":
            response = wire.html_page()
        case "cutjson":
            response = wire.half_json(body)
        case "noid":
            response = JSONResponse(wire.without_ids(body))
        case "http500-after":
            response = dialect.refused(Refusal(500))
        case "gateway-504":
            response = dialect.refused(Refusal(TIMEOUT))
            response.status_code = HTTPStatus.OK
        case _:
            late = asked.value("late", 0.0)
            response = wire.Later(whole, late) if late else whole
    return response


def shorten(raw: bytes) -> str:
    """Return a body for the book: data URLs cut to 64 characters, with the hash of their bytes."""
    text = raw.decode("utf-8", "replace")
    cut = _DATA_URL.sub(_digest, text)
    try:
        return json.dumps(json.loads(cut))
    except (ValueError, RecursionError):
        return cut[:4000]


def _digest(found: re.Match[str]) -> str:
    url = found[0]
    try:
        payload = url.replace("\\/", "/").partition(";base64,")[2]
        content = base64.b64decode(payload, validate=True)
    except binascii.Error:
        content = b""
    if not content:
        return url[:_SHOWN] + "…(undecodable)"
    return f"{url[:_SHOWN]}…sha256={hashlib.sha256(content).hexdigest()}"
