"""The replies that the documents show, and the requests that they answer."""

from __future__ import annotations

import json
from pathlib import Path

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest, Provider
from hailuo_mcp.verification.expected import operation_of
from hailuo_mcp.verification.facts import Exchange
from hailuo_mcp.verification.recording import provider_of

V2 = json.loads(
    (Path(__file__).parents[1] / "contract/examples/v2_replies.json").read_text("utf-8")
)
OK = {"status_code": 0, "status_msg": "success"}
HEADERS = {"content-type": "application/json", "trace-id": "0123abc"}

QUERY = "GET /v1/query/video_generation?task_id=176843862716480"
TEMPLATE = "GET /v1/query/video_template_generation?task_id=401047179385389059"
V2_QUERY = "GET /v2/query/video_generation/"
H3 = f"{V2_QUERY}392753057216684038"
TASK = {
    "task_id": "176843862716480",
    "status": "Success",
    "file_id": "176844028768320",
    "video_width": 1920,
    "video_height": 1080,
    "base_resp": OK,
}
FILE = {
    "file": {
        "file_id": 176844028768320,
        "bytes": 0,
        "created_at": 1761811200,
        "filename": "output_aigc.mp4",
        "purpose": "video_generation",
        "download_url": "https://a.oss-cn-wulanchabu.aliyuncs.com/output.mp4?Expires=1761814800&Signature=x",
    },
    "base_resp": OK,
}
NESTED = {
    "code": 200,
    "data": {
        "id": "task_1",
        "status": "completed",
        "progress": 100,
        "result": {
            "videos": [{"url": ["https://example.com/a.mp4"], "expires_at": 1763174708}],
            "thumbnail_url": "https://example.com/a.jpg",
        },
        "created": 1763088289,
        "completed": 1763088308,
        "estimated_time": 60,
        "actual_time": 19,
        "cost": 0.1,
        "credits_cost": 1,
    },
}


def refused(code: int, text: str = "invalid params") -> dict[str, object]:
    return {"base_resp": {"status_code": code, "status_msg": text}}


def own(code: int, kind: str) -> dict[str, object]:
    return {"error": {"code": code, "message": "请求参数无效", "type": kind}}


