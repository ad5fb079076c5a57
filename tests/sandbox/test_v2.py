"""The v2 API over HTTP: tasks, the list, cancelling, regenerating, uploads and input files."""

import base64
import io
import json
import wave
from itertools import islice
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from PIL import Image

from .conftest import Bench, Serve
from .pictures import data_url, png
from .test_v2_orders import body, part

CREATE, LIST, REGENERATE = (
    "/v2/video_generation",
    "/v2/query/video_generation",
    "/v2/video_regeneration",
)
H3 = "MiniMax-H3"


def ask(bench: Bench, *faults: str, **fields: Any) -> httpx.Response:
    text = " ".join(["A mouse runs", *(f"[sandbox:{fault}]" for fault in faults)])
    return bench.post(CREATE, body(content=[{"type": "text", "text": text}], **fields))


def create(bench: Bench, *faults: str, **fields: Any) -> str:
    return str(ask(bench, *faults, **fields).json()["task_id"])


def read(bench: Bench, task_id: str) -> dict[str, Any]:
    return dict(bench.get(f"{LIST}/{task_id}").json()["task"])


def listed(bench: Bench, **params: str) -> list[str]:
    return [task["id"] for task in bench.get(LIST, **params).json()["items"]]


def regenerate(bench: Bench, source: str = "", *content: Any) -> httpx.Response:
    how = {"source_task_id": source} if source else {"content": list(content)}
    return bench.post(REGENERATE, {"model": H3, "resolution": "2K", **how})


def error(answer: httpx.Response) -> tuple[int, str, str]:
    """Return the status, the type and the message of a refusal in the documented form."""
    whole = answer.json()
    assert whole.keys() == {"type", "error", "request_id"}
    assert whole["error"]["http_code"] == str(answer.status_code)
    assert answer.headers["trace-id"]
    return answer.status_code, whole["error"]["type"], whole["error"]["message"]


