"""The dialect of seed 004, and its legacy paths under `/v3`.

The seed says nothing of error bodies. Here they are `{"error": "<text>"}` with a fitting HTTP
status, after the `error` field that its failed tasks have.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.sandbox import ids, signed_links
from hailuo_mcp.sandbox.backend import http_error
from hailuo_mcp.sandbox.dialect import Dialect, Handler
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.refusal import SENSITIVE_INPUT, Refusal, invalid
from hailuo_mcp.sandbox.rules import Order, check, field, only, text

MARKS = frozenset({"image_url", "enable_prompt_expansion"})
"""Fields that only this dialect has: they tell its creates from the official ones."""

_V1, _V3 = "/v1/video_generation", "/v3/async/minimax-video-01"
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


class Compat(Dialect):
    """Creates with `image_url` and `enable_prompt_expansion`."""

    name = "compat"
    # The seed gives the official host, so its reads find the tasks of either create.
    family = "minimax"
    # The create at the official host is shared, see `routes`.
    creates = (f"/compat{_V1}", _V3, f"/compat{_V3}")

    @property
    def reads(self) -> Mapping[str, Handler]:
        """Return its paths at the official host and all of them again under `/compat`."""
        return {
            f"{prefix}{path}": handler
            for prefix in ("", "/compat")
            for path, handler in (
                (f"{_V1}/{{task_id}}", self.query),
                ("/v1/files/{file_id}", self.file),
                (f"{_V3}/{{task_id}}", self.query),
                ("/v3/files/{file_id}", self.file),
            )
        }

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        only(body, _FIELDS)
        field(body, "enable_prompt_expansion", True)  # noqa: FBT003
        model, prompt = text(body, "model"), text(body, "prompt")
        if model not in _MODELS:
            raise invalid(f"model must be one of {', '.join(_MODELS)}")
        if not prompt.strip():
            raise invalid("prompt is required")
        resolution = text(body, "resolution")
        if resolution and resolution not in _RESOLUTIONS:
            raise invalid(f"resolution must be one of {', '.join(_RESOLUTIONS)}")
        first, last = text(body, "image_url"), text(body, "last_frame_image")
        takes_data = self.backend.options.compat_data_urls
        if not takes_data and any(url.startswith("data:") for url in (first, last)):
            raise invalid("images must be given by URL")
        order = Order(
            model=model,
            prompt=prompt,
            duration=field(body, "duration", 6),
            resolution=resolution,
            first=first,
            last=last,
        )
        return check(order, body)

    def ids(self) -> tuple[str, str, str]:
        """Return ids such as the seed's 1234567890abcdef and abcdef1234567890."""
        return ids.hex16(), "", ids.hex16()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return nothing but the id."""
        return {"task_id": task.task_id}

    def refused(self, refusal: Refusal) -> Response:
        """Answer with a status and one line of text."""
        status = refusal.http_status
        message = _MODERATED if refusal.code == SENSITIVE_INPUT else refusal.message
        return http_error(status, {"error": message or HTTPStatus(status).phrase.lower()})

    async def query(self, request: Request) -> Response:
        """Answer with one word, and the file or the error once there is one."""
        task, now = self.polled_job(request), self.backend.now()
        phase = task.phase(now)
        body: dict[str, object] = {"status": "rendering" if task.is_weird(now) else _WORDS[phase]}
        if phase is Phase.SUCCESS:
            body["file_id"] = task.file_id
        elif phase is Phase.FAIL:
            body["error"] = "视频生成失败" if task.ending == "fail" else _MODERATED
        return JSONResponse(body)

    async def file(self, request: Request) -> Response:
        """Answer with a link to the clip."""
        task = self.finished_job(request)
        url, _ = signed_links.issue(request, self.backend, task)
        created = int(task.finished_at)
        return JSONResponse({"download_url": url, "file_id": task.file_id, "created_at": created})
