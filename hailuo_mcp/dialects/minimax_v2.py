"""MiniMax's v2 API, for the models that are on it: H3 and H3-Max (docs/decisions/v2.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hailuo_mcp.catalog.video_models import find_model
from hailuo_mcp.dialects.codes import KEY_TROUBLE, MEANINGS, TRANSIENT
from hailuo_mcp.dialects.dialect import (
    Dialect,
    HttpReply,
    HttpRequest,
    Provider,
    options_in,
    path_segment,
    refuse_unsupported,
)
from hailuo_mcp.dialects.link_expiry import MINIMAX_LIFE, expires_at
from hailuo_mcp.dialects.parsing import (
    base_code,
    fields,
    given_id,
    identifier,
    items,
    link_text,
    number,
    said,
    seconds,
    word,
)
from hailuo_mcp.dialects.refusals import Refusals, sounds_not_enabled, sounds_unknown
from hailuo_mcp.dialects.statuses import code_word, phase_of, remote_status
from hailuo_mcp.domain.remote import (
    Capabilities,
    Phase,
    RemoteStatus,
    RemoteTask,
    RemoteTasks,
    Submitted,
    Usage,
)
from hailuo_mcp.domain.requests import IMAGE_FIELDS, AnyRequest, Mode, UpgradeRequest, VideoRequest
from hailuo_mcp.errors import (
    AuthenticationError,
    ContentRejectedError,
    Do,
    HailuoError,
    InsufficientBalanceError,
    InvalidRequestError,
    ProviderError,
    ProviderUnavailableError,
    QuotaExceededError,
    RateLimitError,
    RecordDeletedError,
    RejectedParametersError,
    SourceIdNotEnabledError,
    Step,
    UnconfirmedCancelError,
)

_CREATE, _UPGRADE = "/v2/video_generation", "/v2/video_regeneration"
_QUERY = "/v2/query/video_generation"
_PAGE = 20
_ROLES = (
    ("first_frame_image", "image", "first_frame"),
    ("last_frame_image", "image", "last_frame"),
    ("reference_images", "image", "reference_image"),
    ("reference_videos", "video", "reference_video"),
    ("reference_audios", "audio", "reference_audio"),
)
_OPTIONS = ("prompt_optimizer", "watermark")
_CODE = re.compile(r"\((\d{4})\)")
"""Where a message holds the code that v1 would have answered with."""
_SIZE = re.compile(r"\d{3,4}P|\dK")
_GENERATION, _REGENERATION = "generation", "regeneration"
_CANCELLED = ("cancel", "cancelled", "canceled")
_DELETED = ("delete", "deleted")
_EARLIEST, _MILLISECONDS = 946_684_800, 100_000_000_000
_ACCOUNT = (AuthenticationError, InsufficientBalanceError, QuotaExceededError, RateLimitError)
_REJECTED = (RejectedParametersError, ContentRejectedError)
_LONGEST_PROMPT = 20_000
_LONGEST_CLIP = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer, with what its body says about itself; gateways change the HTTP status (facts)."""

    reply: HttpReply
    """Its status is the body's, if that is the worse."""
    body: Mapping[str, object]
    task: Mapping[str, object]
    """Empty if there is none."""
    kind: str
    """The type of the error; empty if there is none."""
    code: str
    """v1's code, as base_resp or in the error's message; empty if there is none."""
    refused: bool
    detail: str


