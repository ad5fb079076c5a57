"""The line of facts about each clip of a preview, the same for every reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hailuo_mcp.dialects.providers import provider_notice
from hailuo_mcp.media.examine import ALIKE
from hailuo_mcp.wording import agent
from hailuo_mcp.wording.phrases import join

if TYPE_CHECKING:
    from hailuo_mcp.media.examine import Findings
    from hailuo_mcp.media.watching import Stretch
    from hailuo_mcp.views import Preview, PreviewedClip

LETTERS = "ABCDEFGHIJKLMNOP"
"""The rows of a comparison."""


def preview_text(preview: Preview) -> str:
    """For an agent: with what every message opens with, and a line for each clip."""
    provider = preview.clips[0].provider if _all_alike(preview) else ""
    start = agent.opening(provider, preview.losses, of_tenant=preview.of_tenant)
    first, *more = lines(preview)
    return "\n".join([join(start, first), *more])


def notice(preview: Preview) -> str:
    """The sandbox's, where all of it comes from there."""
    return provider_notice(preview.clips[0].provider) if _all_alike(preview) else ""


def lines(preview: Preview) -> list[str]:
    """A line for each clip, then the remarks."""
    mixed, several = not _all_alike(preview), len(preview.clips) > 1
    told = list[str]()
    for letter, clip in zip(LETTERS, preview.clips, strict=False):
        play = " (sandbox)" if mixed and provider_notice(clip.provider) else ""
        told.append(f"{f'{letter} ' if several else ''}{clip_line(clip, play)}")
    if remarks := join(*_remarks(preview)):
        told[-1:] = [f"{told[-1]} {remarks}"] if not several else [told[-1], remarks]
    return told


def clip_line(clip: PreviewedClip, note: str = "") -> str:
    """Size, length, frame rate and sound, what looks wrong, and how like its pictures it is."""
    found = clip.findings
    facts = ", ".join(
        (f"{found.width}×{found.height}", f"{found.seconds:.1f} s", _rate(found), _sound(found))
    )
    wrong, alike = list(flaws(clip)), list(_likenesses(clip))
    if wrong:
        return f"{clip.id}{note} {facts}: {'; '.join([*wrong, *alike])}."
    return f"{clip.id}{note} {facts}. {'; '.join(['Nothing looks wrong', *alike])}."


def clip_facts(clip: PreviewedClip) -> dict[str, object]:
    """The same for a program."""
    found = clip.findings
    likenesses = {"first_likeness": found.first_likeness, "last_likeness": found.last_likeness}
    return {
        "film_id" if clip.film else "task_id": clip.id,
        "width": found.width,
        "height": found.height,
        "seconds": found.seconds,
        "fps": found.fps,
        "sound": found.sound,
        "wrong": list(flaws(clip)),
        **{name: alike for name, alike in likenesses.items() if alike is not None},
    }


def flaws(clip: PreviewedClip) -> Iterator[str]:
    """What looks wrong, as clauses; the gravest first."""
    found, asked = clip.findings, clip.expected
    if found.truncated:
        yield "cut short or damaged"
    if found.wrong_size and asked.width and asked.height:
        yield f"{asked.width}×{asked.height} was asked for"
    if found.wrong_length and asked.seconds:
        yield f"{asked.seconds:g} s were asked for"
    yield from _bad_moments(found)
    if found.variable_fps:
        yield "its frame rate varies"
    for which, picture, like in _compared(clip):
        if like < ALIKE:
            yield f"{which} frame does not match the given {picture} ({like:.0%} alike)"


def _bad_moments(found: Findings) -> Iterator[str]:
    if found.black:
        yield f"black {_stretches(found.black)}"
    if found.frozen:
        yield f"frozen {_stretches(found.frozen)}"
    if found.cuts:
        moments = _listed([f"{cut:.1f}" for cut in found.cuts])
        yield f"hard cut{'s' if found.cuts[1:] else ''} at {moments} s"
    if found.flickers:
        yield f"flickers {_stretches(found.flickers)}"


def _likenesses(clip: PreviewedClip) -> Iterator[str]:
    for which, picture, like in _compared(clip):
        if like >= ALIKE:
            yield f"{which} frame matches the given {picture} ({like:.0%} alike)"
    if clip.not_compared:
        yield "the given picture is not kept here, so it was not compared"


def _compared(clip: PreviewedClip) -> Iterator[tuple[str, str, float]]:
    first, last = clip.findings.first_likeness, clip.findings.last_likeness
    if first is not None:
        yield "first", "picture", first
    if last is not None:
        yield "last", "last frame", last


def _rate(found: Findings) -> str:
    rate = f"{found.fps:.2f}".rstrip("0").rstrip(".")
    return f"{rate} fps on average" if found.variable_fps else f"{rate} fps"


def _sound(found: Findings) -> str:
    if found.sound:
        return "with sound"
    return "silent (its sound track is silence)" if found.silent_track else "silent"


def _remarks(preview: Preview) -> Iterator[str]:
    moment = preview.at_seconds
    late = [clip for clip in preview.clips if clip.past_end]
    if moment is not None and late:
        where = (
            "its end" if len(preview.clips) == 1 else f"the end of {_listed([c.id for c in late])}"
        )
        yield f"{moment:g} s is past {where}: the last frame is shown."
    if moment is not None and preview.asked_frames > 1:
        yield "Of one moment there is one frame only."
    elif preview.frames < preview.asked_frames:
        frames = f"{preview.frames} frame{'s' if preview.frames > 1 else ''}"
        alone = len(preview.clips) == 1
        yield f"{frames} of each {'shot' if alone else 'clip'}: a sheet holds 16 in all."
    yield from preview.notes


def _stretches(parts: Sequence[Stretch]) -> str:
    return "from " + _listed([f"{part.start:.1f} to {part.end:.1f}" for part in parts]) + " s"


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _all_alike(preview: Preview) -> bool:
    return len({bool(provider_notice(clip.provider)) for clip in preview.clips}) == 1
