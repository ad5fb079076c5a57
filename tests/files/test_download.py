"""Saving a clip from a real server on loopback that cuts, lies, forgets and repeats itself."""

import hashlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.errors import DownloadError, LinkExpiredError
from hailuo_mcp.files.clip_file import SavedFile
from hailuo_mcp.files.download import CorruptClipError, save
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.link_download import RefusedDownloadError
from hailuo_mcp.transport.provider_api import Transport

pytestmark = pytest.mark.anyio


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4) + kind + body


def rendered(folder: Path) -> bytes:
    """A real clip of 64 by 48 and one second, where PyAV is installed."""
    try:
        import av
        from PIL import Image
    except ImportError:
        return box(b"ftyp", b"isom\0\0\2\0") + box(b"mdat", b"x" * 999) + box(b"moov")
    path = folder / "made.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=8)
        stream.width, stream.height = 64, 48
        for shade in range(8):
            picture = Image.new("RGB", (64, 48), (shade * 30,) * 3)
            out.mux(stream.encode(av.VideoFrame.from_image(picture)))
        out.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return rendered(tmp_path_factory.mktemp("clip")) + box(b"free", os.urandom(3_000_000))


@dataclass
class Answer:
    data: bytes
    status: int = 200
    etag: str = '"one"'
    ranges: bool = True
    cut_after: int | None = None
    chunked: bool = False
    announce: int | None = None
    meanwhile: Callable[[int], Awaitable[None]] | None = None
    """Awaited with the bytes that were sent so far."""


@dataclass
class Server:
    """Gives its answers in turn; the last one for ever."""

    answers: list[Answer]
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    async def serve(self, peer: SocketStream) -> None:
        async with peer:
            head = b""
            while b"\r\n\r\n" not in head:
                head += await peer.receive()
            lines = head.decode().split("\r\n")[1:]
            asked = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}
            answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
            self.asked.append(asked)
            try:
                await self._answer(peer, answer, asked)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def _answer(self, peer: SocketStream, answer: Answer, asked: dict[str, str]) -> None:
        status, body, extra = answer.status, answer.data, ""
        start = int(re.sub(r"\D", "", asked.get("range", "0")))
        if start and answer.ranges and asked.get("if-range", answer.etag) == answer.etag:
            status, body = 206, body[start:]
            extra = f"Content-Range: bytes {start}-{len(answer.data) - 1}/{len(answer.data)}\r\n"
            if not body:
                status = 416
        if answer.etag:
            extra += f"ETag: {answer.etag}\r\n"
        size = answer.announce if answer.announce is not None else len(body)
        extra += (
            "Transfer-Encoding: chunked\r\n" if answer.chunked else f"Content-Length: {size}\r\n"
        )
        await peer.send(f"HTTP/1.1 {status} X\r\n{extra}\r\n".encode())
        body = body[: answer.cut_after]
        if answer.chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        for i in range(0, len(body), 50_000):
            await peer.send(body[i : i + 50_000])
            if answer.meanwhile:
                await answer.meanwhile(i + 50_000)


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[Server]:
    server = Server(list(answers))
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        server.url = f"http://127.0.0.1:{port}/clip"
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, server.serve)
            yield server
            group.cancel_scope.cancel()


@dataclass
class Case:
    """One download with everything about it that a test wants to know."""

    server: Server
    target: Path
    fresh: list[bool] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    expires_at: float | None = None
    remembered: str = ""
    """The link that was known before, if it is another one."""
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """What happens while it believes that it sleeps."""

    async def save(self, **more: object) -> SavedFile:
        async def link(fresh: bool) -> Link:
            self.fresh.append(fresh)
            url = self.server.url if fresh else self.remembered or self.server.url
            return Link(url=url, expires_at=None if fresh else self.expires_at)

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            if self.meanwhile:
                await self.meanwhile()

        hosts = HostPolicy(private=frozenset({"127.0.0.1"}))
        transport = Transport(base_url="https://api.example", key=lambda: "key", hosts=hosts)
        try:
            return await save(
                link,
                transport.links.open,
                self.target,
                sleep=sleep,
                **more,  # type: ignore[arg-type]
            )
        finally:
            await transport.aclose()

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    def left(self) -> list[str]:
        return sorted(p.name for p in self.target.parent.iterdir())


