"""What the v2 pages allow and forbid, before any file is opened, and what it costs."""

from typing import Any

import pytest

from hailuo_mcp.sandbox.refusal import Refusal
from hailuo_mcp.sandbox.v2.orders import read_create, read_regeneration
from hailuo_mcp.sandbox.v2.table import H3, RATIOS, adapted_size, clip_size, cost, keeper_size

MAX = "MiniMax-H3-Max"
TEXT = {"type": "text", "text": "A mouse runs"}


def part(role: str, url: str = "https://example.com/a") -> dict[str, Any]:
    kind = {"reference_video": "video_url", "base_video": "video_url"}.get(role, "image_url")
    kind = "audio_url" if role == "reference_audio" else kind
    return {"type": kind, kind: {"url": url}, **({"role": role} if role else {})}


def body(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    whole = {"model": H3, "resolution": "768P", "duration": 5, "content": [TEXT, *items]}
    if not items:
        whole["ratio"] = "16:9"
    return {name: value for name, value in {**whole, **fields}.items() if value is not ...}


@pytest.mark.parametrize(
    ("order", "mode", "ratio"),
    [
        (body(), "t2v", "16:9"),
        (body(ratio="9:16", resolution="2K", duration=15), "t2v", "9:16"),
        (body(model=MAX, resolution="480P", extra={"prompt_expansion_mode": "quality"}), "t2v", ""),
        (body(part("")), "i2v", "adaptive"),
        (body(part("first_frame"), ratio="1:1"), "i2v", "adaptive"),
        (body(part("first_frame"), part("last_frame")), "fl2v", "adaptive"),
        (body(*[part("reference_image")] * 9, *[part("reference_video")] * 3), "r2v", "adaptive"),
        (body(part("reference_image"), part("reference_audio"), ratio="4:3"), "r2v", "4:3"),
        (body(duration=4), "t2v", "16:9"),
        (body(content=[{"type": "text", "text": "x" * 7000}]), "t2v", "16:9"),
        (body(aigc_watermark=True, callback_url="http://127.0.0.1:1/"), "t2v", "16:9"),
    ],
)
def test_what_the_pages_allow_is_read(order: dict[str, Any], mode: str, ratio: str) -> None:
    read = read_create(order)
    assert read.mode == mode
    assert read.ratio == (ratio or "16:9")


FRAME, PICTURE = part("first_frame"), part("reference_image")
CLIP, SOUND = part("reference_video"), part("reference_audio")
REFUSED: dict[str, dict[str, Any]] = {
    "unknown model": body(model="MiniMax-H4"),
    "v1 model": body(model="MiniMax-Hailuo-2.3"),
    "no resolution": body(resolution=...),
    "lowercase resolution": body(resolution="768p"),
    "2K on Max": body(model=MAX, resolution="2K"),
    "480P on H3": body(resolution="480P"),
    "no duration": body(duration=...),
    "3 s": body(duration=3),
    "16 s": body(duration=16),
    "4 s on Max": body(model=MAX, duration=4),
    "duration as a fraction": body(duration=5.0),
    "unknown field": body(prompt="x"),
    "v1 field": body(prompt_optimizer=True),
    "extra on H3": body(extra={"prompt_expansion_mode": "quality"}),
    "unknown mode": body(model=MAX, extra={"prompt_expansion_mode": "best"}),
    "unknown extra": body(model=MAX, extra={"seed": 1}),
    "no content": body(content=...),
    "content as text": body(content="A mouse runs"),
    "no text": body(content=[FRAME]),
    "two texts": body(content=[TEXT, TEXT], ratio="16:9"),
    "empty text": body(content=[{"type": "text", "text": " "}]),
    "long text": body(content=[{"type": "text", "text": "x" * 7001}]),
    "unknown item": body({"type": "depth_url", "depth_url": {"url": "https://e.com"}}),
    "unknown key in an item": body({**FRAME, "weight": 1}),
    "url without an object": body({"type": "image_url", "image_url": "https://e.com"}),
    "no url": body({"type": "image_url", "image_url": {}}),
    "video without a role": body({"type": "video_url", "video_url": {"url": "https://e.com"}}),
    "unknown role": body({**FRAME, "role": "subject"}),
    "role of another kind": body({**FRAME, "role": "reference_video"}),
    "two images without roles": body(part(""), part("")),
    "text alone without a ratio": body(ratio=...),
    "text alone adaptive": body(ratio="adaptive"),
    "unknown ratio": body(ratio="2:1"),
    "last frame alone": body(part("last_frame")),
    "two first frames": body(FRAME, FRAME),
    "frames with references": body(FRAME, PICTURE),
    "ten images": body(*[PICTURE] * 10),
    "four videos": body(*[CLIP] * 4),
    "four audios": body(PICTURE, *[SOUND] * 4),
    "thirteen files": body(*[PICTURE] * 9, *[CLIP] * 3, SOUND),
    "audio alone": body(SOUND),
    "base video in a create": body(part("base_video")),
}


@pytest.mark.parametrize("order", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_pages_forbid_is_refused(order: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        read_create(order)
    assert refused.value.code == 2013


@pytest.mark.parametrize(
    "change",
    [
        {"model": MAX},
        {"resolution": "768P"},
        {"duration": 5},
        {"source_task_id": ""},
        {"content": [TEXT, part("base_video")]},
        {"source_task_id": ..., "content": [TEXT]},
        {"source_task_id": ..., "content": [TEXT, *[part("base_video")] * 2]},
        {"source_task_id": ..., "content": [TEXT, part("base_video"), FRAME, PICTURE]},
    ],
)
def test_regenerations_have_exactly_one_source(change: dict[str, Any]) -> None:
    whole = {"model": H3, "source_task_id": "1", "resolution": "2K"}
    assert read_regeneration(whole).source_task_id == "1"
    whole = {name: value for name, value in {**whole, **change}.items() if value is not ...}
    with pytest.raises(Refusal):
        read_regeneration(whole)


@pytest.mark.parametrize(
    ("task", "counts", "usd", "cny", "incomplete"),
    [
        ((H3, "generation", "768P"), (5, 0, 0), "0.40", "2.50", []),
        ((H3, "generation", "2K"), (5, 4, 6), "1.21", "7.40", []),
        ((H3, "regeneration", "2K"), (5, 4, 5), "0.45", "2.70", []),
        ((H3, "regeneration", "2K"), (5, 0, 7), "0.30", "1.50", ["cny"]),
        ((MAX, "generation", "480P"), (5, 2, 2), "0.3606", "1.65", ["cny"]),
        ((MAX, "generation", "768P"), (5, 0, 3), "0.474", "2.50", ["cny"]),
    ],
)
def test_prices_count_seconds_input_and_images(
    task: tuple[str, str, str], counts: tuple[int, int, int], usd: str, cny: str, incomplete: Any
) -> None:
    output, video, images = counts
    price = cost(*task, output=output, video=video, images=images)
    assert (price.usd, price.cny, price.incomplete) == (usd, cny, incomplete)


def test_sizes_are_the_observed_ones_and_even() -> None:
    assert clip_size("768P", "16:9") == (1344, 768)
    assert clip_size("2K", "16:9") == (2560, 1440)
    assert adapted_size("768P", (1920, 1080)) == (1344, 768)
    assert adapted_size("768P", None) == (1344, 768)
    assert adapted_size("2K", (600, 500)) == (1728, 1440)
    for ratio in RATIOS:
        assert keeper_size(clip_size("768P", ratio)) == clip_size("2K", ratio)
        assert all(side % 2 == 0 for side in clip_size("480P", ratio))
    assert keeper_size((922, 768)) == (1728, 1440)
