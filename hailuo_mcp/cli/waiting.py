"""tasks --wait: name what is waited for, end when nothing can change, and say what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.cli import errands, exits, results, words
from hailuo_mcp.domain import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hailuo_mcp.cli.errands import Errand
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import View

_MOST, _MOST_NAMED = 10_000, 20
_LACKING = ("unsaved", "unconfirmed")


async def wait_for_all(errand: Errand, studio: Studio) -> list[View]:
    """Wait until nothing of this provider can change any more.

    Returns what was waited for, and every other clip that was paid for and is not on disk.
    """
    await _save_anew(studio)
    in_flight = await _under_way(studio)
    strangers = [view.task for view in in_flight if errands.elsewhere(studio, view.task)]
    if strangers:
        errands.tell_strangers(errand, strangers)
    waiting = _open(errand, studio, in_flight)
    _name(errand, waiting.values())
    for task_id in waiting:
        await studio.query(task_id)  # has its status read soon, whenever that was planned
    seen: dict[str, View] = {}
    with errand.terminal.watching() as watcher:
        while waiting:
            seen.update(waiting)
            errand.tasks = [view.task for view in waiting.values()]
            last = max(waiting.values(), key=lambda view: view.eta_seconds or 0)
            await watcher.show(last, done=len(seen) - len(waiting), of=len(seen))
            await studio.query(last.task.task_id, wait_seconds=1.0)
            waiting = _open(errand, studio, await _under_way(studio))
    return [
        view
        for view in (await studio.tasks(limit=_MOST)).rows
        if view.task.task_id in seen
        or (view.task.state in _LACKING and not errands.elsewhere(studio, view.task))
    ]


def exit_code(errand: Errand, studio: Studio, views: Iterable[View]) -> int:
    """The worst of their ends; what only a person can set right has failed."""
    codes = [
        exits.FAILED if errand.needs_person(studio, view.task) else exits.of_view(view)
        for view in views
    ]
    return max(codes, default=exits.DONE)


def tell_missing(errand: Errand, studio: Studio, views: Iterable[View]) -> None:
    """Name each clip that was or may have been paid for and is not on disk, and what to do."""
    from hailuo_mcp.wording.person import trouble_text

    for view in views:
        task = view.task
        name = f"{task.task_id} ({_short(view)})" if results.named(task) else task.task_id
        if task.status is Status.UNCONFIRMED:
            settle = errand.command("settle", task.task_id, "bought")
            said = f"{name} may have been bought. Look at the provider's bill, then: {settle}"
            said += " (or not-bought)"
            errand.terminal.paragraph("Unconfirmed:", said, style="bold yellow")
        elif task.status is Status.SUCCEEDED and task.save_error:
            again = errand.command("download", task.task_id)
            said = f"{name}. {task.save_error} To try again, free: {again}"
            errand.terminal.paragraph("Not saved:", said, style="bold red")
        elif errand.needs_person(studio, task):
            errand.terminal.paragraph(
                "Not fetched:",
                f"{name}. {trouble_text(task, program=words.program())}",
                style="bold red",
            )


def _open(errand: Errand, studio: Studio, views: Iterable[View]) -> dict[str, View]:
    """What can still change by itself, and can be asked about with these settings."""
    return {
        view.task.task_id: view
        for view in views
        if not errands.elsewhere(studio, view.task) and not errand.needs_person(studio, view.task)
    }


async def _under_way(studio: Studio) -> list[View]:
    """Everything that a worker still has to do something for."""
    unfinished = await studio.tasks(status="unfinished", limit=_MOST)
    ready = await studio.tasks(status="unsaved", limit=_MOST)
    return [view for view in (*unfinished.rows, *ready.rows) if not view.settled]


async def _save_anew(studio: Studio) -> None:
    """Whoever waits may have made room or mended the network: every clip is fetched again."""
    if not studio.settings.auto_download:
        return
    for view in (await studio.tasks(status="unsaved", limit=_MOST)).rows:
        if not errands.elsewhere(studio, view.task):
            await studio.download(view.task.task_id)


def _name(errand: Errand, views: Iterable[View]) -> None:
    waiting = list(views)
    if not waiting:
        return
    clips = "1 clip" if len(waiting) == 1 else f"{len(waiting)} clips"
    errand.terminal.note(f"Waiting for {clips}:")
    for view in waiting[:_MOST_NAMED]:
        errand.terminal.note(f"  {view.task.task_id}  {view.task.state:<10}  {_short(view)}")
    if len(waiting) > _MOST_NAMED:
        errand.terminal.note(f"  and {len(waiting) - _MOST_NAMED} more")


def _short(view: View) -> str:
    name = " ".join(results.named(view.task).split())
    return name if len(name) <= words.SHORT else f"{name[: words.SHORT - 1]}…"
