"""Commands that buy: generate and template."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from functools import partial
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, errands, exits, results, words
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.errands import FOREVER, Errand
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, PROVIDERS
from hailuo_mcp.domain import AnyRequest, Status, TemplateRequest, VideoRequest
from hailuo_mcp.errors import InvalidRequestError

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import Offer, View


def _generate_options(parser: ArgumentParser) -> None:
    arguments.add_subject(
        parser,
        "prompt",
        "--prompt",
        metavar="PROMPT",
        what="what is to be seen, in quotes; camera moves (hailuo-mcp moves) in brackets; "
        "- reads it from standard input",
    )
    group = parser.add_argument_group("clip")
    group.add_argument(
        "--model",
        default="",
        type=arguments.plain,
        help="chosen by the inputs; see hailuo-mcp models",
    )
    for name, what in (
        ("first", "the clip starts with this picture"),
        ("last", "the clip ends with this picture"),
    ):
        group.add_argument(
            f"--{name}-frame-image", default="", type=arguments.plain, metavar="PICTURE", help=what
        )
    group.add_argument(
        "--subject-image",
        default="",
        type=arguments.plain,
        metavar="PICTURE",
        help="a person who is to appear",
    )
    group.add_argument(
        "--duration", type=arguments.whole(0, 3600), default=0, metavar="SECONDS", help="6 or 10"
    )
    group.add_argument("--resolution", default="", type=arguments.plain, help="512P, 768P, 1080P …")
    group.add_argument(
        "--prompt-optimizer",
        action=BooleanOptionalAction,
        help="have the provider improve the wording, which is the default, or keep it as it is",
    )
    group.add_argument("--fast-pretreatment", action="store_true", help="optimise it faster")
    group.add_argument("--watermark", action="store_true", help="put the provider's mark on it")
    arguments.add_terms(parser)


def _generate(args: Namespace, terminal: Terminal) -> int:
    if not (args.prompt.strip() or args.first_frame_image or args.subject_image):
        raise InvalidRequestError(
            "There is no prompt and no picture. Nothing was sent or charged. Say in quotes what is "
            "to be seen."
        )
    if args.prompt == words.STANDARD:
        args.prompt = arguments.standard_input(terminal)
        args.argv = words.with_prompt(args.argv, args.prompt)
    request = VideoRequest(
        prompt=args.prompt,
        model=args.model,
        first_frame_image=arguments.picture(args.first_frame_image),
        last_frame_image=arguments.picture(args.last_frame_image),
        subject_image=arguments.picture(args.subject_image),
        duration=args.duration or None,
        resolution=args.resolution or None,
        prompt_optimizer=args.prompt_optimizer,
        fast_pretreatment=True if args.fast_pretreatment else None,
        watermark=True if args.watermark else None,
    )
    return _buy(args, terminal, request)


def _template_options(parser: ArgumentParser) -> None:
    arguments.add_subject(
        parser,
        "template_id",
        "--template-id",
        metavar="TEMPLATE",
        what="an id or a name; without it they are listed, free",
    )
    for name, what in (
        ("text", "a text of the template; repeat it in its order"),
        ("media", "a picture of the template; repeat it in its order"),
    ):
        parser.add_argument(
            f"--{name}",
            f"--{name}-inputs",
            dest=name,
            action="append",
            default=[],
            type=arguments.plain,
            metavar=name.upper(),
            help=what,
        )
    arguments.add_terms(parser)


def _template(args: Namespace, terminal: Terminal) -> int:
    if not args.template_id.strip():
        return _list_templates(args, terminal)
    request = TemplateRequest(
        template_id=args.template_id,
        text_inputs=tuple(args.text),
        media_inputs=tuple(arguments.picture(media) for media in args.media),
    )
    return _buy(args, terminal, request)


def _list_templates(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.catalog.video_templates import templates
    from hailuo_mcp.text import number
    from hailuo_mcp.wording.costs import NO_TEMPLATES, template_choice

    provider = PROVIDERS[arguments.settings(args).provider]
    known = templates(provider.templates) if provider.templates else ()
    if terminal.json:
        terminal.data(dict(template_choice(known, notice=provider.notice)))
        return exits.DONE
    if not known:
        terminal.paragraph("", NO_TEMPLATES, result=True)
        return exits.DONE
    rows = [
        (row.template_id, row.title, row.inputs, number(row.usd) if row.usd else "-")
        for row in known
    ]
    shown = 4 if any(row.usd for row in known) else 3  # China publishes no prices of templates
    terminal.table(
        ("Template", "Name", "Inputs", "USD")[:shown], [row[:shown] for row in rows], wide=1
    )
    return exits.DONE


def _buy(args: Namespace, terminal: Terminal, request: AnyRequest) -> int:
    """Say the price, ask the person if they want to be asked, buy, wait, and show the result."""
    if args.output == words.STANDARD:
        terminal.give_stdout()
    if args.no_wait:
        args.wait_seconds = 0.0
    if args.wait_seconds == 0 and args.output:
        raise InvalidRequestError(
            "--output needs the finished clip, which nobody waits for with --no-wait. Nothing was "
            "sent or charged. Leave one of them out."
        )
    offer = errands.run(args, terminal, partial(_quote, request=request), works=False)
    results.show_offer(args, terminal, offer)
    if args.dry_run:
        return exits.DONE
    approved = args.yes
    if offer.asks and not approved and not args.confirm and terminal.can_ask:
        # The studio is closed while they think: an open one has work that must not wait.
        try:
            approved = terminal.ask("Buy this clip?")
        except KeyboardInterrupt:
            terminal.note()
            terminal.note("Not bought, nothing was charged.")
            raise
        if not approved:
            terminal.note("Not bought, nothing was charged.")
            return exits.REFUSED
    job = partial(_buy_and_wait, request=request, approved=approved)
    code, clip = errands.run(args, terminal, job)
    if args.output != words.STANDARD:
        return code
    if clip:
        terminal.pour(clip)
    return exits.DONE if clip else code or exits.FAILED


async def _quote(errand: Errand, studio: Studio, *, request: AnyRequest) -> Offer:
    args = errand.args
    errand.place(args.output, overwrite=args.overwrite)
    return await studio.quote(request, arguments.terms(args, approved=False))


_NOT_THERE = (Status.PENDING, Status.SUBMITTING)
"""Nobody sends or hears of it any more once this process has left."""


async def _buy_and_wait(
    errand: Errand, studio: Studio, *, request: AnyRequest, approved: bool
) -> tuple[int, str]:
    """The exit code, and where the clip is if it was wanted elsewhere too."""
    args = errand.args
    output = errand.place(args.output, overwrite=args.overwrite)
    copy = ""
    with errand.terminal.watching() as watcher:
        watcher.tell("checking and sending")
        errand.buying = True
        view = await studio.generate(request, arguments.terms(args, approved=approved))
        errand.tasks = [view.task]
        bought = view
        while args.no_wait and view.task.status in _NOT_THERE:
            view = _as_bought(await errand.wait(studio, view.task.task_id, 1.0, watcher), bought)
        wait = FOREVER if args.wait_seconds is None else args.wait_seconds
        if wait:
            view = await errand.wait(studio, view.task.task_id, wait, watcher)
            view = _as_bought(view, bought)
        if args.output and view.task.status is Status.SUCCEEDED:
            watcher.tell("copying")
            saved = await errand.save(studio, view.task.task_id, output, FOREVER, watcher)
            view, copy = _as_bought(saved.view, bought), saved.file
    results.show(errand, view, copy=copy)
    _suggest(errand, view)
    return exits.of_view(view), copy


def _as_bought(view: View, bought: View) -> View:
    """The task now, with what was said of it when it was asked for."""
    from dataclasses import replace

    return replace(view, reused=bought.reused)


def _suggest(errand: Errand, view: View) -> None:
    task, args = view.task, errand.args
    if not task.status.is_final:
        if task.status is not Status.UNCONFIRMED:
            results.follow_up(errand, "Wait for it", errand.go_on(task))
    elif task.status is Status.SUCCEEDED and not task.saved:
        where = [args.output] if args.output else []
        save = errand.command("download", task.task_id, *where)
        results.follow_up(errand, "Save it, free", save)
    elif task.saved:
        results.follow_up(errand, "Another take of it", words.once_more(args, take=task.take + 1))
        if view.notice and not words.troubled(args):
            row = PROVIDERS[DEFAULT_PROVIDER]
            results.follow_up(
                errand,
                f"A real one, with a key from {row.console} in HAILUO_API_KEY",
                words.once_more(args, take=1, provider=row.name),
            )


COMMANDS: tuple[Command, ...] = (
    Command(
        name="generate",
        summary="make a clip from a prompt or pictures, and save it",
        options=_generate_options,
        run=_generate,
    ),
    Command(
        name="template",
        summary="make a clip from a Video Agent template, or list them",
        options=_template_options,
        run=_template,
    ),
)
