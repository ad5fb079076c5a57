"""Seed 002, seed 003, seed 004: each gateway answers in its own words at its own paths."""

from typing import Any

import pytest

from .conftest import TEXT, Bench, Serve
from .pictures import data_url, png

CAT = "一只可爱的猫咪在草地上奔跑"
XCOMPUTE = {
    "model": "MiniMax-Hailuo-2.3",
    "prompt": CAT,
    "duration": 6,
    "resolution": "768p",
    "prompt_optimizer": True,
    "fast_pretreatment": False,
    "watermark": False,
}
COMPAT = {
    "model": "MiniMax-Hailuo-2.3",
    "prompt": "一只金色的猫咪在阳光下慵懒地打着哈欠",
    "duration": 6,
    "resolution": "1080P",
    "enable_prompt_expansion": True,
}
COMPAT_CREATES = (
    "/v1/video_generation",
    "/compat/v1/video_generation",
    "/v3/async/minimax-video-01",
    "/compat/v3/async/minimax-video-01",
)


def test_hingnet_adds_its_own_id_and_finds_the_task_by_either(bench: Bench) -> None:
    base = "/minimaxi/v1"
    body = bench.post(f"{base}/video_generation", TEXT).json()
    assert body.keys() == {"task_id", "platform_id", "base_resp"}
    assert body["platform_id"].startswith("video_")
    bench.clock.pass_by(5)
    for any_id in (body["task_id"], body["platform_id"]):
        found = bench.get(f"{base}/query/video_generation", task_id=any_id).json()
        assert found["status"] == "Success"
        assert found["task_id"] == body["task_id"]
    file = bench.get(f"{base}/files/retrieve", file_id=found["file_id"]).json()["file"]
    assert file["file_id"] == int(found["file_id"])
    content = bench.get(f"{base}/files/retrieve_content", file_id=found["file_id"])
    assert content.content[4:8] == b"ftyp"


def test_a_relays_ids_mean_nothing_at_the_official_address(bench: Bench) -> None:
    task_id = bench.post("/minimaxi/v1/video_generation", TEXT).json()["task_id"]
    bench.clock.pass_by(5)
    assert bench.query(task_id)["base_resp"]["status_code"] == 2013
    (task,) = bench.account()["tasks"].values()
    answer = bench.get("/v1/files/retrieve", file_id=task["file_id"]).json()
    assert answer["base_resp"]["status_code"] == 2013


def test_hingnets_own_errors_have_no_base_resp_and_upstreams_pass_through(serve: Serve) -> None:
    bench = serve()
    unknown = bench.get("/minimaxi/v1/query/video_generation", task_id="1")
    assert unknown.status_code == 404
    assert unknown.json()["code"] == "upstream_not_found_or_no_permission"
    refused = serve("sk-bad").post("/minimaxi/v1/video_generation", TEXT)
    assert refused.status_code == 401
    assert refused.json().keys() == {"code", "message"}
    moderated = {**TEXT, "prompt": "[sandbox:1026]"}
    passed = bench.post("/minimaxi/v1/video_generation", moderated)
    assert passed.status_code == 200
    assert passed.json()["base_resp"]["status_code"] == 1026
    broken = bench.post("/minimaxi/v1/video_generation", {**TEXT, "prompt": "[sandbox:http502]"})
    assert broken.status_code == 502
    assert broken.json().keys() == {"code", "message"}


def test_xcompute_answers_as_its_page_shows(bench: Bench) -> None:
    body = bench.post("/v1/videos/generations", XCOMPUTE).json()
    (data,) = body["data"]
    assert body["code"] == 200
    assert data["status"] == "submitted"
    assert data["task_id"].startswith("task_01J")
    assert len(data["task_id"]) == len("task_01J9HA7JPQ9A0Z6JZ3V8M9W6PZ")


def test_xcompute_reports_progress_and_ends_with_a_link_and_its_expiry(
    bench: Bench, bare: Any
) -> None:
    (data,) = bench.post("/v1/videos/generations", XCOMPUTE).json()["data"]
    path = f"/v1/tasks/{data['task_id']}"
    seen: list[str] = []
    for _ in range(9):
        body = bench.client.get(path, params={"language": "zh"}).json()["data"]
        seen.append(body["status"])
        bench.clock.pass_by(0.5)
    assert list(dict.fromkeys(seen)) == ["pending", "processing", "completed"]
    assert body["progress"] == 100
    (video,) = body["result"]["videos"]
    assert video["expires_at"] > bench.clock()
    assert bare.get(video["url"][0]).content[4:8] == b"ftyp"


