"""MiniMax's own v1 format, spoken by both regions and by the relays that copy it."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.dialects.codes import KEY_TROUBLE, MEANINGS, MODERATED, TRANSIENT
from hailuo_mcp.dialects.dialect import (
    Dialect,
    HttpReply,
    HttpRequest,
    Provider,
    options_in,
    refuse_unsupported,
    video_body,
)
from hailuo_mcp.dialects.link_expiry import MINIMAX_LIFE, TEMPLATE_LIFE, expires_at
from hailuo_mcp.dialects.parsing import (
    base_code,
    fields,
    given_id,
    identifier,
    items,
    link_text,
    said,
    word,
)
from hailuo_mcp.dialects.refusals import Refusals
from hailuo_mcp.dialects.statuses import code_word, phase_of, remote_status
from hailuo_mcp.domain.remote import Capabilities, Link, Phase, RemoteStatus, Submitted
from hailuo_mcp.domain.requests import AnyRequest, Mode, TemplateRequest
from hailuo_mcp.errors import HailuoError

_FIELDS = {
    "model": "model",
    "prompt": "prompt",
    "first_frame_image": "first_frame_image",
    "last_frame_image": "last_frame_image",
    "duration": "duration",
    "resolution": "resolution",
    "prompt_optimizer": "prompt_optimizer",
    "fast_pretreatment": "fast_pretreatment",
    "watermark": "aigc_watermark",  # only in China's reference (C7): not sent unless requested
}
_VIDEO = frozenset({Mode.T2V, Mode.I2V, Mode.FL2V, Mode.S2V})


class MiniMax(Dialect):
    """Create, query, files/retrieve; success and failure are in base_resp (seed 001)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._refusals = Refusals(provider)
        self.capabilities = Capabilities(
            modes=_VIDEO | {Mode.TEMPLATE} if provider.templates else _VIDEO,
            options=options_in(_FIELDS),
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        refuse_unsupported(request, self.capabilities, self._provider)
        if isinstance(request, TemplateRequest):
            path, body = "/v1/video_template_generation", _template(request)
        else:
            path, body = "/v1/video_generation", video_body(request, _FIELDS)
            if picture := getattr(request, "subject_image", ""):
                body["subject_reference"] = [{"type": "character", "image": [picture]}]
        if callback_url:
            body["callback_url"] = callback_url
        return HttpRequest(method="POST", path=path, json=body)

    def read_submit(self, reply: HttpReply) -> Submitted:
        body = fields(reply.json())
        code, task_id = base_code(body), identifier(body.get("task_id"))
        detail = f"{self._refusals.named(reply)}{said(body)}"
        if code:
            raise self._refusals.submit(code, reply, detail=detail)
        if not reply.ok:
            raise self._refused_submit(reply, word(body.get("code")), detail)
        named = given_id(body.get("task_id"))
        if not task_id or not named:
            why = "the task id in its answer is invalid" if named else "its answer has no task id"
            raise self._refusals.unconfirmed(why, detail=detail)
        return Submitted(
            remote_id=task_id,
            remote_alias=identifier(body.get("platform_id")),
            trace_id=reply.trace_id,
        )

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        kind = "video_template_generation" if template else "video_generation"
        return HttpRequest(path=f"/v1/query/{kind}", query={"task_id": remote_id})

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        body = self._refusals.read_body(reply)
        code, phase = base_code(body), phase_of(str(body.get("status") or ""))
        if code in MODERATED:
            phase = Phase.FAILED
        # A final status word overrides a temporary error beside it, and nothing else: a foreign
        # or unknown task may be answered with {"status": "Fail"} as well (facts 1.6).
        elif code and not (phase.is_final and code in TRANSIENT):
            raise self._refusals.read(code, reply, detail=said(body))
        reason = body.get("error_code")
        file_id, url = identifier(body.get("file_id")), _video_url(body)
        # Only templates answer with a link alone (facts 6.1); a relay's link is different.
        alone = not file_id and bool(self._provider.templates)
        life = TEMPLATE_LIFE if alone else MINIMAX_LIFE
        return remote_status(
            reply,
            body,
            phase,
            error_code=code or ("" if reason in (0, "0") else code_word(reason)),
            reason=reason,
            file_id="" if file_id == "0" else file_id,
            url=url,
            url_expires_at=expires_at(url, life=life, received_at=reply.received_at),
        )

    def file(self, status: RemoteStatus) -> HttpRequest | None:
        if not status.file_id:
            return None
        return HttpRequest(path="/v1/files/retrieve", query={"file_id": status.file_id})

    def read_file(self, reply: HttpReply, status: RemoteStatus) -> Link:
        body = self._refusals.read_body(reply)
        if code := base_code(body):
            raise self._refusals.read(code, reply, detail=said(body))
        file = fields(body.get("file")) or body
        for name in ("download_url", "backup_download_url"):
            if url := link_text(file.get(name)):
                life = expires_at(url, life=MINIMAX_LIFE, received_at=reply.received_at)
                return Link(url=url, expires_at=life)
        if status.url:
            return Link(url=status.url, expires_at=status.url_expires_at)
        raise self._refusals.unreadable(detail="no download_url")

    def file_fallback(self, status: RemoteStatus) -> Link | None:
        if not status.file_id:
            return None
        query = {"file_id": status.file_id}
        content = HttpRequest(path="/v1/files/retrieve_content", query=query)
        return Link(url=content.target, authorised=True)

    def probe(self) -> HttpRequest:
        if self._provider.probe:
            return HttpRequest(path=self._provider.probe)
        return super().probe()

    def read_probe(self, reply: HttpReply) -> None:
        """Raise whatever prevents buying: key, money, rate limit or the host.

        A "no such task" means that the key was accepted; so does a plan's own code, because a
        pay-as-you-go key has no plan to report.
        """
        code = base_code(fields(reply.json()))
        if code in KEY_TROUBLE | TRANSIENT | {"1008"}:
            raise self._refusals.read(code, reply, looked_up=False)
        if reply.is_account_or_server_trouble and (not code or reply.status >= 500):  # noqa: PLR2004
            raise self._refusals.bare_read(reply, looked_up=False)

    def _refused_submit(self, reply: HttpReply, own: str, detail: str) -> HailuoError:
        """Read a refusal with an HTTP status and perhaps a relay's own code."""
        if own in MEANINGS:
            return self._refusals.submit(own, reply, detail=detail)
        # A relay's unexplained code may be its upstream's answer to a request that went through.
        if own and reply.status in (400, 404, 422):
            why = f"it answered HTTP {reply.status} with an undocumented code"
            return self._refusals.unconfirmed(why, detail=detail)
        return self._refusals.bare_submit(reply, detail=detail)


def _template(request: TemplateRequest) -> dict[str, object]:
    body: dict[str, object] = {"template_id": request.template_id}
    if request.text_inputs:
        body["text_inputs"] = [{"value": text} for text in request.text_inputs]
    if request.media_inputs:
        body["media_inputs"] = [{"value": media} for media in request.media_inputs]
    return body


def _video_url(body: Mapping[str, object]) -> str:
    """Return a template's video_url, or what relays add when their upstream is another."""
    candidates = [body.get("video_url"), body.get("download_url")]
    for video in items(body.get("videos")):
        entry = fields(video)
        candidates += [video, *items(entry.get("video_url")), *items(entry.get("url"))]
    return next((url for url in map(link_text, candidates) if url), "")
