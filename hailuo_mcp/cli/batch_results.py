"""Several clips for a person or a script: what they would cost, and what became of them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.cli import exits, results, task_rows, words
from hailuo_mcp.cli.arguments import STANDARD
from hailuo_mcp.domain import Money, Status, Unit
from hailuo_mcp.errors import ContentRejectedError, HailuoError, InvalidRequestError
from hailuo_mcp.text import number, shown

if TYPE_CHECKING:
    from hailuo_mcp.cli.batch import Made, Plan
    from hailuo_mcp.cli.prompt_file import Clip, Refused
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.cli.terminal import Terminal
    from hailuo_mcp.views import Offer

_MOST_ROWS = 20
"""Rows of a plan that a person is shown before the question; a dry run shows all."""
_NAMED = 40


def again(args: Namespace) -> str:
    """The command that continues this one, and waits to its end."""
    command = words.retyped(args, no_wait=False, wait_seconds=None)
    fed = getattr(args, "file", "") == STANDARD
    return f"{command}   (with the same lines on standard input)" if fed else command


def is_sandbox(plan: Plan) -> bool:
    return any(offer.notice for _, _, offer in plan.offers)


def question(plan: Plan) -> str:
    play = " of play money" if is_sandbox(plan) else ""
    return f"Buy {words.count(plan.new, 'clip')} for {_total(plan)}{play}?"


def costs(plan: Plan) -> str:
    """The sum as a clause."""
    verb = "would cost" if is_sandbox(plan) else "cost"
    if plan.new == 1 and verb == "cost":
        verb = "costs"
    return f"{words.count(plan.new, 'new clip')} {verb} {_total(plan)}"


def _total(plan: Plan) -> str:
    from hailuo_mcp.wording.phrases import amount

    new = [offer for _, _, offer in plan.offers if offer.repeats is None]
    known = [offer.reserved_amount for offer in new if offer.reserved_amount is not None]
    total = amount(sum(known, Decimal(0)), Unit(plan.spending.unit))
    missing = len(new) - len(known)
    return f"at least {total} ({missing} without a published price)" if missing else total


def show_plan(args: Namespace, terminal: Terminal, plan: Plan, refused: Sequence[Refused]) -> None:
    """The price before the purchase; with --dry-run, the whole result."""
    if args.dry_run and terminal.json:
        terminal.data(_plan_answer(args, plan, refused))
        return
    if args.dry_run or terminal.can_ask:
        rows = [_plan_row(clip, offer) for clip, _, offer in plan.offers]
        few = rows if args.dry_run else rows[:_MOST_ROWS]
        columns = ("Line" if args_file(args) else "Take", "Clip", "Price", "Prompt")
        if few:
            terminal.table(columns, few, wide=3)
            if len(few) < len(rows):
                terminal.say(f"and {len(rows) - len(few)} more", style="dim")
            terminal.say()
    note_refused(args, terminal, refused)
    label = "Would cost:" if is_sandbox(plan) else "Price:"
    if not plan.new:
        label = "Nothing to buy:"
    terminal.paragraph(label, _plan_text(plan), style="bold", result=args.dry_run)
    if not args.dry_run:
        return
    if plan.over:
        from hailuo_mcp.wording import person

        why = person.error_text(plan.over, program=words.program())
        terminal.paragraph("Would be refused:", why, style="bold red", result=True)
    if refused and args_file(args):
        lines = words.count(len({one.line for one in refused}), "line")
        terminal.paragraph("Would be refused:", f"{lines}, as said.", style="bold red", result=True)
    terminal.say("Nothing was sent or charged.", style="dim")
    if plan.new and not (plan.over or refused):
        terminal.say()
        terminal.say("Buy them:" if plan.new > 1 else "Buy it:", style="dim")
        terminal.say(f"  {words.retyped(args, dry_run=False)}")


def args_file(args: Namespace) -> str:
    return getattr(args, "file", "")


def _plan_text(plan: Plan) -> str:
    """The sum, what was bought before, and the budget."""
    before = [offer.repeats.task for _, _, offer in plan.offers if offer.repeats]
    unsure = sum(task.status is Status.UNCONFIRMED for task in before)
    said = [f"{_total(plan)} for {words.count(plan.new, 'new clip')}." if plan.new else ""]
    if before:
        were = "was" if len(before) == 1 else "were"
        many = "all" if not plan.new and len(before) > 1 else str(len(before))
        said.append(f"{many} {were} bought before, and cost{_s(len(before))} nothing again.")
    if unsure:
        are = "1 of them is" if unsure == 1 else f"{unsure} of them are"
        said.append(f"{are} unconfirmed, and not bought again before you have settled that.")
    left = plan.spending.left
    if left is not None and plan.new:
        if plan.total is not None and plan.total <= left:
            after = f", {number(left - plan.total)} after these clips"
        else:
            after = ""
        said.append(f"Left of the budget: {number(left)} {plan.spending.unit}{after}.")
    if plan.asks:
        said.append("That needs consent (HAILUO_CONFIRM_ABOVE).")
    return " ".join(part for part in said if part)


def _s(many: int) -> str:
    return "s" if many == 1 else ""


def _plan_row(clip: Clip, offer: Offer) -> tuple[str, ...]:
    draft = offer.draft
    price = price_words(offer.quote) if draft.amount is not None else "unpriced"
    if repeats := offer.repeats:
        price = {
            Status.UNCONFIRMED: "unconfirmed, not bought again",
            Status.SUCCEEDED: "bought before",
        }.get(repeats.task.status, "under way")
    length = f"{draft.duration} s" if draft.duration else ""
    what = ", ".join(part for part in (model_title(draft.model), draft.resolution, length) if part)
    return _place(clip), what, price, task_rows.named(draft)


def _place(clip: Clip) -> str:
    """Where a clip stands: its line, and its take if that is not the first."""
    if not clip.line:
        return str(clip.take)
    return f"{clip.line}" if clip.take == 1 else f"{clip.line}, take {clip.take}"


def _plan_answer(args: Namespace, plan: Plan, refused: Sequence[Refused]) -> Mapping[str, object]:
    from hailuo_mcp.wording.costs import purchase_quote, spending

    clips = list[dict[str, object]]()
    for clip, _, offer in plan.offers:
        quoted = dict(purchase_quote(offer))
        quoted.pop("spending", None)  # once, for all of them
        clips.append({**_where(clip), **quoted})
    message = _plan_text(plan)
    if plan.over:
        message = f"{message} Would be refused: {plan.over.what}"
    return {
        "message": f"{message} Nothing was sent or charged.",
        "new": plan.new,
        "before": len(plan.offers) - plan.new,
        "cost": _cost(plan.total, plan.spending.unit),
        "needs_consent": plan.asks,
        "refused": [_refused_answer(one) for one in refused],
        "spending": spending(plan.spending),
        "clips": clips,
        **({"would_be_refused": plan.over.code} if plan.over else {}),
        **({"file": args.file} if args_file(args) else {}),
    }


def _cost(total: Decimal | None, unit: str) -> dict[str, str]:
    return {"unit": unit} if total is None else {"amount": number(total), "unit": unit}


def _where(clip: Clip) -> dict[str, object]:
    return {**({"line": clip.line} if clip.line else {}), "take": clip.take}


def _refused_answer(one: Refused) -> dict[str, object]:
    return {
        **({"line": one.line} if one.line else {}),
        "message": _why(one.error),
        "code": one.error.code,
    }


def _why(error: HailuoError) -> str:
    """What is wrong and what helps; that nothing was charged is said once, for all."""
    from hailuo_mcp.wording import person
    from hailuo_mcp.wording.phrases import join

    what = error.what.removeprefix("Refused: ")
    return join(what, person.steps_text(error, program=words.program()))


def note_refused(args: Namespace, terminal: Terminal, refused: Sequence[Refused]) -> None:
    """Each line that cannot be made, as compilers name theirs."""
    file = args_file(args)
    name = "standard input" if file == STANDARD else file
    for one in refused:
        place = f"{name}:{one.line}:" if one.line else "Refused:"
        terminal.paragraph(place, _why(one.error), style="bold red")


def show_refused(
    args: Namespace,
    terminal: Terminal,
    refused: Sequence[Refused],
    *,
    clips: int,
    unread: bool = False,
) -> None:
    """Why nothing was bought: every line that cannot be made."""
    from hailuo_mcp.wording.tasks import error_answer

    if not args_file(args):  # takes of one request, which are all refused for the same reason
        raise refused[0].error
    lines = words.count(len({one.line for one in refused}), "line")
    rest = "" if unread or len(refused) >= clips else ", or add --skip-refused to make the others"
    said = f"{lines} cannot be made, so nothing was bought or charged. Correct them{rest}."
    if terminal.json:
        error = InvalidRequestError(said)
        answers = [_refused_answer(one) for one in refused]
        terminal.data({"message": said, **error_answer(error), "refused": answers})
    note_refused(args, terminal, refused)
    terminal.paragraph("Refused:", said, style="bold red")


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
        _show_paths(session, made)
        return code
    if made:
        notice = any(one.view and one.view.notice for one in made)
        first = "Line" if args_file(session.args) else "Take"
        columns = (first, "Status", "Price" if notice else "Cost", "Task", "Prompt", "File")
        rows = [_row(one) for one in made]
        if terminal.is_for_person:  # who has the names of the files in the folder that is named
            columns, rows = columns[:5], [row[:5] for row in rows]
        terminal.table(columns, rows, wide=4)
        terminal.say()
    for one in made:
        _report(session, one)
    terminal.paragraph("", _summary(session, made, refused, stopped), style="bold", result=True)
    if next_step := _continues(made):
        results.follow_up(session, next_step, session.again)
    notice = next((one.view.notice for one in made if one.view and one.view.notice), "")
    if notice:
        terminal.say(notice, style="dim")
    return code


def _show_paths(session: Session, made: Sequence[Made]) -> None:
    """With --quiet: where the clips are, a line each; what went wrong is told on stderr."""
    for one in made:
        if one.view and not one.error:
            results.show_path(session, one.view, copy=one.copy)
        else:
            _report(session, one)


def _continues(made: Sequence[Made]) -> str:
    """What the same command would do; empty if nothing."""
    if any(one.view and not one.view.settled for one in made):
        return "Wait for them; the same command buys nothing twice"
    if any(one.view is None or one.view.task.status in _LOST for one in made):
        return "Make again what failed; the same command buys nothing twice"
    return ""


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
    if one.error or one.view is None or session.needs_person(one.view.task):
        return True
    return exits.of_view(one.view) != exits.DONE


def _row(one: Made) -> tuple[str, ...]:
    from hailuo_mcp.wording import person

    place, prompt = _place(one.clip), _prompt(one)
    if one.view is None:
        state = "not tried" if one.error is None else "not bought"
        return place, state, "nothing", "", prompt, ""
    task = one.view.task
    cost = person.cost(one.view).removesuffix(" when it succeeds").removeprefix("would cost ")
    cost = cost.replace("no published price", "unpriced")
    return place, task.state, cost, task.task_id, prompt, one.copy or task.file


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
            terminal.paragraph("Not bought:", f"{_name(one)}. {_why(one.error)}", style="bold red")
        return
    task, program = one.view.task, words.program()
    if task.status is Status.UNCONFIRMED:
        _, why = person.task_text(one.view, program=program)
        terminal.paragraph("Unconfirmed:", f"{_name(one)}. {why}", style="bold yellow")
    elif task.status in _LOST or (task.status is Status.SUCCEEDED and not task.saved):
        label, why = person.task_text(one.view, program=program)
        if task.status is Status.SUCCEEDED and not task.save_error:
            return
        if task.error_kind == ContentRejectedError.code:
            why += " The same words are refused each time, free: change the line."
        terminal.paragraph(f"{label[:-1]}:", f"{_name(one)}. {why}", style="bold red")
    elif session.needs_person(task):
        why = person.trouble_text(task, program=program)
        terminal.paragraph("Not fetched:", f"{_name(one)}. {why}", style="bold red")
    elif one.error:
        terminal.paragraph("Not copied:", f"{_name(one)}. {_why(one.error)}", style="bold red")


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
    parts = [
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
        line = _where(one.clip)
        if one.view:
            record = dict(task_record(one.view))
            if one.copy:
                record["file"] = one.copy
            tasks.append(record)
            line["task_id"] = one.view.task.task_id
        if one.error:
            line |= {"message": _why(one.error), "code": one.error.code}
        elif one.view is None:
            line["message"] = "It was not tried."
        lines.append(line)
    counts = _counts(made)
    return {
        "message": _summary(session, made, refused, stopped),
        **counts,
        "cost": _cost(_spent(session, made)[0], session.studio.unit.value),
        "tasks": tasks,
        "lines": lines,
        "refused": [_refused_answer(one) for one in refused],
    }
