"""Pictures of a request: frames of clips that were made here, and pictures made fit."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from buckets import S3
from media.numbered import make_clip, number_of
from PIL import Image

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.requests import Mode, TemplateRequest, VideoRequest
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import HailuoError, InvalidRequestError, RateLimitError
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio
FREE = Terms()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 numbered frames in two seconds."""
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", size=(640, 400))


def _task(studio: Studio, task_id: str, **facts: Any) -> Task:
    return Task(
        **{
            "task_id": task_id,
            "account": studio.account,
            "provider": studio.provider.name,
            "caller": "",
            "status": Status.SUCCEEDED,
            "created_at": 1.0,
            "updated_at": 1.0,
            "mode": Mode.T2V,
            "model": "MiniMax-Hailuo-2.3",
            "identity": task_id,
            "remote_id": f"7{task_id}",
            **facts,
        }
    )


async def _saved(studio: Studio, file: Path | str, task_id: str = "v1", **facts: Any) -> str:
    """A task whose clip is this file."""
    await studio.store.adopt(_task(studio, task_id, file=str(file), seconds=2.0, **facts))
    return task_id


def _sent(picture: str) -> Image.Image:
    head, _, data = picture.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("moment", "number"),
    [("first", 0), ("last", 47), ("0s", 0), ("1s", 24), ("0.99s", 23), ("1.97", 47), ("LAST", 47)],
)
async def test_exactly_the_frame_of_that_moment_is_sent(
    scripted: Any, provider: Any, clip: Path, moment: str, number: int
) -> None:
    async with scripted() as studio:
        await _saved(studio, clip)
        wanted = VideoRequest(prompt="a cat", first_frame_image=f" task:v1#{moment}")
        view = await studio.generate(wanted, FREE)
    picture = _sent(provider.creates[0]["first_frame_image"])
    assert picture.size == (640, 400)
    assert number_of(picture) == number
    assert view.notes == ()


async def test_the_record_tells_where_a_frame_came_from_and_its_bytes_make_the_request(
    scripted: Any, provider: Any, clip: Path
) -> None:
    async with scripted() as studio:
        await _saved(studio, clip)
        wanted = VideoRequest(prompt="a cat", first_frame_image="task:v1#last")
        bought = await studio.generate(wanted, FREE)
        again = replace(wanted, first_frame_image=provider.creates[0]["first_frame_image"])
        repeated = await studio.generate(again, FREE)
    kept = json.loads(bought.task.request)["first_frame_image"]
    assert kept["from"] == "task:v1#last"
    assert repeated.reused
    assert len(provider.creates) == 1


async def test_a_frame_goes_wherever_a_picture_goes(scripted: Any, clip: Path) -> None:
    async with scripted() as studio:
        await _saved(studio, clip)
        first = "task:v1#first"
        ends = VideoRequest(prompt="p", first_frame_image=first, last_frame_image="task:7v1#last")
        who = VideoRequest(prompt="p", subject_image=first)
        ready = TemplateRequest(template_id="Diving", media_inputs=("task:v1#1s",))
        for wanted in (ends, who, ready):
            assert (await studio.quote(wanted, FREE)).draft.task_id


async def _refusal(studio: Studio, source: str, **who: Any) -> HailuoError:
    wanted = VideoRequest(prompt="a cat", first_frame_image=source)
    with pytest.raises(HailuoError) as refused:
        await studio.generate(wanted, FREE, **who)
    return refused.value


REFUSED = [
    ("v1", 'End it in "#first", "#last" or a moment such as "#2.5s"'),
    ("v1#half", 'End it in "#first", "#last" or a moment such as "#2.5s"'),
    ("v1#2.1s", "is 2 s long and shows nothing at 2.1s. Nothing was sent or charged. Choose an"),
    ("v1#99999s", "is 2 s long"),
    ("v9#last", "there is no task 'v9' in the journal. Nothing was sent or charged. list_tasks"),
    ("f9#last", "there is no task 'f9' in the journal"),
    ("of-another#last", "there is no task 'of-another' in the journal"),
    ("running#last", 'is running, so it has no frames yet. Nothing was sent or charged. Call query_task with task_id "running"'),
    ("failed#last", "the task failed failed and has no clip"),
    ("unsaved#last", 'is not saved yet, so it has no frames here. Nothing was sent or charged. Call download_video with task_id "unsaved"'),
    ("deleted#last", "is no longer where it was saved"),
    ("text#last", "cannot be opened, because it "),
]  # fmt: skip


