"""What every dialect fulfils, and what their status and file requests have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hailuo_mcp.sandbox import callbacks, faults, pictures, wire
from hailuo_mcp.sandbox.backend import Backend, key_holder
from hailuo_mcp.sandbox.faults import Faults
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.refusal import RATE_LIMIT, RESET, Refusal, Unknown
from hailuo_mcp.sandbox.rules import Order, clip_size

Handler = Callable[[Request], Awaitable[Response]]
_POLL_FAULTS = {
    "poll-reset": RESET,
    "poll-500": 500,
    "poll-529": 529,
    "poll-1002": RATE_LIMIT,
}


class Dialect(ABC):
    """One wire format: its paths, how a create is read and how every kind of answer is worded."""

    name: str
    family: str
    """Tasks are visible only within their family: a relay's ids mean nothing elsewhere."""
    kind = "video"
    creates: tuple[str, ...] = ()
    """The paths of its creates."""
    most_bytes = 0
    """How large the body of a create may be; 0: no limit is documented."""

    def __init__(self, backend: Backend) -> None:
        """Keep what handlers need."""
        self.backend = backend

    @property
    @abstractmethod
    def reads(self) -> Mapping[str, Handler]:
        """Its GET requests by their paths; what a handler raises is worded by `refused`."""

    @property
    def calls(self) -> Mapping[tuple[str, str], Handler]:
        """Its requests that are neither creates nor reads, by method and path."""
        return {}

    @abstractmethod
    def read(self, body: Mapping[str, object]) -> Order:
        """Return what is asked for, or raise the refusal."""

    @abstractmethod
    def ids(self) -> tuple[str, str, str]:
        """Return new task, platform and file ids."""

    @abstractmethod
    def accepted(self, task: Job) -> dict[str, object]:
        """Return the answer to an accepted create."""

    @abstractmethod
    def refused(self, refusal: Refusal) -> Response:
        """Return the nearest error that this dialect has."""

    def faults(self, order: Order, key: str) -> Faults:
        """Return what the request asks to go wrong."""
        del key
        return faults.read((order.prompt, *order.texts))

    async def with_inputs(self, draft: Job, order: Order) -> Job:
        """Fetch the input files and complete the record with what depends on them."""
        state_dir = self.backend.options.state_dir
        first, last, subject = await asyncio.gather(
            pictures.fetch(order.first, "first_frame_image", state_dir),
            pictures.fetch(order.last, "last_frame_image", state_dir),
            pictures.fetch(order.subject, "subject_reference", state_dir),
        )
        width, height = clip_size(order.resolution, first.size if first else None)
        return replace(
            draft,
            width=width,
            height=height,
            first=first.sha256 if first else "",
            last=last.sha256 if last else "",
            subject=subject.sha256 if subject else "",
        )

    def callback(self, task: Job, phase: Phase, base: str) -> Mapping[str, object]:
        """Return what the callback says of a change; links in it start with `base`."""
        del base
        return callbacks.payload(task, phase)

    def is_visible(self, task: Job, key: str) -> bool:
        """Tell whether this account may read the task here."""
        return (task.key, task.family, task.kind) == (key, self.family, self.kind)

    def polled_job(self, request: Request) -> Job:
        """Return the task that a status request asks for, and count the request."""
        who = key_holder(request)
        book, now = self.backend.book, self.backend.now()
        task = book.task(parameter(request, "task_id"))
        if task is None or not self.is_visible(task, who.key):
            raise Unknown("task_id")
        _, occasion = book.record("status", at=now, task_id=task.task_id, key=who.key)
        asked = task.faults
        if "lost-task" in asked:
            raise Unknown("task_id")
        for fault, code in _POLL_FAULTS.items():
            if asked.hits(fault, occasion):
                raise Refusal(code)
        if asked.hits("poll-html", occasion):
            raise wire.Interrupt(wire.html_page())
        self.chaos()
        return task

    def finished_job(self, request: Request) -> Job:
        """Return the finished task whose file is asked for, and count the request."""
        who = key_holder(request)
        book, now = self.backend.book, self.backend.now()
        task = book.job_of_file(parameter(request, "file_id"))
        if task is None or not self.is_visible(task, who.key):
            raise Unknown("file_id")
        book.record("file", at=now, task_id=task.task_id, key=who.key)
        if task.phase(now) is not Phase.SUCCESS:
            raise Unknown("file_id")
        self.chaos()
        return task

    def chaos(self) -> None:
        """Let chance refuse a read."""
        if self.backend.dice.strikes("poll_error"):
            raise Refusal(self.backend.dice.choice((500, 502, 503, RATE_LIMIT, RESET)))


def parameter(request: Request, name: str) -> str:
    """Return a value from the path or the query; empty: it is absent."""
    return str(request.path_params.get(name) or request.query_params.get(name, ""))
