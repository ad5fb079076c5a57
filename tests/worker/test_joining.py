"""A film's clips become one file, once, with what lies beside it; or its shots stay as they are."""

# ruff: noqa: ASYNC240  # small files, looked at by the test alone

from __future__ import annotations

import errno
import json
import logging
import sys
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("av")

from buckets import S3
from media.clips import Clip, make, pictures

from hailuo_mcp.bootstrap import open_storage
from hailuo_mcp.domain.film import Film, Shot, Transition
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import FilmRecorded, Limits
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.context import Context
from hailuo_mcp.text import iso_time
from hailuo_mcp.worker import joining
from hailuo_mcp.worker.joining import join_film

pytestmark = pytest.mark.anyio
ID = "f1abcdefghijkl00"
FRAME = {"sha256": "ab" * 32, "mime": "image/png", "url": "", "from": "task:v1-1#last"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("clips")
    return [
        make(folder / f"{shade}.mp4", Clip(frames=4, shade=shade)).read_bytes()
        for shade in (0, 90, 180)
    ]


class Making:
    """A film of three shots in the journal, whose clips are saved."""

    def __init__(self, bench: Any, source: list[bytes], context: Context) -> None:
        self.bench, self.source, self.context = bench, source, context

    async def begin(self) -> None:
        requests = [{"prompt": f"shot {number}"} for number in (1, 2, 3)]
        requests[1]["first_frame_image"] = FRAME  # type: ignore[assignment]
        self.requests = [json.dumps(request) for request in requests]
        draft = Film(
            film_id=ID,
            account=self.context.account,
            provider="sandbox",
            caller="",
            created_at=self.bench.now,
            updated_at=self.bench.now,
            identity="a film",
            shots=tuple(
                Shot(
                    mode=Mode.T2V,
                    model="m",
                    prompt=f"shot {number}",
                    request=request,
                    amount=Decimal(2),
                    continues=number == 2,
                )
                for number, request in enumerate(self.requests, 1)
            ),
        )
        found = await self.bench.journal.plan_film(draft, now=self.bench.now)
        assert isinstance(found, FilmRecorded)
        await self.make(found.film, (1, 2, 3))

    async def make(self, film: Film, numbers: tuple[int, ...]) -> None:
        """Record these shots, as bought and saved."""
        journal, now, take = self.bench.journal, self.bench.now, film.revision + 1
        drafts = [
            Task(
                task_id=f"v{take}-{number}",
                account=film.account,
                provider="sandbox",
                caller="",
                status=Status.PENDING,
                created_at=now,
                updated_at=now,
                mode=Mode.T2V,
                model="m",
                prompt=f"shot {number}",
                request=self.requests[number - 1],
                identity=f"{take}-{number}",
                shot=number,
                amount=Decimal(2),
            )
            for number in numbers
        ]
        limits = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
        made = await journal.make_film(film, [(it, Decimal(2)) for it in drafts], limits, now=now)
        assert isinstance(made, FilmRecorded)
        for task, data in zip(made.tasks, self.source, strict=False):
            file, saved = await self._save(task.task_id, data)
            await journal.change(
                task.task_id,
                {
                    "status": Status.SUCCEEDED,
                    "money": Money.SPENT,
                    "file": file,
                    "sha256": saved.sha256,
                    "due_at": 0.0,
                },
                now=now,
            )

    async def _save(self, task_id: str, data: bytes) -> Any:
        from hailuo_mcp.files import clip_file

        async def download(target: Path) -> Any:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            return clip_file.saved_file(target, None)

        return await self.context.storage.save(f"{task_id}.mp4", download, task_id=task_id)

    async def film(self, **values: Any) -> Film:
        held = {"owner": self.context.owner, "lease_until": self.bench.now + 30, **values}
        film = await self.bench.journal.change_film(ID, held, now=self.bench.now)
        assert film is not None
        return film

    async def shots(self) -> list[Task]:
        tasks = await self.bench.journal.film_tasks(ID)
        return list({task.shot: task for task in tasks}.values())

    async def join(self, **values: Any) -> Film:
        await join_film(self.context, await self.film(**values), await self.shots())
        film = await self.bench.journal.find_film(ID)
        assert film is not None
        assert film.owner == ""
        return film


@pytest.fixture
async def making(bench: Any, source: list[bytes]) -> Making:
    made = Making(bench, source, bench.context)
    await made.begin()
    return made


def beside(film: Film) -> list[str]:
    return sorted(path.name for path in Path(film.file).parent.glob(f"*{ID}*"))


async def test_the_film_lies_among_the_clips_with_its_poster_and_its_lineage(
    making: Making, caplog: pytest.LogCaptureFixture
) -> None:
    told = list[str]()
    making.context.changes.listen(told.append)
    with caplog.at_level(logging.INFO):
        film = await making.join()
    path, shots = Path(film.file), await making.shots()

    assert path.name.endswith(f"_shot-1_{ID}.mp4")
    assert beside(film) == [f"{path.stem}{ending}" for ending in (".jpg", ".json", ".mp4")]
    assert pictures(path) == [frame for shot in shots for frame in pictures(Path(shot.file))]
    assert (film.width, film.height, film.seconds) == (96, 64, 1.5)
    assert (film.bytes, film.due_at, film.tries, film.save_error) == (
        *(path.stat().st_size, 0.0, 0, ""),
    )
    assert ID in told
    assert f"film {ID} is joined" in caplog.text
    assert "shot" not in caplog.text  # a log names nothing by its prompt
    facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
    shown = [facts.pop("shots"), facts.pop("created_at"), facts.pop("saved_at")]
    assert shown[1] == iso_time(film.created_at) <= shown[2]
    assert facts == {
        "film_id": ID,
        "provider": "sandbox",
        "revision": 1,
        "transition": "cut",
        "continuity": "last_frame",
        "width": 96,
        "height": 64,
        "seconds": 1.5,
        "bytes": film.bytes,
        "sha256": film.sha256,
        "cost": {"amount": "6", "unit": "CNY"},
    }
    assert shown[0][1] == {
        "shot": 2,
        "task_id": "v1-2",
        "take": 1,
        "prompt": "shot 2",
        "model": "m",
        "mode": "t2v",
        "created_at": iso_time(shots[1].created_at),
        "file": shots[1].file,
        "sha256": shots[1].sha256,
        "cost": {"amount": "2", "unit": "CNY"},
        "started_from": {"sha256": "ab" * 32, "from": "task:v1-1#last"},
    }
    assert "started_from" not in shown[0][0]


async def test_each_revision_has_a_name_and_nothing_is_replaced(making: Making) -> None:
    first = await making.join()
    before = Path(first.file).read_bytes()
    planned = await making.film(redo=(3,))
    await making.make(planned, (3,))
    second = await making.join()

    assert Path(first.file).read_bytes() == before
    assert Path(second.file).stem == f"{Path(first.file).stem}-2"
    facts = json.loads(Path(second.file).with_suffix(".json").read_text("utf-8"))
    assert [(shot["task_id"], shot["take"]) for shot in facts["shots"]] == [
        *(("v1-1", 1), ("v1-2", 1), ("v2-3", 2)),
    ]
    assert facts["cost"] == {"amount": "8", "unit": "CNY"}  # the shot that was replaced is paid for


async def test_joining_again_after_a_kill_uses_what_is_there(making: Making) -> None:
    making.bench.journal.failures["change_film"] = 0
    film = await making.film()
    making.bench.journal.failures["change_film"] = 1
    with pytest.raises(JournalError):
        await join_film(making.context, film, await making.shots())
    (path,) = Path(making.context.storage.place).glob(f"*{ID}.mp4")
    # A killed process leaves these, too.
    path.with_name(f"{path.name}.part").write_bytes(b"half")
    path.with_name(f"{path.name}.part.draft").write_bytes(b"half")
    path.with_suffix(".jpg").unlink()
    before = path.stat()
    joined = await making.join()

    assert Path(joined.file) == path
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert joined.seconds == 1.5
    assert path.with_suffix(".jpg").exists()


async def test_a_clip_that_is_gone_is_named_and_the_film_is_joined_when_it_is_back(
    making: Making, caplog: pytest.LogCaptureFixture
) -> None:
    clip = Path((await making.shots())[1].file)
    data = clip.read_bytes()
    clip.unlink()
    film = await making.join()

    assert film.save_error == f"The clip of shot 2 is no longer there: {clip}."
    assert (film.file, film.tries, film.due_at) == ("", 1, 0.0)
    assert list(clip.parent.glob(f"*{ID}*")) == []
    assert f"joining film {ID} failed (download_failed), try 1" in caplog.text
    assert "shot 2" not in caplog.text
    clip.write_bytes(data)
    assert (await making.join()).save_error == ""


async def test_a_clip_that_cannot_be_read_is_named_and_not_tried_again(making: Making) -> None:
    clip = Path((await making.shots())[2].file)
    clip.write_bytes(clip.read_bytes()[:300])
    film = await making.join()

    assert film.save_error == "The clip of shot 3 cannot be joined: its index is missing."
    assert (film.file, film.due_at) == ("", 0.0)


async def test_a_full_disk_is_tried_again(making: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any, **_more: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(joining.media, "join_clips", full)
    film = await making.join()

    assert "is full" in film.save_error
    assert film.due_at > making.bench.now


async def test_without_pyav_the_clips_stay_and_it_says_what_to_install(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    film = await making.join()

    assert "separate clips" in film.save_error
    assert 'pip install "hailuo-mcp[media]"' in film.save_error
    assert film.due_at > making.bench.now
    assert all(Path(shot.file).exists() for shot in await making.shots())


async def test_a_film_that_is_made_again_meanwhile_is_not_recorded_as_the_new_one(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, shots = await making.film(), await making.shots()
    await making.bench.journal.change_film(ID, {"revision": 2}, now=making.bench.now)
    await join_film(making.context, held, shots)
    film = await making.bench.journal.find_film(ID)

    assert (film.file, film.owner, film.revision) == ("", "", 2)


async def test_films_are_joined_one_at_a_time(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, running, most = joining.media.join_clips, [0], [0]

    def counted(*args: Any, **more: Any) -> Any:
        running[0] += 1
        most[0] = max(most[0], running[0])
        try:
            return real(*args, **more)
        finally:
            running[0] -= 1

    monkeypatch.setattr(joining.media, "join_clips", counted)
    film, shots = await making.film(), await making.shots()
    async with anyio.create_task_group() as both:
        for revision in (1, 5):
            both.start_soon(join_film, making.context, replace(film, revision=revision), shots)
    assert most == [1]


async def test_whoever_is_stopped_stops_at_once_and_leaves_nothing(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = anyio.Event()

    def endless(_clips: Any, target: Path, *, check: Any, **_more: Any) -> Any:
        target.write_bytes(b"half")
        anyio.from_thread.run_sync(started.set)
        while True:
            check()

    monkeypatch.setattr(joining.media, "join_clips", endless)
    film, shots = await making.film(), await making.shots()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(join_film, making.context, film, shots)
            await started.wait()
            group.cancel_scope.cancel()
    assert list(Path(making.context.storage.place).glob(f"*{ID}*")) == []


async def test_clips_in_a_bucket_become_a_film_in_the_bucket(
    bench: Any,
    source: list[bytes],
    s3: S3,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    state = {"HAILUO_FILES": s3.url, "HAILUO_STATE_DIR": str(tmp_path / "state")}
    storage = open_storage(Settings.from_env(state))
    making = Making(bench, source, replace(bench.context, storage=storage))
    await making.begin()
    film = await making.join(transition=Transition.FADE)

    stem = s3.key_of(film.file).removesuffix(".mp4")
    assert [key for key in s3.keys("videos/") if ID in key] == [
        f"{stem}{ending}" for ending in (".jpg", ".json", ".mp4")
    ]
    assert film.seconds == 1.0  # fades of half a clip: a quarter of a second each
    assert json.loads(s3.read(f"{stem}.json"))["transition"] == "fade"
    assert list((tmp_path / "temporary").iterdir()) == []
    assert list((tmp_path / "state" / "spool").glob("*")) == []
    s3.delete(s3.key_of((await making.shots())[0].file))
    gone = await making.join(revision=2)
    assert gone.save_error.startswith("The clip of shot 1 is no longer there: s3://")
