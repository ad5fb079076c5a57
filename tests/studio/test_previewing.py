"""Looking at clips: which may be looked at, what they are compared with, where they lie."""

from __future__ import annotations

import json
import tempfile
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import pytest
from buckets import S3
from PIL import Image

from hailuo_mcp.domain.film import Film, FilmRequest, Shot
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import Do, InvalidRequestError, Step, TaskNotFoundError
from hailuo_mcp.media.examine import Expected, Findings
from hailuo_mcp.media.sheet import MOST_BYTES, SheetRow, contact_sheet
from hailuo_mcp.studio import preview
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A clip that takes no time to look through."""
    from media.numbered import make_clip

    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4").read_bytes()


@pytest.fixture
def looks_fine(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was to be examined, which takes a second for a real clip."""
    paths: list[Path] = []

    def examine(path: Path, expected: Expected) -> Findings:
        assert expected.width in (None, 1366)
        paths.append(path)
        return Findings(width=1366, height=768, seconds=6, fps=24)

    monkeypatch.setattr(preview, "examine", examine)
    return paths


async def _bought(
    studio: Any, clip: bytes = b"", prompt: str = "a cat", caller: str = "", **wanted: Any
) -> Any:
    """Buy a clip; `clip` replaces what was saved."""
    request = VideoRequest(prompt=prompt, **wanted)
    task = (await studio.generate(request, Terms(), caller=caller, wait_seconds=30)).task
    if clip:
        await anyio.Path(task.file).write_bytes(clip)
    return task


def _picture(path: Path, size: tuple[int, int] = (480, 640)) -> str:
    Image.new("RGB", size, (9, 90, 160)).save(path)
    return str(path)


def _opened(jpeg: bytes) -> Image.Image:
    assert len(jpeg) <= MOST_BYTES
    return Image.open(BytesIO(jpeg))


async def test_a_saved_clip_is_shown_with_its_facts(opened: Any) -> None:
    async with opened() as studio:
        task = await _bought(studio)
        found = await studio.preview(task.task_id)
    (clip,) = found.clips
    assert (clip.id, found.files) == (task.task_id, (task.file,))
    assert (clip.findings.width, clip.findings.height) == (1366, 768)
    assert (clip.expected.width, clip.expected.height, clip.expected.seconds) == (1366, 768, 6)
    assert not clip.findings.wrong_size
    assert _opened(found.jpeg).format == "JPEG"
    assert not clip.past_end


async def test_one_moment_is_shown_large_and_past_the_end_the_last(
    opened: Any, small: bytes
) -> None:
    async with opened() as studio:
        task = await _bought(studio, small)
        start = await studio.preview(task.task_id, at_seconds=0)
        late = await studio.preview(task.task_id, at_seconds=99)
    assert not start.clips[0].past_end
    assert late.clips[0].past_end
    pictures = [_opened(found.jpeg) for found in (start, late)]
    assert all(picture.width < 250 for picture in pictures), "one small frame, not enlarged more"
    assert start.jpeg != late.jpeg
    (clip,) = start.clips
    assert (clip.findings.wrong_size, clip.findings.wrong_length) == (True, True)


async def test_clips_are_compared_with_fewer_frames_each(opened: Any, small: bytes) -> None:
    async with opened() as studio:
        ids = [(await _bought(studio, small, prompt=name)).task_id for name in ("a", "b", "c")]
        found = await studio.preview(ids[0], compare_with=ids[1:])
        assert [clip.id for clip in found.clips] == ids
        assert (found.frames, found.asked_frames) == (5, 0)
        found = await studio.preview(ids[0], frames=9, compare_with=ids[1:2])
        assert (found.frames, found.asked_frames) == (8, 9)
        with pytest.raises(InvalidRequestError, match="-5 s is before the start of a clip"):
            await studio.preview(ids[0], at_seconds=-5)
        with pytest.raises(InvalidRequestError, match=f"'{ids[0]}' is named twice"):
            await studio.preview(ids[0], compare_with=[f" {ids[0]}"])
        with pytest.raises(InvalidRequestError, match=r"19 clips are too many .* room for 16"):
            await studio.preview(ids[0], compare_with=ids * 6)
        with pytest.raises(TaskNotFoundError, match="'v0'"):
            await studio.preview(ids[0], compare_with=["v0"])


