"""The book's record of one accepted create, and its status at a given time."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hailuo_mcp.sandbox.faults import Faults, restore


class Phase(StrEnum):
    """The official v1 status words (seed 001)."""

    PREPARING = "Preparing"
    QUEUEING = "Queueing"
    PROCESSING = "Processing"
    SUCCESS = "Success"
    FAIL = "Fail"
    CANCELLED = "Cancelled"
    """Only a v2 task can be cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What somebody did to a task, as the book's events say; the record itself never changes."""

    cancelled_at: float | None = None
    deleted_at: float | None = None


NO_ENDS = Ends()

# Shares of the time to ready at which Preparing and Queueing end; the real ones are unknown.
_PREPARED = 0.12
_DEQUEUED = 0.3
# In the middle of Processing, where [sandbox:weird-status] shows a word that nobody documents.
_WEIRD_FROM, _WEIRD_TO = 0.45, 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One accepted create; never changed after it is written."""

    task_id: str
    file_id: str
    key: str
    dialect: str
    family: str
    created_at: float
    seconds_to_ready: float
    platform_id: str = ""
    kind: str = "video"
    model: str = ""
    mode: str = ""
    template_id: str = ""
    prompt: str = ""
    duration: int = 6
    resolution: str = "768P"
    width: int = 1366
    height: int = 768
    fps: int = 24
    first: str = ""
    last: str = ""
    subject: str = ""
    ending: str = "success"
    markers: list[str] = field(default_factory=list[str])
    callback_url: str = ""
    credits: str = ""
    cny: str = ""
    usd: str = ""
    # v2 only:
    ratio: str = ""
    source: str = ""
    """The task that a regeneration started from."""
    items: list[str] = field(default_factory=list[str])
    """What the content held, one identity each, so that a regeneration can be held against it."""
    output_seconds: int = 0
    """The seconds of output that are charged."""
    input_seconds: int = 0
    input_images: int = 0
    input_audio_seconds: int = 0
    incomplete: list[str] = field(default_factory=list[str])
    """Currencies in which a part of the price is unpublished and left out."""
    sound: bool = False

    @property
    def faults(self) -> Faults:
        """Return what the prompt asked to go wrong."""
        return restore(self.markers)

    @property
    def finished_at(self) -> float:
        """Return when the task is final."""
        return self.created_at + self.seconds_to_ready

    @property
    def ending_code(self) -> int:
        """Return the `base_resp` code of a final task; a failure without a reason has 0."""
        return {"moderated": 1027, "input-moderated": 1026}.get(self.ending, 0)

    def elapsed(self, now: float) -> float:
        """Return the share of the time to ready that has passed, from 0 to 1."""
        if self.seconds_to_ready <= 0:
            return 1.0
        return min(1.0, max(0.0, (now - self.created_at) / self.seconds_to_ready))

    def phase(self, now: float, ends: Ends = NO_ENDS) -> Phase:
        """Return the status: a pure function of the book and the clock, whoever asks."""
        if ends.cancelled_at is not None:
            return Phase.CANCELLED
        share = self.elapsed(now)
        if share >= 1.0:
            return Phase.SUCCESS if self.ending == "success" else Phase.FAIL
        if share >= _DEQUEUED:
            return Phase.PROCESSING
        # Templates have no Queueing (facts 6.1).
        if share >= _PREPARED and self.kind == "video":
            return Phase.QUEUEING
        return Phase.PREPARING

    def is_weird(self, now: float) -> bool:
        """Tell whether an undocumented status word is to be shown now."""
        return "weird-status" in self.faults and _WEIRD_FROM <= self.elapsed(now) < _WEIRD_TO

    def processing_at(self) -> float:
        """Return when Processing begins."""
        return self.created_at + _DEQUEUED * self.seconds_to_ready
