"""The official API of seed 001: replies shaped as the seed's, refusals as its rules say."""

from typing import Any

import pytest

from .conftest import TEXT, Bench, Serve
from .pictures import data_url, png

SEED_001 = {
    "text": {
        "model": "MiniMax-Hailuo-2.3",
        "prompt": "A man picks up a book [Pedestal up], then reads [Static shot].",
        "duration": 6,
        "resolution": "1080P",
    },
    "image": {
        "model": "MiniMax-Hailuo-2.3",
        "prompt": "A mouse runs toward the camera.",
        "first_frame_image": "https://example.com/image.jpg",
        "duration": 6,
        "resolution": "1080P",
    },
    "first and last": {
        "model": "MiniMax-Hailuo-02",
        "prompt": "A little girl grows up.",
        "first_frame_image": "https://example.com/first.jpg",
        "last_frame_image": "https://example.com/last.jpg",
        "duration": 6,
        "resolution": "1080P",
    },
    "subject": {
        "model": "S2V-01",
        "prompt": "A girl runs toward the camera and winks with a smile.",
        "subject_reference": [
            {"type": "character", "image": ["https://example.com/character.jpg"]}
        ],
    },
}


@pytest.mark.parametrize("example", SEED_001.values(), ids=SEED_001.keys())
def test_every_create_example_of_the_seed_is_accepted(
    bench: Bench, example: dict[str, Any]
) -> None:
    answer = bench.post("/v1/video_generation", example)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"task_id", "base_resp"}
    assert body["base_resp"] == {"status_code": 0, "status_msg": "success"}
    assert body["task_id"].isdigit()
    assert len(body["task_id"]) == 15
    assert answer.headers["trace-id"]


def test_a_finished_task_reads_as_the_seed_shows_it(bench: Bench) -> None:
    task_id = bench.create(resolution="1080P")
    bench.clock.pass_by(5)
    body = bench.query(task_id)
    file_id = body.pop("file_id")
    assert isinstance(file_id, str)
    assert file_id.isdigit()
    assert body == {
        "task_id": task_id,
        "status": "Success",
        "video_width": 1920,
        "video_height": 1080,
        "base_resp": {"status_code": 0, "status_msg": "success"},
    }


def test_a_task_goes_through_all_states_by_the_clock_alone(bench: Bench) -> None:
    task_id = bench.create()
    seen = [bench.query(task_id)["status"]]
    for _ in range(8):
        bench.clock.pass_by(0.5)
        seen.append(bench.query(task_id)["status"])
    assert list(dict.fromkeys(seen)) == ["Preparing", "Queueing", "Processing", "Success"]


def test_the_file_id_is_a_number_in_the_file_info_and_bytes_is_zero(bench: Bench) -> None:
    task_id = bench.create()
    bench.clock.pass_by(5)
    file_id = bench.query(task_id)["file_id"]
    file = bench.get("/v1/files/retrieve", file_id=file_id).json()["file"]
    assert file["file_id"] == int(file_id)
    assert file["bytes"] == 0
    assert file["purpose"] == "video_generation"
    assert isinstance(file["created_at"], int)


def test_the_content_endpoint_gives_the_same_bytes_as_the_link(bench: Bench, bare: Any) -> None:
    url = bench.link(task_id := bench.create())
    file_id = bench.query(task_id)["file_id"]
    content = bench.get("/v1/files/retrieve_content", file_id=file_id)
    assert content.headers["content-type"] == "video/mp4"
    assert content.content == bare.get(url).content


def test_a_file_does_not_exist_before_its_task_has_succeeded(bench: Bench) -> None:
    bench.create()
    (task,) = bench.account()["tasks"].values()
    answer = bench.get("/v1/files/retrieve", file_id=task["file_id"]).json()
    assert answer["base_resp"]["status_code"] == 2013


