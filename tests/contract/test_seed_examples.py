"""Every request and reply example of the five documents that this package was written from.

The examples are copied as they stand there, requests into examples/requests.json; README.md beside
this file says which is where.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hailuo_mcp.dialects.dialect import HttpReply
from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url
from hailuo_mcp.domain.remote import Phase, RemoteStatus, Submitted
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.errors import (
    AuthenticationError,
    InsufficientBalanceError,
    RateLimitError,
    RejectedParametersError,
    UnconfirmedSubmitError,
)

EXAMPLES = json.loads((Path(__file__).parent / "examples/requests.json").read_text("utf-8"))
REQUESTS = [pytest.param(row, id=row["id"]) for row in EXAMPLES]

ADDRESSES = [
    pytest.param(
        "minimax-cn",
        "176843862716480",
        "GET /v1/query/video_generation?task_id=176843862716480",
        id="001-query",
    ),
    pytest.param(
        "compat", "1234567890abcdef", "GET /v1/video_generation/1234567890abcdef", id="004-query"
    ),
    pytest.param(
        "compat-v3",
        "1234567890abcdef",
        "GET /v3/async/minimax-video-01/1234567890abcdef",
        id="004-query-legacy",
    ),
    pytest.param(
        "xcompute",
        "task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ",
        "GET /v1/tasks/task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ",
        id="002-status",
    ),
    pytest.param(
        "hingnet",
        "video_01JSGXXXXXXXXXXXXXXXXXX",
        "GET /v1/query/video_generation?task_id=video_01JSGXXXXXXXXXXXXXXXXXX",
        id="003-query-by-platform-id",
    ),
]

FILES = [
    pytest.param("minimax-cn", "176844028768320", "/v1/files/retrieve?file_id=176844028768320"),
    pytest.param("compat", "abcdef1234567890", "/v1/files/abcdef1234567890"),
    pytest.param("compat-v3", "abcdef1234567890", "/v3/files/abcdef1234567890"),
]


def dialect(name: str):
    row = PROVIDERS[name]
    return dialect_of(with_base_url(row, row.base_url))


def reply(text: str, status: int = 200) -> HttpReply:
    return HttpReply(status=status, body=text.encode(), received_at=1_733_580_000.0)


@pytest.mark.parametrize("row", REQUESTS)
def test_our_request_equals_the_example_field_for_field(row):
    built = dialect(row["provider"]).submit(VideoRequest(**row["ours"]))
    assert (built.method, built.path, built.query) == ("POST", row["path"], {})
    assert built.json == row["example"]


@pytest.mark.parametrize(("provider", "remote_id", "line"), ADDRESSES)
def test_a_status_is_asked_at_the_documented_address(provider, remote_id, line):
    asked = dialect(provider).status(remote_id)
    assert f"{asked.method} {asked.target}" == line
    assert asked.json is None


@pytest.mark.parametrize(("provider", "file_id", "target"), FILES)
def test_a_file_is_asked_at_the_documented_address(provider, file_id, target):
    status = RemoteStatus(phase=Phase.SUCCEEDED, word="Success", file_id=file_id)
    asked = dialect(provider).file(status)
    assert (asked.method, asked.target) == ("GET", target)


def test_001_the_bytes_are_asked_at_retrieve_content():
    status = RemoteStatus(phase=Phase.SUCCEEDED, word="Success", file_id="176844028768320")
    link = dialect("minimax-cn").file_fallback(status)
    assert link.url == "/v1/files/retrieve_content?file_id=176844028768320"
    assert link.authorised


def test_001_the_query_reply_is_understood():
    got = dialect("minimax-cn").read_status(
        reply("""{
  "task_id": "176843862716480",
  "status": "Success",
  "file_id": "176844028768320",
  "video_width": 1920,
  "video_height": 1080,
  "base_resp": {
    "status_code": 0,
    "status_msg": "success"
  }
}""")
    )
    assert got == RemoteStatus(
        phase=Phase.SUCCEEDED, word="Success", file_id="176844028768320", width=1920, height=1080
    )


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("Preparing", Phase.QUEUED),
        ("Queueing", Phase.QUEUED),
        ("Processing", Phase.RUNNING),
        ("Success", Phase.SUCCEEDED),
        ("Fail", Phase.FAILED),
        ("processing", Phase.RUNNING),
        ("success", Phase.SUCCEEDED),
        ("failed", Phase.FAILED),
    ],
)
def test_001_the_status_words_of_polls_and_callbacks_are_understood(word, phase):
    body = {"task_id": "1", "status": word, "file_id": "2", "base_resp": {"status_code": 0}}
    assert dialect("minimax-cn").read_status(reply(json.dumps(body))).phase is phase


def test_002_the_submit_reply_is_understood():
    got = dialect("xcompute").read_submit(
        reply("""{
    "code": 200,
    "data": [
      {
        "status": "submitted",
        "task_id": "task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ"
      }
    ]
  }""")
    )
    assert got == Submitted(remote_id="task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ")


@pytest.mark.parametrize(
    ("status", "example", "kind"),
    [
        (
            400,
            '{"error": {"code": 400, "message": "请求参数无效", "type": "invalid_request_error"}}',
            RejectedParametersError,
        ),
        (
            401,
            '{"error": {"code": 401, "message": "身份验证失败，请检查您的API密钥", "type": "authentication_error"}}',
            AuthenticationError,
        ),
        (
            402,
            '{"error": {"code": 402, "message": "账户余额不足，请充值后再试", "type": "payment_required"}}',
            InsufficientBalanceError,
        ),
        (
            429,
            '{"error": {"code": 429, "message": "请求过于频繁，请稍后再试", "type": "rate_limit_error"}}',
            RateLimitError,
        ),
        (
            500,
            '{"error": {"code": 500, "message": "服务器内部错误，请稍后重试", "type": "server_error"}}',
            UnconfirmedSubmitError,
        ),
    ],
)
def test_002_the_five_errors_are_understood(status, example, kind):
    with pytest.raises(kind) as caught:
        dialect("xcompute").read_submit(reply(example, status))
    said = json.loads(example)["error"]["message"]
    assert said not in str(caught.value)
    assert caught.value.detail == said


def test_003_the_submit_reply_keeps_both_ids():
    got = dialect("hingnet").read_submit(
        reply("""{
  "task_id": "106916112212032",
  "platform_id": "video_01JSGXXXXXXXXXXXXXXXXXX",
  "base_resp": {
    "status_code": 0,
    "status_msg": "success"
  }
}""")
    )
    assert got == Submitted(
        remote_id="106916112212032", remote_alias="video_01JSGXXXXXXXXXXXXXXXXXX"
    )


both = pytest.mark.parametrize("provider", ["compat", "compat-v3"])


@both
def test_004_the_submit_reply_is_understood(provider):
    got = dialect(provider).read_submit(reply('{"task_id": "1234567890abcdef"}'))
    assert got == Submitted(remote_id="1234567890abcdef")


@both
def test_004_a_finished_task_is_understood(provider):
    got = dialect(provider).read_status(
        reply('{"status": "succeeded", "file_id": "abcdef1234567890"}')
    )
    assert got == RemoteStatus(phase=Phase.SUCCEEDED, word="succeeded", file_id="abcdef1234567890")


@both
def test_004_a_running_task_is_understood(provider):
    got = dialect(provider).read_status(reply('{"status": "processing"}'))
    assert got == RemoteStatus(phase=Phase.RUNNING, word="processing")


@both
def test_004_a_waiting_task_is_understood(provider):
    got = dialect(provider).read_status(reply('{"status": "pending"}'))
    assert got == RemoteStatus(phase=Phase.QUEUED, word="pending")


@both
def test_004_a_failed_task_is_understood(provider):
    got = dialect(provider).read_status(reply('{"status": "failed", "error": "内容审核未通过"}'))
    assert got == RemoteStatus(
        phase=Phase.FAILED, word="failed", error_code="moderation", detail="内容审核未通过"
    )


@both
def test_004_the_file_reply_is_understood(provider):
    status = RemoteStatus(phase=Phase.SUCCEEDED, word="succeeded", file_id="abcdef1234567890")
    got = dialect(provider).read_file(
        reply("""{
  "download_url": "https://cdn.minimaxi.com/files/abcdef1234567890.mp4",
  "file_id": "abcdef1234567890",
  "created_at": 1733580000
}"""),
        status,
    )
    assert got.url == "https://cdn.minimaxi.com/files/abcdef1234567890.mp4"
    assert got.expires_at == 1_733_580_000 + 3600
    assert not got.authorised
