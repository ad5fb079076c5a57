"""Facts of reference clips and sounds: by their bytes, and whatever is done to those."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

pytest.importorskip("av")

from hailuo_mcp.domain.requests import ClipFacts
from hailuo_mcp.media import reference_facts
from hailuo_mcp.media.opening import UnreadableClipError
from hailuo_mcp.media.reference_facts import clip_facts, sound_facts

from .mutated_clips import mutated
from .references import encoded, mp3, mp4, wav


def told(facts: ClipFacts) -> tuple[object, ...]:
    return facts.mime, facts.codec, facts.sound, facts.fps, facts.width, facts.height


MP4, MOV = "video/mp4", "video/quicktime"
Row = tuple[Callable[[], bytes], str]
CLIPS: list[tuple[Callable[[], bytes], tuple[object, ...]]] = [
    (mp4, (MP4, "h264", "", 24, 96, 64)),
    (lambda: mp4(sound_seconds=2), (MP4, "h264", "aac", 24, 96, 64)),
    (lambda: encoded("mp4", "libx265"), (MP4, "hevc", "", 24, 96, 64)),
    (lambda: encoded("mp4", "libx264", turn=90, fps=30), (MP4, "h264", "", 30, 64, 96)),
    (lambda: encoded("mov", "libx264", sound="libmp3lame"), (MOV, "h264", "mp3", 24, 96, 64)),
    (lambda: encoded("mov", "libx264", sound="pcm_s16le"), (MOV, "h264", "pcm_s16le", 24, 96, 64)),
    (lambda: encoded("mp4", "mpeg4"), (MP4, "mpeg4", "", 24, 96, 64)),
    (lambda: encoded("3gp", "libx264"), ("video/3gpp", "h264", "", 24, 96, 64)),
]


@pytest.mark.parametrize(("make", "facts"), CLIPS)
def test_a_clip_is_known_by_its_bytes(make: Callable[[], bytes], facts: tuple[object, ...]) -> None:
    data = make()
    found = clip_facts(data)
    assert told(found) == facts
    assert found.size == len(data)
    assert found.seconds == pytest.approx(2, abs=0.01)


def test_a_clip_is_as_long_as_its_frames_whatever_its_headers_say() -> None:
    data = bytearray(mp4())
    for box, at in ((b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 20)):
        place = data.find(box) + 4 + at
        data[place : place + 4] = (1).to_bytes(4)
    assert clip_facts(bytes(data)).seconds == pytest.approx(2, abs=0.01)


def test_sound_that_goes_on_makes_a_clip_longer_but_its_last_frame_does_not() -> None:
    assert clip_facts(mp4(sound_seconds=2)).seconds == 2.0
    assert clip_facts(mp4(sound_seconds=3)).seconds == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize(
    ("make", "mime", "seconds"),
    [
        (wav, "audio/wav", 2.0),
        (lambda: wav(3.25), "audio/wav", 3.25),
        (lambda: wav(stated=0xFFFFFFFF), "audio/wav", 2.0),  # as programs write it into a pipe
        (lambda: wav(stated=100_000), "audio/wav", 2.0),
        (mp3, "audio/mp3", 2.04),  # in whole frames
        (lambda: mp3(3.5), "audio/mp3", 3.552),
    ],
)
def test_a_sound_is_measured(make: Callable[[], bytes], mime: str, seconds: float) -> None:
    data = make()
    found = sound_facts(data)
    assert (found.mime, found.size) == (mime, len(data))
    assert found.seconds == pytest.approx(seconds, abs=0.01)


NO_CLIPS: list[Row] = [
    (bytes, "it is empty"),
    (lambda: b"a film about a cat", "it does not start like an MP4"),
    (lambda: encoded("webm", "libvpx"), "it does not start like an MP4"),
    (wav, "it does not start like an MP4"),
    (lambda: mp4()[:-500], "it is cut off"),
    (lambda: mp3(form="mp4", codec="aac"), "it has no picture track"),
]
NO_SOUNDS: list[Row] = [
    (bytes, "it is empty"),
    (mp4, "it is neither WAV nor MP3"),
    (lambda: mp3(form="adts", codec="aac"), "it is neither WAV nor MP3"),
    (lambda: mp3(form="mp2", codec="mp2"), "it is neither WAV nor MP3"),
    (lambda: wav()[:44], "it has no length"),
    (lambda: wav()[:30], "it cannot be opened as a sound"),
    (lambda: b"ID3" + bytes(40), "it cannot be opened as a sound"),
]


@pytest.mark.parametrize(
    ("look", "make", "why"),
    [(clip_facts, *row) for row in NO_CLIPS] + [(sound_facts, *row) for row in NO_SOUNDS],
)
def test_what_is_none_is_refused(
    look: Callable[[bytes], object], make: Callable[[], bytes], why: str
) -> None:
    data = make()
    with pytest.raises(UnreadableClipError) as refused:
        look(data)
    assert str(refused.value) == why


def test_a_file_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_facts, "READ_SECONDS", -1.0)
    for look, data in ((clip_facts, mp4()), (sound_facts, wav())):
        with pytest.raises(UnreadableClipError, match="takes too long"):
            look(data)


def test_damaged_files_are_read_or_refused() -> None:
    chance, read = random.Random(15), 0
    clips, sounds = [mp4(sound_seconds=2), encoded("mov", "libx264")], [wav(), mp3()]
    for look, originals in ((clip_facts, clips), (sound_facts, sounds)):
        for _ in range(60):
            try:
                look(mutated(originals, chance))
            except UnreadableClipError:
                continue
            read += 1
    assert 0 < read < 120