async def test_what_is_not_saved_is_refused_with_the_next_step(scripted: Any) -> None:
    async with scripted() as studio:
        task = (await studio.generate(VideoRequest(prompt="a"), Terms())).task
        with pytest.raises(InvalidRequestError, match=f"Clip {task.task_id} is not ready") as no:
            await studio.preview(task.task_id)
        assert no.value.then == (Step(Do.QUERY, task.task_id),)
        assert no.value.retry
        await studio.store.change(task.task_id, {"status": Status.FAILED}, now=studio.clock())
        with pytest.raises(InvalidRequestError, match="it failed") as no:
            await studio.preview(task.task_id)
        assert not no.value.retry


async def test_a_clip_that_was_deleted_or_spoilt_is_refused_by_name(opened: Any) -> None:
    async with opened() as studio:
        task = await _bought(studio)
        await anyio.Path(task.file).write_bytes(b"not a clip")
        with pytest.raises(InvalidRequestError, match=f"Clip {task.task_id} cannot be looked at"):
            await studio.preview(task.task_id)
        await anyio.Path(task.file).unlink()
        with pytest.raises(InvalidRequestError, match="is gone: it was moved") as gone:
            await studio.preview(task.task_id)
        assert gone.value.then == (Step(Do.DOWNLOAD, task.task_id),)


async def test_callers_look_at_their_own_clips_only(opened: Any, small: bytes) -> None:
    async with opened() as studio:
        task = await _bought(studio, small, caller="alice")
        assert (await studio.preview(task.task_id, caller="alice")).clips
        with pytest.raises(TaskNotFoundError):
            await studio.preview(task.task_id, caller="bob")


async def test_the_first_frame_is_compared_with_the_picture_while_that_is_kept(
    opened: Any, small: bytes, tmp_path: Path
) -> None:
    picture = _picture(tmp_path / "cat.png")
    async with opened() as studio:
        task = await _bought(studio, small, first_frame_image=picture)
        (clip,) = (await studio.preview(task.task_id)).clips
        assert clip.expected.first_picture == await anyio.Path(picture).read_bytes()
        assert (clip.expected.width, clip.expected.height) == (768, 1024)
        assert clip.findings.first_likeness is not None
        for kept in (tmp_path / "state" / "inputs").iterdir():
            kept.unlink()
        (clip,) = (await studio.preview(task.task_id)).clips
        assert clip.expected.width is None
        assert clip.not_compared


