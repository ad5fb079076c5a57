"""Commands that buy: generate and template."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.arguments import FOREVER, STANDARD
from hailuo_mcp.cli.output.terminal import Terminal

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.domain.requests import AnyRequest
    from hailuo_mcp.domain.task import Task
    from hailuo_mcp.views import Offer, View

    Wanted = Callable[[Session], Awaitable[AnyRequest]]
    """What is bought, which only an open studio may be able to say."""


def generate_options(parser: ArgumentParser) -> None:
    arguments.add_request(parser, arguments.VIDEO_OPTIONS)
    arguments.add_terms(parser)
    arguments.add_count(parser, file=True)


def generate(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.domain.requests import VideoRequest
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if args.file:
        from hailuo_mcp.cli.make import batch

        return batch.buy_file(args, terminal)
    pictures = (args.first_frame_image, args.subject_image, *args.reference_images)
    if not (args.prompt.strip() or any(pictures)):
        raise InvalidRequestError(
            "There is no prompt and no picture.",
            Step(Do.TRY, "describe in quotes what the clip shows"),
        )
    if args.prompt == STANDARD:
        args.prompt = arguments.standard_input(terminal)
    return _buy_known(args, terminal, arguments.request(args, VideoRequest))


def template_options(parser: ArgumentParser) -> None:
    arguments.add_request(parser, arguments.TEMPLATE_OPTIONS)
    arguments.add_terms(parser)
    arguments.add_count(parser)


def template(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.domain.requests import TemplateRequest

    if not args.template_id.strip():
        return _list_templates(args, terminal)
    return _buy_known(args, terminal, arguments.request(args, TemplateRequest))


def _buy_known(args: Namespace, terminal: Terminal, request: AnyRequest) -> int:
    if args.count is not None:
        from hailuo_mcp.cli.make import batch

        return batch.buy_takes(args, terminal, request)
    return buy(args, terminal, _known(request))


def _list_templates(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.catalog.video_templates import templates
    from hailuo_mcp.dialects.providers import PROVIDERS
    from hailuo_mcp.text import number
    from hailuo_mcp.wording.costs import NO_TEMPLATES, template_choice

    provider = PROVIDERS[setting_sources.settings(args).provider]
    known = templates(provider.templates) if provider.templates else ()
    if terminal.json:
        found: list[dict[str, str]] = []
        for row in known:
            told = {"template_id": row.template_id, "name": row.title, "inputs": row.inputs}
            found.append({**told, "usd": number(row.usd)} if row.usd else told)
        choice = template_choice(known, notice=provider.notice)
        terminal.data({"message": choice["message"] if known else NO_TEMPLATES, "templates": found})
        return exits.DONE
    if not known:
        terminal.paragraph("", NO_TEMPLATES, result=True)
        return exits.DONE
    rows = [
        (row.template_id, row.title, row.inputs, number(row.usd) if row.usd else "-")
        for row in known
    ]
    shown = 4 if any(row.usd for row in known) else 3  # China publishes no prices of templates
    columns = ("Template", "Name", "Inputs", "USD")[:shown]
    terminal.table(columns, [row[:shown] for row in rows], wide=1)
    return exits.DONE


def _known(request: AnyRequest) -> Wanted:
    async def wanted(session: Session) -> AnyRequest:
        nonlocal request  # the first time: after the purchase @last is another task
        request = await session.with_ids(request)
        return request

    return wanted


def buy(args: Namespace, terminal: Terminal, wanted: Wanted) -> int:
    """Show the price, ask for consent if needed, buy, wait, and show the result."""
    from hailuo_mcp.cli import results
    from hailuo_mcp.cli.running import run_with_studio

    arguments.check_result(args, terminal)
    offer, request = run_with_studio(args, terminal, partial(_quoted, wanted=wanted), works=False)
    results.show_offer(args, terminal, offer, request)
    if args.dry_run:
        return exits.DONE
    asks = offer.asks or _is_unpriced(offer)
    if not agrees(args, terminal, asks=asks, question=_question(offer)):
        return exits.REFUSED
    code, clip = run_with_studio(args, terminal, partial(_buy_and_wait, wanted=wanted))
    if args.output != STANDARD:
        return code
    if clip:
        terminal.write_clip(clip)
    return exits.DONE if clip else code or exits.FAILED


async def _quoted(session: Session, *, wanted: Wanted) -> tuple[Offer, AnyRequest]:
    from hailuo_mcp.cli import copy_path

    copy_path.checked(session, session.args.output)
    request = await wanted(session)
    return await quote(session, request), request


async def quote(session: Session, request: AnyRequest) -> Offer:
    """What it costs, by the terms of the command line. Nothing is sent."""
    return await session.studio.quote(request, arguments.terms(session.args, approved=False))


def agrees(args: Namespace, terminal: Terminal, *, asks: bool, question: str) -> bool:
    """Whether the person agrees to the price, where they must be asked and can be.

    Where nobody can answer, the purchase itself refuses and gives a code.
    """
    if not asks or args.yes or args.confirm or not terminal.can_ask:
        return True
    # The studio is closed while they think: an open one has work that must not wait.
    if not terminal.ask(question, refused="Not bought, nothing was charged."):
        return False
    args.yes = True
    return True


def _is_unpriced(offer: Offer) -> bool:
    """A clip that costs nobody knows what; only a person is asked about that."""
    return offer.draft.amount is None and not (offer.repeats or offer.notice)


def _question(offer: Offer) -> str:
    from hailuo_mcp.catalog.prices import price_words

    if _is_unpriced(offer):
        return "Its price is not published. Buy this clip?"
    if offer.draft.amount is None or offer.notice:
        return "Buy this clip?"
    return f"Buy this clip for {price_words(offer.quote)}?"


_NOT_SENT = ("pending", "submitting")
"""Statuses of tasks that are not at the provider yet when this process ends."""


async def _buy_and_wait(session: Session, *, wanted: Wanted) -> tuple[int, str]:
    """The exit code, and where the copy of the clip is."""
    from dataclasses import replace

    from hailuo_mcp.cli import copy_path, results
    from hailuo_mcp.cli.follow.finish import finish
    from hailuo_mcp.domain.task import Status

    args, studio = session.args, session.studio
    output = copy_path.checked(session, args.output)
    copy = ""
    with session.terminal.progress() as progress:
        progress.tell("checking and sending")
        request = await wanted(session)
        session.buying = True
        view = bought = await studio.generate(request, arguments.terms(args, approved=args.yes))
        session.tasks = [view.task]
        saved_before = bought.reused and view.task.saved
        while args.no_wait and view.task.status in _NOT_SENT:
            view = await session.wait(view.task.task_id, 1.0, progress)
        if wait := FOREVER if args.wait_seconds is None else args.wait_seconds:
            view = await session.wait(view.task.task_id, wait, progress)
        if args.output and view.task.status is Status.SUCCEEDED:
            progress.tell("copying")
            saved = await session.save(view.task.task_id, output, FOREVER, progress)
            view, copy = saved.view, saved.file
    view = replace(view, reused=bought.reused)
    clip = copy
    if args.output == STANDARD:
        clip = await session.clip_to_write(copy)
    results.show(session, view, copy=copy)
    if saved_before:
        results.note_kept_name(session)
    await finish(session, [view], [copy] if copy else [])
    _suggest(session, view)
    return exits.of_view(view), clip


def _suggest(session: Session, view: View) -> None:
    """The next thing to do, as a command to paste."""
    from hailuo_mcp.cli import results
    from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, PROVIDERS
    from hailuo_mcp.domain.requests import Mode
    from hailuo_mcp.domain.task import Status

    task, args = view.task, session.args
    if not task.status.is_final:
        if task.status is not Status.UNCONFIRMED:
            results.follow_up(session, "Wait for it", session.resume_command(task))
    elif task.status is Status.SUCCEEDED and not task.saved:
        where = [args.output] if args.output else []
        save = session.command("download", task.task_id, *where)
        results.follow_up(session, "Save it, free", save)
    elif task.saved and task.mode is not Mode.UPGRADE:
        again = words.another_take(args, take=task.take + 1)
        results.follow_up(session, "Another take of it", again)
        if size := upgraded_size(task):
            keep = session.command("upgrade", task.task_id)
            results.follow_up(session, f"The same clip at {size}", keep)
        if view.notice and not words.needs_sandbox(args):
            row = PROVIDERS[DEFAULT_PROVIDER]
            results.follow_up(
                session,
                f"A real one, after {words.program()} login with a key from {row.console}",
                words.another_take(args, take=1, provider=row.name),
            )


def upgraded_size(task: Task) -> str:
    """To which resolution a clip can be upgraded; empty for none."""
    from hailuo_mcp.catalog.video_models import find_model

    model = find_model(task.model)
    return model.upgrades.get(task.resolution or "", "") if model else ""
