"""Whatever comes back, a dialect answers with a result or with a readable error."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hailuo_mcp.dialects.dialect import HttpReply
from hailuo_mcp.domain.remote import Phase, RemoteStatus
from hailuo_mcp.errors import HailuoError

from .conftest import DIALECTS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "task_id",
                    "id",
                    "status",
                    "data",
                    "error",
                    "code",
                    "type",
                    "message",
                    "base_resp",
                    "status_code",
                    "file",
                    "file_id",
                    "download_url",
                    "url",
                    "video_url",
                    "videos",
                    "result",
                    "expires_at",
                    "platform_id",
                    "error_code",
                    "task",
                    "content",
                    "usage",
                    "output_seconds",
                    "http_code",
                    "action",
                    "items",
                    "total",
                    "created_at",
                    "model",
                    "duration",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
REPLIES = st.builds(
    HttpReply,
    status=st.sampled_from([200, 200, 200, 201, 302, 400, 401, 404, 422, 429, 500, 529]),
    headers=st.dictionaries(st.sampled_from(["retry-after", "trace-id"]), st.text(max_size=20)),
    body=st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()),
)


@given(reply=REPLIES, name=st.sampled_from(list(DIALECTS)))
@settings(max_examples=600)
def test_no_reply_whatever_crashes_a_dialect(reply, name):
    dialect = DIALECTS[name]
    status = RemoteStatus(phase=Phase.SUCCEEDED, word="x", file_id="1")
    for read in (
        dialect.read_submit,
        dialect.read_status,
        lambda reply: dialect.read_file(reply, status),
        dialect.read_probe,
        *((dialect.read_cancel, dialect.read_tasks) if dialect.cancel("1") else ()),
    ):
        try:
            got = read(reply)
        except HailuoError as error:
            assert error.what.endswith(".")  # noqa: PT017
        else:
            for text in ("remote_id", "word", "detail", "url", "error_code", "trace_id"):
                str(getattr(got, text, "")).encode()
