"""What dialects send beyond the examples of their documents."""

from __future__ import annotations

import json

import pytest

from hailuo_mcp.dialects.dialect import HttpReply
from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url
from hailuo_mcp.domain.requests import Mode, TemplateRequest, VideoRequest
from hailuo_mcp.errors import (
    InvalidRequestError,
    RemoteTaskNotFoundError,
)

from .conftest import DIALECTS

NOW = 1_760_000_000.0
CN = dialect_of(PROVIDERS["minimax-cn"])
HINGNET = dialect_of(PROVIDERS["hingnet"])
XCOMPUTE = dialect_of(PROVIDERS["xcompute"])
COMPAT = dialect_of(with_base_url(PROVIDERS["compat"], "https://gateway.example.com"))
ALL = [pytest.param(dialect, id=name) for name, dialect in DIALECTS.items()]

# Each changes when it passes through a float (facts 6.2).
LONG_IDS = ["392753057216684038", "393769180141805569", "401047179385389059"]


def reply(body: object, status: int = 200) -> HttpReply:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return HttpReply(status=status, body=text.encode(), received_at=NOW)


OK = {"status_code": 0, "status_msg": "success"}


def test_minimax_sends_every_field_that_is_given():
    request = VideoRequest(
        model="MiniMax-Hailuo-02",
        prompt="p",
        first_frame_image="data:image/png;base64,AA==",
        last_frame_image="https://example.com/l.png",
        duration=10,
        resolution="768P",
        prompt_optimizer=False,
        fast_pretreatment=True,
        watermark=True,
    )
    built = CN.submit(request, callback_url="https://me.example.com/cb/1")
    assert built.json == {
        "model": "MiniMax-Hailuo-02",
        "prompt": "p",
        "first_frame_image": "data:image/png;base64,AA==",
        "last_frame_image": "https://example.com/l.png",
        "duration": 10,
        "resolution": "768P",
        "prompt_optimizer": False,
        "fast_pretreatment": True,
        "aigc_watermark": True,
        "callback_url": "https://me.example.com/cb/1",
    }


@pytest.mark.parametrize("dialect", ALL)
def test_what_is_not_given_is_not_sent(dialect):
    given = {"model", "content" if dialect.list_tasks(1) else "prompt"}
    assert set(dialect.submit(VideoRequest(model="M", prompt="p")).json) == given


@pytest.mark.parametrize("template_id", LONG_IDS)
def test_a_template_is_sent_with_its_id_as_text(template_id):
    request = TemplateRequest(
        template_id=template_id, text_inputs=("a", "b"), media_inputs=("https://e.com/p.png",)
    )
    built = CN.submit(request, callback_url="https://me.example.com/cb")
    assert (built.method, built.path) == ("POST", "/v1/video_template_generation")
    assert built.json == {
        "template_id": template_id,
        "text_inputs": [{"value": "a"}, {"value": "b"}],
        "media_inputs": [{"value": "https://e.com/p.png"}],
        "callback_url": "https://me.example.com/cb",
    }
    asked = CN.status("401047179385389059", template=True)
    assert asked.target == "/v1/query/video_template_generation?task_id=401047179385389059"


@pytest.mark.parametrize(
    "request_",
    [
        VideoRequest(model="MiniMax-Hailuo-02", prompt="p", last_frame_image="https://e.com/l"),
        VideoRequest(model="S2V-01", prompt="p", subject_image="https://e.com/s"),
        TemplateRequest(template_id="1"),
    ],
)
def test_xcompute_never_drops_what_it_cannot_say(request_):
    with pytest.raises(InvalidRequestError, match="does not support"):
        XCOMPUTE.submit(request_)


@pytest.mark.parametrize("name", ["watermark", "fast_pretreatment"])
def test_compat_never_drops_what_it_cannot_say(name):
    with pytest.raises(InvalidRequestError, match=name):
        COMPAT.submit(VideoRequest(model="M", prompt="p", **{name: True}))


@pytest.mark.parametrize("dialect", [XCOMPUTE, COMPAT])
def test_a_callback_that_cannot_be_said_is_left_out_since_polling_does_without(dialect):
    assert not dialect.capabilities.callback
    built = dialect.submit(VideoRequest(model="M", prompt="p"), callback_url="https://me/cb")
    assert set(built.json) == {"model", "prompt"}


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("odd", ["", ".", "..", "a b", "a\nb", "é", "x" * 300])
def test_an_id_that_would_name_another_address_is_never_asked(dialect, odd):
    try:
        asked = dialect.status(odd)
    except RemoteTaskNotFoundError:
        return
    assert asked.path in ("/v1/query/video_generation", "/v1/query/video_template_generation")


@pytest.mark.parametrize("dialect", [XCOMPUTE, COMPAT])
def test_an_id_is_one_segment_of_the_path(dialect):
    assert dialect.status("../files/1?x#y").path.endswith("/..%2Ffiles%2F1%3Fx%23y")


def test_only_the_official_rows_and_the_sandbox_offer_templates():
    offering = {
        n for n, row in PROVIDERS.items() if Mode.TEMPLATE in dialect_of(row).capabilities.modes
    }
    assert offering == {"minimax-cn", "minimax-global", "sandbox"}
