"""Clips in a shared folder and in a bucket: whole or not there, once, and not lost meanwhile."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from buckets import S3, SECRET

from hailuo_mcp.bootstrap import open_storage
from hailuo_mcp.errors import ConfigError, HailuoError
from hailuo_mcp.files.bucket import Bucket, BucketError, DamagedObjectError
from hailuo_mcp.files.bucket_storage import BucketStorage
from hailuo_mcp.files.clip_file import DiskError, SavedFile
from hailuo_mcp.files.naming import POSTER, SIDECAR, sidecar_text
from hailuo_mcp.files.storage import SPOOL_SECONDS, UPLOAD_KEPT_SECONDS, Storage
from hailuo_mcp.media.film import POSTER_MARK
from hailuo_mcp.settings import Settings

pytestmark = pytest.mark.anyio

ID = "v1abcdefghijkl00"
NAME = f"2026-11-21_a-cat_{ID}.mp4"


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4) + kind + body


def clip_of(filling: bytes) -> bytes:
    return box(b"ftyp", b"isom\0\0\2\0") + box(b"mdat", filling) + box(b"moov")


CLIP = clip_of(os.urandom(2_500_000))


@dataclass
class Place:
    """Where clips go, and what another program sees there."""

    tmp_path: Path
    s3: S3 | None

    @property
    def setting(self) -> str:
        return self.s3.url if self.s3 else str(self.tmp_path / "shared")

    def machine(self, number: int = 1) -> Storage:
        """The storage as one of several machines has it."""
        state = self.tmp_path / f"state-{number}"
        return open_storage(
            Settings.from_env({"HAILUO_FILES": self.setting, "HAILUO_STATE_DIR": str(state)})
        )

    def files(self) -> dict[str, bytes]:
        if self.s3:
            keys = self.s3.keys("videos/")
            return {key.removeprefix("videos/"): self.s3.read(key) for key in keys}
        folder = Path(self.setting)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    def write(self, name: str, data: bytes) -> None:
        if self.s3:
            self.s3.write(f"videos/{name}", data)
        else:
            target = self.tmp_path / "shared" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def spooled(self) -> list[Path]:
        return [path for path in self.tmp_path.glob("state-*/spool/*") if path.is_file()]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.getfixturevalue("s3") if request.param == "bucket" else None)


@dataclass
class Source:
    """Stands for the provider: downloads into whatever file is wanted."""

    data: bytes = CLIP
    downloads: int = 0

    async def __call__(self, target: Path) -> SavedFile:
        path = anyio.Path(target)
        if not await path.exists():
            self.downloads += 1
            await path.write_bytes(self.data)
        sha256 = hashlib.sha256(self.data).hexdigest()
        return SavedFile(path=target, bytes=len(self.data), sha256=sha256)


async def test_a_clip_is_kept_whole_under_its_name_and_nothing_else_is_left(place: Place) -> None:
    storage = place.machine()
    file, saved = await storage.save(NAME, Source(), task_id=ID)

    assert file == f"{place.setting}/{NAME}"
    assert (saved.bytes, saved.sha256) == (len(CLIP), hashlib.sha256(CLIP).hexdigest())
    assert place.files() == {NAME: CLIP}
    assert await storage.exists(file)
    assert place.spooled() == []


async def test_another_machine_uses_the_clip_that_is_there_and_downloads_nothing(
    place: Place,
) -> None:
    file, _ = await place.machine(1).save(NAME, Source(), task_id=ID)
    other = Source()
    again, saved = await place.machine(2).save(NAME, other, task_id=ID)

    assert (again, saved.sha256) == (file, hashlib.sha256(CLIP).hexdigest())
    assert other.downloads == 0
    assert await place.machine(2).exists(file)


async def test_machines_that_save_a_clip_at_one_moment_end_with_one_whole_clip(
    place: Place,
) -> None:
    ready = [anyio.Event() for _ in range(4)]
    found: list[tuple[str, SavedFile]] = []

    async def save(number: int) -> None:
        async def source(target: Path) -> SavedFile:
            ready[number].set()
            for other in ready:
                await other.wait()  # nobody puts before all have downloaded
            return await Source()(target)

        found.append(await place.machine(number).save(NAME, source, task_id=ID))

    async with anyio.create_task_group() as machines:
        for number in range(4):
            machines.start_soon(save, number)

    assert {(file, saved.sha256) for file, saved in found} == {
        (f"{place.setting}/{NAME}", hashlib.sha256(CLIP).hexdigest())
    }
    assert place.files() == {NAME: CLIP}
    assert place.spooled() == []


async def test_a_file_that_is_not_the_clip_is_not_replaced(place: Place) -> None:
    place.write(NAME, b"somebody's notes")
    with pytest.raises(DiskError, match="already exists and was not changed"):
        await place.machine().save(NAME, Source(), task_id=ID)
    place.write("other.mp4", clip_of(b"another clip"))
    with pytest.raises(DiskError, match="already exists and was not changed"):
        await place.machine().save("other.mp4", Source(), task_id=ID)

    assert place.files() == {NAME: b"somebody's notes", "other.mp4": clip_of(b"another clip")}


async def test_what_is_not_the_clip_is_not_replaced_when_it_comes_at_the_last_moment(
    place: Place,
) -> None:
    async def source(target: Path) -> SavedFile:
        saved = await Source()(target)
        place.write(NAME, b"somebody's notes")
        return saved

    with pytest.raises(DiskError, match="already exists"):
        await place.machine().save(NAME, source, task_id=ID)
    assert place.files() == {NAME: b"somebody's notes"}


async def test_the_facts_are_beside_the_clip(place: Place) -> None:
    storage = place.machine()
    file, _ = await storage.save(NAME, Source(), task_id=ID)
    for prompt in ("一只猫", "一只白猫"):
        facts = sidecar_text({"task_id": ID, "prompt": prompt})
        await storage.put_beside(file, SIDECAR, facts)

    assert "一只白猫" in place.files()[NAME.replace(".mp4", ".json")].decode()


async def test_somebody_s_files_beside_the_clip_are_not_replaced(place: Place) -> None:
    storage, poster = place.machine(), b"\xff\xd8" + POSTER_MARK
    file, _ = await storage.save(NAME, Source(), task_id=ID)
    sidecar, photo = NAME.replace(".mp4", ".json"), NAME.replace(".mp4", ".jpg")
    place.write(sidecar, b'{"name": "mine"}')
    place.write(photo, b"\xff\xd8 a photograph")
    for _ in range(2):
        await storage.put_beside(file, SIDECAR, sidecar_text({"film_id": "f1"}))
        await storage.put_beside(file, POSTER, poster)
    assert place.files() == {
        NAME: CLIP,
        sidecar: b'{"name": "mine"}',
        photo: b"\xff\xd8 a photograph",
        f"{NAME}.json": sidecar_text({"film_id": "f1"}),
        f"{NAME}.jpg": poster,
    }
    place.write(f"{NAME}.jpg", b"mine, too")
    with pytest.raises(FileExistsError):
        await storage.put_beside(file, POSTER, poster)


async def test_a_copy_goes_to_a_file_of_this_computer(place: Place, tmp_path: Path) -> None:
    file, _ = await place.machine(1).save(NAME, Source(), task_id=ID)
    target = tmp_path / "mine" / "cat.mp4"
    copied = await place.machine(2).copy(file, target, overwrite=False)

    assert (copied.path, target.read_bytes()) == (target, CLIP)
    target.write_bytes(b"mine")
    with pytest.raises(DiskError, match="already exists"):
        await place.machine(2).copy(file, target, overwrite=False)
    await place.machine(2).copy(file, target, overwrite=True)
    assert target.read_bytes() == CLIP
    assert place.spooled() == []


async def test_a_storage_below_keeps_its_clips_apart_and_pictures_common(place: Place) -> None:
    storage = place.machine()
    below = storage.below("acme")
    file, _ = await below.save(NAME, Source(), task_id=ID)
    await below.pictures.keep("a" * 64, b"picture")

    assert below.place == f"{storage.place}/acme"
    assert file == f"{place.setting}/acme/{NAME}"
    assert await storage.exists(file)
    assert await storage.pictures.read("a" * 64) == b"picture"
    await below.need_writable()


async def test_pictures_are_found_by_another_machine_and_swept_when_nobody_needs_them(
    place: Place,
) -> None:
    mine, other = place.machine(1).pictures, place.machine(2).pictures
    assert await other.all() == []
    assert await other.read("a" * 64) is None
    await mine.keep("a" * 64, b"one")
    await mine.keep("a" * 64, b"one")

    assert await other.read("a" * 64) == b"one"
    assert [(blob.name, blob.bytes) for blob in await other.all()] == [("a" * 64, 3)]
    await other.delete("a" * 64)
    await other.delete("a" * 64)
    assert await mine.read("a" * 64) is None


async def test_a_name_is_written_once(place: Place) -> None:
    uploads = place.machine(1).uploads
    await uploads.write_once("owner/one", b"first")
    with pytest.raises(FileExistsError):
        await place.machine(2).uploads.write_once("owner/one", b"second")

    assert await uploads.read("owner/one") == b"first"
    assert await uploads.exists("owner/one")
    assert not await uploads.exists("owner/two")
    assert [blob.name for blob in await uploads.all()] == ["owner/one"]


async def test_a_clip_of_another_bucket_is_out_of_reach_and_not_taken_for_lost(
    place: Place,
) -> None:
    with pytest.raises(ConfigError, match="do not reach"):
        await place.machine().exists(f"s3://elsewhere/{NAME}")
    with pytest.raises(ConfigError, match="do not reach"):
        await place.machine().copy(f"s3://elsewhere/{NAME}", Path("/x.mp4"), overwrite=False)


async def test_clips_that_were_saved_to_disk_before_stay_reachable(
    place: Place, tmp_path: Path
) -> None:
    before = tmp_path / "before.mp4"
    before.write_bytes(CLIP)
    storage = place.machine()

    assert await storage.exists(str(before))
    assert storage.local_path(str(before)) == before
    copied = await storage.copy(str(before), tmp_path / "copy.mp4", overwrite=False)
    assert copied.path.read_bytes() == CLIP


async def test_what_failed_downloads_left_is_deleted_after_a_week(place: Place) -> None:
    storage = place.machine()
    await storage.sweep(0)  # there is no spool folder yet
    await storage.save(NAME, Source(), task_id=ID)
    spool = place.tmp_path / "state-1" / "spool"
    old, young = spool / "old.mp4.part", spool / "young.mp4.part"
    for path in (old, young):
        path.write_bytes(b"x")
    now = young.stat().st_mtime
    os.utime(old, (now, now - SPOOL_SECONDS - 60))
    await storage.sweep(now)

    assert place.spooled() == [young]


async def test_uploads_that_nobody_can_use_any_more_are_deleted(place: Place) -> None:
    storage = place.machine()
    await storage.uploads.write_once("alice/cat", b"x")
    (cat,) = await storage.uploads.all()
    await storage.sweep(cat.modified + UPLOAD_KEPT_SECONDS - 60)
    assert await storage.uploads.exists("alice/cat")
    await storage.sweep(cat.modified + UPLOAD_KEPT_SECONDS + 60)
    assert not await storage.uploads.all()


# What only a bucket does


def _storage(s3: S3, tmp_path: Path, number: int = 1) -> Storage:
    return Place(tmp_path, s3).machine(number)


@pytest.mark.parametrize("cut_after", [0, 1_000_000])
async def test_a_connection_that_is_cut_during_the_put_leaves_nothing_and_downloads_nothing_again(
    s3: S3, tmp_path: Path, cut_after: int
) -> None:
    storage, source = _storage(s3, tmp_path), Source()
    s3.way.cut_after = cut_after
    with pytest.raises(DiskError, match="cannot be used") as failed:
        await storage.save(NAME, source, task_id=ID)
    assert failed.value.retry
    assert s3.clips() == []
    s3.way.cut_after = None
    file, _ = await storage.save(NAME, source, task_id=ID)

    assert s3.read(s3.key_of(file)) == CLIP
    assert source.downloads == 1


async def test_a_put_whose_answer_is_lost_is_found_at_the_next_try(s3: S3, tmp_path: Path) -> None:
    storage, source = _storage(s3, tmp_path), Source()
    s3.way.lose_answer = "PUT"
    with pytest.raises(DiskError):
        await storage.save(NAME, source, task_id=ID)
    s3.way.lose_answer = ""
    file, saved = await storage.save(NAME, source, task_id=ID)

    assert saved.sha256 == hashlib.sha256(CLIP).hexdigest()
    assert (s3.clips(), source.downloads) == ([s3.key_of(file)], 1)


async def test_a_clip_that_was_changed_on_its_way_does_not_stay(s3: S3, tmp_path: Path) -> None:
    storage, source = _storage(s3, tmp_path), Source(clip_of(b"the moon" * 1000))
    s3.way.turn = b"the moon", b"the mOOn"
    with pytest.raises(DiskError, match="differs from what was sent"):
        await storage.save(NAME, source, task_id=ID)
    assert s3.clips() == []
    s3.way.turn = None
    file, _ = await storage.save(NAME, source, task_id=ID)
    assert s3.read(s3.key_of(file)) == source.data


async def test_a_changed_clip_that_could_not_be_checked_is_replaced_later(
    s3: S3, tmp_path: Path
) -> None:
    good = clip_of(b"the moon" * 1000)
    changed = good.replace(b"the moon", b"the mOOn", 1)
    s3.write(f"videos/{NAME}", changed, sha256=hashlib.sha256(good).hexdigest())
    file, saved = await _storage(s3, tmp_path).save(NAME, Source(good), task_id=ID)

    assert s3.read(s3.key_of(file)) == good
    assert saved.sha256 == hashlib.sha256(good).hexdigest()
    s3.write(f"videos/{NAME}", changed, sha256=hashlib.sha256(good).hexdigest())
    with pytest.raises(DamagedObjectError):
        await Bucket(s3.name).fetch(f"videos/{NAME}", tmp_path / "x")
    with pytest.raises(DiskError, match="differs"):
        await _storage(s3, tmp_path).copy(file, tmp_path / "copy.mp4", overwrite=False)


async def test_a_service_without_conditions_still_keeps_what_is_there(
    s3: S3, tmp_path: Path
) -> None:
    s3.way.unconditional = True
    storage = _storage(s3, tmp_path)
    await storage.save(NAME, Source(), task_id=ID)
    await storage.uploads.write_once("a/b", b"1")
    with pytest.raises(FileExistsError):
        await storage.uploads.write_once("a/b", b"2")

    assert s3.read(f"videos/{NAME}") == CLIP
    assert s3.read("videos/.hailuo/uploads/a/b") == b"1"


async def test_more_pictures_than_one_answer_names_are_all_listed(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailuo_mcp.files.bucket.PAGE", 3)
    for number in range(7):
        s3.write(f"videos/.hailuo/inputs/{number:064}", b"1")
    assert len({blob.name for blob in await _storage(s3, tmp_path).pictures.all()}) == 7


async def test_any_part_of_a_clip_can_be_read(s3: S3, tmp_path: Path) -> None:
    storage = _storage(s3, tmp_path)
    file, _ = await storage.save(NAME, Source(), task_id=ID)
    clip = await storage.find(file)
    assert clip is not None
    assert clip.bytes == len(CLIP)
    for start, end in ((0, len(CLIP)), (0, 1), (1_048_570, 1_048_590), (len(CLIP) - 3, len(CLIP))):
        blocks = [block async for block in storage.read(clip, start, end)]
        assert b"".join(blocks) == CLIP[start:end]
    s3.write(s3.key_of(file), clip_of(b"another"))
    with pytest.raises(DiskError, match="replaced meanwhile"):
        [block async for block in storage.read(clip, 0, 5)]


async def test_a_bucket_that_is_gone_is_no_proof_that_the_clip_is(s3: S3, tmp_path: Path) -> None:
    storage = _storage(s3, tmp_path)
    file, _ = await storage.save(NAME, Source(), task_id=ID)
    s3.way.away = True
    with pytest.raises(DiskError, match="cannot be used"):
        await storage.exists(file)
    s3.way.away = False
    assert await storage.exists(file)
    s3.delete(s3.key_of(file))
    assert not await storage.exists(file)
    s3.remove()
    with pytest.raises(DiskError, match="there is no such bucket"):
        await storage.exists(file)
    with pytest.raises(ConfigError, match="there is no such bucket"):
        await storage.need_writable()


async def test_a_clip_that_is_ready_while_the_bucket_is_away_waits_on_this_computer(
    s3: S3, tmp_path: Path
) -> None:
    storage, source = _storage(s3, tmp_path), Source()
    s3.way.away = True
    for _ in range(2):
        with pytest.raises(DiskError):
            await storage.save(NAME, source, task_id=ID)
    assert [path.read_bytes() for path in Place(tmp_path, s3).spooled()] == [CLIP]
    s3.way.away = False
    file, _ = await storage.save(NAME, source, task_id=ID)

    assert s3.read(s3.key_of(file)) == CLIP
    assert source.downloads == 1
    assert Place(tmp_path, s3).spooled() == []


async def test_a_purchase_asks_the_bucket_once_a_minute_and_at_once_after_a_failed_put(
    s3: S3, tmp_path: Path
) -> None:
    now = 100.0
    storage = BucketStorage(Bucket(s3.name), "videos", tmp_path / "spool", clock=lambda: now)
    for _ in range(3):
        await storage.need_writable()
    assert len(s3.way.requests) == 1
    now += 61
    s3.way.away = True
    with pytest.raises(ConfigError, match="Clips cannot be written to s3://") as refused:
        await storage.need_writable()
    assert refused.value.charged == "no"
    s3.way.away = False
    now += 3
    await storage.need_writable()
    s3.way.away = True
    await storage.need_writable()  # known to be writable a moment ago
    with pytest.raises(DiskError):
        await storage.save(NAME, Source(), task_id=ID)
    with pytest.raises(ConfigError):
        await storage.need_writable()


async def test_callers_who_wait_for_a_silent_bucket_wait_once(s3: S3, tmp_path: Path) -> None:
    s3.way.silent = True
    storage = _storage(s3, tmp_path)
    refused: list[ConfigError] = []

    async def ask() -> None:
        try:
            await storage.need_writable()
        except ConfigError as error:
            refused.append(error)

    began = anyio.current_time()
    async with anyio.create_task_group() as callers:
        for _ in range(5):
            callers.start_soon(ask)
    assert len(refused) == 5
    assert "does not answer in time" in refused[0].what
    assert anyio.current_time() - began < 3.5


def _answer(status: str, code: str, more: str = "") -> bytes:
    body = f"<Error><Code>{code}</Code>{more}</Error>".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            _answer("403 Forbidden", "SignatureDoesNotMatch", f"<StringToSign>{SECRET}"),
            "it refuses these credentials",
        ),
        (_answer("403 Forbidden", "AccessDenied"), "it refuses these credentials"),
        (_answer("401 Unauthorized", "x"), "it refuses these credentials"),
        (_answer("403 Forbidden", "RequestTimeTooSkewed"), "the clock of this computer is wrong"),
        (_answer("404 Not Found", "NoSuchBucket"), "there is no such bucket"),
        (_answer("301 Moved Permanently", "PermanentRedirect"), "it is in another region"),
        (_answer("400 Bad Request", "AuthorizationHeaderMalformed"), "it is in another region"),
        (_answer("503 Slow Down", "SlowDown"), "it is too busy"),
        (_answer("500 Internal Server Error", "InternalError"), "it answers HTTP 500"),
        (_answer("418 I'm a teapot", f"{SECRET}"), "it answers HTTP 418"),
    ],
    ids=lambda value: value.split()[1].decode() if isinstance(value, bytes) else "",
)
async def test_why_a_bucket_refuses_is_said_in_our_words_and_without_its_own(
    s3: S3, tmp_path: Path, answer: bytes, why: str
) -> None:
    s3.way.answer = answer
    with pytest.raises(ConfigError, match=why) as refused:
        await _storage(s3, tmp_path).need_writable()
    assert SECRET not in f"{refused.value!r} {refused.value.detail} {refused.value.__cause__!r}"
    with pytest.raises(DiskError, match=why) as failed:
        await _storage(s3, tmp_path).save(NAME, Source(), task_id=ID)
    assert failed.value.retry


async def test_missing_credentials_are_named(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="no credentials for it, such as AWS_ACCESS_KEY_ID"):
        await _storage(s3, tmp_path).need_writable()


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "it cannot be reached"),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:9"}, "it cannot be reached"),
    ],
)
async def test_why_a_bucket_cannot_be_used_is_said_in_our_words(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], why: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=why):
        await _storage(s3, tmp_path).need_writable()


async def test_http_is_spoken_only_where_a_person_has_written_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert Bucket("clips")._client.meta.endpoint_url == "http://127.0.0.1:9"
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for region in ("", "cn-north-1"):
        monkeypatch.setenv("AWS_REGION", region)
        assert Bucket("clips")._client.meta.endpoint_url.startswith("https://s3.")


async def test_no_secret_is_in_an_error_a_log_or_a_setting(
    s3: S3, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    storage, said = _storage(s3, tmp_path), list[str]()
    for fault in ("away", "cut_after", "lose_answer", "turn"):
        fresh = type(s3.way)()
        bad = {"away": True, "cut_after": 0, "lose_answer": "PUT", "turn": (b"moov", b"mOOv")}
        setattr(s3.way, fault, bad[fault])
        for work in (
            storage.need_writable,
            lambda: storage.save(NAME, Source(), task_id=ID),
            lambda: storage.pictures.keep("a", b"1"),
        ):
            try:
                await work()
            except (HailuoError, BucketError) as error:
                said += [str(error), repr(error), repr(error.__cause__), str(error.__context__)]
                said.append(getattr(error, "detail", ""))
        setattr(s3.way, fault, getattr(fresh, fault))
    given = {"HAILUO_FILES": s3.url, "HAILUO_STATE_DIR": str(tmp_path)}
    said += [repr(Settings.from_env(given)), repr(storage), caplog.text]

    assert len(said) > 10
    assert not any(SECRET in text or "an-id" in text for text in said)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(ConfigError) as refused:
        Bucket("clips")
    assert 'pip install "hailuo-mcp[s3]"' in refused.value.then[0].about


PLAIN = "2026-11/a-cat.mp4"
"""A name that does not say whose clip it is."""


def _claim(task_id: str) -> bytes:
    return sidecar_text({"task_id": task_id})


async def test_equal_names_get_numbers_and_nothing_is_replaced(place: Place) -> None:
    storage = place.machine()
    place.write("2026-11/a-cat-2.mp4", b"mine")
    made = list[str]()
    for task_id in ("v1one", "v1two", "v1one", "v1two"):
        file, saved = await storage.save(PLAIN, Source(), task_id=task_id, claim=_claim(task_id))
        made.append(file.rpartition("/")[2])
        assert saved.bytes == len(CLIP)
    assert made == ["a-cat.mp4", "a-cat-3.mp4"] * 2
    assert place.files() == {
        PLAIN: CLIP,
        "2026-11/a-cat.json": _claim("v1one"),
        "2026-11/a-cat-2.mp4": b"mine",
        "2026-11/a-cat-3.mp4": CLIP,
        "2026-11/a-cat-3.json": _claim("v1two"),
    }


async def test_a_name_stays_claimed_by_the_clip_that_did_not_arrive(place: Place) -> None:
    async def broken(target: Path) -> SavedFile:
        del target
        raise DiskError("no")

    with pytest.raises(DiskError):
        await place.machine().save(PLAIN, broken, task_id="v1one", claim=_claim("v1one"))
    other, _ = await place.machine().save(PLAIN, Source(), task_id="v1two", claim=_claim("v1two"))
    first, _ = await place.machine(2).save(PLAIN, Source(), task_id="v1one", claim=_claim("v1one"))
    assert (first.rpartition("/")[2], other.rpartition("/")[2]) == ("a-cat.mp4", "a-cat-2.mp4")


async def test_machines_that_save_at_once_do_not_share_a_name(place: Place) -> None:
    files = dict[str, str]()

    async def save(task_id: str, number: int) -> None:
        storage = place.machine(number)
        files[task_id], _ = await storage.save(
            PLAIN, Source(), task_id=task_id, claim=_claim(task_id)
        )

    async with anyio.create_task_group() as group:
        for number, task_id in enumerate(("v1one", "v1two", "v1three")):
            group.start_soon(save, task_id, number)
    assert len(set(files.values())) == 3
    assert sorted(place.files().values()) == sorted([CLIP] * 3 + [_claim(it) for it in files])
