"""A studio that remembers what it was asked, and tasks in every state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import anyio

from hailuo_mcp.catalog import video_templates
from hailuo_mcp.catalog.video_templates import Template
from hailuo_mcp.client.preparing import seller_of
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task, Unit
from hailuo_mcp.errors import TaskNotFoundError
from hailuo_mcp.media.examine import Expected, Findings
from hailuo_mcp.views import (
    FilmView,
    Listing,
    Preview,
    PreviewedClip,
    Saved,
    SavedFilm,
    Spending,
    View,
)

NOW = 1_800_000_000.0
ID = "v1m7xvxxygfnrk2e"


def a_task(**values: Any) -> Task:
    facts: dict[str, Any] = {
        "task_id": ID,
        "account": "a",
        "provider": "minimax-cn",
        "caller": "",
        "status": Status.RUNNING,
        "created_at": NOW - 30,
        "updated_at": NOW,
        "mode": Mode.T2V,
        "model": "MiniMax-Hailuo-2.3",
        "duration": 6,
        "resolution": "768P",
        "prompt": "A cat walks along the beach at dusk",
        "amount": Decimal(2),
        "unit": Unit.CNY,
        "remote_id": "271836792037739",
        "remote_status": "Processing",
    }
    return Task(**(facts | values))


def a_view(
    *,
    reused: bool = False,
    notes: tuple[str, ...] = (),
    auto: bool = True,
    **values: Any,
) -> View:
    task = a_task(**values)
    moving = task.status in (Status.PENDING, Status.SUBMITTING, Status.QUEUED, Status.RUNNING)
    return View(
        task=task,
        now=NOW,
        reused=reused,
        notes=notes,
        auto_download=auto,
        eta_seconds=40 if moving else None,
        next_check_seconds=40 if moving else None,
    )


def saved_view(**values: Any) -> View:
    facts = {
        "status": Status.SUCCEEDED,
        "money": Money.SPENT,
        "file": "/home/kim/Videos/Hailuo/2026-11-21_A-cat-walks_v1m7xvxxygfnrk2e.mp4",
        "finished_at": NOW - 5,
        "width": 1366,
        "height": 768,
        "remote_status": "Success",
    }
    return a_view(**(facts | values))


def a_preview(*ids: str, at: float = -1, provider: str = "minimax-cn", **found: Any) -> Preview:
    facts = {"width": 1366, "height": 768, "seconds": 5.875, "fps": 24.0, "sound": True}
    return Preview(
        jpeg=b"\xff\xd8\xff jpeg",
        clips=tuple(
            PreviewedClip(
                id=each,
                provider=provider,
                expected=Expected(width=1366, height=768, seconds=6),
                findings=Findings(**(facts | found)),
                past_end=at > 6,
            )
            for each in ids
        ),
        files=tuple(f"/clips/{each}.mp4" for each in ids),
        at_seconds=at if at >= 0 else None,
    )


@dataclass
class FakeStudio:
    view: View = field(default_factory=a_view)
    film_view: FilmView | None = None
    """The one film that there is."""
    error: Exception | None = None
    known_error: Exception | None = None
    question: str | None = None
    saved: bool = True
    """Whether a download finds the clip saved."""
    hold: anyio.Event | None = None
    """While set and unset: generate, query and the rest do not return."""
    ticks: int = 0
    """How often a wait tells of progress."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    cancelled: int = 0
    provider: Any = PROVIDERS["minimax-cn"]
    listeners: list[Callable[[str], None]] = field(default_factory=list)

    open_questions: set[Any] = field(default_factory=set)

    losses = None

    @property
    def changes(self) -> FakeStudio:
        return self

    def listen(self, listener: Callable[[str], None], wanted: object = None) -> None:
        self.listeners.append(listener)

    async def _do(self, name: str, **what: Any) -> None:
        self.calls.append((name, what))
        if self.error:
            raise self.error
        try:
            for _ in range(self.ticks):
                await what["on_progress"](self.film_view if "film" in what else self.view)
            if self.hold:
                await self.hold.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise

    def last(self, name: str) -> dict[str, Any]:
        return next(what for called, what in reversed(self.calls) if called == name)

    async def consent_question(self, request, terms, **what: Any) -> str | None:
        self.calls.append(("consent_question", {"request": request, "terms": terms, **what}))
        return self.question

    async def may_ask(self, client, question: str) -> bool:
        return not await self.close_question(client, question) and self._open(client, question)

    async def close_question(self, client, question: str) -> bool:
        was_open = (client, question) in self.open_questions
        self.open_questions.discard((client, question))
        return was_open

    def _open(self, client, question: str) -> bool:
        self.open_questions.add((client, question))
        return True

    async def generate(self, request, terms, **what: Any) -> View:
        await self._do("generate", request=request, terms=terms, **what)
        return self.view

    async def upgrade_question(self, task_id: str, resolution: str, terms, **what: Any):
        self.calls.append(("upgrade_question", {"task_id": task_id, "terms": terms, **what}))
        return self.question

    async def upgrade(self, task_id: str, resolution: str, terms, **what: Any) -> View:
        await self._do("upgrade", task_id=task_id, resolution=resolution, terms=terms, **what)
        return self.view

    async def film_question(self, wanted, terms, **what: Any) -> str | None:
        self.calls.append(("film_question", {"wanted": wanted, "terms": terms, **what}))
        return self.question

    async def plan_film(self, wanted, terms, **what: Any) -> FilmView:
        await self._do("plan_film", wanted=wanted, terms=terms, **what)
        return self._film()

    async def make_film(self, wanted, terms, **what: Any) -> FilmView:
        await self._do("make_film", wanted=wanted, terms=terms, **what)
        return self._film()

    def _film(self) -> FilmView:
        from .film_fakes import a_planned_film

        return self.film_view or a_planned_film()

    async def query(self, task_id: str, **what: Any) -> View:
        if task_id == "unknown":
            raise TaskNotFoundError("There is no task 'unknown' here.")
        await self._do("query", task_id=task_id, **what)
        return self.view

    async def film(self, film_id: str, caller: str) -> Film | None:
        film = self.film_view.film if self.film_view else None
        return film if film and (film.film_id, film.caller) == (film_id, caller) else None

    async def query_film(self, film: Film, **what: Any) -> FilmView:
        await self._do("query_film", film=film, **what)
        return self.film_view

    async def download_film(self, film: Film, **what: Any) -> SavedFilm:
        await self._do("download_film", film=film, **what)
        done = self.film_view.joined
        status = "saved" if done else "not_ready"
        return SavedFilm(view=self.film_view, status=status, file=film.file if done else "")

    async def cancel_film(self, film: Film) -> FilmView:
        await self._do("cancel_film", film=film)
        return self.film_view

    async def known(self, task_id: str, **what: Any) -> View:
        if self.known_error:
            raise self.known_error
        if task_id != self.view.task.task_id:
            raise TaskNotFoundError(f"There is no task {task_id!r} here.")
        return self.view

    async def tasks(self, **what: Any) -> Listing:
        await self._do("tasks", **what)
        films = (self.film_view,) if self.film_view else ()
        return Listing(rows=(self.view, saved_view()), films=films, spending=await self.spending())

    async def download(self, task_id: str, **what: Any) -> Saved:
        await self._do("download", task_id=task_id, **what)
        if not self.saved:
            return Saved(view=self.view, status="not_ready")
        view = saved_view()
        return Saved(
            view=view,
            status="saved",
            file=view.task.file,
            bytes=874761,
            sha256="ca" * 32,
            width=1366,
            height=768,
            seconds=6.0,
        )

    async def preview(self, task_id: str, **what: Any) -> Preview:
        await self._do("preview", task_id=task_id, **what)
        return a_preview(task_id, *what["compare_with"], at=what["at_seconds"])

    async def cancel(self, task_id: str, **what: Any) -> View:
        await self._do("cancel", task_id=task_id, **what)
        return replace(
            self.view, task=replace(self.view.task, status=Status.CANCELLED, money=Money.RELEASED)
        )

    async def spending(self) -> Spending:
        return Spending(
            provider=self.provider.name,
            unit="CNY",
            period="day",
            spent=Decimal("12.50"),
            reserved=Decimal(2),
            uncertain=Decimal(0),
            budget=Decimal(100),
            left=Decimal("85.50"),
        )

    @property
    def client(self) -> Any:
        return SimpleNamespace(seller=seller_of(self.provider, "payg"))

    def templates(self) -> tuple[Template, ...]:
        return video_templates.templates("cn")

    async def recent_ids(self, prefix: str, *, caller: str = "") -> list[str]:
        films = await self.recent_film_ids(prefix, caller=caller)
        return [*films, *([ID] if ID.startswith(prefix) else [])]

    async def recent_film_ids(self, prefix: str, *, caller: str = "") -> list[str]:
        film_id = self.film_view.film.film_id if self.film_view else ""
        return [film_id] if film_id and film_id.startswith(prefix) else []
