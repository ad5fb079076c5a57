"""The domain: requests, tasks, money, and what a provider can do. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol


class Mode(StrEnum):
    """What a clip is made from."""

    T2V = "t2v"
    I2V = "i2v"
    FL2V = "fl2v"
    S2V = "s2v"
    R2V = "r2v"
    """References: pictures, clips and sounds that the clip takes something from."""
    TEMPLATE = "template"
    UPGRADE = "upgrade"
    """A finished clip, made again at a higher resolution."""


class Api(StrEnum):
    """Which of a provider's APIs a model is on."""

    V1 = "v1"
    V2 = "v2"


TENANT = "tenant:"
"""What the name of a caller with settings of its own begins with; no token's name has a colon."""


def tenant_of(caller: str) -> str:
    """The caller's name if it is a tenant's; empty for all others, who are the operator's."""
    return caller if caller.startswith(TENANT) else ""


class SecretText(Protocol):
    """A key or a token that no message shows, such as pydantic's SecretStr."""

    def get_secret_value(self) -> str: ...


BUCKET = "s3://"
"""What the address of a bucket begins with, and the `file` of a clip in one."""


class Status(StrEnum):
    """A task's status; docs/money.md says what each means for the bill."""

    PENDING = "pending"
    """Recorded, not sent: waiting for its turn."""
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCONFIRMED = "unconfirmed"
    """Sent, but not answered: may have been bought; polling cannot resolve it."""

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
POLLED = frozenset({Status.QUEUED, Status.RUNNING})
UNFINISHED = frozenset({Status.PENDING, Status.SUBMITTING, *POLLED})
STATUS_WORDS = (*Status, "saved", "unsaved", "unfinished")
"""How tasks can be filtered: by status, by whether the clip is on disk, or all of UNFINISHED."""


class Unit(StrEnum):
    """What a cost is counted in: the currency of a pay-as-you-go plan, or a pack's credits."""

    CNY = "CNY"
    USD = "USD"
    CREDITS = "credits"


class Money(StrEnum):
    """Whether a task's cost is reserved, spent or neither."""

    RESERVED = "reserved"
    SPENT = "spent"
    RELEASED = "released"
    UNKNOWN = "unknown"
    """Bought elsewhere and adopted by its remote id."""


NOT_BOUGHT = "not_bought"
"""The `error_kind` of a task that got no answer and is not in the provider's list of tasks."""
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
    model: str = ""
    first_frame_image: str = ""
    last_frame_image: str = ""
    subject_image: str = ""
    reference_images: tuple[str, ...] = ()
    reference_videos: tuple[str, ...] = ()
    reference_audios: tuple[str, ...] = ()
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
    fast_pretreatment: bool | None = _option(default=False)
    watermark: bool | None = _option(default=False)

    @property
    def mode(self) -> Mode:
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
    text_inputs: tuple[str, ...] = ()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a dialect can express. Anything else is refused before it is sent."""

    modes: frozenset[Mode]
    models: frozenset[str] | None = None
    """The only models it accepts; None if it accepts any."""
    not_offered: frozenset[str] = frozenset()
    """Models that it certainly does not have, although it accepts any name."""
    options: frozenset[str] = frozenset(PROVIDER_DEFAULTS)
    """The options of a VideoRequest that it supports."""
    aspect_ratio: bool = False
    """Whether it can carry one."""
    prompt_required: bool = False
    callback: bool = True
    caveat: str = ""
    """Why it supports so little here, and what to do, if its host may not speak the dialect."""

    @property
    def templates(self) -> bool:
        return Mode.TEMPLATE in self.modes

    def offers(self, model: str) -> bool:
        return model not in self.not_offered and (self.models is None or model in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The provider accepted the request."""

    remote_id: str
    remote_alias: str = ""
    """A second id for the same task, if the provider gives one."""
    trace_id: str = ""


