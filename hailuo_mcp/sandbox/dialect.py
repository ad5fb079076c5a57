"""What every dialect fulfils, and what their status and file requests have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from hailuo_mcp.sandbox import wire
from hailuo_mcp.sandbox.backend import Backend, key_holder
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.refusal import RATE_LIMIT, RESET, Refusal, Unknown
from hailuo_mcp.sandbox.rules import Order

Handler = Callable[[Request], Awaitable[Response]]


class Dialect(ABC):
    """One wire format: its paths, how a create is read and how every kind of answer is worded."""

    name: str
    family: str
    """Tasks are visible only within their family: a relay's ids mean nothing elsewhere."""
    kind = "video"
    creates: tuple[str, ...] = ()
    """The paths of its creates."""

    def __init__(self, backend: Backend) -> None:
        """Keep what handlers need."""
        self.backend = backend

    @property
    @abstractmethod
    def reads(self) -> Mapping[str, Handler]:
        """Its other requests by their paths; what a handler raises is worded by `refused`."""

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

    def polled_job(self, request: Request) -> Job:
        """Return the task that a status request asks for, and count the request."""
        who = key_holder(request)
        book, now = self.backend.book, self.backend.now()
        task = book.task(_parameter(request, "task_id"))
        if task is None or (task.key, task.family, task.kind) != (who.key, self.family, self.kind):
            raise Unknown("task_id")
        _, occasion = book.record("status", at=now, task_id=task.task_id, key=who.key)
        faults = task.faults
        if "lost-task" in faults:
            raise Unknown("task_id")
        for fault, code in (("poll-reset", RESET), ("poll-500", 500), ("poll-1002", RATE_LIMIT)):
            if faults.hits(fault, occasion):
                raise Refusal(code)
        if faults.hits("poll-html", occasion):
            raise wire.Interrupt(wire.html_page())
        self._chaos()
        return task

    def finished_job(self, request: Request) -> Job:
        """Return the finished task whose file is asked for, and count the request."""
        who = key_holder(request)
        book, now = self.backend.book, self.backend.now()
        task = book.job_of_file(_parameter(request, "file_id"))
        if task is None or (task.key, task.family, task.kind) != (who.key, self.family, self.kind):
            raise Unknown("file_id")
        book.record("file", at=now, task_id=task.task_id, key=who.key)
        if task.phase(now) is not Phase.SUCCESS:
            raise Unknown("file_id")
        self._chaos()
        return task

    def _chaos(self) -> None:
        if self.backend.dice.strikes("poll_error"):
            raise Refusal(self.backend.dice.choice((500, 502, 503, RATE_LIMIT, RESET)))


def _parameter(request: Request, name: str) -> str:
    return str(request.path_params.get(name) or request.query_params.get(name, ""))
