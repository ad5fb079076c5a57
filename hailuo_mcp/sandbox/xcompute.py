"""The gateway of seed 002: its own envelope, lowercase resolutions, two models, real HTTP statuses.

Its status page shows a flat answer without a result; its sibling's nested one is what live clients
read (facts 7). The nested shape is the default here, `[sandbox:flat]` asks for the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hailuo_mcp.sandbox import ids, intake, links
from hailuo_mcp.sandbox.desk import Desk, http_headers
from hailuo_mcp.sandbox.reading import answering, polled
from hailuo_mcp.sandbox.refusal import SENSITIVE_INPUT, Refusal, Unknown, invalid
from hailuo_mcp.sandbox.rules import Order, check, flag, only, text, whole
from hailuo_mcp.sandbox.task import Phase, Task

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
_STATUS_OF_CODE = {
    **dict.fromkeys((1002, 1039, 1041, 2045), 429),
    **dict.fromkeys((1004, 2049), 401),
    **dict.fromkeys((1008, 1028, 1030, 2056), 402),
    **dict.fromkeys((1026, 1042, 2013, 2061), 400),
}
_WORDS = {
    Phase.PREPARING: "submitted",
    Phase.QUEUEING: "pending",
    Phase.PROCESSING: "processing",
    Phase.SUCCESS: "completed",
    Phase.FAIL: "failed",
}


class Xcompute:
    """Creates of `POST /v1/videos/generations`."""

    name = "xcompute"
    family = "xcompute"

    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""
        only(body, _FIELDS)
        for name, default in _FLAGS.items():
            flag(body, name, default=default)
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
            duration=whole(body, "duration", 6),
            resolution=resolution.upper(),
            first=text(body, "first_frame_image"),
        )
        return check(order, body)

    def ids(self, order: Order) -> tuple[str, str, str]:
        """Return `task_` and a ULID; the file id is never shown."""
        del order
        return f"task_{ids.ulid()}", "", ids.digits15()

    def accepted(self, task: Task) -> dict[str, object]:
        """Return the seed's answer: a list of one."""
        return {"code": 200, "data": [{"status": "submitted", "task_id": task.task_id}]}

    def refused(self, refusal: Refusal) -> Response:
        """Answer with one of the five documented errors; the HTTP status says the same number."""
        if isinstance(refusal, Unknown):
            status = 404
        elif refusal.is_http:
            status = refusal.code
        else:
            status = _STATUS_OF_CODE.get(refusal.code, 500)
        kind, message = _ERRORS.get(status, _ERRORS[500])
        if refusal.code == SENSITIVE_INPUT:
            message = "请求内容未通过安全审核"
        elif refusal.message and status in (400, 503):
            message = f"{message}: {refusal.message}"
        return JSONResponse(
            {"error": {"code": status, "message": message, "type": kind}},
            status_code=status,
            headers=http_headers(status),
        )


def _failure(task: Task) -> dict[str, object]:
    if task.ending == "fail":
        return {"code": 500, "message": "视频生成失败", "type": "server_error"}
    return {"code": 400, "message": "内容未通过安全审核", "type": "invalid_request_error"}


def routes(desk: Desk) -> list[Route]:
    """Return the gateway's two paths."""
    dialect = Xcompute()

    async def create(request: Request) -> Response:
        return await intake.create(request, desk, dialect)

    async def status(request: Request) -> Response:
        task = polled(request, desk, "xcompute", request.path_params["task_id"])
        now = desk.now()
        phase = task.phase(now)
        word = "rendering" if task.is_weird(now) else _WORDS[phase]
        data: dict[str, object] = {
            "id": task.task_id,
            "status": word,
            "progress": int(100 * task.elapsed(now)),
            "created": int(task.created_at),
            "estimated_time": int(task.seconds_to_ready),
        }
        if phase is Phase.SUCCESS:
            url, expires = links.issue(request, desk, task)
            shown: object = url if "url-string" in task.faults else [url]
            data["completed"] = int(task.finished_at)
            data["actual_time"] = int(task.seconds_to_ready)
            data["result"] = {"videos": [{"url": shown, "expires_at": expires}]}
        elif phase is Phase.FAIL:
            data["error"] = _failure(task)
        if "flat" in task.faults:
            return JSONResponse(data)
        return JSONResponse({"code": 200, "data": data})

    return [
        Route("/v1/videos/generations", create, methods=["POST"]),
        Route("/v1/tasks/{task_id}", answering(dialect, status), methods=["GET"]),
    ]
