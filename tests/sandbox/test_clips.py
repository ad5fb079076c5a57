"""The clips themselves: size, length and rate as asked, first and last frames as given."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from hailuo_mcp.sandbox.clips import camera
from hailuo_mcp.sandbox.clips.render import render
from hailuo_mcp.sandbox.clips.scene import Landscape
from hailuo_mcp.sandbox.clips.text import wrapped, writable
from hailuo_mcp.sandbox.job import Job

from .conftest import Serve
from .pictures import data_url, png


def frames(path: Path) -> tuple[Any, list[Image.Image]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        return stream.average_rate, [frame.to_image() for frame in container.decode(video=0)]


def far_apart(one: Image.Image, two: Image.Image) -> float:
    """Return the mean difference of two pictures, from 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, two)).mean) / 3


def task(**facts: Any) -> Job:
    base = {
        "task_id": "176843862716480",
        "file_id": "1",
        "key": "k",
        "dialect": "minimax",
        "family": "minimax",
        "created_at": 0.0,
        "seconds_to_ready": 1.0,
        "width": 320,
        "height": 180,
        "prompt": "a cat",
        "duration": 2,
    }
    return Job(**{**base, **facts})


@pytest.mark.parametrize(
    ("order", "size", "seconds", "rate"),
    [
        ({"model": "MiniMax-Hailuo-2.3"}, (1366, 768), 6, 24),
        ({"model": "MiniMax-Hailuo-2.3", "duration": 10}, (1366, 768), 10, 24),
        ({"model": "MiniMax-Hailuo-2.3", "resolution": "1080P"}, (1920, 1080), 6, 24),
        ({"model": "T2V-01"}, (1280, 720), 6, 25),
        (
            {
                "model": "MiniMax-Hailuo-02",
                "resolution": "512P",
                "first_frame_image": data_url(png(400, 500)),
            },
            (512, 640),
            6,
            24,
        ),
    ],
)
def test_a_clip_has_exactly_the_size_length_and_rate_that_were_asked_for(
    serve: Serve,
    bare: httpx.Client,
    tmp_path: Path,
    order: dict[str, Any],
    size: tuple[int, int],
    seconds: int,
    rate: int,
) -> None:
    bench = serve()
    content = bare.get(bench.link(bench.create(**order))).content
    assert content.index(b"moov") < content.index(b"mdat")
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with av.open(str(path)) as container:
        # Not as pictures: only their number and size are asked for, and there are up to 240.
        sizes = [(it.width, it.height) for it in container.decode(video=0)]
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == rate
    assert set(sizes) == {size}
    assert Fraction(len(sizes), rate) == seconds


def test_a_real_clip_moves_and_is_the_same_when_made_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        render(task(prompt="[Pan left]"), tmp_path / name, tmp_path)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    _, pictures = frames(tmp_path / "one")
    assert len(pictures) == 48
    assert far_apart(pictures[0], pictures[24]) > 2


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "".join(map(chr, range(1, 160))),
        "\x00\u200b\u202e\ufeff مرحبا 👩‍👩‍👧 e\u0301 " * 20,
        "一只猫" * 600,
        "x" * 2000,
        "[Pan left]" * 200,
    ],
)
def test_any_prompt_can_be_rendered(tmp_path: Path, prompt: str) -> None:
    render(task(prompt=prompt, duration=1), tmp_path / "clip", tmp_path)
    _, pictures = frames(tmp_path / "clip")
    assert len(pictures) == 24


def kept(tmp_path: Path, name: str, picture: Image.Image) -> str:
    (tmp_path / "inputs").mkdir(exist_ok=True)
    picture.save(tmp_path / "inputs" / name, "PNG")
    return name


def test_a_clip_starts_on_the_first_frame_and_ends_on_the_last(tmp_path: Path) -> None:
    first = Image.linear_gradient("L").resize((320, 180)).convert("RGB")
    last = Image.radial_gradient("L").resize((320, 180)).convert("RGB")
    facts = task(
        first=kept(tmp_path, "a", first), last=kept(tmp_path, "b", last), prompt="[Push in]"
    )
    render(facts, tmp_path / "clip", tmp_path)
    _, pictures = frames(tmp_path / "clip")
    assert far_apart(pictures[0], first) < 4
    assert far_apart(pictures[-1], last) < 4
    assert far_apart(pictures[0], pictures[-1]) > 20