async def test_a_clip_in_a_bucket_is_read_from_a_copy_that_does_not_stay(
    opened: Any, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks_fine: list[Path]
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    async with opened(files=s3.url) as studio:
        task = await _bought(studio)
        found = await studio.preview(task.task_id, frames=1)
    assert found.files == (task.file,)
    assert [path.is_relative_to(place) for path in looks_fine] == [True]
    assert [*place.iterdir()] == []


async def test_a_film_is_shown_shot_by_shot_once_it_is_joined(
    opened: Any, monkeypatch: pytest.MonkeyPatch, looks_fine: list[Path]
) -> None:
    rows: list[SheetRow] = []

    def spy(given: list[SheetRow]) -> bytes:
        rows[:] = given
        return contact_sheet(given)

    monkeypatch.setattr(preview, "contact_sheet", spy)
    async with opened() as studio:
        wanted = FilmRequest(shots=("a boat", "the sea"))
        view = await studio.plan_film(wanted, Terms())
        with pytest.raises(InvalidRequestError, match="no file yet: it is only planned") as no:
            await studio.preview(view.film.film_id)
        assert no.value.then == (Step(Do.QUERY, view.film.film_id),)
        view = await studio.make_film(wanted, Terms(), wait_seconds=30)
        assert view.joined
        await studio.preview(view.film.film_id, at_seconds=7)
        assert [row.captions for row in rows] == [("shot 2",)]
        found = await studio.preview(view.film.film_id, frames=3)
    assert [row.label for row in rows] == ["Shot 1", "Shot 2"]
    assert [len(row.frames) for row in rows] == [3, 3]
    assert rows[0].frames[-1].at < 6 < rows[1].frames[0].at
    (clip,) = found.clips
    assert clip.id == view.film.film_id
    assert {str(path) for path in looks_fine} == set(found.files)
    assert found.frames == 3


def test_frames_of_shots_that_fade_into_each_other_are_taken_beside_the_fades() -> None:
    film = Film(
        film_id="f1",
        account="a",
        provider="sandbox",
        caller="",
        created_at=0,
        updated_at=0,
        identity="",
        shots=(Shot(mode=Mode.T2V, model="m", prompt="p", request="{}"),) * 3,
        seconds=17.0,
    )
    tasks = [_shot(number, seconds=6.0) for number in (1, 2, 2, 3)]
    starts, ends, fade = preview._joins(film, tasks)
    assert (starts, ends, fade) == ((0.0, 5.5, 11.0), 17.0, 0.5)
    assert preview._joins(film, tasks[:3]) == ((), 0.0, 0.0)
    subject = preview._Subject(
        id="f1",
        film=True,
        provider="sandbox",
        caller="",
        file="f1.mp4",
        request="{}",
        starts=starts,
        ends=ends,
        fade=fade,
    )
    assert preview._moments(subject, 2) == pytest.approx([0, 5.4, 6.1, 10.9, 11.6, 17])


def _shot(number: int, seconds: float) -> Task:
    return Task(
        task_id=f"v{number}",
        account="a",
        provider="sandbox",
        caller="",
        status=Status.SUCCEEDED,
        created_at=0,
        updated_at=0,
        mode=Mode.T2V,
        model="m",
        film_id="f1",
        shot=number,
        file="a.mp4",
        seconds=seconds,
    )


async def test_a_clip_of_v2_is_compared_with_what_is_known_of_such_clips(
    scripted: Any, small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Expected] = []

    def examine(_path: Path, expected: Expected) -> Findings:
        asked.append(expected)
        return Findings(width=1, height=1, seconds=6, fps=24)

    monkeypatch.setattr(preview, "examine", examine)
    (tmp_path / "a.mp4").write_bytes(small)
    wide, own = {"aspect_ratio": "16:9"}, {"first_frame_image": {"sha256": "0" * 64}}
    cases: list[tuple[str, str, dict[str, Any], tuple[int, int] | None]] = [
        ("MiniMax-H3", "768P", wide, (1344, 768)),
        ("MiniMax-H3", "2K", wide, (2560, 1440)),
        ("MiniMax-H3", "2K", {"upgrade_of": "v9", "source": wide}, (2560, 1440)),
        ("MiniMax-H3", "2K", {"aspect_ratio": "9:16"}, None),
        ("MiniMax-H3", "768P", {"aspect_ratio": "adaptive"}, None),
        ("MiniMax-H3", "768P", own, None),
        ("MiniMax-H3", "2K", {"upgrade_of": "v9", "source": own}, None),
        ("MiniMax-H3", "768P", {}, None),
        ("MiniMax-H3-Max", "480P", wide, None),
        ("MiniMax-Hailuo-2.3", "768P", {}, (1366, 768)),
        ("MiniMax-Hailuo-2.3", "768P", own, None),
    ]
    async with scripted(works=False) as studio:
        now = studio.clock()
        for number, (model, size, request, expected) in enumerate(cases):
            task = Task(
                task_id=f"v{number}",
                identity=str(number),
                account=studio.account,
                provider=studio.provider.name,
                caller="",
                status=Status.PENDING,
                created_at=now,
                updated_at=now,
                mode=Mode.T2V,
                model=model,
                resolution=size,
                duration=6,
                request=json.dumps(request),
            )
            await studio.store.record(task, Decimal(0), studio.limits(), now=now)
            saved = {"status": Status.SUCCEEDED, "file": str(tmp_path / "a.mp4")}
            await studio.store.change(task.task_id, saved, now=now)
            (clip,) = (await studio.preview(task.task_id)).clips
            found = asked.pop()
            assert (found.width, found.height) == (expected or (None, None)), (model, size, request)
            assert found.seconds == 6
            assert found.seconds_over == (0.6 if "H3" in model else 0)
            assert clip.not_compared == ("sha256" in json.dumps(request))