async def test_a_clip_arrives_whole_with_its_facts_and_leaves_nothing_else(
    tmp_path: Path, clip: bytes
) -> None:
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "new" / "a.mp4")
        saved = await case.save()
    assert case.target.read_bytes() == clip
    assert (saved.path, saved.bytes, saved.sha256) == (
        case.target,
        len(clip),
        hashlib.sha256(clip).hexdigest(),
    )
    assert saved.width in {64, None}
    assert saved.seconds in {1.0, None}
    assert case.left() == ["a.mp4"]
    assert "authorization" not in server.asked[0]


async def test_a_cut_download_goes_on_where_it_stopped(tmp_path: Path, clip: bytes) -> None:
    async with serving(Answer(clip, cut_after=2_000_000), Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        saved = await case.save()
    assert server.asked[1]["range"] == f"bytes={2_000_000 - 4096}-"
    assert server.asked[1]["if-range"] == '"one"'
    assert (
        saved.sha256
        == hashlib.sha256(clip).hexdigest()
        == hashlib.sha256(case.target.read_bytes()).hexdigest()
    )
    assert len(case.slept) == 1


async def test_a_connection_cut_at_every_turn_still_ends_in_a_whole_file(
    tmp_path: Path, clip: bytes
) -> None:
    async with serving(Answer(clip, cut_after=100_000)) as server:
        case = Case(server, tmp_path / "a.mp4")
        await case.save()
    assert case.target.read_bytes() == clip
    assert len(server.asked) > 30


@pytest.mark.parametrize(
    "ranges", [Answer(b"", ranges=False), Answer(b"", etag='"two"')], ids=["ignored", "other etag"]
)
async def test_a_server_that_sends_all_again_is_believed(
    tmp_path: Path, clip: bytes, ranges: Answer
) -> None:
    second = Answer(clip, ranges=ranges.ranges, etag=ranges.etag)
    async with serving(Answer(clip, cut_after=2_000_000), second) as server:
        case = Case(server, tmp_path / "a.mp4")
        saved = await case.save()
    assert case.target.read_bytes() == clip
    assert saved.sha256 == hashlib.sha256(clip).hexdigest()


async def test_what_another_process_left_is_taken_up(tmp_path: Path, clip: bytes) -> None:
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        case.part.write_bytes(clip[:2_500_000])
        saved = await case.save()
    assert server.asked[0]["range"] == f"bytes={2_500_000 - 4096}-"
    assert saved.sha256 == hashlib.sha256(clip).hexdigest()
    assert case.left() == ["a.mp4"]


async def test_a_complete_part_needs_only_its_last_bytes(tmp_path: Path, clip: bytes) -> None:
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        case.part.write_bytes(clip)
        await case.save()
    assert case.target.read_bytes() == clip
    assert len(server.asked) == 1


async def test_a_part_of_another_file_is_thrown_away(tmp_path: Path, clip: bytes) -> None:
    other = clip[:1000] + bytes(2_000_000)
    async with serving(Answer(clip, etag="")) as server:
        case = Case(server, tmp_path / "a.mp4")
        case.part.write_bytes(other)
        saved = await case.save()
    assert case.target.read_bytes() == clip
    assert saved.sha256 == hashlib.sha256(clip).hexdigest()


async def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path, clip: bytes) -> None:
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        case.part.write_bytes(clip + bytes(100_000))
        await case.save()
    assert case.target.read_bytes() == clip


