"""The dialect of seed 004, and its legacy paths under `/v3`.

The seed says nothing of error bodies. Here they are `{"error": "<text>"}` with a fitting HTTP
status, after the `error` field that its failed tasks have.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hailuo_mcp.sandbox import creates, ids, signed_links
from hailuo_mcp.sandbox.backend import HTTP_WORDS, Backend, http_headers
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.reads import answers, finished_job, polled_job
from hailuo_mcp.sandbox.refusal import SENSITIVE_INPUT, Refusal, invalid
from hailuo_mcp.sandbox.rules import Order, check, flag, only, text, whole

MARKS = frozenset({"image_url", "enable_prompt_expansion"})
"""Fields that only this dialect has: they tell its creates from the official ones."""

_FIELDS = MARKS | {"model", "prompt", "last_frame_image", "duration", "resolution"}
_MODELS = ("MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02")
_RESOLUTIONS = ("512P", "768P", "1080P")
_MODERATED = "内容审核未通过"
_WORDS = {
    Phase.PREPARING: "pending",
    Phase.QUEUEING: "pending",
    Phase.PROCESSING: "processing",
    Phase.SUCCESS: "succeeded",
    Phase.FAIL: "failed",
}


class Compat:
    """Creates with `image_url` and `enable_prompt_expansion`."""

    name = "compat"
    # The seed gives the official host, so its reads find the tasks of either create.
    family = "minimax"

    def __init__(self, *, data_urls: bool) -> None:
        """Choose what is done with data URLs, of which the seed says nothing."""
        self._data_urls = data_urls

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        only(body, _FIELDS)
        flag(body, "enable_prompt_expansion", default=True)
        model, prompt = text(body, "model"), text(body, "prompt")
        if model not in _MODELS:
            raise invalid(f"model must be one of {', '.join(_MODELS)}")
        if not prompt.strip():
            raise invalid("prompt is required")
        resolution = text(body, "resolution")
        if resolution and resolution not in _RESOLUTIONS:
            raise invalid(f"resolution must be one of {', '.join(_RESOLUTIONS)}")
        first, last = text(body, "image_url"), text(body, "last_frame_image")
        if not self._data_urls and any(url.startswith("data:") for url in (first, last)):
            raise invalid("images must be given by URL")
        order = Order(
            model=model,
            prompt=prompt,
            duration=whole(body, "duration", 6),
            resolution=resolution,
            first=first,
            last=last,
        )
        return check(order, body)

    def ids(self, order: Order) -> tuple[str, str, str]:
        """Return ids such as the seed's 1234567890abcdef and abcdef1234567890."""
        del order
        return ids.hex16(), "", ids.hex16()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return nothing but the id."""
        return {"task_id": task.task_id}

    def refused(self, refusal: Refusal) -> Response:
        """Answer with a status and one line of text."""
        status = refusal.http_status
        message = _MODERATED if refusal.code == SENSITIVE_INPUT else refusal.message
        return JSONResponse(
            {"error": message or HTTP_WORDS.get(status, "error")},
            status_code=status,
            headers=http_headers(status),
        )


def status_body(task: Job, now: float) -> dict[str, object]:
    """Return the seed's status: one word, and the file or the error once there is one."""
    phase = task.phase(now)
    body: dict[str, object] = {"status": "rendering" if task.is_weird(now) else _WORDS[phase]}
    if phase is Phase.SUCCESS:
        body["file_id"] = task.file_id
    elif phase is Phase.FAIL:
        body["error"] = "视频生成失败" if task.ending == "fail" else _MODERATED
    return body


def routes(backend: Backend) -> list[Route]:
    """Return the reads at the official host, the whole API under `/compat`, and the `/v3` paths."""
    dialect = Compat(data_urls=backend.options.compat_data_urls)

    async def create(request: Request) -> Response:
        return await creates.create(request, backend, dialect)

    async def query(request: Request) -> Response:
        task = polled_job(request, backend, dialect.family, request.path_params["task_id"], "video")
        return JSONResponse(status_body(task, backend.now()))

    async def file(request: Request) -> Response:
        task = finished_job(request, backend, dialect.family, request.path_params["file_id"])
        url, _ = signed_links.issue(request, backend, task)
        created = int(task.finished_at)
        return JSONResponse({"download_url": url, "file_id": task.file_id, "created_at": created})

    paths: list[Route] = []
    for prefix in ("", "/compat"):
        for video, files in (
            ("/v1/video_generation", "/v1"),
            ("/v3/async/minimax-video-01", "/v3"),
        ):
            if (prefix, files) != ("", "/v1"):  # that create is shared, see `app`
                paths.append(Route(f"{prefix}{video}", create, methods=["POST"]))
            paths.append(
                Route(f"{prefix}{video}/{{task_id}}", answers(dialect, query), methods=["GET"])
            )
            paths.append(
                Route(f"{prefix}{files}/files/{{file_id}}", answers(dialect, file), methods=["GET"])
            )
    return paths
