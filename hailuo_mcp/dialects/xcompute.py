"""xcompute's own envelope around the same models (seed 002; its status reply: facts 7)."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.dialects.codes import MEANINGS, MODERATED
from hailuo_mcp.dialects.links import XCOMPUTE_LIFE, expires_at
from hailuo_mcp.dialects.phases import phase_of
from hailuo_mcp.dialects.refusals import (
    http_code,
    http_read,
    http_submit,
    refused_read,
    refused_submit,
    sounds_moderated,
    unconfirmed,
    unreadable,
)
from hailuo_mcp.dialects.showing import code_word, for_journal, status_word
from hailuo_mcp.dialects.wire import (
    NO_TASK,
    HttpReply,
    HttpRequest,
    Provider,
    fields,
    given_id,
    identifier,
    items,
    link_text,
    number,
    path_segment,
    prose,
    refuse_unsupported,
    size,
    word,
)
from hailuo_mcp.domain import (
    AnyRequest,
    Capabilities,
    Link,
    Mode,
    Phase,
    RemoteStatus,
    Submitted,
    VideoRequest,
)
from hailuo_mcp.errors import HailuoError

# The type of an error body beside a 2xx status: no task was made by a request that was refused so.
_CERTAIN_TYPES = frozenset(
    {"invalid_request_error", "authentication_error", "payment_required", "rate_limit_error"}
)


class XCompute:
    """POST /v1/videos/generations, GET /v1/tasks/{id}; links come with the status."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.capabilities = Capabilities(
            modes=frozenset({Mode.T2V, Mode.I2V}),
            models=frozenset({"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast"}),
            prompt_required=True,
            callback=False,
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        """Write the request; a callback cannot be said here, and polling does without."""
        del callback_url
        refuse_unsupported(request, self.capabilities, self._provider.name)
        assert isinstance(request, VideoRequest)  # noqa: S101  # its modes hold no template
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "first_frame_image": request.first_frame_image,
            "duration": request.duration,
            "resolution": (request.resolution or "").lower(),
            "prompt_optimizer": request.prompt_optimizer,
            "fast_pretreatment": request.fast_pretreatment,
            "watermark": request.watermark,
        }
        body = {name: value for name, value in body.items() if value not in (None, "")}
        return HttpRequest(method="POST", path="/v1/videos/generations", json=body)

    def read_submit(self, reply: HttpReply) -> Submitted:
        body = fields(reply.json())
        if "error" in body or not reply.ok:
            raise self._refused_submit(reply, body)
        if number(body.get("code", 200)) != 200:  # noqa: PLR2004
            raise unconfirmed("its answer holds a code of its own", self._provider)
        named = ""
        for entry in [*items(body.get("data")), body]:
            found = fields(entry)
            if task_id := identifier(found.get("task_id")) or identifier(found.get("id")):
                return Submitted(remote_id=task_id, trace_id=reply.trace_id)
            named = named or given_id(found.get("task_id"))
        raise unconfirmed("its answer holds no task id", self._provider, detail=named)

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        del template
        return HttpRequest(method="GET", path=f"/v1/tasks/{path_segment(remote_id)}")

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        body = fields(reply.json())
        failed = not reply.ok
        data = _data(body)
        phase = phase_of(str(data.get("status") or ""))
        # A flat reply of a failed task carries its error at the top, beside the status.
        if failed or (body.get("error") and phase is not Phase.FAILED):
            raise self._refused_read(reply, body)
        if not body:
            raise unreadable(self._provider, "a status question", detail="not a JSON object")
        code = body.get("code", 200)
        if number(code) not in (200, None) and phase is Phase.UNKNOWN:
            raise refused_read(http_code(number(code) or 0), reply, self._provider)
        url, expires = _video(data)
        if phase is Phase.SUCCEEDED and not url:
            phase = Phase.UNKNOWN  # finished, no link: not a success until there is one
        error = fields(data.get("error"))
        reason = error.get("type") or error.get("code")
        said = prose(error.get("message")) or prose(data.get("error"))
        life = expires or expires_at(url, life=XCOMPUTE_LIFE, received_at=reply.received_at)
        return RemoteStatus(
            phase=phase,
            word=status_word(data.get("status")),
            url=url,
            url_expires_at=float(life) if url else None,
            width=size(data.get("width")),
            height=size(data.get("height")),
            error_code=_reason(reason, error) if phase is Phase.FAILED else "",
            detail=for_journal(said, status=data.get("status"), code=reason),
            trace_id=reply.trace_id,
        )

    def file(self, status: RemoteStatus) -> HttpRequest | None:
        del status
        return None

    def read_file(self, reply: HttpReply, status: RemoteStatus) -> Link:
        del reply
        return Link(url=status.url, expires_at=status.url_expires_at)

    def file_fallback(self, status: RemoteStatus) -> Link | None:
        del status
        return None

    def probe(self) -> HttpRequest | None:
        return self.status(NO_TASK)

    def read_probe(self, reply: HttpReply) -> None:
        """Raise what stands in the way; a "no such task" means that the key was accepted."""
        if reply.tells_nothing:
            raise self._refused_read(reply, fields(reply.json()))

    def _refused_submit(self, reply: HttpReply, body: Mapping[str, object]) -> HailuoError:
        error = fields(body.get("error"))
        kind, detail = word(error.get("type")), prose(error.get("message"))
        refused = 400 <= reply.status < 500 or reply.ok  # noqa: PLR2004
        if kind in _CERTAIN_TYPES and refused and not _has_task(body):
            if kind == "invalid_request_error" and sounds_moderated(detail):
                kind = "moderation"
            return refused_submit(kind, reply, self._provider, detail=detail)
        if reply.ok:
            return unconfirmed("it answered with an unknown error", self._provider, detail=detail)
        return http_submit(reply, self._provider, detail=detail)

    def _refused_read(self, reply: HttpReply, body: Mapping[str, object]) -> HailuoError:
        error = fields(body.get("error"))
        kind, detail = word(error.get("type")), prose(error.get("message"))
        if kind in MEANINGS and reply.status not in (404, 410):
            return refused_read(kind, reply, self._provider, detail=detail)
        if reply.ok:
            code = number(error.get("code")) or 0
            return refused_read(http_code(code), reply, self._provider, detail=detail)
        return http_read(reply, self._provider, detail=detail)


def _data(body: Mapping[str, object]) -> dict[str, object]:
    """Return `data`, the first of `data`, or the body itself (its own page shows it flat)."""
    found = [entry for entry in map(fields, items(body.get("data"))) if entry]
    return found[0] if found else dict(body)


def _has_task(body: Mapping[str, object]) -> bool:
    data = _data(body)
    return bool(given_id(data.get("task_id")) or identifier(data.get("id")))


def _video(data: Mapping[str, object]) -> tuple[str, int | None]:
    """Return the first link anywhere it is known to stand, and the end told beside it."""
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
    """Name a moderation by our own word: the gateway documents no code for it."""
    told = sounds_moderated(f"{prose(reason)} {prose(error.get('message'))}")
    code = code_word(reason)
    return "moderation" if told and code not in MODERATED else code