def test_tasks_are_seen_only_by_the_key_that_made_them(serve: Serve) -> None:
    task_id = serve("sk-one").create()
    answer = serve("sk-two").query(task_id)
    assert answer["base_resp"]["status_code"] == 2013
    assert "status" not in answer


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("sk-bad", 200, 2049), ("sk-region", 200, 1004), ("sk-poor", 200, 1008), ("http401", 401, 0)],
)
def test_some_keys_ask_to_be_refused(serve: Serve, key: str, status: int, code: int) -> None:
    answer = serve(key).post("/v1/video_generation", TEXT)
    assert answer.status_code == status
    assert answer.json().get("base_resp", {}).get("status_code", 0) == code


def test_a_missing_key_is_1004_in_the_official_words(bench: Bench) -> None:
    del bench.client.headers["authorization"]
    body = bench.post("/v1/video_generation", TEXT).json()
    assert body["base_resp"]["status_code"] == 1004
    assert "Authorization" in body["base_resp"]["status_msg"]


def test_a_key_can_be_tried_for_free(serve: Serve) -> None:
    good = serve().get("/v1/token_plan/remains").json()
    bad = serve("sk-bad").get("/v1/token_plan/remains").json()
    assert good["base_resp"]["status_code"] == 0
    assert bad["base_resp"]["status_code"] == 2049