class Phase(StrEnum):
    """The provider's status word, normalised (facts 11)."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        return self in _ENDED


_ENDED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the provider counted for a clip."""

    output_seconds: int
    input_seconds: int = 0
    """Of reference clips, each rounded up."""
    images: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStatus:
    """The result of one status request."""

    phase: Phase
    word: str
    """The provider's own word, as sent."""
    file_id: str = ""
    url: str = ""
    url_expires_at: float | None = None
    """Unix seconds."""
    width: int | None = None
    height: int | None = None
    error_code: str = ""
    """The provider's failure code; empty if it gave no reason."""
    detail: str = ""
    """Untrusted provider text: journal and log only."""
    trace_id: str = ""
    usage: Usage | None = None
    """Only of a succeeded task, and only where the provider tells it."""
    model: str = ""
    """The model's official name, where the provider tells it."""
    resolution: str = ""
    duration: int | None = None
    """Seconds."""
    upgrade: bool = False
    """Whether the provider says that it is an upgrade of another clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTask:
    """One row of the provider's list of its newest tasks."""

    remote_id: str
    created_at: float
    """Unix seconds, by the provider's clock."""
    model: str
    """Its official name, or one that is not in the catalog; empty if the list does not tell it."""
    resolution: str = ""
    """Empty if the list does not tell it."""
    duration: int | None = None
    """Seconds; None if the list does not tell it."""
    upgrade: bool | None = False
    """None if the list does not tell it."""
    prompt: str | None = None
    """None if the list does not tell it."""
    phase: Phase = Phase.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTasks:
    """One page of that list, newest first."""

    tasks: tuple[RemoteTask, ...]
    total: int
    """Of all pages; 0 if the list does not tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a finished clip can be downloaded."""

    url: str
    expires_at: float | None = None
    """Unix seconds, if the provider or the link itself says so."""
    authorised: bool = False
    """True only for a path on the provider's own base URL that needs the key; links never do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of one clip, before it is bought."""

    amount: Decimal | None
    """None if no price is published."""
    unit: Unit
    lower_bound: bool = False
    """It costs at least this: for a part of it no price is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Our durable record of one paid request, as the journal keeps it. Times are Unix seconds."""

    task_id: str
    account: str
    provider: str
    caller: str
    status: Status
    created_at: float
    updated_at: float
    mode: Mode
    model: str
    duration: int | None = None
    resolution: str | None = None
    prompt: str = ""
    request: str = "{}"
    """The normalised request as JSON; pictures as their sha256."""
    identity: str = ""
    take: int = 1
    request_key: str = ""
    attempt: int = 0
    """Counts submits; a late answer is compared with it."""
    remote_id: str = ""
    remote_alias: str = ""
    remote_status: str = ""
    file_id: str = ""
    url: str = ""
    url_expires_at: float | None = None
    error_code: str = ""
    error: str = ""
    """Our own sentences about a failure."""
    error_kind: str = ""
    """The `code` of the HailuoError, such as content_rejected."""
    trace_id: str = ""
    amount: Decimal | None = None
    unit: Unit = Unit.CNY
    money: Money = Money.RESERVED
    owner: str = ""
    lease_until: float = 0
    due_at: float = 0
    """When the next step (send, poll, save) is due."""
    polls: int = 0
    tries: int = 0
    """Consecutive failures of the current step."""
    refused_at: float | None = None
    """When the provider first said "too fast"; retries end ten minutes later."""
    submitted_at: float | None = None
    polled_at: float | None = None
    unfinished_at: float | None = None
    """The last poll that found it unfinished: with finished_at it brackets the real time."""
    finished_at: float | None = None
    """When a poll first found it finished."""
    file: str = ""
    bytes: int | None = None
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    save_error: str = ""
    """Why a finished clip is not on disk; our own sentences."""
    warnings: tuple[str, ...] = field(default=())
    callback_token: str = ""
    settled_at: float | None = None
    """When a person last settled it."""
    traceparent: str = ""
    """The step of a trace in which it was bought (W3C), for the steps that follow; often empty."""
    film_id: str = ""
    """The film that it is a shot of; empty for a clip of its own."""
    shot: int = 0
    """Its place in the film, from 1."""
    quoted: Decimal | None = None
    """What it was quoted at, where the provider counted something else; `amount` is then the
    provider's count."""
    sent_at: float | None = None
    """When the request was last sent, or about to be."""
    saved_at: float | None = None
    """When its clip was first on disk; None for one that an earlier version saved."""
    candidates: tuple[str, ...] = ()
    """Ids of tasks at the provider, one of which may be this unconfirmed one."""
    after: str = ""
    """The task whose last frame it starts from. Until that clip is saved it waits, pending with a
    due_at of 0, and its request has no first frame."""

    @property
    def waits(self) -> bool:
        """Whether it is a shot that cannot be sent before another one is saved."""
        return self.status is Status.PENDING and bool(self.after) and not self.due_at

    @property
    def saved(self) -> bool:
        return bool(self.file)

    @property
    def in_bucket(self) -> bool:
        """Whether the saved clip is not a file of this computer."""
        return self.file.startswith(BUCKET)

    @property
    def not_bought(self) -> bool:
        """Whether it was not in the provider's list; its late answer or a person knows better."""
        return self.status is Status.FAILED and self.error_kind == NOT_BOUGHT

    @property
    def can_be_settled(self) -> bool:
        """Whether a person may settle it; until it has a clip, they may change that."""
        settled = self.settled_at is not None and self.status is not Status.SUCCEEDED
        return settled or self.status is Status.UNCONFIRMED or self.not_bought

    @property
    def state(self) -> str:
        """The most precise of STATUS_WORDS: for a succeeded task, whether the clip is on disk."""
        if self.status is Status.SUCCEEDED:
            return "saved" if self.saved else "unsaved"
        return self.status.value

    @property
    def known_mode(self) -> Mode | None:
        """None if it was bought elsewhere: providers do not say what a clip was made from.

        They do say that it was made from a template, or is an upgrade.
        """
        if self.mode in (Mode.TEMPLATE, Mode.UPGRADE):
            return self.mode
        return self.mode if self.model and self.money is not Money.UNKNOWN else None