async def test_what_has_no_such_frame_is_refused_free(
    scripted: Any, provider: Any, clip: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no clip")
    async with scripted(works=False) as studio:
        await _saved(studio, clip, caller="anna")
        await _saved(studio, clip, "of-another", caller="ben")
        await _saved(studio, tmp_path / "gone.mp4", "deleted", caller="anna")
        await _saved(studio, text, "text", caller="anna")
        for status in ("running", "failed", "unsaved"):
            state = Status.SUCCEEDED if status == "unsaved" else Status(status)
            await studio.store.adopt(_task(studio, status, status=state, caller="anna"))
        for source, words in REFUSED:
            refused = await _refusal(studio, f"task:{source}", caller="anna")
            assert isinstance(refused, InvalidRequestError), source
            assert words in error_text(refused), source
        for _ in range(3):
            await _refusal(studio, "task:of-another#last", caller="anna")
        assert isinstance(
            await _refusal(studio, "task:of-another#last", caller="anna"), RateLimitError
        )
    assert provider.creates == []
    assert provider.asked == []


async def test_a_caller_elsewhere_takes_frames_of_their_own_clips(
    scripted: Any, provider: Any, clip: Path
) -> None:
    async with scripted() as studio:
        await _saved(studio, clip, caller="anna")
        wanted = VideoRequest(prompt="a cat", first_frame_image="task:v1#last")
        await studio.generate(wanted, FREE, caller="anna", local=False)
        assert "no task" in str(await _refusal(studio, "task:v1#last", caller="ben", local=False))
    assert number_of(_sent(provider.creates[0]["first_frame_image"])) == 47


async def test_a_film_gives_frames_once_it_is_joined(scripted: Any, clip: Path) -> None:
    async with scripted() as studio:
        film = Film(
            film_id="f1",
            account=studio.account,
            provider=studio.provider.name,
            caller="",
            created_at=1.0,
            updated_at=1.0,
            identity="a film",
        )
        now = studio.clock()
        await studio.store.plan_film(film, now=now)
        assert "not joined yet" in str(await _refusal(studio, "task:f1#last"))
        await studio.store.change_film("f1", {"file": str(clip), "seconds": 2.0}, now=now)
        wanted = VideoRequest(prompt="a cat", first_frame_image="task:f1#1s")
        assert (await studio.quote(wanted, FREE)).draft.mode is Mode.I2V


async def test_a_clip_in_a_bucket_gives_its_last_frame(opened: Any, s3: S3) -> None:
    async with opened(files=s3.url) as studio:
        view = await studio.generate(VideoRequest(prompt="a cat"), FREE, wait_seconds=30)
        assert view.task.in_bucket
        source = f"task:{view.task.task_id}#last"
        offer = await studio.quote(VideoRequest(prompt="p", first_frame_image=source), FREE)
    assert json.loads(offer.draft.request)["first_frame_image"]["from"] == source


async def test_a_picture_is_sent_kept_and_known_as_it_was_made_fit(
    scripted: Any, provider: Any, tmp_path: Path, rows: Callable[[], list[dict[str, Any]]]
) -> None:
    Image.new("RGB", (1500, 400), "navy").save(tmp_path / "wide.bmp")
    wide = VideoRequest(prompt="a cat", first_frame_image=str(tmp_path / "wide.bmp"))
    async with scripted() as studio:
        refused = await _refusal(studio, wide.first_frame_image)
        assert "is 1500×400 px; its aspect ratio must be between 2:5 and 5:2" in str(refused)
        assert 'image_fit="crop"' in error_text(refused)
        view = await studio.generate(replace(wide, image_fit="Crop"), FREE)
        cropped = provider.creates[0]["first_frame_image"]
        again = await studio.generate(replace(wide, first_frame_image=cropped), FREE)
        other = await studio.generate(replace(wide, image_fit="pad"), FREE)
    assert _sent(cropped).size == (1000, 400)
    cropping = "The first frame was cropped from 1500×400 to 1000×400 px and "
    assert view.notes == (f"{cropping}re-encoded as PNG: it was a BMP picture.",)
    assert "image_fit" not in rows()[0]["request"]
    assert "image_fit" not in provider.creates[0]
    assert again.reused
    assert not other.reused
    assert _sent(provider.creates[1]["first_frame_image"]).size == (1500, 600)