IMAGE = data_url(png())
REFUSED: dict[str, dict[str, Any]] = {
    "no prompt": {"prompt": ""},
    "long prompt": {"prompt": "x" * 2001},
    "unknown model": {"model": "MiniMax-Hailuo-9"},
    "lowercase model": {"model": "minimax-hailuo-2.3"},
    "lowercase resolution": {"resolution": "768p"},
    "720P on 2.3": {"resolution": "720P"},
    "1080P for 10 s": {"resolution": "1080P", "duration": 10},
    "7 s": {"duration": 7},
    "duration as text": {"duration": "6"},
    "duration as a boolean": {"duration": True},
    "optimizer as text": {"prompt_optimizer": "true"},
    "unknown field": {"watermark": True},
    "compat's field with official ones": {"image_url": "https://e.com/a.jpg", "callback_url": ""},
    "Fast without an image": {"model": "MiniMax-Hailuo-2.3-Fast"},
    "512P without an image": {"model": "MiniMax-Hailuo-02", "resolution": "512P"},
    "last frame on 2.3": {"first_frame_image": IMAGE, "last_frame_image": IMAGE},
    "last frame alone": {"model": "MiniMax-Hailuo-02", "last_frame_image": IMAGE},
    "512P with a last frame": {
        "model": "MiniMax-Hailuo-02",
        "first_frame_image": IMAGE,
        "last_frame_image": IMAGE,
        "resolution": "512P",
    },
    "T2V model with an image": {"model": "T2V-01", "first_frame_image": IMAGE},
    "I2V model without an image": {"model": "I2V-01"},
    "10 s on the 01 line": {"model": "T2V-01", "duration": 10},
    "pretreatment on the 01 line": {"model": "T2V-01", "fast_pretreatment": True},
    "S2V without a subject": {"model": "S2V-01"},
    "S2V with a resolution": {
        "model": "S2V-01",
        "subject_reference": [{"type": "character", "image": [IMAGE]}],
        "resolution": "720P",
    },
    "two subjects": {
        "model": "S2V-01",
        "subject_reference": [{"type": "character", "image": [IMAGE]}] * 2,
    },
    "subject of another type": {
        "model": "S2V-01",
        "subject_reference": [{"type": "object", "image": [IMAGE]}],
    },
    "subject image as text": {
        "model": "S2V-01",
        "subject_reference": [{"type": "character", "image": IMAGE}],
    },
    "a path as an image": {"first_frame_image": "/home/me/cat.png"},
    "not base64": {"first_frame_image": "data:image/png;base64,???"},
    "not an image": {"first_frame_image": data_url(b"hello")},
    "a gif": {"first_frame_image": data_url(png(kind="GIF"), "gif")},
    "short side of 300": {"first_frame_image": data_url(png(600, 300))},
    "too wide": {"first_frame_image": data_url(png(1000, 399))},
    "20 MB": {"first_frame_image": data_url(png() + bytes(20 * 1024 * 1024))},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_documents_forbid_is_2013_and_not_accepted(
    bench: Bench, change: dict[str, Any]
) -> None:
    answer = bench.post("/v1/video_generation", {**TEXT, **change})
    body = answer.json()
    assert "task_id" not in body
    assert body.get("base_resp", {"status_code": 2013})["status_code"] == 2013
    assert bench.account()["creates_accepted"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_object_is_2013(bench: Bench, body: bytes) -> None:
    answer = bench.client.post("/v1/video_generation", content=body)
    assert answer.json()["base_resp"]["status_code"] == 2013


@pytest.mark.parametrize(
    "body",
    [
        rb'{"model": "MiniMax-Hailuo-2.3", "prompt": "half \ud800"}',
        rb'{"model": "half \ud800", "prompt": "a"}',
        rb'{"half \ud800": 1}',
        b'{"model": "T2V-01", "prompt": "a", "duration": NaN}',
        b'{"model": "I2V-01", "first_frame_image": "http://["}',
        b'{"model": "I2V-01", "first_frame_image": "http://127.0.0.1:99999/"}',
        b"[" * 100_000,
    ],
)
def test_strange_bodies_get_an_ordinary_answer(bench: Bench, body: bytes) -> None:
    answer = bench.client.post("/v1/video_generation", content=body)
    assert answer.status_code == 200
    assert answer.json()["base_resp"]["status_code"] in (0, 1042, 2013)
    assert bench.get("/sandbox/requests").status_code == 200


def test_control_characters_in_bulk_are_1042(bench: Bench) -> None:
    answer = bench.post("/v1/video_generation", {**TEXT, "prompt": "ab\x00\x01cd"}).json()
    assert answer["base_resp"]["status_code"] == 1042


@pytest.mark.parametrize(
    ("fields", "size", "mode"),
    [
        ({}, (1366, 768), "t2v"),
        ({"model": "T2V-01"}, (1280, 720), "t2v"),
        ({"first_frame_image": data_url(png(400, 600))}, (768, 1152), "i2v"),
        (
            {
                "model": "MiniMax-Hailuo-02",
                "first_frame_image": "https://example.com/a.jpg",
                "resolution": "512P",
                "duration": 10,
            },
            (910, 512),
            "i2v",
        ),
    ],
)
def test_the_clip_has_the_size_of_its_resolution_and_the_shape_of_its_first_frame(
    bench: Bench, fields: dict[str, Any], size: tuple[int, int], mode: str
) -> None:
    task_id = bench.create(**fields)
    (task,) = bench.account()["tasks"].values()
    assert (task["width"], task["height"]) == size
    assert task["mode"] == mode
    bench.clock.pass_by(5)
    assert (bench.query(task_id)["video_width"], bench.query(task_id)["video_height"]) == size


def test_templates_have_ids_that_floats_cannot_hold_and_answer_with_a_url(
    bench: Bench, bare: Any
) -> None:
    order = {
        "template_id": "392753057216684038",
        "media_inputs": [{"value": data_url(png())}],
    }
    task_id = bench.post("/v1/video_template_generation", order).json()["task_id"]
    assert len(task_id) == 18
    assert int(float(task_id)) != int(task_id)
    path = "/v1/query/video_template_generation"
    seen: list[str] = []
    for _ in range(9):
        answer = bench.get(path, task_id=task_id).json()
        seen.append(answer["status"])
        bench.clock.pass_by(0.5)
    assert list(dict.fromkeys(seen)) == ["Preparing", "Processing", "Success"]
    assert answer.keys() == {"task_id", "status", "video_url", "base_resp"}
    assert bare.get(answer["video_url"]).content[4:8] == b"ftyp"


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"template_id": 392753057216684038},
        {"template_id": "392753057216684032"[:17]},
        {"template_id": "392753057216684038"},
        {"template_id": "394125185182695432", "text_inputs": []},
        {"template_id": "394125185182695432", "text_inputs": ["sad"]},
        {"template_id": "394125185182695432", "text_inputs": [{"value": "a"}], "model": "x"},
    ],
)
def test_templates_without_what_they_need_are_2013(bench: Bench, order: dict[str, Any]) -> None:
    answer = bench.post("/v1/video_template_generation", order).json()
    assert answer["base_resp"]["status_code"] == 2013
