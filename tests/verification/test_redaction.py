"""Nothing that a person wrote or owns is shown, whatever a provider sends back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest
from hailuo_mcp.dialects.link_expiry import expires_at
from hailuo_mcp.verification.compare import compare
from hailuo_mcp.verification.expected import id_in_path, operation_of
from hailuo_mcp.verification.facts import Exchange
from hailuo_mcp.verification.redaction import safe_name, safe_text, safe_word
from hailuo_mcp.verification.replies.questions import OUR_IDS
from hailuo_mcp.verification.stand_ins import StandIns, link
from tests.verification.documented import REPLIES, exchange

KEY = "sk-cp-9fQz7PlantedKey"
PROMPT = "velvet hedgehog"
SIGNATURE = "Zm94aW5nbG92ZXM"
ACCOUNT = "brightmoose"
NUMBER = 918273645546372
SECRETS = (KEY, *PROMPT.split(), SIGNATURE, ACCOUNT, str(NUMBER), "918273645546373")
LINKS = (
    f"https://{ACCOUNT}.oss-us-east-1.aliyuncs.com/{ACCOUNT}/a.mp4?Expires=1761814800&Signature={SIGNATURE}",
    f"http://{ACCOUNT}.example.com:8080/{PROMPT.replace(' ', '-')}?e={SIGNATURE}&se={KEY}",
    f"https://{KEY}@[{ACCOUNT}/",
)
NAMES = [
    *("task_id", "id", "status", "data", "error", "code", "type", "message", "base_resp", "model"),
    *("status_code", "status_msg", "file", "file_id", "download_url", "url", "video_url", "videos"),
    *("result", "expires_at", "platform_id", "task", "content", "usage", "http_code", "items"),
    *("total", "created_at", "duration", "request_id", "progress", "purpose", "filename", "ratio"),
    *("resolution", "task_type", "bytes", "video_width", "prompt", "user_name", "field_1"),
]
PLANTED = st.sampled_from(
    [
        *(KEY, PROMPT, SIGNATURE, ACCOUNT, NUMBER, -NUMBER, str(NUMBER), float(NUMBER), *LINKS),
        *(f"invalid params: {PROMPT} of {ACCOUNT}", f"Bearer {KEY}", f"({NUMBER})"),
        *(ACCOUNT.title(), f"output_{ACCOUNT}.mp4", f"data:image/png;base64,{SIGNATURE}"),
    ]
)
KEYS = st.sampled_from(
    [
        *(*NAMES, KEY, PROMPT, ACCOUNT, SIGNATURE),
        *(f"{ACCOUNT}_id", f"task_{ACCOUNT}", f"{ACCOUNT}Url"),
    ]
)
ANY = PLANTED | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    ANY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "trace-id", "retry-after", "set-cookie", "server", ACCOUNT]),
    st.sampled_from(["application/json", KEY, f"text/{ACCOUNT}", ACCOUNT, "5", f"x; a={KEY}"]),
    max_size=3,
)
ASKED = st.sampled_from(list(REPLIES))
BODIES = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20)


def hidden(text: str) -> None:
    low = text.lower()
    assert not [secret for secret in SECRETS if secret.lower() in low]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(name=ASKED, body=BODIES, headers=HEADERS, status=st.sampled_from([200, 400, 404, 503]))
def test_a_difference_holds_no_secret_and_nothing_raises(name, body, headers, status):
    provider, it = exchange(name, body=body, status=status, headers=headers)
    for codes in (frozenset[str](), frozenset({"2013", "http_404"})):
        for found in compare(provider, it, codes):
            hidden(json.dumps(asdict(found), ensure_ascii=False))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(name=ASKED, body=BODIES, headers=HEADERS, given_body=st.dictionaries(KEYS, JSON, max_size=4))
def test_a_published_exchange_holds_no_secret_and_does_not_change_again(
    name, body, headers, given_body
):
    provider, it = exchange(name, body=body, headers=headers)
    query = {"task_id": str(NUMBER), ACCOUNT: KEY} if it.request.query else {}
    folder = it.request.path.rpartition("/")[0]
    path = f"{folder}/{NUMBER}" if id_in_path(provider, it.request) else it.request.path
    request = HttpRequest(method=it.request.method, path=path, query=query, json=given_body)
    secret = Exchange(operation=it.operation, request=request, reply=it.reply)
    once = StandIns().exchange(provider, secret)
    hidden(str(once) + once.reply.body.decode())
    assert StandIns().exchange(provider, once) == once
    assert operation_of(provider, once.request) is it.operation


def published(body: object, *, headers: dict[str, str] | None = None) -> dict[str, object]:
    reply = HttpReply(status=200, headers=headers or {}, body=json.dumps(body).encode())
    provider, it = exchange("001 query")
    made = StandIns().exchange(
        provider, Exchange(operation=it.operation, request=it.request, reply=reply)
    )
    found: dict[str, object] = made.reply.json()
    return found


def test_an_id_keeps_its_form_and_equal_ids_stay_equal():
    found = published(
        {
            "task_id": "401047179385389059",
            "file_id": 401047179385389059,
            "id": "task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ",
            "request_id": "1234567890abcdef",
            "platform_id": "5c0d9a3e-27cf-4f4c-9ad9-2d8d9e1f0a4b",
        }
    )
    assert found == {
        "task_id": "100000000000000002",
        "file_id": 100000000000000002,
        "id": "task_AAAAAAAAAAAAAAAAAAAAAA0001",
        "request_id": "aaaaaaaaaaaa0001",
        "platform_id": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaa0001",
    }
    assert int(float(found["file_id"])) != found["file_id"], "a float must not survive either"


def test_what_a_verification_sends_on_purpose_stays_as_sent():
    kept = {"template_id": "1", "task_id": "100000000000000001"}
    assert published(kept) == kept
    ids = [
        StandIns().id(it) for it in ("7", "401047179385389059", "task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ")
    ]
    assert not OUR_IDS & {*ids}, "no stand-in is one of them"


def test_of_when_a_reply_came_the_day_is_kept():
    provider, it = exchange("1.5 create")
    late = replace(it, reply=replace(it.reply, received_at=1_733_580_123.4))
    found = StandIns().exchange(provider, late).reply.received_at
    assert found == 1_733_529_600.0


def test_what_is_published_already_stays():
    kept = {"template_id": "392753057216684038", "model": "MiniMax-Hailuo-02", "task_id": "0"}
    assert published(kept) == kept
    assert published({"model": "brightmoose-1"}) == {"model": "…"}


def test_what_no_document_names_keeps_its_type_only():
    assert published(
        {"balance": 17.25, "user_name": ACCOUNT, "count": 815, "paid": [True, None]}
    ) == {
        "balance": 0.5,
        "user_name": "…",
        "count": 100,
        "field_1": [True, None],
    }


def test_headers_that_nobody_needs_are_gone():
    provider, it = exchange(
        "001 query",
        headers={
            "content-type": "application/json; charset=utf-8",
            "trace-id": "0123456789abcdef",
            "retry-after": "2",
            "set-cookie": KEY,
            "date": "Sun, 22 Nov 2026 15:00:00 GMT",
        },
    )
    assert StandIns().exchange(provider, it).reply.headers == {
        "content-type": "application/json",
        "trace-id": "aaaaaaaaaaaa0001",
        "retry-after": "2",
    }


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (LINKS[0], "https://oss-us-east-1.aliyuncs.com/clip.mp4?Expires=1761814800"),
        (LINKS[1], "http://link.invalid/clip.mp4"),
        (LINKS[2], "https://link.invalid/clip.mp4"),
        ("https://cdn.hailuoai.com/x?q-sign-time=1761811200;1761814800&q-ak=1", "https://cdn.hailuoai.com/clip.mp4?q-sign-time=1761811200%3B1761814800"),
        ("https://cdn.minimax.io.example.com/x?X-Amz-Date=20261122T150000Z&X-Amz-Expires=900&X-Amz-Signature=1", "https://link.invalid/clip.mp4?X-Amz-Date=20261122T150000Z&X-Amz-Expires=900"),
    ],
)  # fmt: skip
def test_a_link_keeps_its_end_and_a_known_domain(url, kept):
    assert link(url) == kept
    assert link(kept) == kept


@pytest.mark.parametrize("url", LINKS[:1])
def test_the_life_of_a_link_is_read_as_before(url):
    life = {"life": 60.0, "received_at": 1_761_800_000.0}
    assert expires_at(link(url), **life) == expires_at(url, **life)


def test_a_message_keeps_the_words_of_documented_messages():
    told = f"invalid params, task_id {NUMBER} of {ACCOUNT} not found (2013), {PROMPT}"
    assert safe_text(told) == "invalid params, task_id … of … not found (2013), … …"
    assert safe_text("请求参数无效：账户刺猬余额不足") == "请求参数无效：…"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("queue_position", True), ("videoUrl", True), ("eta", True), ("in_progress", True)]
    + [("id1", False), ("task_7", False), ("h3_context_ir", True)]
    + [(secret, False) for secret in (KEY, PROMPT, ACCOUNT, f"{ACCOUNT}_id", "", "任务", "a" * 99)],
)
def test_a_field_is_named_only_in_plain_words(name, shown):
    assert safe_name(name) == (name if shown else "…")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("Rendering", "Rendering"), ("bad_request_error", "bad_request_error"), (1026, "1026")]
    + [("2013", "2013"), ("", "empty"), (None, "null"), (True, "true")]
    + [(it, "…") for it in (KEY, PROMPT, ACCOUNT, NUMBER, str(NUMBER), -1, 1.5, [1], {})],
)
def test_a_value_is_shown_only_if_it_is_a_known_word_or_a_code(value, shown):
    assert safe_word(value) == shown


def test_every_documented_name_may_be_shown():
    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    asked = json.loads(json.dumps([row[3] for row in REPLIES.values()]))
    assert {name for name in names(asked) if safe_name(name) != name} == set()


def test_every_name_of_our_own_requests_may_be_shown():
    from hailuo_mcp.dialects import compat, minimax, xcompute

    ours = {name for it in (compat, minimax, xcompute) for name in it._FIELDS.values()}
    ours |= {"subject_reference", "content", "image_url", "extra", "prompt_expansion_mode"}
    ours |= {"source_task_id", "template_id", "text_inputs", "media_inputs", "callback_url"}
    assert {name for name in ours if safe_name(name) != name} == set()


def test_a_huge_reply_is_published_short():
    rows = [{"task_id": str(number), "status": "Success"} for number in range(2_000)]
    provider, it = exchange("001 query", body={"items": rows})
    assert len(StandIns().exchange(provider, it).reply.body) < 10_000
    assert len(compare(provider, it)) < 10


def test_a_reply_with_countless_fields_is_published_short():
    """And in no time: each of these took a minute, and a gigabyte."""
    many: dict[str, object] = {f"k{number}x": number for number in range(20_000)}
    for body in ({**many, "task_id": "7"}, {"base_resp": many}, {"items": [many] * 2}):
        provider, it = exchange("001 query", body=body)
        once = StandIns().exchange(provider, it)
        assert len(once.reply.body) < 100_000
        assert '"…": null' in once.reply.body.decode()
        assert StandIns().exchange(provider, once) == once
        assert len(compare(provider, it)) < 10
    assert "task_id" in published({**many, "task_id": "7"}), "what is documented is kept"


def test_a_whole_recording_is_bounded():
    provider, it = exchange("001 query", body={"items": [{"x": [1] * 50}] * 40})
    stand_ins = StandIns()
    sizes = [len(stand_ins.exchange(provider, it).reply.body) for _ in range(40)]
    assert sizes[0] > 1_000
    assert sizes[-1] < 100


def test_of_numbers_only_codes_and_moments_survive():
    found = published(
        {
            "total": 48_231,
            "balance": -48_231,
            "bytes": 9_512,
            "error_code": 48_231,
            "duration": 6,
            "created_at": 1_761_811_200,
            "status": "48231",
            "progress": 0,
        }
    )
    assert found == {
        "total": 10_000,
        "balance": -10_000,
        "bytes": 1_000,
        "error_code": 48_231,
        "duration": 6,
        "created_at": 1_761_811_200,
        "status": "…",
        "progress": 0,
    }
    assert published({"items": [{}, {}], "total": 4_812})["total"] == 2


def test_a_number_that_is_split_over_field_names_is_hidden():
    found = published({"id1": 0, "id7": 0, "id6": 0})
    assert list(found) == ["field_1", "field_2", "field_3"]
    provider, it = exchange("001 query", body={"id1": 0, "id7": 0})
    assert not [it for it in compare(provider, it) if any(map(str.isdecimal, it.where))]
