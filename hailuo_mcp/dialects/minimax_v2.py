"""MiniMax's v2 API, for the models that are on it: H3 and H3-Max."""

from __future__ import annotations

from hailuo_mcp.dialects.dialect import (
    Dialect,
    HttpReply,
    HttpRequest,
    Provider,
    options_in,
    path_segment,
    refuse_unsupported,
)
from hailuo_mcp.dialects.refusals import Refusals
from hailuo_mcp.domain import AnyRequest, Capabilities, Mode, RemoteStatus, RemoteTasks, Submitted

_FIELDS = {"watermark": "aigc_watermark", "prompt_optimizer": "extra"}


class MiniMaxV2(Dialect):
    """Content items with roles, true HTTP errors, a list, cancelling, upgrades (v2 facts)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._refusals = Refusals(provider)
        self.capabilities = Capabilities(
            modes=frozenset({Mode.T2V, Mode.I2V, Mode.FL2V, Mode.R2V, Mode.UPGRADE}),
            options=options_in(_FIELDS),
        )

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        del callback_url
        refuse_unsupported(request, self.capabilities, self._provider)
        raise NotImplementedError

    def read_submit(self, reply: HttpReply) -> Submitted:
        raise NotImplementedError

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest:
        del template
        return HttpRequest(path=f"/v2/query/video_generation/{path_segment(remote_id)}")

    def read_status(self, reply: HttpReply) -> RemoteStatus:
        raise NotImplementedError

    def cancel(self, remote_id: str) -> HttpRequest | None:
        path = f"/v2/video_generation/{path_segment(remote_id)}"
        return HttpRequest(method="DELETE", path=path)

    def read_cancel(self, reply: HttpReply) -> bool:
        raise NotImplementedError

    def list_tasks(self, page: int, *, model: str = "") -> HttpRequest | None:
        query = {"page_num": str(page), "page_size": "20"}
        if model:
            query["filter.model"] = model
        return HttpRequest(path="/v2/query/video_generation", query=query)

    def read_tasks(self, reply: HttpReply) -> RemoteTasks:
        raise NotImplementedError

    def read_probe(self, reply: HttpReply) -> None:
        raise NotImplementedError
