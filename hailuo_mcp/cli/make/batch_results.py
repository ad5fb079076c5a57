"""What became of several clips, for a person or a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from hailuo_mcp.cli import exits, results, task_rows, words
from hailuo_mcp.cli.make.batch_plan import (
    cost_record,
    file_of,
    line_record,
    place_of,
    reason,
    refused_record,
)
from hailuo_mcp.cli.output.styles import BAD, Cell, Styled, state
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import ContentRejectedError, HailuoError
from hailuo_mcp.text import number, shown

if TYPE_CHECKING:
    from hailuo_mcp.cli.make.prompt_file import Clip, Refused
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.views import View

_MOST_ROWS = 20
"""Rows of a plan that a person is shown before the question; a dry run shows all."""
_NAMED = 40


@dataclass(slots=True, kw_only=True)
class Made:
    """What has become of a clip of the batch."""

    clip: Clip
    view: View | None = None
    """None where no task was recorded."""
    error: HailuoError | None = None
    """Why it was not bought, or not copied."""
    copy: str = ""
    """Where it was copied to."""
    before: bool = False
    """It was bought by an earlier command."""

    @property
    def is_not_copied(self) -> bool:
        """It is saved, and not where it was wanted."""
        return bool(self.clip.output and self.view and self.view.task.saved and not self.copy)


def show(
    session: Session,
    made: Sequence[Made],
    refused: Sequence[Refused],
    *,
    stopped: HailuoError | None,
) -> int:
    """The summary of a batch. Returns the exit code."""
    terminal = session.terminal
    code = _exit_code(session, made, refused)
    if terminal.json:
        terminal.data(_answer(session, made, refused, stopped))
        return code
    if terminal.quiet:
        for one in made:
            if one.view and not (one.error or one.is_not_copied):
                results.show_path(session, one.view, copy=one.copy)
            else:
                _report(session, one)
        return code
    if made:
        _table(session, made)
    for one in made:
        _report(session, one)
    terminal.paragraph("", _summary(session, made, refused, stopped), style="bold", result=True)
    if next_step := _continues(made):
        results.follow_up(session, next_step, session.again)
    notice = next((one.view.notice for one in made if one.view and one.view.notice), "")
    if notice:
        terminal.paragraph("", notice, style="dim", result=True)
    return code


def _table(session: Session, made: Sequence[Made]) -> None:
    terminal = session.terminal
    play = any(one.view and one.view.notice for one in made)
    first = "Line" if file_of(session.args) else "Take"
    columns = (first, "Status", "Price" if play else "Cost", "Task", "Prompt", "File")
    # A person has the names of the files in the folder that the summary names.
    shown_columns = len(columns) - 1 if terminal.is_for_person else len(columns)
    rows = [_row(one)[:shown_columns] for one in made]
    terminal.table(columns[:shown_columns], rows, wide=4)
    terminal.say()


def _continues(made: Sequence[Made]) -> str:
    """What the same command would do; empty if nothing."""
    if any(one.view and not one.view.settled for one in made):
        return "Wait for them; the same command buys nothing twice"
    missing = [one.view for one in made if one.view is None or one.view.task.status in _LOST]
    if not missing:
        return ""
    if all(view and view.task.error_kind == ContentRejectedError.code for view in missing):
        return "Change what was refused, then the same command; it buys nothing twice"
    return "Make again what failed; the same command buys nothing twice"


_LOST = (Status.FAILED, Status.CANCELLED)


def _exit_code(session: Session, made: Sequence[Made], refused: Sequence[Refused]) -> int:
    codes = [exits.FAILED] if refused else []
    for one in made:
        if one.view and one.view.task.status is Status.UNCONFIRMED:
            codes.append(exits.UNCONFIRMED)
        elif _is_lost(session, one):
            codes.append(exits.FAILED)
    return max(codes, default=exits.DONE)


def _is_lost(session: Session, one: Made) -> bool:
    """Whether there is no clip, or not where it was wanted."""
    if one.error or one.is_not_copied or one.view is None or session.needs_person(one.view.task):
        return True
    return exits.of_view(one.view) != exits.DONE


def _row(one: Made) -> tuple[Cell, ...]:
    from hailuo_mcp.wording import person

    place, prompt = place_of(one.clip), _prompt(one)
    if one.view is None:
        what = "not tried" if one.error is None else Styled("not bought", BAD)
        return place, what, "nothing", "", prompt, ""
    task = one.view.task
    cost = person.cost(one.view).removesuffix(" when it succeeds").removeprefix("would cost ")
    cost = cost.replace("no published price", "unpriced")
    return place, state(task.state), cost, task.task_id, prompt, one.copy or task.file


def _prompt(one: Made) -> str:
    if one.view:
        return task_rows.named(one.view.task)
    return str(getattr(one.clip.request, "prompt", ""))


def _name(one: Made) -> str:
    prompt = _prompt(one)
    place = f"line {one.clip.line}" if one.clip.line else f"take {one.clip.take}"
    if one.clip.line and one.clip.take > 1:
        place += f", take {one.clip.take}"
    return f"{place} ({shown(' '.join(prompt.split()), _NAMED)})" if prompt else place


def _report(session: Session, one: Made) -> None:
    """Say why a clip is not where it was wanted, and what to do."""
    from hailuo_mcp.wording import person

    terminal = session.terminal
    if one.view is None:
        if one.error:
            terminal.paragraph(
                "Not bought:", f"{_name(one)}. {reason(one.error)}", style="bold red"
            )
        return
    task, program = one.view.task, words.program()
    if task.status is Status.UNCONFIRMED:
        _, why = person.task_text(one.view, program=program)
        terminal.paragraph("Unconfirmed:", f"{_name(one)}. {why}", style="bold yellow")
    elif task.status in _LOST or (task.status is Status.SUCCEEDED and not task.saved):
        label, why = person.task_text(one.view, program=program)
        if task.status is Status.SUCCEEDED and not task.save_error:
            return
        terminal.paragraph(f"{label[:-1]}:", f"{_name(one)}. {why}", style="bold red")
    elif session.needs_person(task):
        why = person.trouble_text(task, program=program)
        terminal.paragraph("Not fetched:", f"{_name(one)}. {why}", style="bold red")
    elif one.error or one.is_not_copied:
        why = reason(one.error) if one.error else f"It is at {task.file}."
        terminal.paragraph("Not copied:", f"{_name(one)}. {why}", style="bold red")


def _counts(made: Sequence[Made]) -> dict[str, int]:
    tasks = [one.view.task for one in made if one.view]
    return {
        "saved": sum(task.saved for task in tasks),
        "unconfirmed": sum(task.status is Status.UNCONFIRMED for task in tasks),
        "failed": sum(task.status in _LOST for task in tasks),
        "not_bought": sum(one.view is None for one in made),
        "before": sum(one.before for one in made),
    }


def _spent(session: Session, made: Sequence[Made]) -> tuple[Decimal, Decimal]:
    """What was charged for the clips, and how much of that by earlier commands."""
    unit, all_of_it, before = session.studio.unit, Decimal(0), Decimal(0)
    for one in made:
        task = one.view.task if one.view else None
        if task and task.money is Money.SPENT and task.unit is unit and task.amount:
            all_of_it += task.amount
            before += task.amount if one.before else 0
    return all_of_it, before


def _summary(
    session: Session,
    made: Sequence[Made],
    refused: Sequence[Refused],
    stopped: HailuoError | None,
) -> str:
    from hailuo_mcp.wording.phrases import amount

    counts, unit = _counts(made), session.studio.unit
    spent, before = _spent(session, made)
    folders = {str(one.copy or one.view.task.file).rpartition("/")[0] for one in made if one.view}
    folders.discard("")
    where = f" in {folders.pop()}" if len(folders) == 1 and counts["saved"] else ""
    said = [f"Saved {counts['saved']} of {words.count(len(made), 'clip')}{where}."]
    going = sum(1 for one in made if one.view and not one.view.settled)
    uncopied = sum(one.is_not_copied for one in made)
    parts = [
        f"{uncopied} not copied" if uncopied else "",
        f"{counts['failed']} failed" if counts["failed"] else "",
        f"{counts['unconfirmed']} unconfirmed" if counts["unconfirmed"] else "",
        f"{counts['not_bought']} not bought" if counts["not_bought"] else "",
        f"{words.count(len({it.line for it in refused}), 'line')} refused" if refused else "",
        f"{going} under way" if going else "",
    ]
    if told := ", ".join(part for part in parts if part):
        said.append(f"{told[0].upper()}{told[1:]}.")
    if stopped and any(one.view is None and one.error is None for one in made):
        said.append(f"The rest was not tried: {stopped.what}")
    if session.studio.provider.is_sandbox:
        real = f": real ones would cost {amount(spent, unit)}" if spent else ""
        said.append(f"Nothing was charged{real}.")
    else:
        part = f", {number(before)} of it by earlier commands" if before else ""
        said.append(f"Charged: {amount(spent, unit)}{part}.")
    return " ".join(said)


def _answer(
    session: Session,
    made: Sequence[Made],
    refused: Sequence[Refused],
    stopped: HailuoError | None,
) -> Mapping[str, object]:
    """`tasks` in the order of the clips; `lines` says which is whose."""
    from hailuo_mcp.cli.record import task_record

    tasks, lines = list[dict[str, object]](), list[dict[str, object]]()
    for one in made:
        line = line_record(one.clip)
        if one.view:
            tasks.append(task_record(one.view, copy=one.copy))
            line["task_id"] = one.view.task.task_id
        if one.error:
            line |= {"message": reason(one.error), "code": one.error.code}
        elif one.view is None:
            line["message"] = "It was not tried."
        lines.append(line)
    counts = _counts(made)
    return {
        "message": _summary(session, made, refused, stopped),
        **counts,
        "cost": cost_record(_spent(session, made)[0], session.studio.unit.value),
        "tasks": tasks,
        "lines": lines,
        "refused": [refused_record(one) for one in refused],
    }