async def test_an_answer_without_length_that_ends_early_is_not_taken_for_whole(
    tmp_path: Path, clip: bytes
) -> None:
    async with serving(Answer(clip, chunked=True, cut_after=900_000), Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        await case.save()
    assert case.target.read_bytes() == clip

    async with serving(Answer(clip, chunked=True, ranges=False, cut_after=900_000)) as server:
        case = Case(server, tmp_path / "b.mp4")
        with pytest.raises(DownloadError, match="truncated"):
            await case.save()
    assert "b.mp4" not in case.left()


async def test_an_answer_without_length_is_taken_when_the_film_is_whole(
    tmp_path: Path, clip: bytes
) -> None:
    async with serving(Answer(clip, chunked=True)) as server:
        case = Case(server, tmp_path / "a.mp4")
        await case.save()
    assert case.target.read_bytes() == clip


async def test_a_file_that_is_short_at_its_source_is_refused_and_removed(
    tmp_path: Path, clip: bytes
) -> None:
    async with serving(Answer(clip[:-1000])) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(DownloadError, match="not a complete MP4: it is truncated") as refused:
            await case.save()
    assert refused.value.charged == "yes"
    assert case.left() == []
    assert case.fresh == [False, True]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_file_that_is_damaged_at_its_source_is_told_apart_from_a_bad_line(
    tmp_path: Path, clip: bytes, chunked: bool
) -> None:
    damaged = Answer(clip[:-1000], chunked=chunked)
    async with serving(*[damaged] * 10) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(CorruptClipError, match="is not a complete MP4: it is truncated"):
            await case.save()
    assert case.left() == []  # the next try begins anew
    async with serving(*[Answer(clip, cut_after=1000)] * 10) as server:
        case = Case(server, tmp_path / "b.mp4")
        with pytest.raises(DownloadError) as cut:
            await case.save()
    assert not isinstance(cut.value, CorruptClipError)
    assert case.left() == ["b.mp4.part"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_file_without_a_picture_track_is_not_saved_as_a_clip(
    tmp_path: Path, chunked: bool
) -> None:
    handler = box(b"hdlr", bytes(8) + b"soun" + bytes(13))
    index = box(b"moov", box(b"trak", box(b"mdia", handler)))
    sound = box(b"ftyp", b"isom\0\0\2\0") + index + box(b"mdat", b"la" * 999)
    async with serving(*[Answer(sound, chunked=chunked)] * 10) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(CorruptClipError, match="it has no picture track") as refused:
            await case.save()
    assert refused.value.charged == "yes"
    assert case.left() == []


async def test_a_whole_film_that_cannot_be_read_is_paid_for_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("av")
    film = box(b"ftyp", b"isom\0\0\2\0") + box(b"mdat", b"text" * 999) + box(b"moov", b"junk" * 9)
    async with serving(Answer(film)) as server:
        case = Case(server, tmp_path / "a.mp4")
        saved = await case.save()
    assert case.target.read_bytes() == film
    assert (saved.width, saved.height, saved.seconds) == (None, None, None)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"<!DOCTYPE html><html>Please log in</html>", "a web page"),
        (b'{"base_resp": {"status_code": 1000}}', "a JSON message"),
        (b"", "an empty file"),
        (b"plain words and nothing else", "something that is not an MP4"),
    ],
)
async def test_a_document_in_the_place_of_the_video_is_never_saved(
    tmp_path: Path, document: bytes, words: str
) -> None:
    async with serving(Answer(document)) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(DownloadError, match=words):
            await case.save()
    assert case.left() == []
    assert True in case.fresh


