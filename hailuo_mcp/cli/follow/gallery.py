"""gallery: the clips in a browser, from a server that lives as long as the command."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hailuo_mcp.cli import arguments, exits, setting_sources
from hailuo_mcp.cli.output.terminal import Terminal

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session


def gallery_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "task_ids",
        nargs="*",
        default=[],
        type=arguments.plain,
        metavar="ID",
        help=f"only these: {arguments.TASK}; none: the newest",
    )
    add("--port", type=arguments.whole(0, 65_535), default=0, help="default: any that is free")
    arguments.add_flag(add, "--no-open", "only print the address")


def gallery(args: Namespace, terminal: Terminal) -> int:
    if args.task_ids:
        from hailuo_mcp.cli.running import run_with_reader

        run_with_reader(args, terminal, _need_known)
    from hailuo_mcp.server.http.serving import serve_gallery

    only = f"&tasks={','.join(args.task_ids)}" if args.task_ids else ""
    try:
        serve_gallery(
            setting_sources.settings(args),
            port=args.port,
            serving=lambda url: _show(url + only, terminal, opens=not args.no_open),
        )
    except KeyboardInterrupt:
        terminal.note()
    return exits.DONE


async def _need_known(session: Session) -> None:
    """Raise TaskNotFoundError for an id that nothing here has; the names are ids by now."""
    from hailuo_mcp.errors import Do, Step, TaskNotFoundError
    from hailuo_mcp.studio.film_views import find_film
    from hailuo_mcp.text import shown

    known = list[str]()
    for text in session.args.task_ids:
        film = await find_film(session.reader, text, "")
        task = None if film else await session.reader.store.find(text.strip())
        if film is None and task is None:
            raise TaskNotFoundError(
                f"No task {shown(text)!r} is recorded here.",
                Step(Do.TRY, "if it is the provider's own id, look it up with query"),
                Step(Do.LIST_TASKS),
            )
        known.append(film.film_id if film else task.task_id if task else "")
    session.args.task_ids = known


def _show(address: str, terminal: Terminal, *, opens: bool) -> None:
    if terminal.json:
        said = "The gallery is at this address until this process ends."
        terminal.data({"message": said, "url": address})
    else:
        terminal.note("The gallery, on this computer and for whoever has this address:")
        terminal.say(address)
    if opens and not _opened(address):
        port = urlsplit(address).port
        terminal.note(
            "No browser could be opened. Open the address on this computer; over ssh, connect with "
            f"-L {port}:127.0.0.1:{port} and open it on yours."
        )
    terminal.note("Ctrl-C stops it.")


def _opened(address: str) -> bool:
    import webbrowser

    from hailuo_mcp.cli.output import pictures

    command = pictures.viewer()
    if command and sys.platform in ("darwin", "win32"):  # their viewers are for files
        return webbrowser.open(address)
    return bool(command) and pictures.open_with(command, address)
