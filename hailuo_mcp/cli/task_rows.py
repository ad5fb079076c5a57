"""Rows of a list of tasks and films for a person: what fits on a line, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.cli.output import styles
from hailuo_mcp.cli.output.styles import Cell, text_of
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task

if TYPE_CHECKING:
    from decimal import Decimal

    from hailuo_mcp.views import FilmView, View

_LEAST_PROMPT = 16
_BESIDE_PATH = 24
"""Characters that the prompt keeps at least, and beside a path."""
_GIVES_WAY = ("Provider", "Cost", "Age")
"""Columns that are left out where there is no room, the first one first."""
_SPANS = ((86_400 * 365, "y"), (86_400, "d"), (3600, "h"), (60, "m"))
_DAYS_FROM = 2 * 86_400
"""Seconds up to which an age is given in hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a list; `wide` is the one that takes the room that is left."""

    columns: tuple[str, ...]
    wide: int
    rows: list[tuple[Cell, ...]]


def name_of(entry: View | FilmView) -> str:
    """How a person recognises it: by its prompt, its template, or its first shot."""
    from hailuo_mcp.views import FilmView
    from hailuo_mcp.wording import film_rows

    return film_rows.name_of(entry) if isinstance(entry, FilmView) else named(entry.task)


def named(task: Task) -> str:
    """A clip's name for a person: its template and the texts in it, or its prompt."""
    if task.mode is not Mode.TEMPLATE:
        return task.prompt
    template = model_title(task.model).removeprefix("template ")
    return ": ".join(part for part in (template, task.prompt) if part)


def state_of(entry: View | FilmView) -> str:
    """Its state while this process works: a clip that is ready is being saved."""
    is_due = entry.state == "unsaved" and not entry.settled and not entry.made.save_error
    return "saving" if is_due else entry.state


def began(entry: View | FilmView) -> float:
    """When it was written down, or a film made, in Unix seconds."""
    from hailuo_mcp.views import FilmView

    if isinstance(entry, FilmView):
        return entry.film.made_at or entry.film.created_at
    return entry.task.created_at


def when(entry: View | FilmView) -> str:
    """The time of day, or the date of another day; local, for a person."""
    then, today = datetime.fromtimestamp(began(entry)), datetime.fromtimestamp(entry.now)  # noqa: DTZ006
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%Y-%m-%d}"


def age(seconds: float) -> str:
    """Such as 12s, 3m, 26h or 5d."""
    whole = max(0, int(seconds))
    for span, letter in _SPANS:
        if whole >= (_DAYS_FROM if letter == "d" else span):
            return f"{whole // span}{letter}"
    return f"{whole}s"


def in_order(entries: Sequence[View | FilmView], sort: str) -> list[View | FilmView]:
    """Ordered by one of the SORTS; `entries` are newest first, and stay so where they are equal."""
    if sort == "oldest":
        return sorted(entries, key=began)
    keys: dict[str, Callable[[View | FilmView], tuple[object, ...]]] = {
        "cost": lambda entry: (-(_amount(entry) or 0),),
        "status": lambda entry: (_PLACES.get(entry.state, 0),),
        "provider": lambda entry: (entry.made.provider,),
        "model": lambda entry: (_model(entry),),
    }
    return sorted(entries, key=keys[sort]) if sort in keys else list(entries)


_PLACES = {
    state: place
    for place, state in enumerate(
        (
            *("planned", "pending", "submitting", "queued", "running"),
            *("unconfirmed", "unsaved", "saved", "failed", "cancelled"),
        )
    )
}


def _amount(entry: View | FilmView) -> Decimal | None:
    from hailuo_mcp.views import FilmView

    return entry.amount if isinstance(entry, FilmView) else entry.task.amount


def _model(entry: View | FilmView) -> str:
    from hailuo_mcp.views import FilmView

    if not isinstance(entry, FilmView):
        return entry.task.model
    return entry.film.shots[0].model if entry.film.shots else ""


