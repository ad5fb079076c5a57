"""What a clip says of itself, and what only pretends to be one."""

from pathlib import Path

import pytest

from hailuo_mcp.media.clip_facts import ClipFacts, UnreadableClipError, probe

av = pytest.importorskip("av")


def made(path: Path, *, codec: str = "mpeg4", seconds: int = 2) -> Path:
    from PIL import Image

    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=4)
        stream.width, stream.height = 96, 64
        for shade in range(4 * seconds):
            picture = Image.new("RGB", (96, 64), (shade * 9,) * 3)
            out.mux(stream.encode(av.VideoFrame.from_image(picture)))
        out.mux(stream.encode())
    return path


def test_a_clip_tells_its_size_and_length(tmp_path: Path) -> None:
    assert probe(made(tmp_path / "a.mp4")) == ClipFacts(width=96, height=64, seconds=2.0)


@pytest.mark.parametrize(
    "data", [b"", b"plain text", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0" * 99]
)
def test_what_is_no_clip_does_not_open(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(UnreadableClipError):
        probe(tmp_path / "a.mp4")


def test_a_film_of_another_kind_is_no_mp4(tmp_path: Path) -> None:
    made(tmp_path / "a.mkv").rename(tmp_path / "a.mp4")
    with pytest.raises(UnreadableClipError):
        probe(tmp_path / "a.mp4")


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=44100)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 44100
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with pytest.raises(UnreadableClipError, match="no picture track"):
        probe(path)


def test_a_name_that_ffmpeg_would_read_as_an_address_is_only_a_name(tmp_path: Path) -> None:
    path = made(tmp_path / "a.mp4")
    odd = tmp_path / "concat:a.mp4|b.mp4"
    odd.write_bytes(path.read_bytes())
    facts = probe(odd)
    assert facts
    assert facts.width == 96


def test_a_playlist_named_mp4_reaches_no_other_file(tmp_path: Path) -> None:
    made(tmp_path / "secret.mp4")
    (tmp_path / "a.mp4").write_text(
        f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'secret.mp4'}\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(UnreadableClipError):
        probe(tmp_path / "a.mp4")
