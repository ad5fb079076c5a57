"""What a person reads while clips are made: how far they are, as lines for a width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Unit
from hailuo_mcp.views import FilmView, View, amount_words, cost_words

if TYPE_CHECKING:
    from rich.text import Text

Entry = View | FilmView

ALMOST = 0.99
"""The most that is shown of what is not over: how long the end takes is not known."""
_WIDEST_BAR, _NARROWEST_BAR, _SMALL_BAR = 40, 8, 10
_PERCENT = 6
"""Columns of " 100 %"."""
_TIMES = 33
"""Columns of the longest time, without hours."""
_PHASE = 30
"""Columns of a phase before the prompt gets some."""
_LEAST_PROMPT = 16
_GRACE, _GRACE_PART = 2.0, 0.05
"""Seconds, and a part of the usual time, that nobody would call late."""
_SOON = 3.0
"""Seconds after which a person wonders whether it still goes on."""
_LOST = ("failed", "cancelled", "unconfirmed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How far something is at a moment."""

    fraction: float | None
    """From 0 to 1, which is only reached when it is over; None where no time is known."""
    elapsed: float
    left: float | None = None
    """Seconds; None where that is not known."""
    overdue: bool = False
    """It takes longer than such clips usually do."""


def _began(view: Entry) -> float:
    """When the first of its requests was taken, or recorded if none was."""
    return min((it.submitted_at or it.created_at for it in view.tasks), default=view.now)


class Meter:
    """Measures clips against the usual time of their kind; what it says never goes backwards."""

    def __init__(self) -> None:
        self._most: dict[str, float] = {}
        self._ends: dict[str, float] = {}
        """When each is ready by the last estimate: there is none for the last second."""

    def of(self, view: Entry, now: float) -> Measured:
        """How far a clip or film is; `now`: Unix seconds, `view` may be some seconds older."""
        name, began = view.known_as, _began(view)
        elapsed = max(0.0, now - began)
        if view.settled:
            ended = max((it.finished_at or it.updated_at for it in view.tasks), default=now)
            return Measured(fraction=1.0, elapsed=max(0.0, ended - began))
        if view.state == "unsaved":
            return Measured(fraction=self._held(name, ALMOST), elapsed=elapsed)
        sent = any(it.submitted_at for it in view.tasks)
        if view.eta_seconds is not None:
            self._ends[name] = view.now + view.eta_seconds
        end = self._ends.get(name)
        if end is None:
            return Measured(fraction=self._held(name, None), elapsed=elapsed, overdue=sent)
        whole = max(1.0, end - began)
        overdue = sent and now > end + max(_GRACE, _GRACE_PART * whole)
        return Measured(
            fraction=self._held(name, elapsed / whole if sent else 0.0),
            elapsed=elapsed,
            left=None if overdue else max(1.0, end - now),
            overdue=overdue,
        )

    def sum(self, views: Sequence[Entry], now: float) -> Measured:
        """How far several are together: the last of them decides how long it takes."""
        each = [self.of(view, now) for view in views]
        known = [it.fraction for it in each if it.fraction is not None]
        over = all(view.settled for view in views)
        lefts = [it.left for it in each if it.left is not None]
        fraction = sum(known) / len(each) if known else None
        return Measured(
            fraction=1.0 if over else self._held("", fraction),
            elapsed=max((it.elapsed for it in each), default=0.0)
            if over
            else max(0.0, now - min(map(_began, views), default=now)),
            left=max(lefts, default=None),
            overdue=not lefts and any(it.overdue for it in each),
        )

    def _held(self, name: str, fraction: float | None) -> float | None:
        """At least what was said before, and never all of it."""
        if fraction is not None:
            self._most[name] = max(self._most.get(name, 0.0), min(fraction, ALMOST))
        return self._most.get(name)


