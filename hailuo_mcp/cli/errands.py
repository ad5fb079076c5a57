"""Running a command that needs the studio: open it, do the work, say what goes on after Ctrl-C."""

from __future__ import annotations

import os
import signal
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from hailuo_mcp.cli import arguments, words
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.domain import POLLED, Status, Task
from hailuo_mcp.errors import (
    AuthenticationError,
    HailuoError,
    InvalidRequestError,
    RemoteTaskNotFoundError,
)

if TYPE_CHECKING:
    from hailuo_mcp.cli.progress import Watcher
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import Progress, Saved, View

FOREVER = 10 * 365 * 86_400.0
FRESH_SECONDS = 5.0
"""How long a question without a wait waits for one status read: nobody else may be reading."""

_TRIES = 3
"""So many tries in a row have failed, and the person had better hear why."""

_IN_FOLDER = "hailuo-mcp.mp4"
"""Stands for the clip's own name, which is not known before."""

Result = TypeVar("Result")


class _NeedsPersonError(Exception):
    """Ends a wait that would last until a disk or a key is mended."""


@dataclass(kw_only=True)
class Errand:
    args: Namespace
    terminal: Terminal
    settings: Settings
    tasks: list[Task] = field(default_factory=list[Task])
    """What is being waited for, for the words after Ctrl-C."""
    buying: bool = False
    """A purchase has begun whose task is not known yet."""
    began: float = field(default_factory=time.time)

    def command(self, *given: str) -> str:
        return words.command(self.args, *given)

    def go_on(self, task: Task) -> str:
        """The command that waits for a clip and puts it where it was wanted."""
        output: str = getattr(self.args, "output", "")
        if not output:
            return self.command("query", task.task_id, "--wait")
        overwrite = ("--overwrite",) if self.args.overwrite else ()
        return self.command("download", task.task_id, output, *overwrite)

    async def wait(self, studio: Studio, task_id: str, wait: float, watcher: Watcher) -> View:
        """Follow a task until it is over, the time is up, or nothing but a person can help."""
        try:
            return await studio.query(
                task_id, wait_seconds=wait, on_progress=self._follow(studio, watcher)
            )
        except _NeedsPersonError:
            return await studio.query(task_id)

    async def save(
        self, studio: Studio, task_id: str, output: str, wait: float, watcher: Watcher
    ) -> Saved:
        """Have the clip on disk, and a copy where it is wanted; ends as `wait` does."""
        from hailuo_mcp.views import Saved

        try:
            return await studio.download(
                task_id,
                output_path=output,
                overwrite=self.args.overwrite,
                wait_seconds=wait,
                on_progress=self._follow(studio, watcher),
            )
        except _NeedsPersonError:
            return Saved(view=await studio.query(task_id), status="not_ready")

    def needs_person(self, studio: Studio, task: Task) -> bool:
        """Whether waiting is in vain: tries in a row have failed, and so would the next."""
        if task.tries < _TRIES:
            return False
        if task.status is Status.SUCCEEDED:
            return bool(task.save_error) and not task.saved
        refused = task.error_kind == AuthenticationError.code
        foreign = task.account != studio.account  # of another key's task nobody believes a "gone"
        gone = foreign and task.error_kind == RemoteTaskNotFoundError.code
        asked = (task.polled_at or 0) >= self.began
        return task.status in POLLED and asked and (refused or gone)

    def _follow(self, studio: Studio, watcher: Watcher) -> Progress:
        async def show(view: View) -> None:
            self.tasks = [view.task]
            await watcher.show(view)
            if self.needs_person(studio, view.task):
                raise _NeedsPersonError

        return show

    def place(self, text: str, *, overwrite: bool) -> str:
        """Where a copy is to go, refused now rather than after the purchase.

        Raises:
            InvalidRequestError: no clip can go there, or something is there.
        """
        if text in ("", words.STANDARD):
            return ""
        from hailuo_mcp.files.folders import Folders

        where = arguments.place(text)
        folders = Folders(self.settings.output_dir, fenced=False)
        target = folders.target(where, default_name=_IN_FOLDER)
        if target.exists() and target.name != _IN_FOLDER and not overwrite:
            raise InvalidRequestError(
                f"{target} exists. Nothing was sent or charged. Choose another name, or say "
                "--overwrite."
            )
        folder = next(place for place in target.parents if place.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise InvalidRequestError(
                f"{folder} takes no clip. Nothing was sent or charged. Choose a folder that you "
                "can write to."
            )
        return where


def run(
    args: Namespace,
    terminal: Terminal,
    job: Callable[[Errand, Studio], Awaitable[Result]],
    *,
    works: bool = True,
) -> Result:
    """Do the job with an open studio, which also does what is due in it unless it only asks.

    Raises:
        HailuoError: as the job does.
        KeyboardInterrupt: after saying what goes on without us.
    """
    errand = Errand(args=args, terminal=terminal, settings=arguments.settings(args))
    try:
        return _within_loop(lambda: _open_and_do(errand, job, works=works))
    except KeyboardInterrupt:
        _tell_interrupted(errand)
        raise


async def _open_and_do(
    errand: Errand, job: Callable[[Errand, Studio], Awaitable[Result]], *, works: bool
) -> Result:
    from hailuo_mcp.bootstrap import open_studio

    async with open_studio(errand.settings, fenced=False, works=works) as studio:
        # An error that crosses the studio's task group would come out wrapped.
        try:
            result = await job(errand, studio)
        except HailuoError as exc:
            error = exc
        else:
            tell_damage(errand.terminal, studio)
            return result
    raise error


def tell_damage(terminal: Terminal, studio: Studio) -> None:
    """What was found of the journal when it was opened; a refusal says so itself."""
    if studio.losses:
        from hailuo_mcp.wording.person import losses_text

        lost = losses_text(studio.losses, program=words.program())
        terminal.paragraph("Problem:", lost, style="bold red")
    elif studio.rescued:
        terminal.paragraph(
            "Note:",
            "the journal was damaged. Nothing is lost: all of its tasks were carried over to a new "
            f"one. {words.program()} doctor says where the damaged file is kept.",
        )


def _within_loop(work: Callable[[], Coroutine[object, object, Result]]) -> Result:
    import anyio

    def stop(_signal: int, _frame: object) -> None:
        signal.raise_signal(signal.SIGINT)  # an orderly end for `kill` and `docker stop` as well

    before = signal.signal(signal.SIGTERM, stop)
    try:
        return anyio.run(work)
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_interrupted(errand: Errand) -> None:
    terminal = errand.terminal
    terminal.note()
    if not errand.tasks:
        if not errand.buying:
            terminal.note("Stopped.")
            return
        terminal.paragraph(
            "Stopped", "while the request was being made; it may have been sent. First look:"
        )
        terminal.note(f"  {errand.command('tasks')}")
        return
    if len(errand.tasks) > 1:
        many = f"waiting for {len(errand.tasks)} tasks; nothing is lost. Go on with:"
        terminal.paragraph("Stopped", many)
        terminal.note(f"  {errand.command('tasks', '--wait')}")
        return
    task = errand.tasks[0]
    goes_on = {
        Status.PENDING: "is written down and not sent; the next hailuo-mcp within ten minutes "
        "sends it, later it is cancelled free",
        Status.SUBMITTING: f"was just being sent to {task.provider}; look before you ask for it "
        "again",
        Status.SUCCEEDED: f"is ready at {task.provider} and not saved yet",
    }.get(task.status, f"goes on at {task.provider}; nothing is lost")
    terminal.paragraph("Stopped waiting.", f"Task {task.task_id} {goes_on}. Go on with:")
    terminal.note(f"  {errand.go_on(task)}")


def elsewhere(studio: Studio, task: Task) -> bool:
    """Whether this process, with its provider and address, cannot ask how the task is."""
    return task.account.rpartition(" ")[0] != studio.account.rpartition(" ")[0]


def tell_strangers(errand: Errand, tasks: Sequence[Task]) -> None:
    """Name the tasks that this process cannot follow, and the command that can."""
    count = "It was" if len(tasks) == 1 else f"{len(tasks)} were"
    errand.terminal.paragraph(
        "Note:", f"{count} bought with other settings, so it takes those to wait. For example:"
    )
    for provider in sorted({task.provider for task in tasks}):
        known = {**vars(errand.args), "provider": provider}
        errand.terminal.note(f"  {words.command(Namespace(**known), 'tasks', '--wait')}")
