"""The official v1 API (seed 001): HTTP 200 and `base_resp` for every reply of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hailuo_mcp.sandbox import creates, ids, signed_links, templates
from hailuo_mcp.sandbox.backend import Backend, edge_refusal, key_holder
from hailuo_mcp.sandbox.download import deliver
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.reads import answers, finished_job, polled_job
from hailuo_mcp.sandbox.refusal import MESSAGES, Refusal, invalid
from hailuo_mcp.sandbox.rules import Order, check, flag, only, text, whole

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


class Minimax:
    """Creates of `POST /v1/video_generation`."""

    name = "minimax"
    family = "minimax"

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        only(body, _FIELDS)
        for name, default in _FLAGS.items():
            flag(body, name, default=default)
        resolution = text(body, "resolution")
        order = Order(
            model=text(body, "model"),
            prompt=text(body, "prompt"),
            duration=whole(body, "duration", 6),
            resolution=resolution,
            first=text(body, "first_frame_image"),
            last=text(body, "last_frame_image"),
            subject=_subject(body),
            callback_url=text(body, "callback_url"),
        )
        return check(order, body)

    def ids(self, order: Order) -> tuple[str, str, str]:
        """Return a 15-digit task id and a 15-digit file id."""
        del order
        return ids.digits15(), "", ids.digits15()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return `{"task_id", "base_resp"}`."""
        return {"task_id": task.task_id, "base_resp": base_resp()}

    def refused(self, refusal: Refusal) -> Response:
        """Answer 200 with `base_resp`, unless an edge refused."""
        if refusal.is_http:
            return edge_refusal(refusal)
        return JSONResponse({"base_resp": base_resp(refusal.code, refusal.message)})


class MinimaxTemplates(Minimax):
    """Creates of `POST /v1/video_template_generation`."""

    name = "minimax-templates"

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        return templates.read(body)

    def ids(self, order: Order) -> tuple[str, str, str]:
        """Return an 18-digit task id; the file id is never shown."""
        del order
        return ids.digits18(), "", ids.digits15()


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


def file_body(request: Request, backend: Backend, task: Job) -> dict[str, object]:
    """Return the file's facts; the id is a JSON number and `bytes` is 0, as in live samples."""
    url, _ = signed_links.issue(request, backend, task)
    return {
        "file": {
            "file_id": int(task.file_id),
            "bytes": 0,
            "created_at": int(task.finished_at),
            "filename": "output_aigc.mp4",
            "purpose": "video_generation",
            "download_url": url,
        },
        "base_resp": base_resp(),
    }


def _number(request: Request) -> str:
    file_id = request.query_params.get("file_id", "")
    if not file_id.isdigit():
        raise invalid("file_id must be an integer")
    return file_id


def routes(backend: Backend) -> list[Route]:
    """Return everything of the official API but the create, whose path another dialect shares."""
    minimax, agent = Minimax(), MinimaxTemplates()

    async def query(request: Request) -> Response:
        task = polled_job(
            request, backend, "minimax", request.query_params.get("task_id", ""), "video"
        )
        return JSONResponse(status_body(task, backend.now()))

    async def retrieve(request: Request) -> Response:
        task = finished_job(request, backend, "minimax", _number(request))
        return JSONResponse(file_body(request, backend, task))

    async def retrieve_content(request: Request) -> Response:
        return await deliver(
            request, backend, finished_job(request, backend, "minimax", _number(request))
        )

    async def create_template(request: Request) -> Response:
        return await creates.create(request, backend, agent)

    async def query_template(request: Request) -> Response:
        any_id = request.query_params.get("task_id", "")
        task = polled_job(request, backend, "minimax", any_id, "template")
        body = status_body(task, backend.now())
        # The answer is {task_id, status, video_url, base_resp}: no file and no size (facts 6.1).
        for absent in ("file_id", "video_width", "video_height"):
            body.pop(absent, None)
        succeeded = task.phase(backend.now()) is Phase.SUCCESS
        body["video_url"] = signed_links.issue(request, backend, task)[0] if succeeded else ""
        return JSONResponse(body)

    async def remains(request: Request) -> Response:
        # The free way to try a key; of the answer only base_resp is known (facts 1.2).
        key_holder(request)
        return JSONResponse({"model_remains": [], "base_resp": base_resp()})

    get = ["GET"]
    return [
        Route("/v1/query/video_generation", answers(minimax, query), methods=get),
        Route("/v1/files/retrieve", answers(minimax, retrieve), methods=get),
        Route("/v1/files/retrieve_content", answers(minimax, retrieve_content), methods=get),
        Route("/v1/token_plan/remains", answers(minimax, remains), methods=get),
        Route("/v1/video_template_generation", create_template, methods=["POST"]),
        Route("/v1/query/video_template_generation", answers(agent, query_template), methods=get),
    ]
