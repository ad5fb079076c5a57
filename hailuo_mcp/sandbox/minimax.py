"""The official v1 API (seed 001): HTTP 200 and `base_resp` for every reply of the API."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.sandbox import ids, signed_links, templates
from hailuo_mcp.sandbox.backend import http_error, key_holder
from hailuo_mcp.sandbox.dialect import Dialect, Handler
from hailuo_mcp.sandbox.download import deliver
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.refusal import MESSAGES, Refusal, invalid
from hailuo_mcp.sandbox.rules import Order, check, field, only, text

_FIELDS = frozenset(
    {
        "model",
        "prompt",
        "first_frame_image",
        "last_frame_image",
        "subject_reference",
        "duration",
        "resolution",
        "prompt_optimizer",
        "fast_pretreatment",
        "callback_url",
        "aigc_watermark",
    }
)
_FLAGS = {"prompt_optimizer": True, "fast_pretreatment": False, "aigc_watermark": False}


class Minimax(Dialect):
    """Creates of `POST /v1/video_generation`, a path that it shares (see `routes`)."""

    name = "minimax"
    family = "minimax"

    @property
    def reads(self) -> Mapping[str, Handler]:
        return {
            "/v1/query/video_generation": self.query,
            "/v1/files/retrieve": self.retrieve,
            "/v1/files/retrieve_content": self.retrieve_content,
            "/v1/token_plan/remains": self.remains,
        }

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        only(body, _FIELDS)
        for name, default in _FLAGS.items():
            field(body, name, default)
        order = Order(
            model=text(body, "model"),
            prompt=text(body, "prompt"),
            duration=field(body, "duration", 6),
            resolution=text(body, "resolution"),
            first=text(body, "first_frame_image"),
            last=text(body, "last_frame_image"),
            subject=_subject(body),
            callback_url=text(body, "callback_url"),
        )
        return check(order, body)

    def ids(self) -> tuple[str, str, str]:
        """Return a 15-digit task id and a 15-digit file id."""
        return ids.digits15(), "", ids.digits15()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return `{"task_id", "base_resp"}`."""
        return {"task_id": task.task_id, "base_resp": base_resp()}

    def refused(self, refusal: Refusal) -> Response:
        """Answer 200 with `base_resp`, unless an edge refused."""
        if refusal.is_http:
            words = refusal.message or HTTPStatus(refusal.code).phrase.lower()
            return http_error(refusal.code, {"message": words})
        return JSONResponse({"base_resp": base_resp(refusal.code, refusal.message)})

    def finished_job(self, request: Request) -> Job:
        if not request.query_params.get("file_id", "").isdigit():
            raise invalid("file_id must be an integer")
        return super().finished_job(request)

    async def query(self, request: Request) -> Response:
        """Answer with the status, and the file's id and size once there is one."""
        task = self.polled_job(request)
        return JSONResponse(status_body(task, self.backend.now()))

    async def retrieve(self, request: Request) -> Response:
        """Answer with the file's facts; its id is a number and `bytes` is 0, as in live samples."""
        task = self.finished_job(request)
        url, _ = signed_links.issue(request, self.backend, task)
        file = {
            "file_id": int(task.file_id),
            "bytes": 0,
            "created_at": int(task.finished_at),
            "filename": "output_aigc.mp4",
            "purpose": "video_generation",
            "download_url": url,
        }
        return JSONResponse({"file": file, "base_resp": base_resp()})

    async def retrieve_content(self, request: Request) -> Response:
        """Answer with the clip itself."""
        return await deliver(request, self.backend, self.finished_job(request))

    async def remains(self, request: Request) -> Response:
        """Answer the free way to try a key; of it only base_resp is known (facts 1.2)."""
        key_holder(request)
        return JSONResponse({"model_remains": [], "base_resp": base_resp()})


class MinimaxTemplates(Minimax):
    """Creates of `POST /v1/video_template_generation`."""

    name = "minimax-templates"
    kind = "template"
    creates = ("/v1/video_template_generation",)

    @property
    def reads(self) -> Mapping[str, Handler]:
        return {"/v1/query/video_template_generation": self.query}

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        return templates.read(body)

    def ids(self) -> tuple[str, str, str]:
        """Return an 18-digit task id; the file id is never shown."""
        return ids.digits18(), "", ids.digits15()

    async def query(self, request: Request) -> Response:
        """Answer {task_id, status, video_url, base_resp}: no file and no size (facts 6.1)."""
        task, now = self.polled_job(request), self.backend.now()
        body = status_body(task, now)
        for absent in ("file_id", "video_width", "video_height"):
            body.pop(absent, None)
        succeeded = task.phase(now) is Phase.SUCCESS
        body["video_url"] = signed_links.issue(request, self.backend, task)[0] if succeeded else ""
        return JSONResponse(body)


def base_resp(code: int = 0, message: str = "success") -> dict[str, object]:
    """Return the object that says how a call went."""
    return {"status_code": code, "status_msg": message}


def _subject(body: Mapping[str, object]) -> str:
    """Return the one image of the one subject: `[{"type": "character", "image": [url]}]`."""
    subjects = body.get("subject_reference")
    if subjects is None:
        return ""
    if not isinstance(subjects, list) or len(cast("list[object]", subjects)) != 1:
        raise invalid("subject_reference must hold one subject")
    subject = cast("list[object]", subjects)[0]
    if not isinstance(subject, dict):
        raise invalid("subject_reference must hold an object")
    facts = cast("dict[str, object]", subject)
    images = facts.get("image")
    if facts.get("type") != "character":
        raise invalid("subject_reference type must be character")
    if not isinstance(images, list) or len(cast("list[object]", images)) != 1:
        raise invalid("subject_reference image must be an array of one image")
    image = cast("list[object]", images)[0]
    if not isinstance(image, str) or not image:
        raise invalid("subject_reference image must be a URL or data URL")
    return image


def status_body(task: Job, now: float) -> dict[str, object]:
    """Return the query's answer."""
    phase = task.phase(now)
    body: dict[str, object] = {
        "task_id": task.task_id,
        "status": "Rendering" if task.is_weird(now) else phase.value,
        "file_id": task.file_id if phase is Phase.SUCCESS else "",
        "base_resp": base_resp(),
    }
    if phase is Phase.SUCCESS:
        body |= {"video_width": task.width, "video_height": task.height}
    if phase is Phase.FAIL and (code := task.ending_code):
        body["base_resp"] = base_resp(code, MESSAGES[code])
    return body
