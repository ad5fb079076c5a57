"""The relay of seed 003: the official API under `/minimaxi`, with its own ids and errors.

What its page leaves out is taken from its family's source (facts 8): a file id of its own, an
unknown task as HTTP 404, and its errors as `{"code", "message"}` without `base_resp`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hailuo_mcp.sandbox import creates, ids
from hailuo_mcp.sandbox.backend import HTTP_WORDS, Backend, http_headers
from hailuo_mcp.sandbox.download import deliver
from hailuo_mcp.sandbox.job import Job
from hailuo_mcp.sandbox.minimax import Minimax, base_resp, file_body, status_body
from hailuo_mcp.sandbox.reads import answers, finished_job, polled_job
from hailuo_mcp.sandbox.refusal import Refusal, Unknown
from hailuo_mcp.sandbox.rules import Order

# The words for 401 and 429 are ours; the others are the family's.
_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    404: "upstream_not_found_or_no_permission",
    429: "too_many_requests",
    500: "submit_failed",
    502: "download_failed",
    503: "provider_not_found",
}
# The relay checks its own keys itself; any other business error is MiniMax's, passed on as it came.
_KEY_CODES = frozenset({1004, 2049})


class Hingnet(Minimax):
    """Creates of `POST /minimaxi/v1/video_generation`."""

    name = "hingnet"
    family = "hingnet"

    def ids(self, order: Order) -> tuple[str, str, str]:
        """Return MiniMax's task id, the relay's own, and a file id that only the relay knows."""
        del order
        return ids.digits15(), f"video_{ids.ulid()}", ids.relay_file_id()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return the official answer plus `platform_id`."""
        return {
            "task_id": task.task_id,
            "platform_id": task.platform_id,
            "base_resp": base_resp(),
        }

    def refused(self, refusal: Refusal) -> Response:
        """Pass MiniMax's errors on; word the relay's own in its own way."""
        if isinstance(refusal, Unknown):
            return _own(404, refusal.message)
        # A fault from the prompt plays MiniMax refusing the relay's key, not the relay ours.
        if refusal.code in _KEY_CODES and not refusal.note:
            return _own(401, refusal.message)
        if refusal.is_http:
            return _own(refusal.code, refusal.message)
        return super().refused(refusal)


def _own(status: int, message: str) -> Response:
    return JSONResponse(
        {
            "code": _CODES.get(status, "error"),
            "message": message or HTTP_WORDS.get(status, "error"),
        },
        status_code=status,
        headers=http_headers(status),
    )


def routes(backend: Backend) -> list[Route]:
    """Return the relay's paths."""
    dialect = Hingnet()

    async def create(request: Request) -> Response:
        return await creates.create(request, backend, dialect)

    async def query(request: Request) -> Response:
        task = polled_job(request, backend, "hingnet", request.query_params.get("task_id", ""))
        return JSONResponse(status_body(task, backend.now()))

    async def retrieve(request: Request) -> Response:
        task = finished_job(request, backend, "hingnet", request.query_params.get("file_id", ""))
        return JSONResponse(file_body(request, backend, task))

    async def retrieve_content(request: Request) -> Response:
        task = finished_job(request, backend, "hingnet", request.query_params.get("file_id", ""))
        return await deliver(request, backend, task)

    base, get = "/minimaxi/v1", ["GET"]
    return [
        Route(f"{base}/video_generation", create, methods=["POST"]),
        Route(f"{base}/query/video_generation", answers(dialect, query), methods=get),
        Route(f"{base}/files/retrieve", answers(dialect, retrieve), methods=get),
        Route(f"{base}/files/retrieve_content", answers(dialect, retrieve_content), methods=get),
    ]
