"""film: several shots from a text file, planned, priced, made and joined to one file."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.arguments import FOREVER, STANDARD
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import expanded, shown, system_reason

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.domain.film import Film, FilmRequest
    from hailuo_mcp.views import FilmView

_LONGEST_SCRIPT = 1_000_000
"""Bytes; far more than fifty prompts have."""


def film_options(parser: ArgumentParser) -> None:
    arguments.add_subject(
        parser,
        "script",
        metavar="SCRIPT",
        what="a text file with a prompt on each line; empty lines and lines that begin with # are "
        "left out; - reads it from standard input",
    )
    add = parser.add_argument_group("film").add_argument
    add(
        "--film",
        "--film-id",
        dest="film_id",
        default="",
        metavar="ID",
        help="a film that was planned or made before, in place of a script",
    )
    add(
        "--redo",
        type=_numbers,
        action="extend",
        default=[],
        metavar="N,N…",
        help="with --film: make these shots again, and all that continue from them",
    )
    add(
        "--continuity",
        choices=("none", "last_frame"),
        default="none",
        help="last_frame: a shot without a picture starts from the last frame of the one before",
    )
    add(
        "--transition",
        choices=("cut", "fade"),
        default="cut",
        help="how the shots are joined",
    )
    add(
        "-d",
        "--duration",
        "--durations",
        dest="durations",
        type=_numbers,
        action="extend",
        default=[],
        metavar="SECONDS",
        help="6 or 10, MiniMax-H3 4 to 15: one for all shots, or one for each, such as 6,10,6",
    )
    add(
        "-i",
        "--image",
        "--images",
        dest="images",
        type=arguments.plain,
        action="append",
        default=[],
        metavar="PICTURE",
        help=f'first frame: {arguments.PICTURE}; repeat it for each shot, "" for none',
    )
    what = "chosen by the inputs; see hailuo-mcp models"
    arguments.add_text(add, "-m", "--model", metavar="MODEL", what=what)
    arguments.add_text(add, "-r", "--resolution", metavar="SIZE", what="512P, 768P, 1080P …")
    arguments.add_terms(parser, of_film=True)


def _numbers(text: str) -> list[int]:
    """Whole numbers with commas between them."""
    try:
        return [arguments.whole(0)(part) for part in text.split(",")]
    except ArgumentTypeError:
        raise ArgumentTypeError(
            f"{shown(text)!r} is not a number, or several with commas, such as 2 or 2,4"
        ) from None


def film(args: Namespace, terminal: Terminal) -> int:
    """Show the plan with its price, ask, make it, wait, and show the film."""
    from hailuo_mcp.cli.running import run_with_studio
    from hailuo_mcp.domain.film import FilmRequest

    arguments.check_result(args, terminal)
    wanted = _request(args, terminal)
    plan, before = run_with_studio(args, terminal, partial(_plan, wanted=wanted), works=False)
    agreed = bool(args.yes or args.confirm) or not plan.planned
    if (
        args.dry_run
        or not agreed
        or (plan.planned and not (terminal.json or terminal.quiet or plan.refused))
    ):
        _show_plan(args, terminal, plan)
    if plan.refused and (args.dry_run or not agreed):
        return exits.REFUSED
    if args.dry_run:
        return exits.DONE
    if not agreed:
        new_redo = plan.film.redo if plan.film.redo != before else ()
        agreed = _agrees(args, terminal, plan, new_redo=bool(new_redo))
        if not agreed and new_redo and terminal.can_ask:
            run_with_studio(args, terminal, partial(_withdraw_redo, film=plan.film), works=False)
    if not agreed:
        return exits.REFUSED
    # By its id: exactly what was shown.
    wanted = FilmRequest(film_id=plan.film.film_id, redo=wanted.redo)
    job = partial(_make_and_wait, wanted=wanted, buys=plan.planned)
    code, file = run_with_studio(args, terminal, job)
    if args.output != STANDARD:
        return code
    if file:
        terminal.write_clip(file)
    return exits.DONE if file else code or exits.FAILED


def _request(args: Namespace, terminal: Terminal) -> FilmRequest:
    from hailuo_mcp.domain.film import Continuity, FilmRequest, Transition
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if not (args.script or args.film_id):
        raise InvalidRequestError(
            "There is no script.",
            Step(Do.TRY, "name a text file that has a prompt on each line"),
        )
    return FilmRequest(
        film_id=args.film_id.strip(),
        redo=tuple(args.redo),
        shots=_shots(args.script, terminal) if args.script else (),
        durations=tuple(args.durations),
        images=tuple(arguments.picture(text) for text in args.images),
        continuity=Continuity(args.continuity),
        model=args.model,
        resolution=args.resolution or None,
        transition=Transition(args.transition),
    )


def _shots(script: str, terminal: Terminal) -> tuple[str, ...]:
    """The prompts of a script.

    Raises:
        InvalidRequestError: it cannot be read, or has none.
    """
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if script == STANDARD:
        text = arguments.standard_input(terminal, what="script", command="film")
    else:
        text = _read(expanded(script))
    lines = (line.strip() for line in text.splitlines())
    shots = tuple(line for line in lines if line and not line.startswith("#"))
    if not shots:
        raise InvalidRequestError(
            "There is no shot in the script.",
            Step(Do.TRY, "write a prompt on each line, without a # before it"),
        )
    return shots


def _read(path: Path) -> str:
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_SCRIPT + 1)
    except (OSError, ValueError) as exc:
        why = system_reason(exc) if isinstance(exc, OSError) else "it is no path"
        raise InvalidRequestError(
            f"The script {shown(str(path), 200)!r} cannot be read: {why}.",
            Step(Do.TRY, "name a text file that has a prompt on each line"),
        ) from None
    if len(data) > _LONGEST_SCRIPT:
        raise InvalidRequestError(f"The script has more than {_LONGEST_SCRIPT:,} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequestError(
            f"The script {shown(str(path), 200)!r} is not text in UTF-8.",
            Step(Do.TRY, "save it as UTF-8"),
        ) from None


async def _plan(session: Session, *, wanted: FilmRequest) -> tuple[FilmView, tuple[int, ...]]:
    """The plan, and the redo that was planned before."""
    from dataclasses import replace

    from hailuo_mcp.cli import copy_path

    args, studio = session.args, session.studio
    wanted = await session.with_ids(wanted)
    copy_path.checked(session, args.output)
    terms = arguments.terms(args, approved=False)
    film = await studio.film(wanted.film_id, "")
    before = film.redo if film else ()
    if wanted.redo and wanted.film_id and args.yes:
        # Nobody is asked, so the same command once more must not buy a second time.
        view = await studio.plan_film(replace(wanted, redo=()), terms)
        if view.film.with_dependants(wanted.redo) == view.film.redone and not view.planned:
            return view, before
    return await studio.plan_film(wanted, terms), before


async def _withdraw_redo(session: Session, *, film: Film) -> None:
    await session.studio.withdraw_redo(film)


def _show_plan(args: Namespace, terminal: Terminal, plan: FilmView) -> None:
    from hailuo_mcp.cli.follow.film_results import show_plan

    if plan.refused:
        setting_sources.by_place(plan.refused, args)
    if terminal.json:
        from hailuo_mcp.cli.record import film_record

        terminal.data(film_record(plan))
        return
    show_plan(terminal, plan)
    if not args.dry_run:
        return
    terminal.say("Nothing was sent or charged.", style="dim")
    if plan.planned and not plan.refused:
        terminal.say()
        terminal.say("Make it:", style="dim")
        terminal.say(f"  {_making(args, plan)}")


def _making(args: Namespace, plan: FilmView, *more: str) -> str:
    """The command that makes this plan, with the ceiling of the command that was typed."""
    ceiling = ("--max-cost", f"{args.max_cost:f}") if args.max_cost else ()
    return words.command(args, "film", "--film", plan.film.film_id, *ceiling, *more)


def _agrees(args: Namespace, terminal: Terminal, plan: FilmView, *, new_redo: bool) -> bool:
    """Whether the person says yes to the price.

    A film's plan is kept, so a no loses nothing; after it, a new plan of a redo is withdrawn.
    """
    from hailuo_mcp.wording import person

    later = _making(args, plan, "--yes")
    kept = "The plan is kept" if plan.film.redoes else "The plan is kept for a day"
    refused = f"Not made, nothing was charged. {kept}; make it with:\n  {later}"
    if not terminal.can_ask:
        terminal.note(refused)
        return False
    if new_redo:
        refused = "Not made, nothing was charged. The film stays as it was made."
    # The studio is closed while they think: an open one has work that must not wait.
    args.yes = terminal.ask(person.film_question(plan), refused=refused)
    return bool(args.yes)


async def _make_and_wait(session: Session, *, wanted: FilmRequest, buys: bool) -> tuple[int, str]:
    """The exit code, and where the film is, or its copy."""
    from dataclasses import replace

    from hailuo_mcp.cli import copy_path
    from hailuo_mcp.cli.follow.film_results import show_film, suggest
    from hailuo_mcp.cli.follow.finish import finish
    from hailuo_mcp.domain.task import Status

    args, studio = session.args, session.studio
    output, copy = copy_path.checked(session, args.output), ""
    with session.terminal.progress() as progress:
        progress.tell("checking and sending" if buys else "looking")
        session.buying = buys
        terms = replace(arguments.terms(args, approved=args.yes), request_key="")
        view = made = await studio.make_film(wanted, terms)
        session.films = [view.film]
        while args.no_wait and _is_being_sent(view):
            view = await session.wait_for_film(view.film, 1.0, progress)
        if wait := FOREVER if args.wait_seconds is None else args.wait_seconds:
            view = await session.wait_for_film(view.film, wait, progress)
        if args.output and view.status is Status.SUCCEEDED:
            progress.tell("copying")
            saved = await session.save_film(view.film, output, FOREVER, progress)
            view, copy = saved.view, saved.file
    view = replace(view, reused=made.reused, repeats_redo=made.repeats_redo)
    view = replace(view, notes=made.notes or view.notes)
    file = copy
    if args.output == STANDARD:
        file = await session.clip_to_write(copy)
    show_film(session.terminal, view, copy=copy)
    await finish(session, [view], [copy] if copy else [])
    suggest(session, view)
    return exits.of_film(view), file


def _is_being_sent(view: FilmView) -> bool:
    """Whether a shot that waits for no other one is not at the provider yet."""
    from hailuo_mcp.domain.task import Status

    tasks = [shot.view.task for shot in view.shots if shot.view]
    sending = (Status.PENDING, Status.SUBMITTING)
    return any(task.status in sending and not task.waits for task in tasks)
