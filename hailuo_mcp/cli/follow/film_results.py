"""A film for a person: where it is, what it cost, its shots, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.cli import words
from hailuo_mcp.cli.output import styles

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.terminal import Terminal
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.domain.film import Film
    from hailuo_mcp.views import FilmView, ShotView


def show_film(terminal: Terminal, view: FilmView, *, copy: str = "") -> None:
    """Show the film; `copy` is where it was copied to."""
    from hailuo_mcp.wording import person

    film = view.film
    if terminal.json:
        from hailuo_mcp.cli.record import film_record

        terminal.data(film_record(view, copy=copy))
        return
    if terminal.quiet:
        _show_path(terminal, view, copy)
        return
    if (reused := person.film_reused(view, program=words.program()))[0]:
        terminal.paragraph(*reused, result=True)
    label, sentence = person.film_text(view, program=words.program())
    if sentence:
        terminal.paragraph(label, sentence, style=styles.of_label(label), result=True)
    rows: list[tuple[str, styles.Cell]] = [
        ("Saved", styles.file(copy or (film.file if view.whole else ""))),
        ("Film", _size(film) if view.whole else ""),
        ("Cost", styles.Styled(person.film_cost(view), styles.MONEY)),
        ("Film id", film.film_id),
    ]
    terminal.facts([row for row in rows if styles.text_of(row[1])])
    terminal.say()
    terminal.table(
        ("Shot", "Status", "Price" if view.notice else "Cost", "Task", "Prompt"),
        [_row(view, shot) for shot in view.shots],
        wide=4,
        wraps=True,
    )
    for remark in person.film_remarks(view, program=words.program()):
        terminal.paragraph("Note:", remark, result=True)
    if view.notice:
        terminal.paragraph("", view.notice, style="dim", result=True)


def _show_path(terminal: Terminal, view: FilmView, copy: str) -> None:
    """With --quiet: where the film is, and nothing else; what went wrong is told on stderr."""
    from hailuo_mcp.wording import person

    if file := copy or (view.film.file if view.whole else ""):
        terminal.say(file)
    if not view.joined:
        label, sentence = person.film_text(view, program=words.program())
        said = f"{sentence} Film {view.film.film_id}."
        terminal.paragraph(label, said, style=styles.of_label(label))


def show_plan(terminal: Terminal, view: FilmView) -> None:
    """What would be made, at what price; of a film that was made, that it was."""
    from hailuo_mcp.wording import person

    if not view.planned:
        show_film(terminal, view)
        return
    columns = ("Shot", "From", "Length", "Price", "Prompt")
    rows = [_planned_row(view, shot) for shot in view.shots if shot.planned]
    terminal.table(columns, rows, wide=4, wraps=True)
    terminal.say()
    label, sentence = person.film_text(view, program=words.program())
    terminal.paragraph(label, sentence, style="bold", result=True)
    for remark in person.film_remarks(view, program=words.program()):
        terminal.paragraph("Note:", remark, result=True)
    if view.notice:
        terminal.paragraph("", view.notice, style="dim", result=True)


def _planned_row(view: FilmView, shot: ShotView) -> tuple[str, ...]:
    from hailuo_mcp.domain.requests import Mode

    plan = shot.plan
    source = "text" if plan.mode is Mode.T2V else "picture"
    if plan.continues:
        source = f"shot {shot.number - 1}"
    length = f"{plan.duration} s" if plan.duration else "-"
    return str(shot.number), source, length, _price(view, shot), plan.prompt


def _price(view: FilmView, shot: ShotView) -> str:
    from hailuo_mcp.wording import film_cases

    return film_cases.row_price(view, shot).removeprefix("would cost ") or "unpriced"


def suggest(session: Session, view: FilmView) -> None:
    """The next thing to do, as a command to paste."""
    from hailuo_mcp.cli.results import follow_up
    from hailuo_mcp.domain.task import Status

    film = view.film
    if session.terminal.quiet:
        return
    if session.is_elsewhere(film) and film.made_at is not None and not view.settled:
        session.report_elsewhere([film])
    elif view.planned:
        follow_up(session, "Make it", session.command("film", "--film", film.film_id))
    elif not view.settled:
        follow_up(session, "Wait for it", session.resume_command(film))
    elif view.status is Status.SUCCEEDED and not view.joined:
        follow_up(session, "Save it, free", session.command("download", film.film_id))
    elif view.joined:
        again = session.command("film", "--film", film.film_id, "--redo", str(len(view.shots)))
        follow_up(session, "Look at it", session.command("preview", film.film_id))
        follow_up(session, "Make a shot again, such as the last one", again)


def _row(view: FilmView, shot: ShotView) -> tuple[styles.Cell, ...]:
    from hailuo_mcp.wording import person

    if shot.planned:
        cost, status, task_id = _price(view, shot), "planned", ""
    elif shot.view is None:
        cost, status, task_id = "nothing", "withdrawn", ""
    else:
        task = shot.view.task
        cost = person.cost(shot.view).removesuffix(" when it succeeds")
        cost = cost.removeprefix("would cost ").replace("no published price", "unpriced")
        status, task_id = task.state, task.task_id
    return str(shot.number), styles.state(status), cost, task_id, shot.plan.prompt


def _size(film: Film) -> str:
    from hailuo_mcp.cli.results import megabytes

    parts = (
        f"{film.width}×{film.height}" if film.width and film.height else "",
        f"{film.seconds:g} s" if film.seconds else "",
        megabytes(film.bytes) if film.bytes else "",
    )
    return ", ".join(part for part in parts if part)
