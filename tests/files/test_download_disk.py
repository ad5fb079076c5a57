"""The disk's side of saving: what lies in the way, what is full, who else is there, how it is named."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.errors import Do, DownloadError, Step
from hailuo_mcp.files import mp4
from hailuo_mcp.files.clip_file import copy_clip, explain, inspect, locked
from hailuo_mcp.files.download import save
from hailuo_mcp.files.naming import POSTER, SIDECAR, file_name, sidecar_text, write_beside
from hailuo_mcp.media.film import POSTER_MARK
from hailuo_mcp.wording.agent import error_text

posix = pytest.mark.skipif(os.name == "nt", reason="links, pipes and limits of POSIX")


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4) + kind + body


FTYP = box(b"ftyp", b"isom\0\0\2\0")
FILM = FTYP + box(b"mdat", b"x" * 500) + box(b"moov", b"y" * 100)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    try:
        import av
        from PIL import Image
    except ImportError:
        return FILM
    path = tmp_path_factory.mktemp("clip") / "made.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=8)
        stream.width, stream.height = 64, 48
        for _ in range(8):
            picture = Image.new("RGB", (64, 48))
            out.mux(stream.encode(av.VideoFrame.from_image(picture)))
        out.mux(stream.encode())
    return path.read_bytes() + box(b"free", bytes(200_000))


@dataclass
class Answer:
    """An answer from memory: what no real server library lets through can be tried too."""

    status: int
    headers: Mapping[str, str]
    pieces: list[bytes]

    async def stream_to(self, take: Callable[[bytearray], None]) -> None:
        for piece in self.pieces:
            await anyio.to_thread.run_sync(take, bytearray(piece))


@dataclass
class Source:
    answer: Answer
    opened: int = 0
    slept: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def stream(self, link: Link, *, start: int = 0, etag: str = "") -> AsyncIterator[Answer]:
        self.opened += 1
        yield self.answer

    async def link(self, fresh: bool) -> Link:
        return Link(url="https://cdn.example/clip")

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def save(self, target: Path, **more: object) -> object:
        return await save(self.link, self.stream, target, sleep=self.sleep, **more)  # type: ignore[arg-type]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def holding(lock: Path) -> subprocess.Popen[bytes]:
    """Another process that holds the lock until its stdin is closed."""
    code = (
        "import filelock, sys\n"
        f"lock = filelock.FileLock({str(lock)!r})\n"
        "lock.acquire()\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def source(data: bytes, **headers: str) -> Source:
    return Source(Answer(200, {"content-length": str(len(data)), **headers}, [data]))


# ---- what lies in the way


@posix
@pytest.mark.anyio
@pytest.mark.parametrize("trap", ["symlink", "hard link", "pipe"])
async def test_a_part_that_is_a_trap_is_not_written_through(
    tmp_path: Path, clip: bytes, trap: str
) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_bytes(b"precious")
    part = tmp_path / "out" / "a.mp4.part"
    part.parent.mkdir()
    if trap == "symlink":
        part.symlink_to(precious)
    elif trap == "hard link":
        part.hardlink_to(precious)
    else:
        os.mkfifo(part)
    await source(clip).save(part.with_suffix(""))
    assert precious.read_bytes() == b"precious"
    assert part.with_suffix("").read_bytes() == clip
    assert not part.with_suffix("").is_symlink()


@posix
@pytest.mark.anyio
async def test_a_symlink_in_the_target_s_place_is_refused_and_replaced_only_on_demand(
    tmp_path: Path, clip: bytes
) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_bytes(b"precious")
    target = tmp_path / "a.mp4"
    target.symlink_to(precious)
    with pytest.raises(DownloadError, match="already exists"):
        await source(clip).save(target)
    target.unlink()
    target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DownloadError, match="already exists"):
        await source(clip).save(target)
    await source(clip).save(target, overwrite=True)
    assert target.read_bytes() == clip
    assert precious.read_bytes() == b"precious"
    assert "nowhere" not in left(tmp_path)


@pytest.mark.anyio
async def test_a_server_that_sends_more_than_announced_gives_no_file(
    tmp_path: Path, clip: bytes
) -> None:
    liar = Source(Answer(200, {"content-length": str(len(clip))}, [clip, b"and more"]))
    with pytest.raises(DownloadError, match="more data than announced"):
        await liar.save(tmp_path / "a.mp4")
    assert left(tmp_path) == []


@pytest.mark.anyio
async def test_an_answer_shorter_than_announced_is_not_whole(tmp_path: Path, clip: bytes) -> None:
    short = Source(Answer(200, {"content-length": str(len(clip) + 9)}, [clip]))
    with pytest.raises(DownloadError, match=f"after {len(clip)} of {len(clip) + 9} bytes"):
        await short.save(tmp_path / "a.mp4")
    assert left(tmp_path) == ["a.mp4.part"]


@pytest.mark.anyio
async def test_an_answer_that_is_no_range_of_ours_is_not_appended(
    tmp_path: Path, clip: bytes
) -> None:
    (tmp_path / "a.mp4.part").write_bytes(clip[:50_000])
    end = len(clip) - 1
    odd = Source(Answer(206, {"content-range": f"bytes 0-{end}/{end + 1}"}, [clip]))
    await odd.save(tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == clip


@pytest.mark.anyio
async def test_a_range_of_a_compressed_file_is_none_of_the_clip(
    tmp_path: Path, clip: bytes
) -> None:
    """Its offsets are those of the compressed bytes: only the whole file can be unpacked."""

    class Compressed(Source):
        @asynccontextmanager
        async def stream(
            self, link: Link, *, start: int = 0, etag: str = ""
        ) -> AsyncIterator[Answer]:
            self.opened += 1
            place = {"content-range": f"bytes {start}-99999/100000", "content-encoding": "gzip"}
            yield Answer(206, place, [b"?"]) if start else self.answer

    (tmp_path / "a.mp4.part").write_bytes(clip[:50_000])
    link = Compressed(Answer(200, {"content-encoding": "gzip"}, [clip]))
    await link.save(tmp_path / "a.mp4")

    assert (tmp_path / "a.mp4").read_bytes() == clip
    assert link.opened == 2


@pytest.mark.anyio
@pytest.mark.parametrize("said", ["-1", "1e9", "9" * 5000, "٣", ""])
async def test_a_length_that_is_no_number_is_not_believed(
    tmp_path: Path, clip: bytes, said: str
) -> None:
    await Source(Answer(200, {"content-length": said}, [clip])).save(tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == clip


@pytest.mark.anyio
async def test_a_name_that_a_killed_process_took_for_its_clip_is_filled(
    tmp_path: Path, clip: bytes
) -> None:
    target = tmp_path / "2026-11-20_fox_t1.mp4"
    target.touch()
    await source(clip).save(target, task_id="t1")
    assert target.read_bytes() == clip
    assert left(tmp_path) == [target.name]


@pytest.mark.anyio
@pytest.mark.parametrize("task_id", ["", "t2"])
async def test_an_empty_file_of_another_name_is_not_ours(
    tmp_path: Path, clip: bytes, task_id: str
) -> None:
    target = tmp_path / "2026-11-20_fox_t1.mp4"
    target.touch()
    with pytest.raises(DownloadError, match="already exists"):
        await source(clip).save(target, task_id=task_id)
    assert target.read_bytes() == b""


@pytest.mark.anyio
async def test_what_is_told_of_a_file_in_the_way_helps(tmp_path: Path, clip: bytes) -> None:
    target = tmp_path / "2026-11-20_fox_t1.mp4"
    target.write_bytes(clip[:-5])
    with pytest.raises(DownloadError, match="already exists") as refused:
        await source(clip).save(target, task_id="t1")
    assert refused.value.then[0] == Step(Do.ARRANGE, "move that file away")
    target.rename(tmp_path / "away.mp4")
    await source(clip).save(target, task_id="t1")
    assert target.read_bytes() == clip


# ---- full, forbidden, occupied


@pytest.mark.anyio
async def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path, clip: bytes) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DownloadError, match="taken") as refused:
        await source(clip).save(tmp_path / "taken" / "a.mp4")
    assert not refused.value.retry


@pytest.mark.parametrize(
    ("number", "words", "retry"),
    [
        (errno.ENOSPC, "disk of .* is full", True),
        (errno.EROFS, "read-only", False),
        (errno.EACCES, "is not writable", False),
        (errno.ENAMETOOLONG, "does not support a file name", False),
        (errno.EIO, "could not be written", True),
    ],
)
def test_each_trouble_of_the_disk_has_its_sentence(number: int, words: str, retry: bool) -> None:
    error = explain(OSError(number, "untranslated"), Path("videos"))
    with pytest.raises(DownloadError, match=words):
        raise error
    assert "videos" in str(error)
    assert "paid for" in error_text(error)
    assert error.retry is retry


@posix
@pytest.mark.anyio
async def test_what_has_arrived_is_kept_when_the_disk_takes_no_more(
    tmp_path: Path, clip: bytes
) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(DownloadError, match="does not support files of this size"):
            await source(clip).save(tmp_path / "a.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    kept = (tmp_path / "a.mp4.part").read_bytes()
    assert kept == clip[:100_000]
    assert left(tmp_path) == ["a.mp4.part"]


@pytest.mark.anyio
async def test_another_process_that_saves_the_clip_is_waited_for_politely(
    tmp_path: Path, clip: bytes
) -> None:
    target = tmp_path / "a.mp4"
    with holding(tmp_path / "a.mp4.part.lock") as other:
        assert other.stdout
        assert other.stdin
        other.stdout.readline()
        waiting = source(clip)
        with pytest.raises(DownloadError, match="Another process") as refused:
            await waiting.save(target)
        other.stdin.close()
    assert refused.value.retry
    assert sum(waiting.slept) == 60
    assert waiting.opened == 0
    await waiting.save(target)
    assert left(tmp_path) == ["a.mp4"]


# ---- copies


@pytest.mark.anyio
async def test_a_copy_is_whole_and_asked_for_again_is_the_same_copy(
    tmp_path: Path, clip: bytes
) -> None:
    original, target = tmp_path / "a.mp4", tmp_path / "deep" / "er" / "b.mp4"
    original.write_bytes(clip)
    copied = await copy_clip(original, target, overwrite=False)
    assert target.read_bytes() == clip
    assert copied == await copy_clip(original, target, overwrite=False)
    assert left(target.parent) == ["b.mp4"]
    target.write_bytes(b"mine")
    with pytest.raises(DownloadError, match="already exists"):
        await copy_clip(original, target, overwrite=False)
    await copy_clip(original, target, overwrite=True)
    assert target.read_bytes() == clip
    assert (await copy_clip(original, original, overwrite=True)).path == original
    assert original.read_bytes() == clip


@pytest.mark.anyio
async def test_a_copy_that_another_call_has_just_made_is_the_answer(
    tmp_path: Path, clip: bytes
) -> None:
    original, target = tmp_path / "a.mp4", tmp_path / "out" / "b.mp4"
    original.write_bytes(clip)
    target.parent.mkdir()
    async with AsyncExitStack() as other:
        await other.enter_async_context(locked(target, sleep=anyio.sleep))

        async def meanwhile(_: float) -> None:
            target.write_bytes(clip)
            await other.aclose()

        copied = await copy_clip(original, target, overwrite=False, sleep=meanwhile)
    assert (copied.path, copied.bytes) == (target, len(clip))
    assert left(target.parent) == ["b.mp4"]


@pytest.mark.anyio
async def test_a_copy_that_finds_its_place_taken_leaves_nothing_behind(
    tmp_path: Path, clip: bytes
) -> None:
    original, target = tmp_path / "a.mp4", tmp_path / "out" / "b.mp4"
    original.write_bytes(clip)
    target.parent.mkdir()
    async with AsyncExitStack() as other:
        await other.enter_async_context(locked(target, sleep=anyio.sleep))

        async def meanwhile(_: float) -> None:
            target.mkdir()
            await other.aclose()

        with pytest.raises(DownloadError, match="already exists"):
            await copy_clip(original, target, overwrite=False, sleep=meanwhile)
    assert left(target.parent) == ["b.mp4"]
    with pytest.raises(DownloadError, match="folder with that name"):
        await copy_clip(original, target, overwrite=True)
    assert left(target.parent) == ["b.mp4"]


@pytest.mark.anyio
async def test_a_copy_does_not_touch_a_part_that_is_somebody_else_s(
    tmp_path: Path, clip: bytes
) -> None:
    original, theirs = tmp_path / "a.mp4", tmp_path / "holiday.mp4.part"
    original.write_bytes(clip)
    theirs.write_bytes(b"half of a browser's download")
    await copy_clip(original, tmp_path / "holiday.mp4", overwrite=False)
    assert theirs.read_bytes() == b"half of a browser's download"
    assert left(tmp_path) == ["a.mp4", "holiday.mp4", "holiday.mp4.part"]


@pytest.mark.anyio
async def test_a_damaged_or_missing_clip_is_not_copied(tmp_path: Path, clip: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(clip[:-5])
    with pytest.raises(DownloadError, match="damaged"):
        await copy_clip(tmp_path / "a.mp4", tmp_path / "b.mp4", overwrite=False)
    with pytest.raises(DownloadError, match="no longer exists"):
        await copy_clip(tmp_path / "gone.mp4", tmp_path / "b.mp4", overwrite=False)
    assert left(tmp_path) == ["a.mp4"]


# ---- the outermost boxes


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (FILM[:-1], "truncated"),
        (FTYP + box(b"mdat", b"x" * 500), "index is missing"),
        (FILM + b"\0\0\0", "truncated|inconsistent"),
        (FTYP + b"\0\0\0\1mdat" + (2**63).to_bytes(8) + b"x" * 99, "truncated"),
        (FTYP + b"\0\0\0\1mdat" + (3).to_bytes(8) + b"x" * 99, "inconsistent"),
        (FTYP + b"\0\0\0\3mdat", "inconsistent"),
        (FTYP + box(b"free") * 20_000 + box(b"moov"), "inconsistent"),
        (box(b"moov") + FTYP, "does not start"),
        (b"", "truncated"),
    ],
)
def test_a_film_that_is_not_whole_is_told_by_its_boxes(data: bytes, words: str) -> None:
    import re

    assert re.search(words, mp4.flaw(BytesIO(data), length_known=True))


def test_a_whole_film_passes_and_an_open_end_only_with_a_known_length() -> None:
    open_end = FTYP + box(b"moov") + b"\0\0\0\0mdat" + b"x" * 99
    large = FTYP + box(b"moov") + b"\0\0\0\1mdat" + (16 + 99).to_bytes(8) + b"x" * 99
    assert mp4.flaw(BytesIO(FILM), length_known=False) == ""
    assert mp4.flaw(BytesIO(large), length_known=False) == ""
    assert mp4.flaw(BytesIO(open_end), length_known=True) == ""
    assert mp4.flaw(BytesIO(open_end), length_known=False)


def track(handler: bytes) -> bytes:
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + handler + bytes(13))))


@pytest.mark.parametrize(
    ("index", "flaw"),
    [
        (track(b"vide"), ""),
        (track(b"soun") + track(b"vide"), ""),
        (track(b"soun"), mp4.NO_PICTURE),
        (track(b"soun") + track(b"text"), mp4.NO_PICTURE),
        (b"", ""),  # what says nothing of tracks may be a compressed index
        (track(b"soun") + box(b"trak", b"junk"), ""),
        (track(b"soun")[:-30], ""),
    ],
)
def test_a_file_lacks_a_picture_only_if_all_its_tracks_are_something_else(
    index: bytes, flaw: str
) -> None:
    film = FTYP + box(b"moov", index) + box(b"mdat", b"x" * 500)
    assert mp4.flaw(BytesIO(film), length_known=True) == flaw


@given(st.binary(max_size=200), st.integers(0, 700))
def test_no_bytes_upset_the_box_walker(junk: bytes, at: int) -> None:
    mp4.flaw(BytesIO(FILM[:at] + junk + FILM[at:]), length_known=True)


# ---- names


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("prompt", "middle"),
    [
        ("A cat runs", "A-cat-runs"),
        (
            "一只猫在雪地里奔跑，[推进]然后停下来看着镜头慢慢地笑了",
            "一只猫在雪地里奔跑-推进-然后停下来看着镜头慢",
        ),
        ("[Push in] don't: look/back\\now", "Push-in-dont-look-ba"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "CON"),
        ("a\u202egpj.exe\0\n", "agpj-exe"),
        ("🐈 naïve", "🐈-naïve"),
        ("...", "clip"),
        ("", "clip"),
    ],
)
def test_a_name_is_readable_and_safe(prompt: str, middle: str) -> None:
    date = datetime.fromtimestamp(NOON, tz=UTC).astimezone().strftime("%Y-%m-%d")
    assert file_name(NOON, prompt, "k3x9") == f"{date}_{middle}_k3x9.mp4"


@given(st.text(), st.text())
def test_no_prompt_or_id_makes_a_name_that_any_system_refuses(prompt: str, task_id: str) -> None:
    name = file_name(NOON, prompt, task_id)
    assert len(name.encode()) <= 200
    assert name.isprintable()
    assert not set(name) & set('<>:"/\\|?*')
    assert all(name.removesuffix(".mp4").split("_", 2))


def test_the_date_is_the_person_s_own(tmp_path: Path) -> None:
    assert file_name(time.time(), "x", "t").startswith(
        datetime.now().astimezone().strftime("%Y-%m-%d")
    )


# ---- the note beside the clip


def test_the_note_is_written_whole_and_anew(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    write_beside(
        clip, SIDECAR, sidecar_text({"task_id": "t1", "prompt": "猫", "cost": Decimal("1.50")})
    )
    write_beside(
        clip, SIDECAR, sidecar_text({"task_id": "t1", "prompt": "狗", "cost": Decimal("1.50")})
    )
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {
        "task_id": "t1",
        "prompt": "狗",
        "cost": "1.50",
    }
    assert "狗" in (tmp_path / "a.json").read_text("utf-8")
    assert left(tmp_path) == ["a.json"]


def test_a_note_never_replaces_somebody_s_json(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "mine"}')
    write_beside(tmp_path / "package.mp4", SIDECAR, sidecar_text({"task_id": "t1"}))
    assert json.loads((tmp_path / "package.json").read_text()) == {"name": "mine"}
    assert json.loads((tmp_path / "package.mp4.json").read_text()) == {"task_id": "t1"}


def test_where_both_names_are_somebody_s_nothing_is_written(tmp_path: Path) -> None:
    for name in ("package.json", "package.mp4.json"):
        (tmp_path / name).write_text('{"name": "mine"}')
    with pytest.raises(FileExistsError):
        write_beside(tmp_path / "package.mp4", SIDECAR, sidecar_text({"task_id": "t1"}))
    assert {path.read_text() for path in tmp_path.iterdir()} == {'{"name": "mine"}'}


def test_a_film_s_note_and_poster_replace_only_their_like(tmp_path: Path) -> None:
    film, ours = tmp_path / "a.mp4", b"\xff\xd8\xff\xfe\0\x0c" + POSTER_MARK
    for _ in range(2):
        write_beside(film, SIDECAR, sidecar_text({"film_id": "f1"}))
        write_beside(film, POSTER, ours)
    assert left(tmp_path) == ["a.jpg", "a.json"]
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 a photograph")
    write_beside(film, POSTER, ours)
    assert (tmp_path / "a.jpg").read_bytes() == b"\xff\xd8 a photograph"
    assert (tmp_path / "a.mp4.jpg").read_bytes() == ours


@posix
def test_a_note_is_not_written_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    (tmp_path / "a.json.part").symlink_to(precious)
    write_beside(tmp_path / "a.mp4", SIDECAR, sidecar_text({"task_id": "t1"}))
    assert precious.read_text() == "precious"


def test_a_whole_clip_that_no_player_opens_is_kept_and_its_name_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("av")
    path = tmp_path / "2026-11-21_a-private-prompt_v1.mp4"
    path.write_bytes(FILM)
    assert inspect(path, length_known=True) == ("", None)
    assert f"a clip of {len(FILM)} bytes is complete, but" in caplog.text
    assert "private" not in caplog.text