def test_the_last_frame_has_no_text_that_the_next_clip_would_start_with(tmp_path: Path) -> None:
    plain = kept(tmp_path, "a", Image.new("RGB", (320, 180), "#804020"))
    render(task(first=plain, prompt="[Static shot]"), tmp_path / "clip", tmp_path)
    _, pictures = frames(tmp_path / "clip")
    assert far_apart(pictures[24], pictures[0]) > 10
    assert far_apart(pictures[-1], pictures[0]) < 2


def test_a_subject_appears_in_the_scene(tmp_path: Path) -> None:
    red = kept(tmp_path, "face", Image.new("RGB", (400, 400), "#ff0000"))
    render(task(subject=red, mode="s2v"), tmp_path / "clip", tmp_path)
    _, pictures = frames(tmp_path / "clip")
    reds = sum(
        1
        for pixel in pictures[0].resize((64, 36)).convert("RGB").tobytes().hex(" ", 3).split()
        if int(pixel[:2], 16) > 200 and int(pixel[2:4], 16) < 70
    )
    assert reds > 40


@pytest.mark.parametrize(
    ("prompt", "groups"),
    [
        ("[Pan left] a cat [Zoom in]", (("Pan left",), ("Zoom in",))),
        ("[左摇,上升] 猫", (("Pan left", "Pedestal up"),)),
        ("[推进，固定]", (("Push in", "Static shot"),)),
        ("[Push out]", (("Pull out",),)),
        ("[a cat] and [sandbox:fail]", ()),
    ],
)
def test_moves_are_read_in_both_languages(prompt: str, groups: tuple[tuple[str, ...], ...]) -> None:
    assert camera.read(prompt).groups == groups


@pytest.mark.parametrize(
    ("move", "axis", "sign"),
    [
        ("左移", "truck_x", -1),
        ("Pan right", "pan_x", 1),
        ("Tilt up", "pan_y", -1),
        ("Pedestal down", "truck_y", 1),
        ("变焦拉远", "zoom", -1),
        ("Push in", "push", 1),
        ("Shake", "shake", 1),
        ("跟随", "track", 1),
    ],
)
def test_a_move_takes_the_camera_its_way(move: str, axis: str, sign: int) -> None:
    end = camera.read(f"[{move}]").pose(1.0)
    assert getattr(end, axis) * sign > 0


def test_moves_follow_each_other(tmp_path: Path) -> None:
    moves = camera.read("[Pan left] then [Tilt up]")
    assert moves.pose(0.5).pan_y == 0
    assert moves.pose(0.5).pan_x == moves.pose(1.0).pan_x < 0
    assert moves.pose(1.0).pan_y < 0
    assert (moves.label(0.1), moves.label(0.9)) == ("Pan left", "Tilt up")


def test_text_is_wrapped_in_any_language_and_never_shows_boxes() -> None:
    assert wrapped("one two three four", 20, 90, 5) != ["one two three four"]
    assert len(wrapped("word " * 200, 20, 200, 3)) == 3
    assert writable("a \U0010fffd cat", 20) == "a cat"
    assert writable("一只猫", 20)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "[Truck left]",
        "[右移]",
        "[Pan left]",
        "[Pan right]",
        "[Tracking shot]",
        "[左移,左摇,跟随]",
        "[Truck right, Pan right, Tracking shot]",
    ],
)
def test_the_ground_reaches_both_edges_however_far_the_camera_goes(prompt: str) -> None:
    width, height = 320, 180
    land = Landscape(width, height, prompt)
    for share in (0.0, 0.3, 0.7, 1.0):
        view = land.frame(camera.read(prompt).pose(share), 6.0 * share)
        ground = view.crop((0, height - 1, width, height)).convert("RGB")
        assert len(ground.getcolors() or ()) == 1, (prompt, share)
