"""References: how many, how long, how large, in which formats; each message has the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import TypeVar

from hailuo_mcp.catalog.video_models import References, limits
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.domain.requests import (
    IMAGE_FIELDS,
    REFERENCE_FIELDS,
    ClipFacts,
    ImageFacts,
    SoundFacts,
    VideoRequest,
)
from hailuo_mcp.rules.images import picture_name, size_problems

_Facts = TypeVar("_Facts", ClipFacts, SoundFacts)
_MEGA = 1_000_000
_REST = 100_000
"""Bytes of a request beside its pictures, clips and sounds: more than the longest prompt takes."""
_BY_ADDRESS = ("https://", "http://", "mm_file://")
_NAMES = {
    "reference_images": ("reference picture", "reference pictures"),
    "reference_videos": ("reference clip", "reference clips"),
    "reference_audios": ("reference sound", "reference sounds"),
}


def _rules() -> References:
    """Those of the one API that takes any."""
    rules = limits(Api.V2).references
    if rules is None:
        raise RuntimeError("models.toml: [limits.v2.references] is missing")
    return rules


def reference_items(request: VideoRequest, kind: str) -> dict[str, str]:
    """One of REFERENCE_FIELDS as its items by name, such as reference_videos[0]."""
    return {f"{kind}[{at}]": text for at, text in enumerate(getattr(request, kind))}


def video_seconds(
    request: VideoRequest, clips: Mapping[str, ClipFacts | None] | None
) -> int | None:
    """The seconds of the reference clips that are charged, each rounded up; None if unknown."""
    total = 0
    for name in reference_items(request, "reference_videos"):
        if (facts := (clips or {}).get(name)) is None:
            return None
        total += ceil(round(facts.seconds, 3))
    return total


def count_problems(request: VideoRequest) -> list[str]:
    """Say what is wrong with the number of references, and with sounds alone."""
    rules, problems = _rules(), list[str]()
    for kind, most in _most(rules).items():
        if (count := len(getattr(request, kind))) > most:
            problems.append(f"{_counted(kind, count)} are too many; at most {most} can be given")
    together = sum(len(getattr(request, kind)) for kind in REFERENCE_FIELDS)
    if together > rules.together:
        problems.append(
            f"{together} references are too many; at most {rules.together} of all kinds can be "
            "given together"
        )
    if sounds_alone(request):
        problems.append("reference sounds need a reference picture or clip beside them")
    return problems


def sounds_alone(request: VideoRequest) -> bool:
    return bool(request.reference_audios) and not (
        request.reference_images or request.reference_videos
    )


def within_counts(request: VideoRequest) -> dict[str, tuple[str, ...]]:
    """The references without those that are too many: the last of each kind."""
    rules, kept = _rules(), dict[str, tuple[str, ...]]()
    for kind, most in _most(rules).items():
        left = rules.together - sum(map(len, kept.values()))
        kept[kind] = getattr(request, kind)[: min(most, left)]
    return kept


def kept_words(request: VideoRequest, kept: VideoRequest) -> list[str]:
    """What is said of references of which some are left out."""
    return [
        f"the first {_counted(kind, count)}"
        for kind in REFERENCE_FIELDS
        if 0 < (count := len(getattr(kept, kind))) < len(getattr(request, kind))
    ]


def reference_problems(
    request: VideoRequest,
    *,
    clips: Mapping[str, ClipFacts | None],
    sounds: Mapping[str, SoundFacts | None],
) -> list[str]:
    """Say what is wrong with the clips and sounds themselves; None: nothing is known of it."""
    rules, rest, problems = _rules(), limits(Api.V2), list[str]()
    known_clips = _known(request, "reference_videos", clips)
    known_sounds = _known(request, "reference_audios", sounds)
    for name, clip in known_clips.items():
        problems += clip_problems(picture_name(name), clip, rules)
        problems += size_problems(picture_name(name), clip, rest)
    for name, sound in known_sounds.items():
        problems += sound_problems(picture_name(name), sound, rules)
    lengths = (
        ("reference_videos", [it.seconds for it in known_clips.values()], rules.all_videos),
        ("reference_audios", [it.seconds for it in known_sounds.values()], rules.all_audios),
    )
    for kind, seconds, most in lengths:
        if len(seconds) > 1 and round(sum(seconds), 2) > most:
            problems.append(
                f"the {_NAMES[kind][1]} are {_seconds(sum(seconds))} long together; at most "
                f"{most} s are allowed"
            )
    return problems


def clip_problems(name: str, facts: ClipFacts, rules: References) -> list[str]:
    """Say what is wrong with one reference clip, whatever its size in pixels."""
    problems = list[str]()
    if facts.mime not in rules.video_mimes:
        problems.append(f"{name} is {facts.mime}; it must be MP4 or MOV")
    if facts.codec not in rules.video_codecs:
        problems.append(f"the pictures of {name} are {facts.codec}; they must be H.264 or H.265")
    if facts.sound and facts.sound not in rules.video_sounds:
        problems.append(f"the sound of {name} is {facts.sound}; it must be AAC or MP3")
    low, high = rules.video_fps
    if not low <= round(facts.fps, 1) <= high:  # 23.976 is what most call 24
        problems.append(
            f"{name} has {round(facts.fps, 2):g} frames a second; it must have {low} to {high}"
        )
    return [
        *problems,
        *_weight(name, facts.size, rules.video_bytes),
        *_length(name, facts.seconds, rules),
    ]


def sound_problems(name: str, facts: SoundFacts, rules: References) -> list[str]:
    """Say what is wrong with one reference sound."""
    wrong = f"{name} is {facts.mime}; it must be WAV or MP3"
    return [
        *([wrong] if facts.mime not in rules.audio_mimes else []),
        *_weight(name, facts.size, rules.audio_bytes),
        *_length(name, facts.seconds, rules),
    ]


def body_problems(
    request: VideoRequest,
    *,
    pictures: Mapping[str, ImageFacts],
    clips: Mapping[str, ClipFacts | None],
    sounds: Mapping[str, SoundFacts | None],
) -> list[str]:
    """Say whether the request would be too large as a whole: what goes by its address is small."""
    given = {name: getattr(request, name) for name in IMAGE_FIELDS}
    for kind in REFERENCE_FIELDS:
        given |= reference_items(request, kind)
    facts = {**pictures, **clips, **sounds}
    sizes = (
        known.size
        for name, source in given.items()
        if (known := facts.get(name)) and not source.strip().lower().startswith(_BY_ADDRESS)
    )
    size, most = body_bytes(sizes), _rules().body_bytes
    if size <= most:
        return []
    what = f"the request would have {size / _MEGA:.2f} MB with what it is made from"
    why = "a file counts a third more than its size, what is given by its address nothing"
    return [f"{what}; at most {most // _MEGA} MB can be sent ({why})"]


def body_bytes(sizes: Iterable[int]) -> int:
    """How large a request is that carries files of these sizes as base64."""
    return _REST + sum(4 * ceil(size / 3) for size in sizes)


def _known(
    request: VideoRequest, kind: str, facts: Mapping[str, _Facts | None]
) -> dict[str, _Facts]:
    names = reference_items(request, kind)
    return {name: it for name in names if (it := facts.get(name)) is not None}


def _most(rules: References) -> dict[str, int]:
    return dict(zip(REFERENCE_FIELDS, (rules.images, rules.videos, rules.audios), strict=True))


def _counted(kind: str, count: int) -> str:
    return f"{count} {_NAMES[kind][count != 1]}"


def _weight(name: str, size: int, most: int) -> list[str]:
    if size <= most:
        return []
    return [f"{name} has {size / _MEGA:.2f} MB; it must have at most {most // _MEGA} MB"]


def _length(name: str, seconds: float, rules: References) -> list[str]:
    if rules.shortest <= round(seconds, 2) <= rules.longest:
        return []
    return [f"{name} is {_seconds(seconds)} long; it must be {rules.shortest} to {rules.longest} s"]


def _seconds(seconds: float) -> str:
    return f"{round(seconds, 2):g} s"
