"""Facts about a saved clip, read from its headers."""

from dataclasses import dataclass
from pathlib import Path

from hailuo_mcp.media.opening import UnreadableClipError, open_clip


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """As in the file, not as requested."""

    width: int
    height: int
    seconds: float


def probe(path: Path) -> ClipFacts | None:
    """Return the clip's facts; None if the media extra is not installed."""
    try:
        import av
    except ImportError:
        return None
    with open_clip(path) as clip:
        stream = clip.streams.video[0]
        if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise UnreadableClipError("its codec is unknown")
        seconds = 0.0
        if clip.duration:
            seconds = clip.duration / av.time_base
        elif stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        facts = ClipFacts(
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            seconds=round(seconds, 3),
        )
    if not (facts.width and facts.height and facts.seconds > 0):
        raise UnreadableClipError("it has no size or no length")
    return facts