def test_xcompute_also_has_the_flat_answer_and_the_bare_link(bench: Bench) -> None:
    order = {**XCOMPUTE, "prompt": f"{CAT} [sandbox:flat] [sandbox:url-string]"}
    (data,) = bench.post("/v1/videos/generations", order).json()["data"]
    bench.clock.pass_by(5)
    body = bench.get(f"/v1/tasks/{data['task_id']}").json()
    assert body["id"] == data["task_id"]
    assert body["status"] == "completed"
    assert isinstance(body["result"]["videos"][0]["url"], str)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": ""},
        {"model": "MiniMax-Hailuo-02"},
        {"resolution": "768P"},
        {"resolution": "1080p", "duration": 10},
        {"model": "MiniMax-Hailuo-2.3-Fast"},
        {"last_frame_image": "https://example.com/a.jpg"},
        {"callback_url": "https://example.com/"},
        {"aigc_watermark": True},
    ],
)
def test_xcompute_refuses_what_its_page_does_not_offer(
    bench: Bench, change: dict[str, Any]
) -> None:
    answer = bench.post("/v1/videos/generations", {**XCOMPUTE, **change})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("2013", 400, "invalid_request_error"),
        ("1026", 400, "invalid_request_error"),
        ("2049", 401, "authentication_error"),
        ("1008", 402, "payment_required"),
        ("1002", 429, "rate_limit_error"),
        ("http429", 429, "rate_limit_error"),
        ("1000", 500, "server_error"),
        ("http503", 503, "server_error"),
    ],
)
def test_xcompute_has_an_error_for_every_refusal(
    bench: Bench, fault: str, status: int, kind: str
) -> None:
    order = {**XCOMPUTE, "prompt": f"[sandbox:{fault}]"}
    answer = bench.post("/v1/videos/generations", order)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == (status, kind)
    assert error["message"]


def test_xcompute_says_why_a_task_failed(bench: Bench) -> None:
    order = {**XCOMPUTE, "prompt": "[sandbox:moderated]"}
    (data,) = bench.post("/v1/videos/generations", order).json()["data"]
    bench.clock.pass_by(5)
    body = bench.get(f"/v1/tasks/{data['task_id']}").json()["data"]
    assert body["status"] == "failed"
    assert body["error"].keys() == {"code", "message", "type"}


def test_xcompute_does_not_know_other_peoples_tasks(serve: Serve) -> None:
    (data,) = serve("sk-one").post("/v1/videos/generations", XCOMPUTE).json()["data"]
    answer = serve("sk-two").get(f"/v1/tasks/{data['task_id']}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == 404


@pytest.mark.parametrize("path", COMPAT_CREATES)
def test_compat_answers_as_its_seed_shows_from_create_to_file(
    bench: Bench, bare: Any, path: str
) -> None:
    body = bench.post(path, COMPAT).json()
    assert body.keys() == {"task_id"}
    assert len(body["task_id"]) == len("1234567890abcdef")
    status = f"{path}/{body['task_id']}"
    seen: list[dict[str, str]] = []
    for _ in range(9):
        seen.append(bench.get(status).json())
        bench.clock.pass_by(0.5)
    assert [*dict.fromkeys(answer["status"] for answer in seen)] == [
        "pending",
        "processing",
        "succeeded",
    ]
    assert {"status": "processing"} in seen
    assert seen[-1].keys() == {"status", "file_id"}
    prefix = path.removesuffix("/video_generation").removesuffix("/async/minimax-video-01")
    file = bench.get(f"{prefix}/files/{seen[-1]['file_id']}").json()
    assert file.keys() == {"download_url", "file_id", "created_at"}
    assert bare.get(file["download_url"]).content[4:8] == b"ftyp"


def test_compat_reads_any_task_of_the_official_address(bench: Bench) -> None:
    task_id = bench.create()
    bench.clock.pass_by(5)
    body = bench.get(f"/v1/video_generation/{task_id}").json()
    assert body == {"status": "succeeded", "file_id": bench.query(task_id)["file_id"]}
    assert bench.get(f"/v1/files/{body['file_id']}").json()["download_url"]


def test_compat_fails_with_the_seeds_own_words(bench: Bench) -> None:
    order = {**COMPAT, "prompt": "[sandbox:moderated]"}
    task_id = bench.post("/compat/v1/video_generation", order).json()["task_id"]
    bench.clock.pass_by(5)
    body = bench.get(f"/compat/v1/video_generation/{task_id}").json()
    assert body == {"status": "failed", "error": "内容审核未通过"}


@pytest.mark.parametrize("name", ["image_url", "last_frame_image"])
def test_compat_takes_data_urls_only_when_told_to(serve: Serve, name: str) -> None:
    picture = data_url(png())
    order = {
        "model": "MiniMax-Hailuo-02",
        "prompt": "a cat",
        "image_url": "https://example.com/a.jpg",
        name: picture,
    }
    refused = serve().post("/compat/v1/video_generation", order)
    assert refused.status_code == 400
    assert list(refused.json()) == ["error"]
    taken = serve(compat_data_urls=True).post("/compat/v1/video_generation", order)
    assert taken.json().keys() == {"task_id"}


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": ""},
        {"model": "T2V-01"},
        {"resolution": "720P"},
        {"first_frame_image": "https://example.com/a.jpg"},
        {"prompt_optimizer": True},
        {"callback_url": "https://example.com/"},
    ],
)
def test_compat_refuses_what_its_seed_does_not_list(bench: Bench, change: dict[str, Any]) -> None:
    answer = bench.post("/compat/v1/video_generation", {**COMPAT, **change})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    ("key", "status"), [("sk-bad", 401), ("sk-region", 401), ("http401", 401), ("sk-poor", 402)]
)
def test_keys_are_refused_with_real_statuses_by_gateways(
    serve: Serve, key: str, status: int
) -> None:
    bench = serve(key)
    assert bench.post("/v1/videos/generations", XCOMPUTE).status_code == status
    assert bench.post("/compat/v1/video_generation", COMPAT).status_code == status
    if status == 401:
        assert bench.post("/minimaxi/v1/video_generation", TEXT).status_code == status