class Continuity(StrEnum):
    """What a film's shot without a picture starts from."""

    NONE = "none"
    LAST_FRAME = "last_frame"


class Transition(StrEnum):
    """How a film's shots are joined."""

    CUT = "cut"
    FADE = "fade"


FADE_SECONDS = 0.5
"""How long two shots overlap where one fades into the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRequest:
    """What a caller wants: shots, or a film's id, with which the rest is empty or as planned."""

    film_id: str = ""
    """A film that was planned before: it is made as planned."""
    redo: tuple[int, ...] = ()
    """Shots of that film to make again."""
    shots: tuple[str, ...] = ()
    """Prompts."""
    durations: tuple[int, ...] = ()
    """Seconds: none for the default, one for all, or one each."""
    images: tuple[str, ...] = ()
    """None, or a first frame for each shot; empty text for none."""
    continuity: Continuity = Continuity.NONE
    model: str = ""
    resolution: str | None = None
    transition: Transition = Transition.CUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot of a film's plan: a checked and priced request."""

    mode: Mode
    model: str
    prompt: str
    request: str
    """As Task.request; without a first frame if it continues another shot."""
    duration: int | None = None
    resolution: str | None = None
    amount: Decimal | None = None
    continues: bool = False
    """It starts from the last frame of the shot before."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A film, as the journal keeps it: a plan, its tasks' common facts, and the joined file.

    Its shots are ordinary tasks with its film_id; a shot's newest task is the one that counts.
    Times are Unix seconds.
    """

    film_id: str
    account: str
    provider: str
    caller: str
    created_at: float
    updated_at: float
    identity: str
    """What makes two calls the same film."""
    request_key: str = ""
    shots: tuple[Shot, ...] = ()
    transition: Transition = Transition.CUT
    unit: Unit = Unit.CNY
    made_at: float | None = None
    """When its shots were recorded; None while it is only planned."""
    revision: int = 0
    """Counts what was made: 1 with the film itself, one more with each redo."""
    redo: tuple[int, ...] = ()
    """The shots of a planned redo, with all that depend on them; empty if none is planned."""
    redone: tuple[int, ...] = ()
    """The shots that were last made again."""
    owner: str = ""
    lease_until: float = 0
    due_at: float = 0
    """When the next step (start a shot, join) is due; 0 while only the shots themselves move."""
    tries: int = 0
    """Consecutive failures to join it."""
    file: str = ""
    """The joined film of the newest revision that is whole."""
    bytes: int | None = None
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    save_error: str = ""
    """Why it is not joined although all shots are saved; our own sentences."""
    cancelled: bool = False
    """Its plan was withdrawn, or what was not sent of it."""
    traceparent: str = ""

    @property
    def saved(self) -> bool:
        return bool(self.file)

    @property
    def planned_seconds(self) -> float | None:
        """How long its shots are when joined; None if the length of one is unknown."""
        known = [shot.duration for shot in self.shots if shot.duration]
        joins = len(known) - 1 if self.transition is Transition.FADE else 0
        whole = len(known) == len(self.shots)
        return sum(known) - joins * FADE_SECONDS if whole else None

    @property
    def redoes(self) -> bool:
        """Whether a redo is planned and not made."""
        return bool(self.redo)

    def with_dependants(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """These shots, and all later ones that continue from them without a break."""
        found, wanted = list[int](), frozenset(numbers)
        for number, shot in enumerate(self.shots, start=1):
            if number in wanted or (shot.continues and number - 1 in found):
                found.append(number)
        return tuple(found)
