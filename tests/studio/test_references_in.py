"""References of a request: opened, judged, kept, recorded and read back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

pytest.importorskip("av")

from hypothesis import given, settings
from hypothesis import strategies as st
from media.numbered import make_clip
from media.references import mp3, mp4, wav
from PIL import Image

from hailuo_mcp.client import HailuoClient
from hailuo_mcp.domain.requests import (
    REFERENCE_FIELDS,
    ClipFacts,
    ImageFacts,
    Mode,
    SoundFacts,
    VideoRequest,
)
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.files.sources import Opened
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.studio.request_record import (
    content_of,
    pictures_of,
    request_from_json,
    request_json,
)
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio
FREE = Terms()


def inline(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def clip() -> bytes:
    """Two seconds that a model takes."""
    return mp4(size=(384, 256))


def cat(tmp_path: Path, size: tuple[int, int] = (400, 300)) -> str:
    path = tmp_path / f"{size[0]}.jpg"
    Image.new("RGB", size, "navy").save(path)
    return str(path)


async def test_references_are_kept_and_recorded_and_read_back(
    scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailuo_mcp.studio.purchase.ANSWER_SECONDS", 0)
    (tmp_path / "clip.mp4").write_bytes(clip())
    wanted = VideoRequest(
        prompt="a cat",
        reference_images=(cat(tmp_path), "mm_file://7"),
        reference_videos=(str(tmp_path / "clip.mp4"),),
        reference_audios=(inline(wav(), "audio/x-wav"), inline(mp3(3), "audio/mpeg")),
    )
    async with scripted(works=False) as studio:
        task = (await studio.generate(wanted, FREE)).task
        again = await studio.generate(
            VideoRequest(
                prompt="a cat",
                reference_images=wanted.reference_images,
                reference_videos=(inline(clip(), "video/mp4"),),
                reference_audios=wanted.reference_audios,
            ),
            FREE,
        )
        record = json.loads(task.request)
        sent = await request_from_json(task.request, studio.pictures.data_url)
        await studio.pictures.sweep(await studio.store.pictures_in_use(now=studio.clock()))
        kept = [await studio.pictures.read(name) for name in pictures_of(task.request)]
    assert (task.mode, task.model) == (Mode.R2V, "MiniMax-H3")
    assert again.reused
    assert record["reference_images"][1] == {"url": "mm_file://7"}
    assert set(record["reference_videos"][0]) == {"sha256", "mime", "url", "seconds"}
    assert record["reference_videos"][0]["seconds"] == 2.0
    assert [one["mime"] for one in record["reference_audios"]] == ["audio/wav", "audio/mp3"]
    assert isinstance(sent, VideoRequest)
    assert sent.reference_images[1] == "mm_file://7"
    assert sent.reference_videos == (inline(clip(), "video/mp4"),)
    assert sent.reference_audios == (inline(wav(), "audio/wav"), inline(mp3(3), "audio/mp3"))
    assert kept[1:] == [clip(), wav(), mp3(3)]


async def saved(studio: Studio, file: Path, **facts: Any) -> None:
    values: dict[str, Any] = {
        "task_id": "v1",
        "account": studio.account,
        "provider": studio.provider.name,
        "caller": "",
        "status": Status.SUCCEEDED,
        "created_at": 1.0,
        "updated_at": 1.0,
        "mode": Mode.T2V,
        "model": "MiniMax-H3",
        "identity": "v1",
        "remote_id": "77",
    }
    await studio.store.adopt(Task(**{**values, "file": str(file), **facts}))


async def test_a_clip_made_here_is_a_reference_for_its_caller_alone(
    scripted: Any, tmp_path: Path
) -> None:
    path = make_clip(tmp_path / "clip.mp4", size=(384, 256))
    wanted = VideoRequest(prompt="a cat", reference_videos=("task:77",))
    async with scripted(works=False) as studio:
        await saved(studio, path, caller="anna")
        offer = await studio.quote(wanted, FREE, caller="anna", local=False)
        with pytest.raises(InvalidRequestError, match="no task '77' in the journal"):
            await studio.quote(wanted, FREE, caller="ben", local=False)
        await studio.store.change("v1", {"file": ""}, now=studio.clock())
        with pytest.raises(InvalidRequestError, match="not saved yet, so it cannot be a reference"):
            await studio.quote(wanted, FREE, caller="anna")
    (kept,) = json.loads(offer.draft.request)["reference_videos"]
    assert kept["from"] == "task:77"


async def test_a_clip_in_a_bucket_is_a_reference(opened: Any, s3: Any) -> None:
    async with opened(files=s3.url) as studio:
        view = await studio.generate(VideoRequest(prompt="a cat"), FREE, wait_seconds=30)
        source = f"task:{view.task.task_id}"
        wanted = VideoRequest(prompt="p", reference_videos=(source,))
        offer = await studio.quote(wanted, FREE)
    assert view.task.in_bucket
    assert json.loads(offer.draft.request)["reference_videos"][0]["sha256"] == view.task.sha256


class Uploads:
    """One picture was uploaded."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()

    def invitation(self) -> str:
        return "Upload it at https://here/uploads/x."

    async def find(self, upload_id: str) -> bytes | None:
        return self.data if upload_id == "1" else None