def layout(
    entries: Sequence[View | FilmView], *, home: str, width: int, paths: bool, works: bool = False
) -> Layout:
    """What a terminal of that width shows; ids and states are never left out.

    `works`: whether this process saves clips meanwhile.
    """
    rows = [_cells(entry, below) for entry, below in _under_films(entries)]
    if works:
        states = [styles.state(state_of(entry)) for entry, _ in _under_films(entries)]
        rows = [{**row, "Status": state} for row, state in zip(rows, states, strict=True)]
    wanted = ["Task", "Status", "Age", "Cost", "Provider", "Prompt"]
    if all(entry.made.provider == home for entry in entries):
        wanted.remove("Provider")
    taken = {name: _widest(name, rows) for name in (*wanted, "File")}
    for name in _GIVES_WAY:
        if name in wanted and _width(wanted, taken, _LEAST_PROMPT) > width:
            wanted.remove(name)
    beside = [*wanted, "File"]
    saved = any(text_of(row["File"]) for row in rows)
    if saved and (paths or _width(beside, taken, _BESIDE_PATH) <= width):
        wanted = beside
    return Layout(
        columns=tuple(wanted),
        wide=wanted.index("Prompt"),
        rows=[tuple(row[name] for name in wanted) for row in rows],
    )


def lines(entries: Sequence[View | FilmView], *, home: str, paths: bool) -> Layout:
    """The same for a pipe: always the same columns, and the provider where there are several."""
    wanted = ["Task", "Status", "Cost", "Provider", "When", "Prompt"]
    if all(entry.made.provider == home for entry in entries):
        wanted.remove("Provider")
    wanted += ["File"] if paths else []
    rows = [
        {**_cells(entry, below), "Cost": whole_cost(entry)}
        for entry, below in _under_films(entries)
    ]
    return Layout(
        columns=tuple(wanted),
        wide=wanted.index("Prompt"),
        rows=[tuple(row[name] for name in wanted) for row in rows],
    )


def _widest(name: str, rows: Sequence[dict[str, Cell]]) -> int:
    from rich.cells import cell_len

    return max([len(name), *(cell_len(text_of(row[name])) for row in rows)])


def _width(names: Sequence[str], taken: dict[str, int], prompt: int) -> int:
    of_prompt = {**taken, "Prompt": min(taken["Prompt"], prompt)}
    return sum(of_prompt[name] for name in names) + 2 * (len(names) - 1)


def _under_films(
    entries: Sequence[View | FilmView],
) -> list[tuple[View | FilmView, bool]]:
    """Each with whether it stands below its film, directly or after other shots of it."""
    from hailuo_mcp.views import FilmView

    found, film = list[tuple["View | FilmView", bool]](), ""
    for entry in entries:
        if isinstance(entry, FilmView):
            film = entry.known_as
            found.append((entry, False))
        else:
            below = bool(film) and entry.task.film_id == film
            film = film if below else ""
            found.append((entry, below))
    return found


def _cells(entry: View | FilmView, below: bool) -> dict[str, Cell]:  # noqa: FBT001  # as in a pair
    from hailuo_mcp.views import FilmView

    name, file = name_of(entry), ""
    if isinstance(entry, FilmView):
        file = entry.film.file if entry.whole else ""
    else:
        task, file = entry.task, entry.task.file
        if task.film_id:
            name = f"shot {task.shot}{'' if below else f' of {task.film_id}'}: {name}"
    return {
        "Task": entry.known_as,
        "Status": styles.state(entry.state),
        "Age": age(entry.now - began(entry)),
        "Cost": short_cost(entry),
        "Provider": entry.made.provider,
        "When": when(entry),
        "Prompt": name,
        "File": styles.file(file),
    }


def whole_cost(entry: View | FilmView) -> str:
    """What it costs, in words; a film's row says what it costs in all."""
    from hailuo_mcp.views import FilmView
    from hailuo_mcp.wording import film_rows, person

    if isinstance(entry, FilmView):
        return film_rows.short_cost(entry)
    cost = person.cost(entry).removesuffix(" when it succeeds")
    return cost.replace("no published price", "unpriced")


def short_cost(entry: View | FilmView) -> str:
    """The same in a word or two: "?" where it may have been charged."""
    from hailuo_mcp.views import FilmView
    from hailuo_mcp.wording import phrases

    if entry.notice:
        return "free"
    if isinstance(entry, FilmView):
        return whole_cost(entry)
    task = entry.task
    if task.money is Money.UNKNOWN:
        return "elsewhere"
    if phrases.charged(task) == "no":
        return "-"
    price = "unpriced" if task.amount is None else phrases.amount(task.amount, task.unit)
    return f"{price}?" if task.status is Status.UNCONFIRMED else price