class MiniMaxV2(Dialect):
    """Content items with roles, true HTTP errors, a list, cancelling, upgrades (v2 facts)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._refusals = Refusals(provider)
        self.capabilities = Capabilities(
            modes=frozenset({Mode.T2V, Mode.I2V, Mode.FL2V, Mode.R2V, Mode.UPGRADE}),
            options=options_in(dict.fromkeys(_OPTIONS, "")),
            prompt_required=True,
            aspect_ratio=True,
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        refuse_unsupported(request, self.capabilities, self._provider)
        if isinstance(request, UpgradeRequest):
            path, body = _UPGRADE, _upgrade(request)
        else:
            assert isinstance(request, VideoRequest)  # noqa: S101  # a template was refused before
            path, body = _CREATE, self._video(request)
        if callback_url:
            body["callback_url"] = callback_url
        return HttpRequest(method="POST", path=path, json=body)

    def read_submit(self, reply: HttpReply) -> Submitted:
        answer = _answer(reply)
        task = fields(answer.body.get("task"))
        given = answer.body.get("task_id") or task.get("id") or task.get("task_id")
        task_id, named = identifier(given), given_id(given)
        answer = replace(answer, detail=f"{self._refusals.named(reply)}{answer.detail}")
        if answer.refused:
            raise self._refused_submit(answer)
        if not task_id or not named:
            why = "the task id in its answer is invalid" if named else "its answer has no task id"
            raise self._refusals.unconfirmed(why, detail=answer.detail)
        return Submitted(remote_id=task_id, trace_id=answer.reply.trace_id)

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        del template
        return HttpRequest(path=f"{_QUERY}/{path_segment(remote_id)}")

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        answer = _answer(reply)
        if answer.refused:
            raise self._refused_read(answer)
        task = answer.task
        if not task:
            raise self._refusals.unreadable(detail=answer.detail or "no task")
        phase, error = phase_of(str(task.get("status") or "")), fields(task.get("error"))
        reason = error.get("code") or _code(error) or error.get("type")
        url = next(_links(task), "")
        status = remote_status(
            answer.reply,
            task,
            phase,
            error_code=code_word(None if reason in (0, "0") else reason),
            reason=reason,
            url=url,
            url_expires_at=expires_at(url, life=MINIMAX_LIFE, received_at=reply.received_at),
        )
        return replace(
            status,
            usage=_usage(task.get("usage")) if status.phase is Phase.SUCCEEDED else None,
            model=_model(task),
            resolution=_resolution(task),
            duration=_duration(task),
            upgrade=task.get("task_type") == _REGENERATION,
        )

    def cancel(self, remote_id: str) -> HttpRequest | None:
        return HttpRequest(method="DELETE", path=f"{_CREATE}/{path_segment(remote_id)}")

    def read_cancel(self, reply: HttpReply) -> bool:
        """Return whether the task was cancelled; False if it is too late for that.

        Raises:
            RecordDeletedError: it was finished, and its record is gone.
            UnconfirmedCancelError: the answer does not say.
        """
        answer = _answer(reply)
        if answer.refused:
            return self._refused_cancel(answer)
        body = answer.task or answer.body
        action, status = (word(body.get(name)).lower() for name in ("action", "status"))
        if action in _DELETED or (not action and status in _DELETED):
            raise self._deleted(answer, phase_of(status))
        phase = phase_of(status)
        if phase is Phase.RUNNING and not action:
            return False
        if phase is Phase.CANCELLED or (action in _CANCELLED and not status):
            return True
        raise self._unsure_cancel("its answer does not say what was done", answer.detail)

    def list_tasks(self, page: int, *, model: str = "") -> HttpRequest | None:
        query = {"page_num": str(page), "page_size": str(_PAGE)}
        if model:
            query["filter.model"] = model
        return HttpRequest(path=_QUERY, query=query)

    def read_tasks(self, reply: HttpReply) -> RemoteTasks:
        """Read a page; one unreadable row makes the whole page unreadable.

        A row that was left out could be the clip that somebody looks for, who would then take it
        for not bought.
        """
        answer = _answer(reply)
        if answer.refused:
            raise self._refused_read(answer, looked_up=False)
        if not isinstance(answer.body.get("items"), list):
            raise self._refusals.unreadable(detail=answer.detail or "no items")
        found = [fields(entry) for entry in items(answer.body["items"])]
        tasks = [fields(entry.get("task")) or entry for entry in found]
        total = number(answer.body.get("total")) or 0
        return RemoteTasks(
            tasks=tuple(map(self._row, tasks)), total=total if total >= len(found) else 0
        )

    def read_probe(self, reply: HttpReply) -> None:
        answer = _answer(reply)
        troubles = KEY_TROUBLE | TRANSIENT | {"1008"}
        trouble = answer.code in troubles or answer.reply.is_account_or_server_trouble
        if answer.refused and trouble:
            raise self._refused_read(answer, looked_up=False)

    def _video(self, request: VideoRequest) -> dict[str, object]:
        together = request.mode is Mode.R2V and any(getattr(request, it) for it in IMAGE_FIELDS)
        known = find_model(request.model)
        rules = known.modes.get(request.mode) if known else None
        fixed = request.prompt_optimizer is False and rules and not rules.prompt_optimizer
        if together or fixed:
            what = "references together with frames" if together else "the prompt optimizer off"
            raise InvalidRequestError(
                f"{request.model} does not support {what}.", Step(Do.TRY, "leave one of them out")
            )
        body: dict[str, object] = {"model": request.model, "content": list(_content(request))}
        given = {
            "resolution": request.resolution,
            "duration": request.duration,
            "ratio": request.aspect_ratio,
            "aigc_watermark": request.watermark,
        }
        body |= {name: value for name, value in given.items() if value not in (None, "")}
        if request.prompt_optimizer is False:
            body["extra"] = {"prompt_expansion_mode": "disabled"}
        return body

    def _refused_submit(self, answer: _Answer) -> HailuoError:
        refusal = self._read_refusal(answer)
        # Only a refusal that is certainly free is a ProviderError.
        if isinstance(refusal, ProviderError) and sounds_not_enabled(answer.detail):
            return SourceIdNotEnabledError(
                f"{self._provider.name} does not upgrade clips by their id for this account.",
                provider_code=answer.code or answer.kind,
                trace_id=answer.reply.trace_id,
                detail=answer.detail,
            )
        return refusal

    def _read_refusal(self, answer: _Answer) -> HailuoError:
        """Decide what a refused submit means: in doubt, a clip may have been bought."""
        code, kind, reply, detail = answer.code, answer.kind, answer.reply, answer.detail
        meaning = MEANINGS.get(kind)
        if meaning is None and not base_code(answer.body):
            if kind and reply.status in (400, 404, 409, 422):
                why = f"it answered HTTP {reply.status} with an undocumented error"
                return self._refusals.unconfirmed(why, detail=detail)
            if reply.ok:
                why = "it answered with an unknown error"
                return self._refusals.unconfirmed(why, detail=detail)
            return self._refusals.bare_submit(reply, detail=detail)
        known = MEANINGS.get(code)
        if meaning is None:
            return self._refusals.submit(code, reply, detail=detail)
        if not meaning.certain or known is None:
            return self._refusals.submit(kind, reply, detail=detail)
        # By its type it is free; a code that speaks of a fault or of a clip contradicts that.
        doubtful = code == "1027" or known.error is ProviderUnavailableError
        return self._refusals.submit(code, reply, detail=detail, free=not doubtful)

    def _refused_read(self, answer: _Answer, *, looked_up: bool = True) -> HailuoError:
        code, reply, detail = answer.code, answer.reply, answer.detail
        gone = reply.status in (404, 410)
        known = next((it for it in (code, answer.kind) if it in MEANINGS), "")
        if known and not gone:
            return self._refusals.read(known, reply, detail=detail, looked_up=looked_up)
        return self._refusals.bare_read(reply, detail=detail, looked_up=looked_up)

    def _refused_cancel(self, answer: _Answer) -> bool:
        status, meaning = answer.reply.status, MEANINGS.get(answer.kind)
        refusal = self._refused_read(answer)
        if status < 500 and isinstance(refusal, _ACCOUNT):  # noqa: PLR2004
            raise refusal
        # 2013 stands for an unknown task as well as for one that is too late to cancel.
        if status in (404, 410) or (status == 400 and sounds_unknown(answer.detail)):  # noqa: PLR2004
            raise self._refusals.read("http_404", answer.reply, detail=answer.detail)
        rejected = meaning is not None and meaning.error in _REJECTED
        if status in (400, 409, 422) or (rejected and status < 500):  # noqa: PLR2004
            return False
        if status == 405:  # noqa: PLR2004
            raise refusal
        raise self._unsure_cancel(f"it answered HTTP {status}", answer.detail)

    def _unsure_cancel(self, why: str, detail: str) -> UnconfirmedCancelError:
        return UnconfirmedCancelError(
            f"{self._provider.name} was asked to cancel the task, but {why}.", detail=detail
        )

    def _deleted(self, answer: _Answer, phase: Phase) -> RecordDeletedError:
        return RecordDeletedError(
            f"The task had ended before it could be cancelled, and {self._provider.name} has "
            "deleted its record of it.",
            detail=answer.detail,
            charged="no" if phase is Phase.FAILED else "yes" if phase is Phase.SUCCEEDED else None,
        )

    def _row(self, row: Mapping[str, object]) -> RemoteTask:
        remote_id = identifier(row.get("id")) or identifier(row.get("task_id"))
        created = seconds(row.get("created_at"))
        if created and created > _MILLISECONDS:
            created /= 1000
        if not remote_id or not created or created < _EARLIEST:
            raise self._refusals.unreadable(detail="a row of the list has no id or no time")
        prompt, kind = row.get("prompt"), word(row.get("task_type"))
        # The list also has tasks that make no clip; their type keeps them from being taken for one.
        other = "" if kind in ("", _GENERATION, _REGENERATION) else kind
        return RemoteTask(
            remote_id=remote_id,
            created_at=created,
            model=other or _model(row) or word(row.get("model")),
            resolution=_resolution(row),
            duration=_duration(row),
            upgrade=kind == _REGENERATION if kind else None,
            prompt=prompt[:_LONGEST_PROMPT] if isinstance(prompt, str) and prompt else None,
            phase=phase_of(str(row.get("status") or "")),
        )


def _answer(reply: HttpReply) -> _Answer:
    body = fields(reply.json())
    task = fields(body.get("task")) or (body if "status" in body else {})
    error = fields(body.get("error"))
    # A task that failed has an error too; only flat ones show it where refusals have theirs.
    is_error = body.get("type") == "error" or (bool(body.get("error")) and not task)
    status = max(reply.status, number(error.get("http_code")) or 0) if is_error else reply.status
    headers = reply.headers
    if not reply.trace_id and (request_id := identifier(body.get("request_id"))):
        headers = {**headers, "trace-id": request_id}
    code = base_code(body) or (_code(error) if is_error else "")
    return _Answer(
        reply=replace(reply, status=min(status, 599), headers=headers),
        body=body,
        task={} if is_error else task,
        kind=(word(error.get("type")) or "unknown") if is_error and error else "",
        code=code,
        refused=is_error or bool(code) or not reply.ok,
        detail=said(body),
    )


def _code(error: Mapping[str, object]) -> str:
    found = _CODE.findall(str(error.get("message") or "")[-500:])
    return found[-1] if found else ""


def _content(request: VideoRequest) -> Iterator[dict[str, object]]:
    """Yield the items that a clip is made from; the text is always there, and once."""
    yield {"type": "text", "text": request.prompt}
    for name, kind, role in _ROLES:
        given: str | tuple[str, ...] = getattr(request, name)
        for url in (given,) if isinstance(given, str) else given:
            if url:
                yield _item(kind, url, role)


def _item(kind: str, url: str, role: str) -> dict[str, object]:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}, "role": role}


def _upgrade(request: UpgradeRequest) -> dict[str, object]:
    """Name the source by its id, or send the clip with everything that it was made from."""
    body: dict[str, object] = {"model": request.model, "resolution": request.resolution}
    if request.base_video:
        source = request.source or VideoRequest(prompt=request.prompt)
        body["content"] = [*_content(source), _item("video", request.base_video, "base_video")]
    else:
        body["source_task_id"] = request.remote_id
    if request.watermark is not None:
        body["aigc_watermark"] = request.watermark
    return body


def _links(task: Mapping[str, object]) -> Iterator[str]:
    for holder in (*map(fields, items(task.get("content"))), task):
        for name in ("url", "video_url"):
            if url := link_text(holder.get(name)):
                yield url


def _usage(value: object) -> Usage | None:
    """Read what was counted; None if any of it is unreadable, since it is a bill."""
    counted = fields(value)
    made = number(counted.get("output_seconds"))
    taken = seconds(counted.get("input_seconds", 0))
    images = number(counted.get("input_image_count", 0))
    if (
        made is None
        or taken is None
        or images is None
        or not 0 < made < _LONGEST_CLIP
        or images < 0
    ):
        return None
    return Usage(output_seconds=made, input_seconds=-int(-taken // 1), images=images)


def _model(task: Mapping[str, object]) -> str:
    known = find_model(word(task.get("model")))
    return known.name if known else ""


def _resolution(task: Mapping[str, object]) -> str:
    size = word(task.get("resolution")).upper()
    return size if _SIZE.fullmatch(size) else ""


def _duration(task: Mapping[str, object]) -> int | None:
    length = number(task.get("duration"))
    return length if length is not None and 0 < length < _LONGEST_CLIP else None