def clock(seconds: float) -> str:
    """A length of time such as 0:42 or 1:02:10."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def times(measured: Measured) -> str:
    """The time that has gone, and what is known of the rest."""
    if measured.fraction == 1.0:
        return clock(measured.elapsed)
    if measured.left is not None:
        rest = f"about {clock(measured.left)} left"
    elif measured.overdue:
        rest = "longer than usual"
    elif measured.fraction == ALMOST:
        rest = "almost done"
    else:
        rest = "time left unknown"
    return f"{clock(measured.elapsed)}, {rest}"


def frame(
    views: Sequence[Entry],
    meter: Meter,
    *,
    now: float,
    width: int,
    height: int,
    unicode: bool = True,
) -> list[Text]:
    """The lines of this moment: two for one clip, else one for each and their sum.

    None is wider than `width`, and there are fewer than `height`.
    """
    several = _entries(views)
    if len(several) == 1 and isinstance(several[0], View):
        return _one(several[0], meter.of(several[0], now), width, unicode=unicode)
    most = max(1, height - 5)
    shown = several
    if len(several) > most:
        shown = [it for it in several if not it.settled][:most]
        shown += [it for it in several if it.settled][: most - len(shown)]
        shown.sort(key=several.index)
    lines = [_row(view, meter.of(view, now), width, unicode=unicode) for view in shown]
    if hidden := len(several) - len(shown):
        lines.append(_fit(f"and {hidden} more", width, "dim"))
    whole = list(views) if len(views) == 1 else several
    return [*lines, *_sum(whole, several, meter.sum(whole, now), width, unicode=unicode)]


def _entries(views: Sequence[Entry]) -> list[Entry]:
    """A film alone is shown by its shots."""
    if len(views) == 1 and isinstance(views[0], FilmView):
        return [shot.view for shot in views[0].shots if shot.view]
    return list(views)


def _one(view: View, measured: Measured, width: int, *, unicode: bool) -> list[Text]:
    said = times(measured)
    room = width - _PERCENT - max(_TIMES, len(said)) - 2
    size = max(_NARROWEST_BAR, min(_WIDEST_BAR, room))
    line = _bar(measured, view.state, size, unicode=unicode)
    line.append(f"{_percent(measured)}  ", "bold")
    line.append(said)
    line.truncate(width)
    after = "".join(f"  {part}" for part in (cost_words(view.task), view.known_as) if part)
    return [line, _fit(doing(view), max(1, width - len(after)), "bold").append(after, "dim")]


def _row(view: Entry, measured: Measured, width: int, *, unicode: bool) -> Text:
    from rich.text import Text

    line = Text(f"{view.known_as}  ")
    line.append_text(_bar(measured, view.state, _SMALL_BAR, unicode=unicode))
    line.append(f"{_percent(measured)}  ", "bold")
    room = width - line.cell_len
    said, prompt = doing(view), named(view)
    if measured.left is not None and not view.settled:
        said += f", {clock(measured.left)} left"
    elif measured.overdue:
        said += ", longer than usual"
    if room < _PHASE + _LEAST_PROMPT:
        return line.append_text(_fit(said, room, _style(view.state)))
    phase = _fit(said, _PHASE - 2, _style(view.state))
    phase.pad_right(_PHASE - phase.cell_len)
    return line.append_text(phase).append_text(_fit(prompt, room - _PHASE, "dim"))


def _sum(
    whole: Sequence[Entry], each: Sequence[Entry], measured: Measured, width: int, *, unicode: bool
) -> list[Text]:
    """The line below; what has no room in it stands in one more."""
    from rich.text import Text

    done = sum(view.settled for view in each)
    line = Text(f"{f'{done} of {len(each)} done':<16}  ", "bold")
    line.append_text(_bar(measured, "", _SMALL_BAR, unicode=unicode))
    line.append(f"{_percent(measured)}  ", "bold")
    parts = (cost_of(whole), whole[0].known_as if len(whole) != len(each) else "")
    room, rest = width - line.cell_len, "  ".join(filter(None, parts))
    said = times(measured)
    if len(said) + 2 + len(rest) <= room or not rest:
        return [line.append_text(_fit(f"{said}  {rest}".rstrip(), room, ""))]
    return [line.append_text(_fit(said, room, "")), _fit(rest, width, "dim")]


def cost_of(views: Sequence[Entry]) -> str:
    """What they cost together, in each unit; unpriced ones do not count."""
    sums: dict[tuple[Unit, str], Decimal] = {}
    for view in views:
        for task in view.tasks:
            if task.amount is not None:
                key = (task.unit, task.provider)
                sums[key] = sums.get(key, Decimal(0)) + task.amount
    return ", ".join(amount_words(total, unit, of) for (unit, of), total in sums.items())


def doing(view: Entry) -> str:
    """The phase, in a few words."""
    from hailuo_mcp.wording import cases, film_cases

    if isinstance(view, FilmView):
        return film_cases.progress_line(replace(view, eta_seconds=None))
    return cases.progress_line(replace(view, eta_seconds=None))


def named(view: Entry) -> str:
    """What tells it from others: its prompt."""
    if isinstance(view, FilmView):
        return view.film.shots[0].prompt if view.film.shots else ""
    from hailuo_mcp.catalog.video_templates import model_title

    task = view.task
    return model_title(task.model) if task.mode is Mode.TEMPLATE else task.prompt


def _percent(measured: Measured) -> str:
    told = "" if measured.fraction is None else f"{int(100 * measured.fraction)} %"
    return f"{told:>{_PERCENT}}"


def _bar(measured: Measured, state: str, size: int, *, unicode: bool) -> Text:
    from rich.text import Text

    full, rest = ("━", "─") if unicode else ("=", ".")
    filled = int(size * (measured.fraction or 0.0))
    style = _style(state) or "cyan"
    return Text.assemble((full * filled, style), (rest * (size - filled), "bright_black"))


def _style(state: str) -> str:
    if state in _LOST:
        return "red"
    return "green" if state == "saved" else ""


def _fit(text: str, width: int, style: str) -> Text:
    """One line, without what a terminal could take for an instruction, cut to the width."""
    from rich.text import Text

    line = Text("".join(c if c.isprintable() else " " for c in text), style)
    line.truncate(max(0, width), overflow="ellipsis")
    return line


def telling(text: str, elapsed: float, width: int) -> Text:
    """What is being done before there is a task; with the time if it takes long."""
    if not text:
        return _fit("", 0, "")
    return _fit(f"{text} …  {clock(elapsed)}" if elapsed >= _SOON else f"{text} …", width, "dim")


def sum_words(views: Sequence[Entry]) -> str:
    """Several together, for a log."""
    done = sum(view.settled for view in views)
    left = [view.eta_seconds for view in views if view.eta_seconds and not view.settled]
    rest = f"about {clock(max(left))} left" if left else ""
    return ", ".join(filter(None, (f"{done} of {len(views)} done", rest, cost_of(views))))
