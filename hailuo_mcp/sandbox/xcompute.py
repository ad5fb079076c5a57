"""The gateway of seed 002: its own envelope, lowercase resolutions, two models, real HTTP statuses.

Its status page shows a flat answer without a result; its sibling's nested one is what live clients
read (facts 7). The nested shape is the default here, `[sandbox:flat]` asks for the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.sandbox import ids, signed_links
from hailuo_mcp.sandbox.backend import http_error
from hailuo_mcp.sandbox.dialect import Dialect, Handler
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.refusal import SENSITIVE_INPUT, Refusal, invalid
from hailuo_mcp.sandbox.rules import Order, check, field, only, text

_MODELS = ("MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast")
_FIELDS = frozenset(
    {
        "model",
        "prompt",
        "duration",
        "resolution",
        "first_frame_image",
        "prompt_optimizer",
        "fast_pretreatment",
        "watermark",
    }
)
_FLAGS = {"prompt_optimizer": True, "fast_pretreatment": False, "watermark": False}
_ERRORS = {
    400: ("invalid_request_error", "请求参数无效"),
    401: ("authentication_error", "身份验证失败，请检查您的API密钥"),
    402: ("payment_required", "账户余额不足，请充值后再试"),
    404: ("invalid_request_error", "任务不存在"),
    429: ("rate_limit_error", "请求过于频繁，请稍后再试"),
    500: ("server_error", "服务器内部错误，请稍后重试"),
}
_WORDS = {
    # "submitted" is what a create says; it is no documented word of a status (facts 7).
    Phase.PREPARING: "pending",
    Phase.QUEUEING: "pending",
    Phase.PROCESSING: "processing",
    Phase.SUCCESS: "completed",
    Phase.FAIL: "failed",
}


class Xcompute(Dialect):
    """Creates of `POST /v1/videos/generations`."""

    name = "xcompute"
    family = "xcompute"
    creates = ("/v1/videos/generations",)

    @property
    def reads(self) -> Mapping[str, Handler]:
        return {"/v1/tasks/{task_id}": self.status}

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        only(body, _FIELDS)
        for name, default in _FLAGS.items():
            field(body, name, default)
        model, prompt = text(body, "model"), text(body, "prompt")
        if model not in _MODELS:
            raise invalid(f"model must be one of {', '.join(_MODELS)}")
        if not prompt.strip():
            raise invalid("prompt is required")
        resolution = text(body, "resolution") or "768p"
        if resolution not in ("768p", "1080p"):
            raise invalid("resolution must be 768p or 1080p")
        order = Order(
            model=model,
            prompt=prompt,
            duration=field(body, "duration", 6),
            resolution=resolution.upper(),
            first=text(body, "first_frame_image"),
        )
        return check(order, body)

    def ids(self) -> tuple[str, str, str]:
        """Return `task_` and a ULID; the file id is never shown."""
        return f"task_{ids.ulid()}", "", ids.digits15()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return the seed's answer: a list of one."""
        return {"code": 200, "data": [{"status": "submitted", "task_id": task.task_id}]}

    def refused(self, refusal: Refusal) -> Response:
        """Answer with one of the five documented errors; the HTTP status says the same number."""
        status = refusal.http_status
        kind, message = _ERRORS.get(status, _ERRORS[500])
        if refusal.code == SENSITIVE_INPUT:
            message = "请求内容未通过安全审核"
        elif refusal.message and status in (400, 503):
            message = f"{message}: {refusal.message}"
        return http_error(status, {"error": {"code": status, "message": message, "type": kind}})

    async def status(self, request: Request) -> Response:
        """Answer with the status, and the clip's link or the error once there is one."""
        task, now = self.polled_job(request), self.backend.now()
        phase = task.phase(now)
        data: dict[str, object] = {
            "id": task.task_id,
            "status": "rendering" if task.is_weird(now) else _WORDS[phase],
            "progress": int(100 * task.elapsed(now)),
            "created": int(task.created_at),
            "estimated_time": int(task.seconds_to_ready),
        }
        if phase is Phase.SUCCESS:
            url, expires = signed_links.issue(request, self.backend, task)
            shown: object = url if "url-string" in task.faults else [url]
            data["completed"] = int(task.finished_at)
            data["actual_time"] = int(task.seconds_to_ready)
            data["result"] = {"videos": [{"url": shown, "expires_at": expires}]}
        elif phase is Phase.FAIL:
            data["error"] = _failure(task)
        return JSONResponse(data if "flat" in task.faults else {"code": 200, "data": data})


def _failure(task: Job) -> dict[str, object]:
    if task.ending == "fail":
        return {"code": 500, "message": "视频生成失败", "type": "server_error"}
    return {"code": 400, "message": "内容未通过安全审核", "type": "invalid_request_error"}