async def test_a_document_that_speaks_of_expiry_asks_for_a_fresh_link(
    tmp_path: Path, clip: bytes
) -> None:
    expired = Answer(
        b"<Error><Code>AccessDenied</Code><Message>Request has expired.</Message></Error>"
    )
    async with serving(expired, Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        await case.save()
    assert case.fresh == [False, True]
    async with serving(expired) as server:
        case = Case(server, tmp_path / "b.mp4")
        with pytest.raises(LinkExpiredError):
            await case.save()
    assert case.left() == ["a.mp4"]


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_dead_link_is_asked_for_again_and_twice_at_most(
    tmp_path: Path, clip: bytes, status: int
) -> None:
    async with serving(Answer(b"no", status=status), Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        await case.save()
    assert case.fresh == [False, True]
    async with serving(Answer(b"no", status=status)) as server:
        case = Case(server, tmp_path / "b.mp4")
        with pytest.raises(LinkExpiredError, match="has deleted the clip"):
            await case.save()
    assert case.fresh == [False, True, True]


async def test_a_link_known_to_have_expired_is_not_even_tried(tmp_path: Path, clip: bytes) -> None:
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4", expires_at=1.0)
        await case.save()
    assert case.fresh == [False, True]
    assert len(server.asked) == 1


async def test_a_remembered_link_that_is_refused_is_asked_for_again_once(
    tmp_path: Path, clip: bytes
) -> None:
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4", remembered="http://127.0.0.2:9/clip")
        await case.save()
        assert case.fresh == [False, True]
        server.url = case.remembered
        case = Case(server, tmp_path / "b.mp4")
        with pytest.raises(RefusedDownloadError):
            await case.save()
        assert case.fresh == [False, True]


async def test_a_file_of_absurd_size_is_refused_before_it_is_read(
    tmp_path: Path, clip: bytes
) -> None:
    async with serving(Answer(clip, announce=10**12)) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(DownloadError, match="larger than") as refused:
            await case.save(limit=1_000_000)
    assert not refused.value.retry
    assert case.left() == []


async def test_an_endless_answer_ends_at_the_limit(tmp_path: Path, clip: bytes) -> None:
    sizes: list[int] = []
    part = tmp_path / "a.mp4.part"

    async def look(_sent: int) -> None:
        sizes.append(part.stat().st_size if part.exists() else 0)

    async with serving(Answer(clip, chunked=True, meanwhile=look)) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(DownloadError, match="larger than"):
            await case.save(limit=2_000_000)
    assert case.left() == []
    assert max(sizes) <= 2_000_000


async def test_a_server_that_is_down_is_tried_a_few_times_with_growing_pauses(
    tmp_path: Path,
) -> None:
    async with serving(Answer(b"", status=503)) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(DownloadError, match="after several tries") as failed:
            await case.save()
    assert failed.value.retry
    assert len(server.asked) == 6
    assert case.slept[0] <= 0.5 < case.slept[-1]


async def test_an_existing_file_stays_unless_overwriting_was_asked_for(
    tmp_path: Path, clip: bytes
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"mine")
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "a.mp4")
        with pytest.raises(DownloadError, match="already exists") as refused:
            await case.save()
        assert not refused.value.retry
        assert server.asked == []
        assert case.target.read_bytes() == b"mine"
        await case.save(overwrite=True)
    assert case.target.read_bytes() == clip


async def test_a_file_that_appears_meanwhile_is_not_clobbered(tmp_path: Path, clip: bytes) -> None:
    target = tmp_path / "a.mp4"

    async def appear(_sent: int) -> None:
        target.write_bytes(b"mine")

    async with serving(Answer(clip, meanwhile=appear)) as server:
        case = Case(server, target)
        with pytest.raises(DownloadError, match="already exists"):
            await case.save()
    assert case.target.read_bytes() == b"mine"
    assert case.part.read_bytes() == clip


async def test_the_same_task_saved_before_is_the_answer(tmp_path: Path, clip: bytes) -> None:
    (tmp_path / "x_t1.mp4").write_bytes(clip)
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "x_t1.mp4")
        saved = await case.save(task_id="t1")
        assert (server.asked, saved.bytes) == ([], len(clip))
        case.target.write_bytes(clip[:-1])
        with pytest.raises(DownloadError, match="already exists"):
            await case.save(task_id="t1")


async def test_two_at_once_fetch_the_clip_once(tmp_path: Path, clip: bytes) -> None:
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "x_t1.mp4")
        found: list[SavedFile] = []
        first = anyio.Event()
        case.meanwhile = first.wait

        async def one() -> None:
            found.append(await case.save(task_id="t1"))
            first.set()

        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(one)
                group.start_soon(one)
    assert len(server.asked) == 1
    assert found[0] == found[1]
    assert case.left() == ["x_t1.mp4"]


async def test_a_cancelled_download_keeps_what_has_arrived(tmp_path: Path, clip: bytes) -> None:
    scope = anyio.CancelScope()
    case = Case(Server([]), tmp_path / "a.mp4")

    async def leave(sent: int) -> None:
        if sent > 2_500_000 and not scope.cancel_called:
            while case.part.stat().st_size < 1_500_000:
                await anyio.lowlevel.checkpoint()
            scope.cancel()

    async with serving(Answer(clip, meanwhile=leave)) as server:
        case.server = server
        with scope:
            await case.save()
        kept = case.part.read_bytes()
        assert len(kept) > 1_500_000
        assert clip.startswith(kept)
        assert case.left() == ["a.mp4.part"]
        await case.save()
    assert case.target.read_bytes() == clip
    assert "range" in server.asked[1]


async def test_memory_does_not_grow_with_the_file(tmp_path: Path, clip: bytes) -> None:
    import tracemalloc

    large = clip + box(b"free", bytes(40_000_000))
    async with serving(Answer(large)) as server:
        case = Case(server, tmp_path / "a.mp4")
        await Case(server, tmp_path / "first.mp4").save()
        tracemalloc.start()
        await case.save()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 12_000_000


async def test_a_part_that_is_the_finished_clips_second_name_is_cleared_away(
    tmp_path: Path, clip: bytes
) -> None:
    """A process killed between linking the clip into place and removing the .part leaves both."""
    async with serving(Answer(clip)) as server:
        case = Case(server, tmp_path / "x_t1.mp4")
        case.target.write_bytes(clip)
        case.part.hardlink_to(case.target)

        await case.save(task_id="t1")
    assert server.asked == []
    assert case.left() == ["x_t1.mp4"]
