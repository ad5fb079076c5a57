"""preview: a contact sheet of clips, shown, opened or saved, and what is wrong with them."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits
from hailuo_mcp.cli.arguments import STANDARD
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import expanded, system_reason

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.errors import InvalidRequestError
    from hailuo_mcp.views import Preview

_ENDINGS = (".jpg", ".jpeg")
_BESIDE = "-preview.jpg"
"""In place of a clip's ".mp4"; a single frame has its moment in the name as well."""
_MOST_FRAMES = 16


def preview_options(parser: ArgumentParser) -> None:
    what = arguments.TASK
    arguments.add_subject(parser, "task_id", "--task-id", metavar="ID", what=what, needed=True)
    parser.add_argument(
        "others",
        nargs="*",
        default=[],
        type=arguments.plain,
        metavar="ID",
        help="more of them, to compare: a row each",
    )
    add = parser.add_argument_group("picture").add_argument
    add(
        "--compare-with",
        action="append",
        default=[],
        type=arguments.plain,
        metavar="ID",
        help="the same as an option; repeat it for each",
    )
    add(
        "--frames",
        type=arguments.whole(1, _MOST_FRAMES),
        metavar="N",
        help="frames of each clip, or of each shot of a film: 6, or up to 16 in all",
    )
    add(
        "--at",
        "--at-seconds",
        dest="at_seconds",
        type=arguments.seconds,
        metavar="SECONDS",
        help="only the frame at this moment, and as large as it can be",
    )
    flags = ("-o", "--output", "--output-path")
    what = "save the picture here, as a JPEG; - is standard output"
    arguments.add_text(add, *flags, metavar="FILE", what=what)
    arguments.add_flag(add, "--overwrite", "replace an existing file")


def preview(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli.running import run_with_studio
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if args.output == STANDARD:
        terminal.reserve_stdout()
    if args.frames and args.at_seconds is not None:
        raise InvalidRequestError(
            "--frames cannot be combined with --at, which shows one frame.",
            Step(Do.TRY, "leave one of them out"),
        )
    target = _target(args)

    async def job(session: Session) -> Preview:
        from hailuo_mcp.studio.preview import WHOLE_CLIP

        with terminal.progress() as progress:
            progress.tell("looking")
            return await session.studio.preview(
                args.task_id,
                frames=args.frames or 0,
                at_seconds=WHOLE_CLIP if args.at_seconds is None else args.at_seconds,
                compare_with=(*args.others, *args.compare_with),
            )

    preview = run_with_studio(args, terminal, job, works=False)
    beside = _BESIDE if args.at_seconds is None else f"-preview-{args.at_seconds:g}s.jpg"
    file = _deliver(args, terminal, preview, target, beside)
    _tell(terminal, preview, file)
    return exits.DONE


def _target(args: Namespace) -> Path | None:
    """Where the picture is wanted, checked before the work; None if nowhere in particular."""
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if args.output in ("", STANDARD):
        return None
    target = expanded(arguments.output_path(args.output))
    if args.output.endswith(("/", "\\")) or target.is_dir():
        return target
    if not target.suffix:
        target = target.with_name(target.name + _ENDINGS[0])
    if target.suffix.lower() not in _ENDINGS:
        raise InvalidRequestError(
            f"{target} does not end in .jpg, and a preview is a JPEG.",
            Step(Do.TRY, "end the name with .jpg"),
        )
    if target.exists() and not args.overwrite:
        raise _exists(target)
    return target


def _exists(target: Path) -> InvalidRequestError:
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    step = Step(Do.TRY, "choose another name, or add --overwrite")
    return InvalidRequestError(f"{target} exists.", step)


def _deliver(
    args: Namespace, terminal: Terminal, preview: Preview, target: Path | None, beside: str
) -> str:
    """Save or show the picture; return the file, or nothing if it was only shown."""
    if args.output == STANDARD:
        terminal.write_bytes(preview.jpeg)
        return STANDARD
    if target is not None:
        if target.is_dir() or args.output.endswith(("/", "\\")):
            target /= Path(_clip(preview)).stem + beside
        return str(_written(target, preview.jpeg, overwrite=args.overwrite))
    if not terminal.json and terminal.shows(preview.jpeg):
        return ""
    file = _written_beside(preview, beside)
    if terminal.is_for_person:
        terminal.open(file)
    return file


def show_sheet(terminal: Terminal, preview: Preview) -> None:
    """Show a picture in the terminal, else save it beside the clip; then what is wrong with it."""
    file = ""
    if terminal.json or terminal.quiet or not terminal.shows(preview.jpeg):
        file = _written_beside(preview)
    if terminal.json or terminal.quiet:
        return
    from hailuo_mcp.wording.preview import lines

    for line in lines(preview):
        terminal.paragraph("", line, result=True)
    if file:
        terminal.facts([("Picture", os.path.abspath(file))])  # noqa: PTH100  # as it was written


def _clip(preview: Preview) -> str:
    return preview.files[0].rpartition("/")[2] if "://" in preview.files[0] else preview.files[0]


def _written(target: Path, data: bytes, *, overwrite: bool) -> Path:
    """Write it whole or not at all.

    Raises:
        InvalidRequestError: there is a file, or it cannot be written.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
        if not overwrite:
            target.touch(exist_ok=False)  # takes the name, which nothing then takes from us
        draft.replace(target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError as trouble:
        raise _not_written(target, trouble) from trouble
    finally:
        draft.unlink(missing_ok=True)
    return target


def _written_beside(preview: Preview, ending: str = _BESIDE) -> str:
    """Beside the clip, or in the working directory if that is in a bucket; ours is replaced."""
    from hailuo_mcp.files.naming import write_beside

    clip = Path(_clip(preview))
    try:
        return str(write_beside(clip.absolute(), ending, preview.jpeg))
    except OSError as trouble:
        raise _not_written(clip, trouble) from trouble


def _not_written(target: Path, trouble: OSError) -> InvalidRequestError:
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    return InvalidRequestError(
        f"The picture cannot be written to {target.parent} ({system_reason(trouble)}).",
        Step(Do.TRY, "name another place with -o FILE"),
    )


def _tell(terminal: Terminal, preview: Preview, file: str) -> None:
    from hailuo_mcp.wording.preview import clip_facts, lines, notice

    told = lines(preview)
    if terminal.json:
        clips = [clip_facts(clip) for clip in preview.clips]
        message = " ".join(filter(None, [notice(preview), *told]))
        terminal.data({"message": message, "clips": clips, "file": file})
        return
    for line in told:
        terminal.paragraph("", line, result=True)
    if file not in ("", STANDARD):
        terminal.facts([("Picture", os.path.abspath(file))])  # noqa: PTH100  # as it was written
    if shown := notice(preview):
        terminal.paragraph("", shown, style="dim", result=True)
