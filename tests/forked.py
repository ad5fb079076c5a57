"""A command in a process forked from one that has imported the program: no start of Python each."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hailuo_mcp

AVAILABLE = sys.platform != "win32"
STREAMS = ("stdin", "stdout", "stderr")
IMPORTED = [
    *("anyio._backends._asyncio", "av", "av.subtitles.stream", "certifi", "encodings.ascii"),
    *("concurrent.futures.thread", "httpcore", "httpx", "rich.progress", "rich.table"),
    *("encodings.idna", "encodings.utf_8_sig", "filelock", "importlib.metadata", "platformdirs"),
    *("ssl", "tomlkit"),
    *(
        f"hailuo_mcp.{name}"
        for name in (
            *(
                "bootstrap",
                "journal.sqlite.store",
                "journal.sqlite.backup",
                "journal.sqlite.rescue",
            ),
            *("rules.drafts", "rules.template", "rules.upgrade", "rules.video"),
            *("studio.studio", "wording.agent", "wording.offers", "wording.person"),
            *(
                "journal.sqlite.examine",
                "studio.account_book",
                "wording.costs",
                "wording.film_rows",
            ),
        )
    ),
    *(
        f"hailuo_mcp.cli.{name}"
        for name in (
            *("copy_path", "log_notes", "program", "record", "results", "running", "session"),
            *("task_names", "task_rows", "output.progress"),
            *("help", "make.batch", "make.batch_buying", "make.buy", "make.film"),
            *("follow.account", "follow.finish", "follow.task", "follow.task_find"),
            *("follow.task_list", "follow.show"),
            *("set_up.config", "set_up.doctor.command", "set_up.doctor.configuration"),
            *("set_up.doctor.database", "set_up.doctor.installation", "set_up.doctor.network"),
            *("set_up.doctor.provider", "set_up.doctor.settings", "set_up.doctor.tenants"),
            *("set_up.init.command", "set_up.journal", "set_up.kept", "set_up.login"),
        )
    ),
]
"""What commands load: the program imports late, and each process would do it again."""


def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def run(
    argv: Sequence[str], environ: Mapping[str, str], cwd: Path, typed: bytes, seconds: float
) -> tuple[int, bytes, bytes]:
    """Returns the exit code and what came on stdout and stderr."""
    with TemporaryDirectory() as named:
        folder = Path(named)
        (folder / "stdin").write_bytes(typed)
        code = call(_command, ([*argv], dict(environ), cwd, folder), seconds)
        return code, (folder / "stdout").read_bytes(), (folder / "stderr").read_bytes()


def call(target: Callable[..., object], args: tuple[Any, ...], seconds: float) -> int:
    """Returns the exit code of a process that did nothing but to call a function of a module."""
    process = _server().Process(target=target, args=args)
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        raise TimeoutError(f"{target.__name__}{args} did not end in {seconds} s")
    code = process.exitcode
    assert code is not None
    return code


def _command(argv: list[str], environ: dict[str, str], cwd: Path, folder: Path) -> None:
    from hailuo_mcp.__main__ import main

    for number, name in enumerate(STREAMS):
        mode = "rb" if name == "stdin" else "wb"
        with (folder / name).open(mode) as stream:
            os.dup2(stream.fileno(), number)
        text = os.fdopen(number, mode[0], encoding="utf-8", closefd=False)
        setattr(sys, name, text)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.argv = [str(Path(hailuo_mcp.__file__).with_name("__main__.py")), *argv]
    try:
        code = main()
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
    sys.exit(code)
