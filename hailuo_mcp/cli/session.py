"""A command with an open studio, or only the journal: open it, run the job, say how to resume."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hailuo_mcp.cli import words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import POLLED, Status, Task
from hailuo_mcp.errors import (
    AuthenticationError,
    Do,
    DownloadError,
    RemoteTaskNotFoundError,
    Step,
)

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.progress import Bar, Lines
    from hailuo_mcp.domain.film import FilmRequest
    from hailuo_mcp.domain.requests import AnyRequest
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.studio.reader import Reader
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import FilmView, Saved, SavedFilm, View

FRESH_SECONDS = 5.0
"""How long a query without --wait waits for one status read; no other process may be running."""
_PATIENCE = 2
"""Ctrl-C is pressed so often before the process ends in the middle of its work."""
_TRIES = 3
"""Failed tries in a row after which the person is told why."""

_BLOCK = 4096
"""Bytes, the least that takes room on a disk."""

_IN_FOLDER = "hailuo-mcp.mp4"
"""Stands for the clip's own name, which is not known before."""

Result = TypeVar("Result")
Named = TypeVar("Named", bound="AnyRequest | FilmRequest")


class _NeedsPersonError(Exception):
    """Ends a wait that would last until a disk or a key is corrected."""


@dataclass(kw_only=True)
class Session:
    args: Namespace
    terminal: Terminal
    settings: Settings
    reader: Reader = field(init=False, repr=False)
    """The journal, to look into; the studio where there is one."""
    studio: Studio = field(init=False, repr=False)
    """Not there for a command that only looks."""
    tasks: list[Task] = field(default_factory=list[Task])
    """What is being waited for, for the message after Ctrl-C."""
    films: list[Film] = field(default_factory=list[Film])
    """The same, of films; the tasks are then their shots."""
    again: str = ""
    """The command that continues this one, where that is the same command."""
    buying: bool = False
    """A purchase has begun whose task is not known yet."""
    ends_with_interrupt: bool = False
    """^C is how the command ends; there is nothing to say about it."""
    began: float = field(default_factory=time.time)
    _searched: set[str] = field(default_factory=set[str])
    """Tasks whose search at the provider the person knows of."""

    def command(self, *given: str) -> str:
        return words.command(self.args, *given)

    def resume_command(self, made: Task | Film) -> str:
        """The command that waits for a clip or film and puts it where it was wanted."""
        known = made.task_id if isinstance(made, Task) else made.film_id
        output: str = getattr(self.args, "output", "")
        if not output:
            return self.command("query", known, "--wait")
        flags = [f"--{name}" for name in ("overwrite", "no-keep") if self._given(name)]
        return self.command("download", known, output, *flags)

    def _given(self, flag: str) -> bool:
        return bool(getattr(self.args, flag.replace("-", "_"), False))

    async def task_id(self, text: str) -> str:
        """The id that a person means: whole, its first characters, @last, or @-2.

        Raises:
            InvalidRequestError: several tasks begin like this, or there is none.
        """
        from hailuo_mcp.cli import task_names

        return await task_names.task_id(self.reader, text)

    async def with_ids(self, request: Named) -> Named:
        """The request with ids in the place of all other names of tasks, in pictures too.

        Raises:
            InvalidRequestError: as `task_id`.
        """
        from hailuo_mcp.cli import task_names

        return await task_names.with_ids(self.reader, request)

    async def wait(self, task_id: str, wait: float, progress: Bar | Lines) -> View:
        """Follow a task until it is over, the time is up, or only a person can help."""
        try:
            view = await self.studio.query(
                task_id, wait_seconds=wait, on_progress=self._shown(progress)
            )
        except _NeedsPersonError:
            view = await self.studio.query(task_id)
        self.tasks = [view.task]
        return view

    async def save(self, task_id: str, output: str, wait: float, progress: Bar | Lines) -> Saved:
        """Have the clip on disk, and a copy where it is wanted; ends as `wait` does."""
        from hailuo_mcp.views import Saved

        try:
            return await self.studio.download(
                task_id,
                output_path=output,
                overwrite=self.args.overwrite,
                keep=not self._given("no-keep"),
                wait_seconds=wait,
                on_progress=self._shown(progress),
            )
        except _NeedsPersonError:
            return Saved(view=await self.studio.query(task_id), status="not_ready")
        except DownloadError as exc:
            if output:
                raise await self.not_copied(task_id, exc) from None
            raise

    async def not_copied(self, task_id: str, error: DownloadError) -> DownloadError:
        """The same error, with where the clip is; as it is where there is no clip."""
        task = (await self.studio.known(task_id)).task
        if not (task.saved and await self.studio.storage.exists(task.file)):
            return error
        elsewhere = self.command("download", task.task_id, "-o", "ANOTHER/PLACE.mp4")
        return DownloadError(
            f"The clip is saved at {task.file}, and was not copied. {error.what}",
            Step(Do.TRY, f"copy it to another place, free: {elsewhere}"),
            task_id=task.task_id,
        )

    async def wait_for_film(self, film: Film, wait: float, progress: Bar | Lines) -> FilmView:
        """Follow a film until it is over, the time is up, or only a person can help."""
        try:
            return await self.studio.query_film(
                film, wait_seconds=wait, on_progress=self._shown_film(progress)
            )
        except _NeedsPersonError:
            return await self.studio.query_film(await self._now(film))

    async def save_film(
        self, film: Film, output: str, wait: float, progress: Bar | Lines
    ) -> SavedFilm:
        """Have the joined film on disk, and a copy where it is wanted; ends as `wait` does."""
        from hailuo_mcp.views import SavedFilm

        try:
            return await self.studio.download_film(
                film,
                output_path=output,
                overwrite=self.args.overwrite,
                keep=not self._given("no-keep"),
                wait_seconds=wait,
                on_progress=self._shown_film(progress),
            )
        except _NeedsPersonError:
            view = await self.studio.query_film(await self._now(film))
            return SavedFilm(view=view, status="not_ready")

    async def _now(self, film: Film) -> Film:
        return await self.studio.film(film.film_id, "") or film

    async def clip_to_write(self, file: str) -> str:
        """The path of a saved clip, for standard output.

        One that is in a bucket is copied to a file, which is deleted when this process ends.
        """
        if not file or self.studio.storage.local_path(file) is not None:
            return file
        import atexit
        import shutil
        import tempfile

        folder = tempfile.mkdtemp(prefix="hailuo-mcp-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copied = await self.studio.storage.copy(file, Path(folder, "clip.mp4"), overwrite=False)
        return str(copied.path)

    def is_elsewhere(self, made: Task | Film) -> bool:
        """Whether it belongs to another provider or address than this process uses."""
        return made.account.rpartition(" ")[0] != self.reader.account.rpartition(" ")[0]

    def is_to_be_read(self, task: Task, began: float) -> bool:
        """Whether a command that began then should wait for one status read of the task."""
        due = (task.polled_at or task.submitted_at or 0) + self.studio.settings.poll_seconds
        read = (task.polled_at or 0) >= began
        return task.status in POLLED and due <= began + FRESH_SECONDS and not read

    def needs_person(self, task: Task) -> bool:
        """Whether waiting is useless: several tries have failed, and so would the next."""
        if task.tries < _TRIES:
            return False
        if task.status is Status.SUCCEEDED:
            return bool(task.save_error) and not task.saved
        refused = task.error_kind == AuthenticationError.code
        foreign = task.account != self.studio.account  # "gone" proves nothing about another key
        gone = foreign and task.error_kind == RemoteTaskNotFoundError.code
        asked = (task.polled_at or 0) >= self.began
        return task.status in POLLED and asked and (refused or gone)

    def film_needs_person(self, view: FilmView) -> bool:
        """As `needs_person`, for a film: for one of its shots, or for joining them."""
        if any(shot.view and self.needs_person(shot.view.task) for shot in view.shots):
            return True
        film = view.film
        return film.tries >= _TRIES and bool(film.save_error) and not view.joined

    def _shown_film(self, progress: Bar | Lines) -> Callable[[FilmView], Awaitable[None]]:
        async def show(view: FilmView) -> None:
            self.films = [view.film]
            self.report_search([view])
            await progress.show(view)
            if self.film_needs_person(view):
                raise _NeedsPersonError

        return show

    def _shown(self, progress: Bar | Lines) -> Callable[[View], Awaitable[None]]:
        async def show(view: View) -> None:
            self.tasks = [view.task]
            self.report_search([view])
            await progress.show(view)
            if self.needs_person(view.task):
                raise _NeedsPersonError

        return show

    def report_search(self, views: Sequence[View | FilmView]) -> None:
        """Say once why this may take long, and how to leave: it would look as if it hung."""
        new = [it for it in views if it.searching and it.known_as not in self._searched]
        if not new:
            return
        self._searched.update(it.known_as for it in new)
        view = new[0]
        self.terminal.paragraph(
            "Unconfirmed.",
            f"{view.made.provider} did not say whether it took the request. It is looked for in "
            "the provider's list of tasks, which can take half an hour, and is never sent twice. "
            f"Ctrl-C leaves; this goes on looking: {self.resume_command(view.made)}",
            style="bold yellow",
        )

    def report_elsewhere(self, tasks: Sequence[Task | Film]) -> None:
        """Name the tasks that this process cannot follow, and the command that can."""
        count = "It was" if len(tasks) == 1 else f"{len(tasks)} clips were"
        self.terminal.paragraph(
            "Note:", f"{count} bought with other settings. Wait with those, for example:"
        )
        for provider in sorted({task.provider for task in tasks}):
            args = Namespace(**{**vars(self.args), "provider": provider})
            self.terminal.note(f"  {words.command(args, 'tasks', '--wait')}")

    def report_damage(self) -> None:
        """Report what was wrong with the journal when it was opened; a refusal says so itself."""
        if self.reader.losses:
            from hailuo_mcp.wording.person import losses_text

            lost = losses_text(self.reader.losses, program=words.program())
            self.terminal.paragraph("Problem:", lost, style="bold red")
        elif self.reader.rescued:
            self.terminal.paragraph(
                "Note:",
                "the journal was damaged. Nothing is lost: all of its tasks were copied to a new "
                f"one. {words.program()} doctor says where the damaged file is.",
            )