# name: provider, request, HTTP status, body
REPLIES: dict[str, tuple[str, str, int, object]] = {
    "001 query": ("minimax-cn", QUERY, 200, TASK),
    "1.5 create": (
        "minimax-cn",
        "POST /v1/video_generation",
        200,
        {"task_id": "106916112212032", "base_resp": OK},
    ),
    "1.5 refusal": ("minimax-cn", "POST /v1/video_generation", 200, refused(1026)),
    "1.5 refusal with an empty id": (
        "minimax-cn",
        "POST /v1/video_generation",
        200,
        {"task_id": "", **refused(1008)},
    ),
    "1.6 waiting": (
        "minimax-cn",
        QUERY,
        200,
        {"task_id": "176843862716480", "status": "Queueing", "file_id": "", "base_resp": OK},
    ),
    "1.6 failed": (
        "minimax-cn",
        QUERY,
        200,
        {"task_id": "176843862716480", "status": "Fail", **refused(1027)},
    ),
    "1.6 failed without a reason": (
        "minimax-global",
        QUERY,
        200,
        {"task_id": "176843862716480", "status": "Fail", "base_resp": OK},
    ),
    "1.7 file": ("minimax-cn", "GET /v1/files/retrieve?file_id=176844028768320", 200, FILE),
    "1.7 a file's own code": ("minimax-cn", "GET /v1/files/retrieve?file_id=1", 200, refused(1013)),
    "1.2 key": (
        "minimax-cn",
        "GET /v1/token_plan/remains",
        200,
        {"model_remains": [{}], "base_resp": OK},
    ),
    "1.2 wrong region": (
        "minimax-cn",
        "GET /v1/token_plan/remains",
        200,
        refused(2049, "invalid api key"),
    ),
    "6.1 create": (
        "minimax-cn",
        "POST /v1/video_template_generation",
        200,
        {"task_id": "401047179385389059", "base_resp": OK},
    ),
    "6.1 query": (
        "minimax-cn",
        TEMPLATE,
        200,
        {
            "task_id": "401047179385389059",
            "status": "Success",
            "video_url": "https://cdn.hailuoai.com/a.mp4",
            "base_resp": OK,
        },
    ),
    "002 submit": (
        "xcompute",
        "POST /v1/videos/generations",
        200,
        {
            "code": 200,
            "data": [{"status": "submitted", "task_id": "task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ"}],
        },
    ),
    "002 400": ("xcompute", "POST /v1/videos/generations", 400, own(400, "invalid_request_error")),
    "002 401": ("xcompute", "POST /v1/videos/generations", 401, own(401, "authentication_error")),
    "002 402": ("xcompute", "POST /v1/videos/generations", 402, own(402, "payment_required")),
    "002 429": ("xcompute", "POST /v1/videos/generations", 429, own(429, "rate_limit_error")),
    "002 500": ("xcompute", "POST /v1/videos/generations", 500, own(500, "server_error")),
    "7 flat": (
        "xcompute",
        "GET /v1/tasks/task_1",
        200,
        {"id": "task_1", "status": "completed", "progress": 100},
    ),
    "7 nested": ("xcompute", "GET /v1/tasks/task_1", 200, NESTED),
    "7 failed": (
        "xcompute",
        "GET /v1/tasks/task_1",
        200,
        {
            "code": 200,
            "data": {
                "id": "task_1",
                "status": "failed",
                "progress": 40,
                "error": {"code": 500, "message": "失败", "type": "server_error"},
            },
        },
    ),
    "003 submit": (
        "hingnet",
        "POST /v1/video_generation",
        200,
        {
            "task_id": "106916112212032",
            "platform_id": "video_01JSGXXXXXXXXXXXXXXXXXX",
            "base_resp": OK,
        },
    ),
    "8 unknown task": (
        "hingnet",
        "GET /v1/query/video_generation?task_id=1",
        404,
        {"code": "upstream_not_found_or_no_permission", "message": "not found"},
    ),
    "8 MiniMax's error": ("hingnet", "POST /v1/video_generation", 200, refused(2013)),
    **{
        f"004 {name} {provider}": (provider, request, 200, body)
        for provider, task, file in (
            ("compat", "/v1/video_generation", "/v1/files"),
            ("compat-v3", "/v3/async/minimax-video-01", "/v3/files"),
        )
        for name, request, body in (
            ("submit", f"POST {task}", {"task_id": "1234567890abcdef"}),
            (
                "finished",
                f"GET {task}/1234567890abcdef",
                {"status": "succeeded", "file_id": "abcdef1234567890"},
            ),
            ("running", f"GET {task}/1234567890abcdef", {"status": "processing"}),
            ("waiting", f"GET {task}/1234567890abcdef", {"status": "pending"}),
            (
                "failed",
                f"GET {task}/1234567890abcdef",
                {"status": "failed", "error": "内容审核未通过"},
            ),
            (
                "file",
                f"GET {file}/abcdef1234567890",
                {
                    "download_url": "https://cdn.minimaxi.com/files/abcdef1234567890.mp4",
                    "file_id": "abcdef1234567890",
                    "created_at": 1733580000,
                },
            ),
        )
    },
    "v2 created": ("minimax-cn", "POST /v2/video_generation", 200, V2["created"]),
    "v2 upgraded": ("minimax-cn", "POST /v2/video_regeneration", 200, V2["created"]),
    "v2 succeeded": ("minimax-cn", H3, 200, V2["succeeded"]),
    "v2 regenerated": ("minimax-global", f"{V2_QUERY}401047179385389059", 200, V2["regenerated"]),
    "v2 queued": ("minimax-cn", H3, 200, V2["queued"]),
    "v2 failed": ("minimax-cn", H3, 200, V2["failed"]),
    "v2 unknown task": ("minimax-cn", H3, 400, V2["unknown task"]),
    # One id of the example is a number, to try the dialect with; the documents have text.
    "v2 list": (
        "minimax-cn",
        "GET /v2/query/video_generation?page_num=1&page_size=20",
        200,
        {**V2["list"], "items": [{**row, "id": str(row["id"])} for row in V2["list"]["items"]]},
    ),
}


def exchange(
    name: str, *, body: object = None, status: int = 0, headers: dict[str, str] | None = None
) -> tuple[Provider, Exchange]:
    """Return a documented exchange, with another reply where one is given."""
    provider_name, line, documented_status, documented = REPLIES[name]
    provider = provider_of(provider_name)
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    request = HttpRequest(
        method=method,
        path=path,
        query=dict(pair.split("=") for pair in query.split("&") if pair),
        json={} if method == "POST" else None,
    )
    told = documented if body is None else body
    operation = operation_of(provider, request)
    assert operation is not None
    return provider, Exchange(
        operation=operation,
        request=request,
        reply=HttpReply(
            status=status or documented_status,
            headers=HEADERS if headers is None else headers,
            body=told if isinstance(told, bytes) else json.dumps(told).encode(),
            received_at=1_733_580_000.0,
        ),
    )
