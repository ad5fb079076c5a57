"""What a person wants: a clip, a template, an upgrade; and facts about what is given with it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """What a clip is made from."""

    T2V = "t2v"
    """Text."""
    I2V = "i2v"
    """A first frame."""
    FL2V = "fl2v"
    """A last frame, with or without a first one."""
    S2V = "s2v"
    """A person."""
    R2V = "r2v"
    """References: pictures, clips and sounds that the clip takes something from."""
    TEMPLATE = "template"
    UPGRADE = "upgrade"
    """A finished clip, made again at a higher resolution."""


IMAGE_FIELDS = ("first_frame_image", "last_frame_image", "subject_image")
"""The arguments of a VideoRequest that name a picture."""


REFERENCE_FIELDS = ("reference_images", "reference_videos", "reference_audios")
"""The arguments of a VideoRequest that name references."""


PROVIDER_FILE = "mm_file://"
"""What begins the name of a file that the provider already has."""


IMAGE_FITS = ("crop", "pad")
"""How a picture gets an allowed shape: its edges are cut off, or white bars are added."""


def _option(default: object = None) -> Any:  # noqa: ANN401  # as dataclasses.field
    """An argument that not every dialect supports; `default` is what providers assume for None."""
    return field(default=None, metadata={"provider_default": default})


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """What the person wants, provider-neutral. The one declaration of its arguments.

    None means "not given": the provider's default holds and the field is not sent.
    Images are an https URL or a data URL by the time a dialect sees them.
    """

    prompt: str = ""
    """What the clip shows; camera moves in brackets, such as [Push in]."""
    model: str = ""
    """Empty: the one that suits the inputs."""
    first_frame_image: str = ""
    """The picture that the clip starts from: a path, an https URL or a data URL."""
    last_frame_image: str = ""
    """The picture that it ends with."""
    subject_image: str = ""
    """The person who appears in it."""
    reference_images: tuple[str, ...] = ()
    """Pictures that it takes something from."""
    reference_videos: tuple[str, ...] = ()
    """Clips that it takes something from."""
    reference_audios: tuple[str, ...] = ()
    """Sounds that it takes something from."""
    aspect_ratio: str = ""
    """Such as 16:9, or "adaptive"; empty: the model's default. Only some models take one."""
    duration: int | None = None
    """Seconds."""
    resolution: str | None = None
    """480P, 512P, 720P, 768P, 1080P or 2K; "768" and the number 768 are read as 768P."""
    image_fit: str = ""
    """One of IMAGE_FITS, for each picture that needs it; empty refuses such a picture. It is not
    sent: the pictures have their shape by then."""
    prompt_optimizer: bool | None = _option(default=True)
    """Whether the provider rewrites the prompt."""
    fast_pretreatment: bool | None = _option(default=False)
    """Whether it does so in less time."""
    watermark: bool | None = _option(default=False)
    """Whether the clip carries the provider's mark."""

    @property
    def mode(self) -> Mode:
        """What the clip is made from, by what is given."""
        if any(getattr(self, name) for name in REFERENCE_FIELDS):
            return Mode.R2V
        if self.subject_image:
            return Mode.S2V
        if self.last_frame_image:
            return Mode.FL2V
        return Mode.I2V if self.first_frame_image else Mode.T2V


PROVIDER_DEFAULTS: dict[str, Any] = {
    each.name: each.metadata["provider_default"]
    for each in fields(VideoRequest)
    if "provider_default" in each.metadata
}
"""The options of a VideoRequest, and what providers assume if one is not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRequest:
    """A Video Agent template and its inputs."""

    template_id: str
    """The provider's."""
    text_inputs: tuple[str, ...] = ()
    """In the template's order."""
    media_inputs: tuple[str, ...] = ()
    """https URLs or data URLs, in the template's order."""

    @property
    def mode(self) -> Mode:
        return Mode.TEMPLATE


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequest:
    """A finished clip, to be made again at a higher resolution."""

    source_id: str = ""
    """Our id of the clip's task; empty where there is none."""
    remote_id: str
    """The provider's."""
    model: str
    """The one that made it."""
    resolution: str
    """The one to get."""
    source_resolution: str = ""
    """The one that the clip has; empty if that is unknown."""
    duration: int | None = None
    """Seconds, as of the source."""
    prompt: str = ""
    """The source's."""
    source_record: str = ""
    """What the source was made from, as its Task.request; empty if that is unknown."""
    source: VideoRequest | None = None
    """The same, opened. It is sent only with `base_video`; without a record it tells the price."""
    base_video: str = ""
    """The source itself as a data URL, for accounts that may not name it by its id."""
    watermark: bool | None = None
    """As of the source."""

    @property
    def mode(self) -> Mode:
        return Mode.UPGRADE


AnyRequest = VideoRequest | TemplateRequest | UpgradeRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """Facts about an opened picture."""

    sha256: str
    mime: str
    """image/jpeg, image/png or image/webp, by its bytes and not by its name."""
    size: int
    """Bytes."""
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """Facts about an opened reference clip, by its bytes."""

    sha256: str
    mime: str
    """video/mp4 or video/quicktime."""
    size: int
    """Bytes."""
    width: int
    height: int
    seconds: float
    fps: float
    codec: str
    """As FFmpeg names it: h264, hevc …"""
    sound: str = ""
    """The codec of its sound: aac, mp3 …; empty if it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFacts:
    """Facts about an opened reference sound, by its bytes."""

    sha256: str
    mime: str
    """audio/wav or audio/mp3."""
    size: int
    """Bytes."""
    seconds: float
