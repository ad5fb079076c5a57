"""show: one task's or film's whole story, what it was made from, and where it is."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from hailuo_mcp.cli import arguments, exits, words
from hailuo_mcp.cli.output import styles
from hailuo_mcp.cli.output.styles import Cell, Styled, text_of
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from hailuo_mcp.cli.follow.story import Event
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.domain.film import Film
    from hailuo_mcp.domain.task import Task
    from hailuo_mcp.views import FilmView, View

show_options = arguments.id_option

_SHORT_SHA = 12
_TOLD_ELSEWHERE = frozenset({"prompt", "model", "duration", "resolution", "source", "upgrade_of"})
"""What of a request has a line of its own."""
_STYLES = {
    "saved": styles.GOOD,
    "joined": styles.GOOD,
    "failed": styles.BAD,
    "not saved": styles.BAD,
    "not joined": styles.BAD,
    "unconfirmed": styles.DOUBT,
    "cancelled": styles.QUIET,
}


def show(args: Namespace, terminal: Terminal) -> int:
    """Look into the journal alone: the provider is not asked, and nothing changes."""
    from hailuo_mcp.cli.running import run_with_reader
    from hailuo_mcp.errors import Do, Step, TaskNotFoundError
    from hailuo_mcp.studio.film_views import find_film

    async def job(session: Session) -> int:
        if film := await find_film(session.reader, args.task_id, ""):
            return await _show_film(session, film)
        task = await session.reader.store.find(args.task_id.strip())
        if task is None:
            raise TaskNotFoundError(
                f"No task {shown(args.task_id)!r} is recorded here.",
                Step(Do.TRY, "if it is the provider's own id, look it up with query"),
                Step(Do.LIST_TASKS),
            )
        view = await session.reader.view(task)
        if terminal.json:
            terminal.data(_task_story(view))
        else:
            _print_task(session, view)
        return exits.DONE

    return run_with_reader(args, terminal, job)


# ── a task ────────────────────────────────────────────────────────────────────────────────────


def _task_story(view: View) -> dict[str, object]:
    from hailuo_mcp.cli.follow import story
    from hailuo_mcp.cli.record import task_record

    task = view.task
    return {
        **task_record(view),
        "request": json.loads(task.request),
        "history": _history(story.of_task(task)),
    }


def _history(events: Sequence[Event]) -> list[dict[str, object]]:
    from hailuo_mcp.cli.record import moment
    from hailuo_mcp.wording.shapes import only_given

    return [only_given(at=moment(it.at), event=it.event, detail=it.detail) for it in events]


def _print_task(session: Session, view: View) -> None:
    from hailuo_mcp.cli import results
    from hailuo_mcp.cli.follow import story
    from hailuo_mcp.wording import person

    terminal, task = session.terminal, view.task
    terminal.line(task.task_id, "  ", styles.state(task.state))
    if task.prompt:
        terminal.paragraph("", task.prompt, result=True)
    terminal.say()
    _print_story(terminal, story.of_task(task))
    terminal.say()
    label, sentence = person.task_text(view, program=words.program())
    if sentence:
        terminal.paragraph(label, sentence, style=styles.of_label(label), result=True)
    for note in (*task.warnings, *view.notes):
        terminal.paragraph("Note:", note, result=True)
    if sentence or task.warnings or view.notes:
        terminal.say()
    cost = person.cost(view)
    facts: list[tuple[str, Cell]] = [
        ("Clip", results.clip_words(task)),
        ("Cost", Styled(f"nothing: a real one {cost}" if view.notice else cost, styles.MONEY)),
        ("File", styles.file(task.file)),
        ("SHA-256", task.sha256),
        ("From", _made_from(task)),
        *_request_facts(json.loads(task.request)),
        ("Provider", task.provider),
        ("Its id", task.remote_id),
        ("Key", task.request_key),
        ("Caller", task.caller),
        ("May be", ", ".join(task.candidates)),
    ]
    terminal.facts([row for row in facts if text_of(row[1])])
    _suggest(session, view)


def _made_from(task: Task) -> str:
    from hailuo_mcp.studio.request_record import upgrade_of

    parts = (
        f"an upgrade of {source}" if (source := upgrade_of(task.request)) else "",
        f"shot {task.shot} of film {task.film_id}" if task.film_id else "",
        f"the last frame of {task.after}" if task.after else "",
        f"take {task.take}" if task.take > 1 and not task.film_id else "",
    )
    return ", ".join(part for part in parts if part)


def _request_facts(request: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    """The options that were given, and the pictures by where they came from and their bytes."""
    for name, value in request.items():
        if name in _TOLD_ELSEWHERE:
            continue
        label = name.replace("_", " ").capitalize()
        several = cast("list[object]", value if isinstance(value, list) else [value])
        for number, one in enumerate(several, start=1):
            counted = f"{label} {number}" if len(several) > 1 else label
            yield counted, _value(one)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, dict):
        return str(value)
    known = cast("dict[str, object]", value)
    source = str(known.get("from") or known.get("url") or "")
    sha = str(known.get("sha256") or "")
    length = f"{known['seconds']} s" if known.get("seconds") else ""
    parts = (source, length, f"SHA-256 {sha[:_SHORT_SHA]}…" if sha else "")
    return ", ".join(part for part in parts if part)


def _suggest(session: Session, view: View) -> None:
    """The next thing to do, as a command to paste."""
    from hailuo_mcp.cli import results
    from hailuo_mcp.domain.task import Status

    task = view.task
    if task.status is Status.SUCCEEDED and not task.saved:
        save = session.command("download", task.task_id)
        results.follow_up(session, "Save it, free", save)
    elif not view.settled and not task.status.is_final and not session.is_elsewhere(task):
        wait = session.command("query", task.task_id, "--wait")
        results.follow_up(session, "Wait for it", wait)
    elif not view.settled and session.is_elsewhere(task):
        session.report_elsewhere([task])
    elif task.saved:
        look = session.command("preview", task.task_id)
        results.follow_up(session, "Look at it", look)


# ── a film ────────────────────────────────────────────────────────────────────────────────────


async def _show_film(session: Session, film: Film) -> int:
    from hailuo_mcp.cli.follow import story
    from hailuo_mcp.cli.record import film_record
    from hailuo_mcp.studio.film_views import film_view

    view = await film_view(session.reader, film)
    tasks = await session.reader.store.film_tasks(film.film_id)
    events = story.of_film(film, tasks)
    if session.terminal.json:
        session.terminal.data({**film_record(view), "history": _history(events)})
    else:
        _print_film(session, view, events)
    return exits.DONE


def _print_film(session: Session, view: FilmView, events: Sequence[Event]) -> None:
    from hailuo_mcp.cli.follow import film_results

    terminal = session.terminal
    terminal.line(view.film.film_id, "  ", styles.state(view.state))
    terminal.say()
    _print_story(terminal, events)
    terminal.say()
    film_results.show_film(terminal, view)
    film_results.suggest(session, view)


def _print_story(terminal: Terminal, events: Sequence[Event]) -> None:
    """A line for each event: when, how long after the one before, what."""
    rows, before = list[tuple[Cell, ...]](), None
    for event in events:
        after = ""
        if event.at is not None and before is not None:
            after = f"+{length(event.at - before)}"
        what = Styled(event.event, _STYLES.get(event.event.removeprefix("shot "), ""))
        detail = "" if event.event in ("saved", "joined") else event.detail
        rows.append((_moment(event.at), after, what, detail))
        before = event.at if event.at is not None else before
    if terminal.is_terminal:
        terminal.table(("When", "After", "What", "Detail"), rows, wide=3, wraps=True)
        return
    for row in rows:
        texts = [text_of(cell) for cell in row]
        terminal.say("{}  {:<8}  {:<12}  {}".format(*texts).rstrip())


def _moment(at: float | None) -> str:
    """To the second, in local time."""
    from datetime import datetime

    if at is None:
        return "unknown"
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"  # noqa: DTZ006  local, for a person


def length(seconds: float) -> str:
    """A length of time, exactly: 4s, 2m 05s, 3h 10m, 2d 4h."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days}d {hours_left}h"
    if hours:
        return f"{hours}h {minutes_left:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{whole}s"
