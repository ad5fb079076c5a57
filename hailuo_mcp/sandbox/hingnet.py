"""The relay of seed 003: the official API under `/minimaxi`, with its own ids and errors.

What its page leaves out is taken from its family's source (facts 8): a file id of its own, an
unknown task as HTTP 404, and its errors as `{"code", "message"}` without `base_resp`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from hailuo_mcp.sandbox import ids
from hailuo_mcp.sandbox.backend import http_error
from hailuo_mcp.sandbox.dialect import Dialect, Handler
from hailuo_mcp.sandbox.job import Job
from hailuo_mcp.sandbox.minimax import Minimax
from hailuo_mcp.sandbox.refusal import Refusal, Unknown

_BASE = "/minimaxi/v1"

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
    creates = (f"{_BASE}/video_generation",)

    @property
    def reads(self) -> Mapping[str, Handler]:
        return {
            f"{_BASE}/query/video_generation": self.query,
            f"{_BASE}/files/retrieve": self.retrieve,
            f"{_BASE}/files/retrieve_content": self.retrieve_content,
        }

    def ids(self) -> tuple[str, str, str]:
        """Return MiniMax's task id, the relay's own, and a file id that only the relay knows."""
        return ids.digits15(), f"video_{ids.ulid()}", ids.relay_file_id()

    def accepted(self, task: Job) -> dict[str, object]:
        """Return the official answer plus `platform_id`."""
        return {**super().accepted(task), "platform_id": task.platform_id}

    def finished_job(self, request: Request) -> Job:
        """Look any file id up: the relay does not mind what it looks like."""
        return Dialect.finished_job(self, request)

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
    words = message or HTTPStatus(status).phrase.lower()
    return http_error(status, {"code": _CODES.get(status, "error"), "message": words})
