"""A provider's side: what it can do, and what it answers, without its words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hailuo_mcp.domain.requests import PROVIDER_DEFAULTS, Mode


class Api(StrEnum):
    """Which of a provider's APIs a model is on."""

    V1 = "v1"
    V2 = "v2"


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
    """The provider's id of the task."""
    remote_alias: str = ""
    """A second id for the same task, if the provider gives one."""
    trace_id: str = ""
    """The provider's id of the request, for its support."""


class Phase(StrEnum):
    """The provider's status word, normalised."""

    # The words are in facts 11.
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the task has ended."""
        return self in _ENDED


_ENDED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the provider counted for a clip."""

    output_seconds: int
    """Of the clip."""
    input_seconds: int = 0
    """Of reference clips, each rounded up."""
    images: int = 0
    """Reference pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStatus:
    """The result of one status request."""

    phase: Phase
    word: str
    """The provider's own word, as sent."""
    file_id: str = ""
    """The provider's id of the clip, where its link is a request of its own."""
    url: str = ""
    """The clip's link, where the status brings it."""
    url_expires_at: float | None = None
    """Unix seconds."""
    width: int | None = None
    """Of the clip, in pixels."""
    height: int | None = None
    """Of the clip, in pixels."""
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
