"""xcompute's own envelope around the same models (seed 002; its status reply: facts 7)."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.dialects.codes import MEANINGS, MODERATED
from hailuo_mcp.dialects.dialect import (
    Dialect,
    HttpReply,
    HttpRequest,
    Provider,
    options_in,
    path_segment,
    refuse_unsupported,
    video_body,
)
from hailuo_mcp.dialects.link_expiry import XCOMPUTE_LIFE, expires_at
from hailuo_mcp.dialects.parsing import (
    fields,
    given_id,
    identifier,
    items,
    link_text,
    number,
    prose,
    said,
    word,
)
from hailuo_mcp.dialects.refusals import Refusals, http_code, sounds_moderated
from hailuo_mcp.dialects.statuses import code_word, phase_of, remote_status
from hailuo_mcp.domain.remote import Capabilities, Phase, RemoteStatus, Submitted
from hailuo_mcp.domain.requests import AnyRequest, Mode
from hailuo_mcp.errors import HailuoError

_FIELDS = {
    "model": "model",
    "prompt": "prompt",
    "first_frame_image": "first_frame_image",
    "duration": "duration",
    "resolution": "resolution",
    "prompt_optimizer": "prompt_optimizer",
    "fast_pretreatment": "fast_pretreatment",
    "watermark": "watermark",
}
# The type of an error body beside a 2xx status: no task was made by a request that was refused so.
_CERTAIN_TYPES = frozenset(
    {"invalid_request_error", "authentication_error", "payment_required", "rate_limit_error"}
)


class XCompute(Dialect):
    """POST /v1/videos/generations, GET /v1/tasks/{id}; links come with the status."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._refusals = Refusals(provider, flat=True)
        self.capabilities = Capabilities(
            modes=frozenset({Mode.T2V, Mode.I2V}),
            models=frozenset({"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast"}),
            options=options_in(_FIELDS),
            prompt_required=True,
            callback=False,
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        del callback_url
        refuse_unsupported(request, self.capabilities, self._provider)
        body = video_body(request, _FIELDS)
        if "resolution" in body:
            body["resolution"] = str(body["resolution"]).lower()
        return HttpRequest(method="POST", path="/v1/videos/generations", json=body)

    def read_submit(self, reply: HttpReply) -> Submitted:
        body = fields(reply.json())
        if "error" in body or not reply.ok:
            raise self._refused_submit(reply, body)
        if number(body.get("code", 200)) != 200:  # noqa: PLR2004
            why = "its answer holds a code of its own"
            raise self._refusals.unconfirmed(why, detail=self._refusals.named(reply))
        for entry in [*items(body.get("data")), body]:
            found = fields(entry)
            for given in (found.get("task_id"), found.get("id")):
                if given_id(given) and (task_id := identifier(given)):
                    return Submitted(remote_id=task_id, trace_id=reply.trace_id)
        why = "its answer has no task id"
        raise self._refusals.unconfirmed(why, detail=self._refusals.named(reply))

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        del template
        return HttpRequest(path=f"/v1/tasks/{path_segment(remote_id)}")

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        body = fields(reply.json())
        data = _data(body)
        phase = phase_of(str(data.get("status") or ""))
        # A flat reply of a failed task carries its error at the top, beside the status.
        if not reply.ok or (body.get("error") and phase is not Phase.FAILED):
            raise self._refused_read(reply, body)
        if not body:
            raise self._refusals.unreadable(detail="not a JSON object")
        code = number(body.get("code", 200))
        if code not in (200, None) and phase is Phase.UNKNOWN:
            raise self._refusals.read(http_code(code), reply)
        url, expires = _video(data)
        error = fields(data.get("error"))
        reason = error.get("type") or error.get("code")
        life = expires or expires_at(url, life=XCOMPUTE_LIFE, received_at=reply.received_at)
        return remote_status(
            reply,
            data,
            phase,
            error_code=_reason(reason, error),
            reason=reason,
            url=url,
            url_expires_at=float(life),
        )

    def read_probe(self, reply: HttpReply) -> None:
        if reply.is_account_or_server_trouble:
            raise self._refused_read(reply, fields(reply.json()))

    def _refused_submit(self, reply: HttpReply, body: Mapping[str, object]) -> HailuoError:
        kind = word(fields(body.get("error")).get("type"))
        detail = f"{self._refusals.named(reply)}{said(body)}"
        refused = 400 <= reply.status < 500 or reply.ok  # noqa: PLR2004
        if kind in _CERTAIN_TYPES and refused:
            if kind == "invalid_request_error" and sounds_moderated(detail):
                kind = "moderation"
            return self._refusals.submit(kind, reply, detail=detail)
        if reply.ok:
            return self._refusals.unconfirmed("it answered with an unknown error", detail=detail)
        return self._refusals.bare_submit(reply, detail=detail)

    def _refused_read(self, reply: HttpReply, body: Mapping[str, object]) -> HailuoError:
        error, detail = fields(body.get("error")), said(body)
        kind = word(error.get("type"))
        if kind in MEANINGS and reply.status not in (404, 410):
            return self._refusals.read(kind, reply, detail=detail)
        if reply.ok:
            code = number(error.get("code")) or 0
            return self._refusals.read(http_code(code), reply, detail=detail)
        return self._refusals.bare_read(reply, detail=detail)


def _data(body: Mapping[str, object]) -> dict[str, object]:
    """Return `data`, the first of `data`, or the body itself (its own page shows it flat)."""
    found = [entry for entry in map(fields, items(body.get("data"))) if entry]
    return found[0] if found else dict(body)


def _video(data: Mapping[str, object]) -> tuple[str, int | None]:
    """Return the first link in any known place, and the expiry beside it."""
    result = fields(data.get("result"))
    for entry in items(result.get("videos")):
        video = fields(entry)
        for value in [entry, *items(video.get("url"))]:
            if url := link_text(value):
                return url, _end(video) or _end(result)
    for holder in (result, data):
        for name in ("video_url", "url"):
            for value in items(holder.get(name)):
                if url := link_text(value):
                    return url, _end(holder)
    return "", None


def _end(holder: Mapping[str, object]) -> int | None:
    moment = number(holder.get("expires_at"))
    return moment if moment and moment > 946_684_800 else None  # noqa: PLR2004


def _reason(reason: object, error: Mapping[str, object]) -> str:
    """Give moderation our own code: the gateway documents none."""
    told = sounds_moderated(f"{prose(reason)} {prose(error.get('message'))}")
    code = code_word(reason)
    return "moderation" if told and code not in MODERATED else code
