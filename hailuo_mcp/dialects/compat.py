"""The other format that is told of MiniMax: image_url, enable_prompt_expansion (seed 004).

It documents no errors. Pictures are documented as URLs only; a data URL is sent as given, and if
the request is then refused the refusal says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.dialects.codes import KEY_TROUBLE, MODERATED, TRANSIENT
from hailuo_mcp.dialects.links import MINIMAX_LIFE, expires_at
from hailuo_mcp.dialects.phases import phase_of
from hailuo_mcp.dialects.refusals import (
    base_code,
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
    link_text,
    path_segment,
    prose,
    refuse_unsupported,
    size,
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

_HINT = (
    "If a picture was given as a local file: this provider documents pictures as URLs only, "
    "so give an https URL."
)


class Compat:
    """POST /v1/video_generation, GET /v1/video_generation/{id}, GET /v1/files/{id}."""

    def __init__(self, provider: Provider, *, legacy: bool = False) -> None:
        self._provider = provider
        self._tasks = "/v3/async/minimax-video-01" if legacy else "/v1/video_generation"
        self._files = "/v3/files" if legacy else "/v1/files"
        # Pictures and the optimizer are what this format and MiniMax's own call by other names.
        pictures = frozenset[Mode]() if provider.doubt else frozenset({Mode.I2V, Mode.FL2V})
        self.capabilities = Capabilities(
            modes=frozenset({Mode.T2V}) | pictures,
            models=frozenset(
                {"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"}
            ),
            prompt_required=True,
            prompt_optimizer=not provider.doubt,
            fast_pretreatment=False,
            watermark=False,
            callback=False,
            doubt=provider.doubt,
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        """Write the request; a callback cannot be said here, and polling does without."""
        del callback_url
        refuse_unsupported(request, self.capabilities, self._provider.name)
        assert isinstance(request, VideoRequest)  # noqa: S101  # its modes hold no template
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "image_url": request.first_frame_image,
            "last_frame_image": request.last_frame_image,
            "duration": request.duration,
            "resolution": request.resolution,
            "enable_prompt_expansion": request.prompt_optimizer,
        }
        body = {name: value for name, value in body.items() if value not in (None, "")}
        return HttpRequest(method="POST", path=self._tasks, json=body)

    def read_submit(self, reply: HttpReply) -> Submitted:
        body = fields(reply.json())
        code, task_id = base_code(body), identifier(body.get("task_id"))
        named = given_id(body.get("task_id"))
        hint = _HINT if reply.status in (400, 413, 415, 422) or code == "2013" else ""
        if code not in (None, "0") and not named:
            raise refused_submit(str(code), reply, self._provider, detail=_said(body), hint=hint)
        if reply.status in (400, 403, 422) and sounds_moderated(_said(body)):
            raise refused_submit("moderation", reply, self._provider, detail=_said(body))
        if not reply.ok:
            raise http_submit(reply, self._provider, detail=_said(body), hint=hint)
        if not task_id or code not in (None, "0"):
            why = "its answer holds no task id"
            raise unconfirmed(why, self._provider, detail=f"{named}{_said(body)}")
        return Submitted(remote_id=task_id, trace_id=reply.trace_id)

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        del template
        return HttpRequest(method="GET", path=f"{self._tasks}/{path_segment(remote_id)}")

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        body = self._read(reply, "a status question")
        code, phase = base_code(body), phase_of(str(body.get("status") or ""))
        if code in MODERATED:
            phase = Phase.FAILED
        elif code not in (None, "0") and not (phase.is_final and code in TRANSIENT):
            raise refused_read(str(code), reply, self._provider, detail=_said(body))
        file_id = identifier(body.get("file_id"))
        if phase is Phase.SUCCEEDED and not file_id:
            phase = Phase.UNKNOWN  # finished, but nothing to fetch it by: ask again
        return RemoteStatus(
            phase=phase,
            word=status_word(body.get("status")),
            file_id=file_id,
            width=size(body.get("video_width")),
            height=size(body.get("video_height")),
            error_code=_reason(body, code) if phase is Phase.FAILED else "",
            detail=for_journal(_said(body), status=body.get("status"), code=_error_code(body)),
            trace_id=reply.trace_id,
        )

    def file(self, status: RemoteStatus) -> HttpRequest | None:
        if not status.file_id:
            return None
        return HttpRequest(method="GET", path=f"{self._files}/{path_segment(status.file_id)}")

    def read_file(self, reply: HttpReply, status: RemoteStatus) -> Link:
        del status
        body = self._read(reply, "a question about a file")
        code = base_code(body)
        if code not in (None, "0"):
            raise refused_read(str(code), reply, self._provider, detail=_said(body))
        url = link_text(body.get("download_url")) or link_text(
            fields(body.get("file")).get("download_url")
        )
        if not url:
            raise unreadable(self._provider, "a question about a file", detail="no download_url")
        life = expires_at(url, life=MINIMAX_LIFE, received_at=reply.received_at)
        return Link(url=url, expires_at=life)

    def file_fallback(self, status: RemoteStatus) -> Link | None:
        del status
        return None

    def probe(self) -> HttpRequest | None:
        return self.status(NO_TASK)

    def read_probe(self, reply: HttpReply) -> None:
        """Raise what stands in the way; a "no such task" means that the key was accepted."""
        code = base_code(fields(reply.json()))
        if code in KEY_TROUBLE:
            raise refused_read(str(code), reply, self._provider)
        if reply.tells_nothing:
            raise http_read(reply, self._provider)

    def _read(self, reply: HttpReply, what: str) -> dict[str, object]:
        body = fields(reply.json())
        if reply.ok and body:
            return body
        if (code := base_code(body)) not in (None, "0"):
            raise refused_read(str(code), reply, self._provider, detail=_said(body))
        if not reply.ok:
            raise http_read(reply, self._provider, detail=_said(body))
        raise unreadable(self._provider, what, detail="not a JSON object")


def _said(body: Mapping[str, object]) -> str:
    error = fields(body.get("error"))
    texts = [body.get("error"), error.get("message"), body.get("message")]
    texts += [fields(body.get("base_resp")).get("status_msg")]
    return "; ".join(dict.fromkeys(text for text in map(prose, texts) if text))[:500]


def _reason(body: Mapping[str, object], code: str | None) -> str:
    """Return a code; the seed gives a failure's reason in words, and its example is moderation."""
    if code not in (None, "0"):
        return str(code)
    if sounds_moderated(_said(body)):
        return "moderation"
    return code_word(_error_code(body))


def _error_code(body: Mapping[str, object]) -> object:
    return fields(body.get("error")).get("code")
