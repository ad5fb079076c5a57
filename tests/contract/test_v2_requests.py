"""What is sent to MiniMax's v2 API, item by item, and what is refused instead of dropped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hailuo_mcp.dialects.dialect_of import capabilities_of, dialect_of
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.requests import Mode, TemplateRequest, UpgradeRequest, VideoRequest
from hailuo_mcp.errors import InvalidRequestError, RemoteTaskNotFoundError

from .conftest import H3, V2

EXAMPLES = json.loads((Path(__file__).parent / "examples/v2_requests.json").read_text("utf-8"))
CN = dialect_of(PROVIDERS["minimax-cn"], H3)
URL = "https://example.com/x"


def video(**given) -> VideoRequest:
    return VideoRequest(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    )


def request(row: dict) -> VideoRequest | UpgradeRequest:
    if "ours" in row:
        return video(**row["ours"])
    source = video(**row["source"]) if "source" in row else None
    return UpgradeRequest(**row["upgrade"], source=source)


@pytest.mark.parametrize("name", list(V2))
@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in EXAMPLES])
def test_a_request_has_each_item_once_with_its_role(row, name):
    built = dialect_of(*V2[name]).submit(request(row))
    assert (built.method, built.path, built.query) == ("POST", row["path"], {})
    assert built.json == row["example"]


@pytest.mark.parametrize("row", [EXAMPLES[0], EXAMPLES[6], EXAMPLES[7]], ids=lambda row: row["id"])
def test_a_callback_is_named_beside_the_rest(row):
    built = CN.submit(request(row), callback_url="https://me.example.com/cb/1")
    assert built.json == {**row["example"], "callback_url": "https://me.example.com/cb/1"}


@pytest.mark.parametrize(
    "wrong",
    [
        VideoRequest(model=H3, prompt="p", subject_image=URL),
        VideoRequest(model=H3, prompt="p", subject_image=URL, reference_images=(URL,)),
        VideoRequest(model=H3, prompt="p", first_frame_image=URL, reference_images=(URL,)),
        VideoRequest(model=H3, prompt="p", last_frame_image=URL, reference_videos=(URL,)),
        VideoRequest(model=H3, prompt="p", fast_pretreatment=True),
        VideoRequest(model=H3, prompt="p", prompt_optimizer=False),
        TemplateRequest(template_id="1"),
    ],
)
def test_what_it_cannot_say_is_refused_and_not_dropped(wrong):
    with pytest.raises(InvalidRequestError, match="does not support"):
        CN.submit(wrong)


_OF_V2 = [
    VideoRequest(model=H3, prompt="p", reference_images=(URL,)),
    VideoRequest(model="M", prompt="p", aspect_ratio="16:9"),
    UpgradeRequest(source_id="", remote_id="1", model=H3, resolution="2K"),
]


@pytest.mark.parametrize("name", list(PROVIDERS))
@pytest.mark.parametrize("request_", _OF_V2)
def test_the_older_dialects_never_drop_what_only_v2_can_say(name, request_):
    with pytest.raises(InvalidRequestError, match="does not support"):
        dialect_of(PROVIDERS[name]).submit(request_)


@pytest.mark.parametrize("model", [H3, "h3", "Hailuo 03", "MiniMax-H3-Max"])
@pytest.mark.parametrize("name", list(PROVIDERS))
def test_the_model_chooses_the_api_where_the_provider_has_both(name, model):
    row = PROVIDERS[name]
    assert dialect_of(row, model).status("7").path == (
        "/v2/query/video_generation/7" if row.v2 else dialect_of(row).status("7").path
    )
    assert not dialect_of(row, "MiniMax-Hailuo-2.3").status("7").path.startswith("/v2")
    assert not dialect_of(row, "Something-New").status("7").path.startswith("/v2")


@pytest.mark.parametrize("name", list(PROVIDERS))
def test_a_provider_can_do_what_either_api_can(name):
    row = PROVIDERS[name]
    both = capabilities_of(row)
    assert both.modes >= dialect_of(row).capabilities.modes
    assert ({Mode.R2V, Mode.UPGRADE} <= both.modes) == row.v2 == both.aspect_ratio
    assert both.offers(H3) == row.v2


def test_one_task_is_read_cancelled_and_listed_at_its_own_address():
    assert CN.status("392753057216684038").target == (
        "/v2/query/video_generation/392753057216684038"
    )
    cancel = CN.cancel("392753057216684038")
    assert (cancel.method, cancel.target) == ("DELETE", "/v2/video_generation/392753057216684038")
    assert CN.list_tasks(2).target == "/v2/query/video_generation?page_num=2&page_size=20"
    assert CN.list_tasks(1, model=H3).query["filter.model"] == H3


@pytest.mark.parametrize("odd", ["", ".", "..", "a b", "a\nb", "é", "x" * 300])
def test_a_cancel_never_names_another_address(odd):
    with pytest.raises(RemoteTaskNotFoundError):
        CN.cancel(odd)


def test_an_id_is_one_segment_of_the_path():
    assert CN.cancel("../files/1?x#y").path == "/v2/video_generation/..%2Ffiles%2F1%3Fx%23y"
