"""A second documented format for MiniMax: image_url, enable_prompt_expansion (seed 004).

It documents no errors. Pictures are documented as URLs only; a data URL is sent as given, and if
the request is then refused, the message says so.
"""

from __future__ import annotations

from hailuo_mcp.dialects.codes import KEY_TROUBLE, MODERATED, TRANSIENT
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
from hailuo_mcp.dialects.link_expiry import MINIMAX_LIFE, expires_at
from hailuo_mcp.dialects.parsing import base_code, fields, given_id, identifier, link_text, said
from hailuo_mcp.dialects.refusals import Refusals, sounds_moderated
from hailuo_mcp.dialects.statuses import code_word, phase_of, remote_status
from hailuo_mcp.domain.remote import Capabilities, Link, Phase, RemoteStatus, Submitted
from hailuo_mcp.domain.requests import AnyRequest, Mode

_FIELDS = {
    "model": "model",
    "prompt": "prompt",
    "first_frame_image": "image_url",
    "last_frame_image": "last_frame_image",
    "duration": "duration",
    "resolution": "resolution",
    "prompt_optimizer": "enable_prompt_expansion",
}
_MODELS = frozenset({"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"})
_HINT = (
    "This provider documents pictures only as URLs: a picture given as a local file may be the "
    "reason, and an https URL may work."
)


class Compat(Dialect):
    """POST /v1/video_generation, GET /v1/video_generation/{id}, GET /v1/files/{id}."""

    def __init__(self, provider: Provider, *, legacy: bool = False) -> None:
        self._provider = provider
        self._refusals = Refusals(provider)
        self._tasks = "/v3/async/minimax-video-01" if legacy else "/v1/video_generation"
        self._files = "/v3/files" if legacy else "/v1/files"
        # This format and MiniMax's own use different names for pictures and options.
        modes = [Mode.T2V] if provider.caveat else [Mode.T2V, Mode.I2V, Mode.FL2V]
        self.capabilities = Capabilities(
            modes=frozenset(modes),
            models=_MODELS,
            options=frozenset() if provider.caveat else options_in(_FIELDS),
            prompt_required=True,
            callback=False,
            caveat=provider.caveat,
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        del callback_url
        refuse_unsupported(request, self.capabilities, self._provider)
        return HttpRequest(method="POST", path=self._tasks, json=video_body(request, _FIELDS))

    def read_submit(self, reply: HttpReply) -> Submitted:
        body = fields(reply.json())
        code, task_id = base_code(body), identifier(body.get("task_id"))
        detail = f"{self._refusals.named(reply)}{said(body)}"
        hint = _HINT if reply.status in (400, 413, 415, 422) or code == "2013" else ""
        if code:
            raise self._refusals.submit(code, reply, detail=detail, hint=hint)
        if reply.status in (400, 403, 422) and sounds_moderated(detail):
            raise self._refusals.submit("moderation", reply, detail=detail)
        if not reply.ok:
            raise self._refusals.bare_submit(reply, detail=detail, hint=hint)
        if not task_id or not given_id(task_id):
            raise self._refusals.unconfirmed("its answer has no task id", detail=detail)
        return Submitted(remote_id=task_id, trace_id=reply.trace_id)

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        del template
        return HttpRequest(path=f"{self._tasks}/{path_segment(remote_id)}")

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        body = self._refusals.read_body(reply)
        code, phase = base_code(body), phase_of(str(body.get("status") or ""))
        if code in MODERATED:
            phase = Phase.FAILED
        elif code and not (phase.is_final and code in TRANSIENT):
            raise self._refusals.read(code, reply, detail=said(body))
        reason = fields(body.get("error")).get("code")
        # The seed gives a failure's reason in words, and its example is moderation.
        in_words = "moderation" if sounds_moderated(said(body)) else code_word(reason)
        file_id = identifier(body.get("file_id"))
        return remote_status(
            reply, body, phase, error_code=code or in_words, reason=reason, file_id=file_id
        )

    def file(self, status: RemoteStatus) -> HttpRequest | None:
        if not status.file_id:
            return None
        return HttpRequest(path=f"{self._files}/{path_segment(status.file_id)}")

    def read_file(self, reply: HttpReply, status: RemoteStatus) -> Link:
        del status
        body = self._refusals.read_body(reply)
        if code := base_code(body):
            raise self._refusals.read(code, reply, detail=said(body))
        holders = (body, fields(body.get("file")))
        for url in (link_text(holder.get("download_url")) for holder in holders):
            if url:
                life = expires_at(url, life=MINIMAX_LIFE, received_at=reply.received_at)
                return Link(url=url, expires_at=life)
        raise self._refusals.unreadable(detail="no download_url")

    def read_probe(self, reply: HttpReply) -> None:
        code = base_code(fields(reply.json()))
        if code in KEY_TROUBLE:
            raise self._refusals.read(code, reply)
        if reply.is_account_or_server_trouble:
            raise self._refusals.bare_read(reply)
