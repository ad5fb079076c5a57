"""Several clips by one command: all are checked, priced and asked for before one is bought.

The same command again continues: what was bought is found by its take, and in a file by its
content, so nothing is bought twice.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, copy_path, exits
from hailuo_mcp.cli.arguments import STANDARD
from hailuo_mcp.cli.make import batch_plan
from hailuo_mcp.cli.make.batch_buying import make
from hailuo_mcp.cli.make.batch_plan import Plan
from hailuo_mcp.cli.make.prompt_file import Clip, Refused, read_clips, takes_of
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.running import run_with_studio
from hailuo_mcp.cli.session import Session
from hailuo_mcp.domain.requests import AnyRequest
from hailuo_mcp.errors import (
    ConsentRequiredError,
    Do,
    HailuoError,
    InvalidRequestError,
    Step,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from hailuo_mcp.views import Offer, Terms


def buy_takes(args: Namespace, terminal: Terminal, request: AnyRequest) -> int:
    """Buy several takes of one request."""
    _check_options(args, terminal)
    return _buy(args, terminal, takes_of(args, 0, request))


def buy_file(args: Namespace, terminal: Terminal) -> int:
    """Buy a clip for each line of a file."""
    if args.prompt.strip():
        raise InvalidRequestError(
            "There are a prompt and a file of prompts.",
            Step(Do.TRY, "leave the prompt out, or write it into the file"),
        )
    _check_options(args, terminal)
    clips, unread = read_clips(args, terminal)
    return _buy(args, terminal, clips, unread)


def _check_options(args: Namespace, terminal: Terminal) -> None:
    if args.output == STANDARD:
        raise InvalidRequestError(
            "Standard output can take one clip only.",
            Step(Do.TRY, "name a folder, with a slash at its end"),
        )
    arguments.check_result(args, terminal)
    if args.request_key:
        raise InvalidRequestError(
            "--request-key names one purchase, and these are several.",
            Step(Do.TRY, "leave it out: the same command again buys nothing twice"),
        )
    if args.confirm:
        raise InvalidRequestError(
            "--confirm agrees to one purchase, and these are several.",
            Step(Do.TRY, "agree to all of them at once, with --yes"),
        )


def _buy(
    args: Namespace, terminal: Terminal, clips: Sequence[Clip], unread: Sequence[Refused] = ()
) -> int:
    """Check all, ask once, buy; `unread`: lines to be corrected before anything is bought."""
    _need_folder(clips)
    try:
        plan = run_with_studio(args, terminal, partial(_plan, clips=clips), works=False)
    except HailuoError:
        if not unread:
            raise
        plan = None
    if unread or plan is None:
        every = sorted((*unread, *(plan.refused if plan else ())), key=lambda one: one.line)
        batch_plan.show_refused(args, terminal, every, clips=len(clips), unread=True)
        return exits.REFUSED
    refused, again = plan.refused, batch_plan.again(args)
    skips = getattr(args, "skip_refused", False) and bool(plan.offers)
    if refused and not skips and not args.dry_run:
        batch_plan.show_refused(args, terminal, refused, clips=len(clips))
        return exits.REFUSED
    if not (terminal.json and not args.dry_run):
        batch_plan.show_plan(args, terminal, plan, refused)
    elif refused:
        batch_plan.note_refused(args, terminal, refused)
    if args.dry_run:
        would_be = plan.over is not None or (refused and not skips)
        return exits.REFUSED if would_be else exits.DONE
    if plan.over:
        raise plan.over
    if not _agreed(args, terminal, plan):
        return exits.REFUSED
    job = partial(make, plan=plan, refused=refused, again=again)
    return run_with_studio(args, terminal, job)


async def _plan(session: Session, *, clips: Sequence[Clip]) -> Plan:
    args, studio = session.args, session.studio
    terms = replace(arguments.terms(args, approved=False), max_cost=None)
    clips = [replace(clip, request=await session.with_ids(clip.request)) for clip in clips]
    wanted = [(clip.request, replace(terms, take=clip.take)) for clip in clips]
    checked = await studio.quote_batch(wanted, named=bool(getattr(args, "file", "")))
    offers, refused = list[tuple[Clip, "Terms", "Offer"]](), list[Refused]()
    elsewhere = 0
    taken = dict[str, int]()
    for clip, one in zip(clips, checked, strict=True):
        try:
            if one.offer is None:
                raise one.refused or InvalidRequestError("It cannot be made.")
            _check_output(session, clip, one.offer, taken)
        except HailuoError as exc:
            if not any(it.line == clip.line and it.error.what == exc.what for it in refused):
                refused.append(Refused(clip.line, exc))
        else:
            offers.append((clip, one.terms, one.offer))
            elsewhere += one.elsewhere
    total: Decimal | None = None
    asks, over = False, None
    try:
        total, asks = studio.hold_batch(
            [offer for _, _, offer in offers], max_cost=args.max_cost or None
        )
    except HailuoError as exc:
        over = exc
    return Plan(
        offers=tuple(offers),
        refused=tuple(refused),
        total=total,
        asks=asks,
        elsewhere=elsewhere,
        spending=await studio.spending(),
        over=over,
    )


def _check_output(session: Session, clip: Clip, offer: Offer, taken: dict[str, int]) -> None:
    """Refuse a place that another clip of the batch gets, or that no clip can be written to."""
    if not clip.output:
        return
    where = arguments.output_path(clip.output)
    if not _is_folder(where):
        if where in taken:
            raise InvalidRequestError(
                f"The place of its copy, {clip.output}, is also that of line {taken[where]}.",
                Step(Do.TRY, "name a folder, with a slash at its end"),
            )
        taken[where] = clip.line
    if offer.repeats and offer.repeats.task.saved:
        return  # it may have been copied before: equal bytes are left as they are
    copy_path.checked(session, clip.output)


def _need_folder(clips: Sequence[Clip]) -> None:
    """Refuse one file for all clips."""
    first = clips[0].output if clips else ""
    same = len(clips) > 1 and all(clip.output == first for clip in clips)
    if first and same and not _is_folder(arguments.output_path(first)):
        raise InvalidRequestError(
            f"{first} is one file, and there are {len(clips)} clips.",
            Step(Do.TRY, "name a folder, with a slash at its end"),
        )


def _is_folder(where: str) -> bool:
    if where.endswith(("/", "\\")):
        return True
    try:
        return Path(where).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return False


def _agreed(args: Namespace, terminal: Terminal, plan: Plan) -> bool:
    """Whether the person agrees to the sum; a script does by running the command.

    Raises:
        ConsentRequiredError: the sum needs consent, and nobody can be asked.
    """
    if args.yes or not plan.new:
        return True
    if terminal.can_ask and (plan.needs_consent or not batch_plan.is_sandbox(plan)):
        question = batch_plan.question(plan)
        # The studio is closed while they think: an open one has work that must not wait.
        args.yes = terminal.ask(question, refused="Not bought, nothing was charged.")
        return bool(args.yes)
    if plan.elsewhere:
        raise ConsentRequiredError(
            f"{batch_plan.bought_elsewhere(plan)} They would be bought again with this one.",
            Step(Do.TRY, "choose that account again to go on with them, free"),
            Step(Do.TRY, "buy them again with --yes"),
        )
    if plan.asks:
        raise ConsentRequiredError(
            f"{batch_plan.costs(plan)}, which needs consent (HAILUO_CONFIRM_ABOVE).",
            Step(Do.TRY, "agree to the sum with --yes"),
        )
    return True