def clip(
    width: int = 256, height: int = 256, *, seconds: int = 2, rate: int = 24, codec: str = "libx264"
) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_image(Image.new("RGB", (width, height)))
        for _ in range(seconds * rate):
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def tone(seconds: float = 2.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(8000)
        written.writeframes(bytes(round(16000 * seconds)))
    return file.getvalue()


def data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


MP4 = clip()


def video(content: bytes = MP4, kind: str = "video/mp4") -> dict[str, Any]:
    return part("reference_video", data(kind, content))


def audio(content: bytes, kind: str = "audio/wav") -> dict[str, Any]:
    return part("reference_audio", data(kind, content))


def picture(content: bytes) -> dict[str, Any]:
    return part("reference_image", data_url(content))


def test_a_task_is_read_from_queued_to_succeeded_and_charged_by_its_usage(
    bench: Bench, bare: httpx.Client
) -> None:
    answer = ask(bench, resolution="2K")
    assert answer.json().keys() == {"task_id"}
    task_id = answer.json()["task_id"]
    seen: list[str] = []
    for _ in range(7):
        seen.append(read(bench, task_id)["status"])
        bench.clock.pass_by(0.5)
    assert list(dict.fromkeys(seen)) == ["queued", "running"]
    assert bench.account()["charged"]["usd"] == "0"
    bench.clock.pass_by(0.5)
    task = read(bench, task_id)
    content = bare.get(task.pop("content")["url"]).content
    created = int(bench.clock() - 4)
    assert task == {
        "id": task_id,
        "model": H3,
        "status": "succeeded",
        "created_at": created,
        "updated_at": created + 4,
        "resolution": "2K",
        "duration": 5,
        "ratio": "16:9",
        "task_type": "generation",
        "modality": "video",
        "usage": {
            "total_seconds": 5,
            "input_seconds": 0,
            "output_seconds": 5,
            "input_image_count": 0,
            "total_tokens": 0,
        },
    }
    assert bench.account()["charged"] == {
        "credits": "0",
        "cny": "4.00",
        "usd": "0.65",
        "videos": 1,
        "unpriced": 0,
    }
    with av.open(io.BytesIO(content)) as made:
        picture_, sound = made.streams.video[0], made.streams.audio[0]
        assert (picture_.width, picture_.height, picture_.average_rate) == (2560, 1440, 24)
        assert picture_.duration is not None
        assert picture_.time_base is not None
        assert picture_.duration * picture_.time_base == 5
        assert made.duration == 5_000_000
        assert (sound.codec_context.name, sound.layout.name) == ("aac", "stereo")
        assert picture_.frames == 120
        # A second is encoded once and repeated: it must go on playing after its end.
        assert sum(1 for _ in islice(made.decode(video=0), 30)) == 30


def test_a_large_clip_is_drawn_at_half_size_and_always_sounds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hailuo_mcp.sandbox.clips.render import render

    from .test_clips import task

    monkeypatch.setattr("hailuo_mcp.sandbox.clips.render._MOST_DRAWN", 100)
    made = task(duration=1, sound=True)
    for name in ("one", "two"):
        render(made, tmp_path / name, tmp_path)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with av.open(str(tmp_path / "one")) as opened:
        frames = list(opened.decode(audio=0))
        assert any(bytes(frame.planes[0]).strip(b"\0") for frame in frames)
        assert (opened.streams.video[0].width, opened.streams.video[0].frames) == (320, 24)


REFUSALS = [
    ("2013", 400, "bad_request_error", 2013),
    ("2049", 401, "authorized_error", 2049),
    ("1008", 402, "insufficient_balance_error", 1008),
    ("1026", 422, "unprocessable_entity_error", 1026),
    ("1002", 429, "rate_limit_error", 1002),
    ("1000", 500, "server_error", 1000),
    ("1001", 504, "server_error", 1001),
    ("529", 529, "overloaded_error", 1000),
    ("http429", 429, "rate_limit_error", 1002),
    ("http503", 503, "server_error", 0),
]


def test_refusals_are_true_statuses_with_the_documented_body(bench: Bench) -> None:
    for fault, status, kind, code in REFUSALS:
        answer = ask(bench, fault)
        assert error(answer)[:2] == (status, kind), fault
        assert (f"({code})" in error(answer)[2]) == bool(code)
    assert bench.account()["creates_accepted"] == 0


def test_faults_of_the_answer_still_make_the_task(bench: Bench) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(bench, "lost")
    assert ask(bench, "noid").json() == {}
    assert error(ask(bench, "http500-after"))[0] == 500
    behind = ask(bench, "gateway-504")
    assert (behind.status_code, behind.json()["error"]["http_code"]) == (200, "504")
    assert bench.account()["creates_accepted"] == 4
    old = bench.post("/v1/video_generation", {"model": "T2V-01", "prompt": "[sandbox:529]"})
    assert old.status_code == 529


def test_reads_can_fail_for_a_while_and_end_badly(bench: Bench) -> None:
    task_id = create(bench, "poll-529", "poll-1002", "poll-500")
    statuses = [bench.get(f"{LIST}/{task_id}").status_code for _ in range(2)]
    assert statuses == [500, 200]  # each fault strikes on the first read, and one answer is sent
    ends = {fault: create(bench, fault) for fault in ("1027", "fail", "expired", "weird-status")}
    hidden = create(bench, "lost-task")
    bench.clock.pass_by(2.4)
    assert read(bench, ends["weird-status"])["status"] == "rendering"
    bench.clock.pass_by(2)
    moderated = read(bench, ends["1027"])
    assert (moderated["status"], moderated["error"]["code"]) == ("failed", 1027)
    assert (moderated["usage"], "content" in moderated) == ({}, False)
    assert read(bench, ends["fail"])["error"]["code"] == 1000
    assert read(bench, ends["expired"])["status"] == "expired"
    assert error(bench.get(f"{LIST}/{hidden}"))[2] == "invalid task_id (2013)"
    assert hidden not in listed(bench)
    assert bench.account()["charged"]["videos"] == 3


def test_the_list_is_newest_first_filtered_paged_and_lags_on_request(serve: Serve) -> None:
    bench = serve()
    first = create(bench)
    bench.clock.pass_by(10)
    late = create(bench, "list-lag=60")
    second = create(bench, model="MiniMax-H3-Max")
    framed = bench.post(CREATE, body(part("first_frame", data_url(png())))).json()["task_id"]
    assert listed(bench) == [framed, second, first]
    assert listed(serve("sk-other")) == []
    bench.clock.pass_by(60)
    assert listed(bench) == [framed, second, late, first]
    answer = bench.get(LIST, page_num="2", page_size="3").json()
    assert ([it["id"] for it in answer["items"]], answer["total"]) == ([first], 4)
    assert listed(bench, **{"filter.model": "MiniMax-H3-Max"}) == [second]
    assert listed(bench, **{"filter.task_ids": f"{first},{late}"}) == [late, first]
    assert listed(bench, **{"filter.status": "queued"}) == []
    assert listed(bench, **{"filter.task_type": "regeneration"}) == []
    shown = bench.get(LIST, page_size="1").json()["items"][0]
    assert (shown["ratio"], read(bench, framed)["ratio"]) == ("adaptive", "16:9")
    assert not {"prompt", "content"} & shown.keys()
    for wrong in (
        {"page_num": "0"},
        {"page_num": "9" * 5000},
        {"page_size": "x"},
        {"filter.status": "done"},
    ):
        assert bench.get(LIST, **wrong).status_code == 400
    bench.clock.pass_by(7 * 86400)
    assert listed(bench) == []
    assert bench.get(f"{LIST}/{first}").status_code == 400


def test_delete_cancels_what_is_queued_and_deletes_the_record_of_what_is_final(
    bench: Bench,
) -> None:
    def delete(task_id: str) -> httpx.Response:
        return bench.client.delete(f"{CREATE}/{task_id}")

    queued, running = create(bench), create(bench)
    answer = delete(queued).json()
    assert answer == {"task_id": queued, "action": "cancelled", "status": "cancelled"}
    with pytest.raises(httpx.RemoteProtocolError):
        delete(unheard := create(bench, "cancel-lost"))
    bench.clock.pass_by(2)
    assert error(delete(running))[0] == 400
    bench.clock.pass_by(2)
    assert {read(bench, task_id)["status"] for task_id in (queued, unheard)} == {"cancelled"}
    assert delete(running).json()["action"] == "deleted"
    assert delete(running).status_code == 400
    assert bench.get(f"{LIST}/{running}").status_code == 400
    assert running not in listed(bench)
    account = bench.account()
    assert account["charged"]["usd"] == account["bill"]["usd"] == "0.40"
    assert account["tasks"][running]["status"] == "succeeded"
    assert account["tasks"][running]["deleted_at"]
    assert account["tasks"][queued]["cancelled_at"]
    assert (account["cancellations"], account["deletions"]) == (2, 1)


def test_a_draft_is_regenerated_by_its_id_at_the_price_of_a_regeneration(bench: Bench) -> None:
    draft = create(bench, "usage-more=2", ratio="9:16")
    assert error(regenerate(bench, draft))[0] == 400
    bench.clock.pass_by(5)
    keeper = regenerate(bench, draft).json()["task_id"]
    bench.clock.pass_by(5)
    task = read(bench, keeper)
    assert (task["task_type"], task["resolution"]) == ("regeneration", "2K")
    assert (task["duration"], task["usage"]["output_seconds"]) == (5, 7)
    facts = bench.account()["tasks"][keeper]
    assert (facts["kind"], facts["source"], facts["usd"]) == ("regeneration", draft, "0.35")
    assert (facts["width"], facts["height"]) == (1440, 2560)
    shown = bench.get(LIST, **{"filter.task_type": "regeneration"}).json()["items"]
    assert [it["ratio"] for it in shown] == [""]
    assert error(regenerate(bench, keeper))[0] == 400
    assert error(regenerate(bench, "404"))[2] == "invalid task_id (2013)"


def test_a_draft_is_regenerated_by_its_unaltered_clip_and_its_own_items(
    bench: Bench, bare: httpx.Client
) -> None:
    picture_ = part("first_frame", data_url(png()))
    text = {"type": "text", "text": "A mouse [sandbox:not-enabled]"}
    draft = bench.post(CREATE, body(picture_, content=[text, picture_])).json()["task_id"]
    bench.clock.pass_by(5)
    refused = error(regenerate(bench, draft))
    assert refused == (
        400,
        "bad_request_error",
        "invalid params, source_task_id is not enabled for this account (2013)",
    )
    url = read(bench, draft)["content"]["url"]
    content = bare.get(url).content
    base = part("base_video", data("video/mp4", content))
    altered = part("base_video", data("video/mp4", content + b"x"))
    assert error(regenerate(bench, "", text, picture_, altered))[0] == 400
    assert error(regenerate(bench, "", text, base))[0] == 400
    assert bench.account()["creates_accepted"] == 1
    keeper = regenerate(bench, "", text, picture_, base).json()["task_id"]
    assert bench.account()["tasks"][keeper]["source"] == draft
    assert regenerate(bench, "", text, picture_, part("base_video", url)).status_code == 200


def test_input_files_are_measured_and_counted(bench: Bench) -> None:
    uploaded = bench.client.post(
        "/v1/files/upload", data={"purpose": "video_generation"}, files={"file": ("a.mp4", MP4)}
    ).json()["file"]
    order = body(
        *[picture(png(256, 256, f"#{number}00000")) for number in range(6)],
        part("reference_video", f"mm_file://{uploaded['file_id']}"),
        video(clip(rate=25, seconds=3), "video/quicktime"),
        part("reference_video", "https://example.com/a.mp4"),
        audio(tone(2.5)),
    )
    task_id = bench.post(CREATE, order).json()["task_id"]
    bench.clock.pass_by(5)
    usage = read(bench, task_id)["usage"]
    assert (usage["input_seconds"], usage["total_seconds"]) == (7, 12)
    assert (usage["input_image_count"], usage["input_audio_seconds"]) == (6, 3)
    assert bench.account()["charged"]["usd"] == "1.00"
    shown = bench.get("/sandbox/requests", last="1").json()[0]["body"]["content"][-4]
    assert "sha256=" in shown["video_url"]["url"] or "mm_file" in shown["video_url"]["url"]


def test_input_files_that_the_pages_forbid_are_refused(bench: Bench) -> None:
    refused = {
        "small picture": [picture(png(255, 300))],
        "large picture": [picture(png(5761, 2400))],
        "narrow picture": [picture(png(256, 641))],
        "gif": [picture(png(256, 256, kind="GIF"))],
        "15 MB": [video(), audio(tone() + bytes(15_000_000))],
        "type of another kind": [part("reference_image", data("video/mp4", MP4))],
        "plain http": [part("reference_image", "http://example.com/a.png")],
        "unknown upload": [part("reference_video", "mm_file://1")],
        "bad base64": [part("reference_video", "data:video/mp4;base64,???")],
        "not a video": [video(b"nonsense")],
        "wav as a video": [video(tone())],
        "1 s": [video(clip(seconds=1))],
        "small video": [video(clip(254, 254))],
        "wide video": [video(clip(256 * 2 + 130, 256))],
        "12 frames a second": [video(clip(rate=12))],
        "MPEG-4 part 2": [video(clip(codec="mpeg4"))],
        "16 s of video": [video(clip(seconds=8))] * 2,
        "video as audio": [video(), audio(MP4)],
        "1 s of audio": [video(), audio(tone(1.0))],
        "16 s of audio": [video(), audio(tone(8.0)), audio(tone(8.0))],
    }
    for name, items in refused.items():
        answer = bench.post(CREATE, body(*items))
        assert answer.status_code == 400, name
        assert error(answer)[2].endswith("(2013)"), name
    assert bench.account()["creates_accepted"] == 0
    assert bench.post("/v2/h3_context_ir", {}).status_code == 400


def test_strange_bodies_get_an_ordinary_answer(bench: Bench) -> None:
    strange = [
        b"",
        b"[]",
        b"[" * 100_000,
        rb'{"model": "half \ud800"}',
        rb'{"model": "MiniMax-H3", "resolution": "2K", "duration": NaN}',
        json.dumps(body(part("reference_image", "http://["))).encode(),
        json.dumps(body(part("reference_image", "http://127.0.0.1:99999/"))).encode(),
        json.dumps(body(part("reference_image", "https://e.com/\ud800"))).encode(),
        json.dumps(
            body(content=[{"type": "text", "text": "\ud800 [sandbox:usage-more=inf]"}])
        ).encode(),
    ]
    answers = [bench.client.post(CREATE, content=raw) for raw in strange]
    assert [answer.status_code for answer in answers] == [400] * 7 + [200] * 2
    assert bench.get("/sandbox/requests").status_code == 200
    assert len(listed(bench)) == 2


def test_a_body_above_64_mb_is_refused(bench: Bench) -> None:
    answer = bench.client.post(CREATE, content=b" " * 64_000_001)
    assert "64000000 bytes" in error(answer)[2]


@pytest.mark.parametrize(
    ("key", "status"), [("sk-bad", 401), ("sk-poor", 402), ("http401", 401), ("", 401)]
)
def test_some_keys_ask_to_be_refused(serve: Serve, key: str, status: int) -> None:
    bench = serve(key)
    if not key:
        del bench.client.headers["authorization"]
    assert error(ask(bench))[0] == status