async def test_a_remote_caller_uploads_reference_pictures_and_nothing_else(
    scripted: Any, tmp_path: Path
) -> None:
    uploads: Any = Uploads(Path(cat(tmp_path)))
    async with scripted(works=False, remote=RemoteAccess(uploads=uploads)) as studio:

        async def refusal(**what: tuple[str, ...]) -> str:
            wanted = VideoRequest(prompt="p", **what)  # type: ignore[arg-type]
            with pytest.raises(InvalidRequestError) as refused:
                await studio.quote(wanted, FREE, caller="anna", local=False)
            return error_text(refused.value)

        assert "https://here/uploads/x" in await refusal(reference_images=("cat.png",))
        assert "https://here/uploads/x" in await refusal(reference_images=("upload:2",))
        assert "https://here" not in await refusal(reference_videos=("cat.mp4",))
        assert "https://here" not in await refusal(
            reference_images=("upload:1",), reference_audios=("upload:1",)
        )
        found = VideoRequest(prompt="p", reference_images=("upload:1",))
        assert await studio.quote(found, FREE, caller="anna", local=False)


async def test_pictures_are_fitted_to_the_model_of_the_request(
    scripted: Any, tmp_path: Path
) -> None:
    small, wide = cat(tmp_path, (260, 280)), cat(tmp_path, (5800, 2900))
    async with scripted(works=False) as studio:
        for_v1 = await studio.quote(VideoRequest(prompt="p", first_frame_image=small), FREE)
        for_v2 = await studio.quote(
            VideoRequest(prompt="p", first_frame_image=small, model="h3"), FREE
        )
        reduced = await studio.quote(VideoRequest(prompt="p", reference_images=(wide, small)), FREE)
    assert "enlarged from 260×280" in for_v1.draft.warnings[0]
    assert for_v2.draft.warnings == ()
    (said,) = reduced.draft.warnings
    assert said.startswith("Reference picture 1 was scaled from 5800×2900 to 4096×2048 px because")


async def test_a_file_of_the_provider_is_for_models_that_take_one(scripted: Any) -> None:
    there = "mm_file://7"
    async with scripted(works=False) as studio:
        offer = await studio.quote(
            VideoRequest(prompt="p", first_frame_image=there, model="h3"), FREE
        )
        other = await studio.quote(
            VideoRequest(prompt="p", first_frame_image="mm_file://8", model="h3"), FREE
        )
        with pytest.raises(InvalidRequestError, match="which this model cannot take"):
            await studio.quote(VideoRequest(prompt="p", first_frame_image=there), FREE)
        with pytest.raises(InvalidRequestError, match="names no file of the provider"):
            await studio.quote(
                VideoRequest(prompt="p", first_frame_image="mm_file://a b", model="h3"), FREE
            )
        unknown = await studio.quote(VideoRequest(prompt="p", reference_videos=(there,)), FREE)
    assert json.loads(offer.draft.request)["first_frame_image"] == {"url": there}
    assert offer.draft.identity != other.draft.identity
    assert any("at least" in said for said in unknown.draft.warnings)


