"""MiniMax's own v1 format, spoken by both regions and by the relays that copy it."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.dialects.codes import KEY_TROUBLE, MEANINGS, MODERATED, TRANSIENT
from hailuo_mcp.dialects.links import MINIMAX_LIFE, TEMPLATE_LIFE, expires_at
from hailuo_mcp.dialects.phases import phase_of
from hailuo_mcp.dialects.refusals import (
    base_code,
    http_read,
    http_submit,
    refused_read,
    refused_submit,
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
    TemplateRequest,
    VideoRequest,
)
from hailuo_mcp.errors import HailuoError

_VIDEO = frozenset({Mode.T2V, Mode.I2V, Mode.FL2V, Mode.S2V})


class MiniMax:
    """Create, query, files/retrieve; success and failure are in base_resp (seed 001)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        templates = bool(provider.templates)
        self.capabilities = Capabilities(
            modes=_VIDEO | {Mode.TEMPLATE} if templates else _VIDEO, templates=templates
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        refuse_unsupported(request, self.capabilities, self._provider.name)
        if isinstance(request, TemplateRequest):
            path, body = "/v1/video_template_generation", _template(request)
        else:
            path, body = "/v1/video_generation", _video(request)
        if callback_url:
            body["callback_url"] = callback_url
        return HttpRequest(method="POST", path=path, json=body)

    def read_submit(self, reply: HttpReply) -> Submitted:
        body = fields(reply.json())
        code = base_code(body)
        task_id, named = identifier(body.get("task_id")), given_id(body.get("task_id"))
        detail = f"{named}{_said(body)}"
        if code not in (None, "0"):
            # A task id beside a refusal is a contradiction, and contradictions are not "free".
            if named:
                raise unconfirmed(
                    f"it gave a task id and the code {code} at once", self._provider, detail=detail
                )
            raise refused_submit(str(code), reply, self._provider, detail=detail)
        if not reply.ok:
            raise self._http_submit(reply, body, detail)
        if not task_id:
            why = "the task id in its answer is none" if named else "its answer holds no task id"
            raise unconfirmed(why, self._provider, detail=detail)
        return Submitted(
            remote_id=task_id,
            remote_alias=identifier(body.get("platform_id")),
            trace_id=reply.trace_id,
        )

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        kind = "video_template_generation" if template else "video_generation"
        return HttpRequest(method="GET", path=f"/v1/query/{kind}", query={"task_id": remote_id})

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        body = self._read(reply, "a status question")
        code = base_code(body)
        phase = phase_of(str(body.get("status") or ""))
        if code in MODERATED:
            return self._status(body, reply, Phase.FAILED, str(code))
        # A word that ends the task beats a passing trouble beside it, and nothing else: a foreign
        # or unknown task may be answered with {"status": "Fail"} as well (facts 1.6).
        if code not in (None, "0") and not (phase.is_final and code in TRANSIENT):
            raise refused_read(str(code), reply, self._provider, detail=_said(body))
        if phase is Phase.FAILED:
            reason = code_word(body.get("error_code")) if code in (None, "0") else str(code)
            return self._status(body, reply, phase, "" if reason == "0" else reason)
        return self._status(body, reply, phase, "")

    def file(self, status: RemoteStatus) -> HttpRequest | None:
        if not status.file_id:
            return None
        return HttpRequest(
            method="GET", path="/v1/files/retrieve", query={"file_id": status.file_id}
        )

    def read_file(self, reply: HttpReply, status: RemoteStatus) -> Link:
        body = self._read(reply, "a question about a file")
        code = base_code(body)
        if code not in (None, "0"):
            raise refused_read(str(code), reply, self._provider, detail=_said(body))
        file = fields(body.get("file")) or body
        for name in ("download_url", "backup_download_url"):
            if url := link_text(file.get(name)):
                life = expires_at(url, life=MINIMAX_LIFE, received_at=reply.received_at)
                return Link(url=url, expires_at=life)
        if status.url:
            return Link(url=status.url, expires_at=status.url_expires_at)
        raise unreadable(self._provider, "a question about a file", detail="no download_url")

    def file_fallback(self, status: RemoteStatus) -> Link | None:
        if not status.file_id:
            return None
        query = HttpRequest(
            method="GET", path="/v1/files/retrieve_content", query={"file_id": status.file_id}
        )
        return Link(url=query.target, authorised=True)

    def probe(self) -> HttpRequest | None:
        if self._provider.probe:
            return HttpRequest(method="GET", path=self._provider.probe)
        return self.status(NO_TASK)

    def read_probe(self, reply: HttpReply) -> None:
        """Raise what stands in the way: key, money, speed or the host.

        A "no such task" means that the key was accepted; so does a plan's own code, because a
        pay-as-you-go key has no plan to tell of.
        """
        code = base_code(fields(reply.json()))
        if code in KEY_TROUBLE | TRANSIENT | {"1008"}:
            raise refused_read(str(code), reply, self._provider, looked_up=False)
        if reply.status >= 500 or (code is None and reply.status in (401, 402, 403, 429)):  # noqa: PLR2004
            raise http_read(reply, self._provider, looked_up=False)

    def _read(self, reply: HttpReply, what: str) -> dict[str, object]:
        body = fields(reply.json())
        if reply.ok and body:
            return body
        code = base_code(body)
        if code not in (None, "0"):
            raise refused_read(str(code), reply, self._provider, detail=_said(body))
        own = word(body.get("code"))
        if own in MEANINGS:
            raise refused_read(own, reply, self._provider, detail=_said(body))
        if not reply.ok:
            raise http_read(reply, self._provider, detail=_said(body))
        raise unreadable(self._provider, what, detail="not a JSON object")

    def _http_submit(
        self, reply: HttpReply, body: Mapping[str, object], detail: str
    ) -> HailuoError:
        own = word(body.get("code"))
        if own in MEANINGS:
            return refused_submit(own, reply, self._provider, detail=detail)
        # A relay's unexplained code may be its upstream's answer to a request that went through.
        if own and reply.status in (400, 404, 422):
            return unconfirmed(
                f"it answered HTTP {reply.status} with a code that is not documented",
                self._provider,
                detail=detail,
            )
        return http_submit(reply, self._provider, detail=detail)

    def _status(
        self, body: Mapping[str, object], reply: HttpReply, phase: Phase, code: str
    ) -> RemoteStatus:
        file_id = identifier(body.get("file_id"))
        url = _video_url(body)
        if phase is Phase.SUCCEEDED and not file_id and not url:
            phase = Phase.UNKNOWN  # finished, but there is nothing to fetch yet: ask again
        # Only templates answer with a link alone (facts 6.1); a relay's link is another matter.
        template = bool(url) and not file_id and bool(self._provider.templates)
        life = TEMPLATE_LIFE if template else MINIMAX_LIFE
        said = for_journal(_said(body), status=body.get("status"), code=body.get("error_code"))
        return RemoteStatus(
            phase=phase,
            word=status_word(body.get("status")),
            file_id="" if file_id == "0" else file_id,
            url=url,
            url_expires_at=expires_at(url, life=life, received_at=reply.received_at)
            if url
            else None,
            width=size(body.get("video_width")),
            height=size(body.get("video_height")),
            error_code=code,
            detail="" if phase is Phase.SUCCEEDED else said,
            trace_id=reply.trace_id,
        )


def _video(request: VideoRequest) -> dict[str, object]:
    body: dict[str, object] = {
        "model": request.model,
        "prompt": request.prompt,
        "first_frame_image": request.first_frame_image,
        "last_frame_image": request.last_frame_image,
        "duration": request.duration,
        "resolution": request.resolution,
        "prompt_optimizer": request.prompt_optimizer,
        "fast_pretreatment": request.fast_pretreatment,
        # China's reference only (C7): unsent unless it was asked for.
        "aigc_watermark": request.watermark,
    }
    if request.subject_image:
        body["subject_reference"] = [{"type": "character", "image": [request.subject_image]}]
    return {name: value for name, value in body.items() if value not in (None, "")}


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


def _said(body: Mapping[str, object]) -> str:
    """Whatever reason stands anywhere: for the journal only."""
    base = fields(body.get("base_resp"))
    texts = [base.get("status_msg"), body.get("message"), body.get("error_message")]
    texts += [body.get("error"), fields(body.get("error")).get("message"), body.get("fail_reason")]
    return "; ".join(dict.fromkeys(text for text in map(prose, texts) if text))[:500]