async def test_links_are_read_at_once_and_within_bounds() -> None:
    waiting, all_asked = list[str](), anyio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        waiting.append(request.url.path)
        if len(waiting) == 3:
            all_asked.set()
        with anyio.fail_after(5):
            await all_asked.wait()
        return httpx.Response(200, content={"m": clip, "w": wav, "l": _large}[_kind(request)]())

    def _large() -> bytes:
        return bytes(15_000_001)

    def _kind(request: httpx.Request) -> str:
        return request.url.path[1]

    wanted = VideoRequest(
        prompt="p",
        reference_videos=("https://1.1.1.1/m1",),
        reference_audios=("https://1.1.1.1/w", "https://1.1.1.1/l"),
    )
    async with HailuoClient("k", wire=httpx.MockTransport(answer)) as hailuo:
        with pytest.raises(InvalidRequestError, match=r"sound 2: .*larger than 15 MB"):
            await hailuo.prepare(wanted)
        waiting.clear()
        ready = await hailuo.prepare(
            VideoRequest(
                prompt="p",
                reference_videos=("https://1.1.1.1/m1", "https://1.1.1.1/m2"),
                reference_audios=("https://1.1.1.1/w",),
            )
        )
        assert isinstance(ready.request, VideoRequest)
        assert ready.request.reference_videos == ("https://1.1.1.1/m1", "https://1.1.1.1/m2")
        assert list(ready.clips) == ["reference_videos[0]", "reference_videos[1]"]
        waiting.clear()
        with pytest.raises(InvalidRequestError, match="too many"):
            await hailuo.prepare(
                VideoRequest(prompt="p", reference_videos=("https://1.1.1.1/m",) * 40)
            )
        with pytest.raises(InvalidRequestError, match="clip behind the link cannot be used"):
            await hailuo.prepare(VideoRequest(prompt="p", reference_videos=("https://10.0.0.1/m",)))
        assert waiting == []


def opened_file(kind: str, number: int, how: str) -> Opened[Any]:
    data = f"{kind} {number}".encode()
    sha256 = f"{kind[10]}{number}".ljust(64, "0")
    facts: Any = ImageFacts(sha256=sha256, mime="image/png", size=1, width=1, height=1)
    if kind == "reference_videos":
        facts = ClipFacts(
            sha256=sha256,
            mime="video/mp4",
            size=1,
            width=1,
            height=1,
            seconds=2.5,
            fps=24,
            codec="h264",
        )
    elif kind == "reference_audios":
        facts = SoundFacts(sha256=sha256, mime="audio/mp3", size=1, seconds=2.5)
    url = f"https://x/{kind}{number}" if how == "url" else ""
    return Opened(facts=facts, data=data, url=url, origin="task:v1" if how == "task" else "")


ONE = st.tuples(
    st.sampled_from(REFERENCE_FIELDS),
    st.integers(0, 3),
    st.sampled_from(["data", "url", "task", "mm_file"]),
)


@settings(max_examples=50)
@given(st.lists(ONE, max_size=6))
async def test_a_record_gives_the_request_again(chosen: list[tuple[str, int, str]]) -> None:
    given_: dict[str, tuple[str, ...]] = dict.fromkeys(REFERENCE_FIELDS, ())
    inputs, blobs = dict[str, Opened[Any]](), dict[str, str]()
    for kind, number, how in chosen:
        if how == "mm_file":
            wire = f"mm_file://{number}"
        else:
            held = opened_file(kind, number, how)
            wire = held.wire
            inputs[wire] = held
            if not held.url:
                blobs[held.facts.sha256] = wire
        given_[kind] += (wire,)
    request = VideoRequest(prompt="p", model="MiniMax-H3", **given_)  # type: ignore[arg-type]

    async def load(sha256: str, mime: str) -> str:
        assert blobs[sha256].startswith(f"data:{mime};")
        return blobs[sha256]

    record = request_json(request, inputs)
    assert await request_from_json(record, load) == request
    assert set(pictures_of(record)) == set(blobs)
    assert "task:" not in content_of(request, inputs)
    assert "https:" not in content_of(request, inputs)
