"""Run a command's job with an open studio, or with the journal alone; Ctrl-C ends it cleanly."""

from __future__ import annotations

import itertools
import os
import signal
from argparse import Namespace
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from hailuo_mcp.cli import exits, setting_sources
from hailuo_mcp.cli.interruption import report_interrupted
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.session import Session
from hailuo_mcp.errors import HailuoError

if TYPE_CHECKING:
    from hailuo_mcp.transport.provider_api import Observe

_PATIENCE = 2
"""Ctrl-C is pressed so often before the process ends in the middle of its work."""

Result = TypeVar("Result")


def run_with_studio(
    args: Namespace,
    terminal: Terminal,
    job: Callable[[Session], Awaitable[Result]],
    *,
    works: bool = True,
    observe: Observe | None = None,
) -> Result:
    """Do the job with an open studio, which also does the work that is due unless `works` is off.

    `observe` sees every request to the provider and its answer.

    Raises:
        HailuoError: as the job does.
        KeyboardInterrupt: after saying what goes on without us.
    """
    session = Session(args=args, terminal=terminal, settings=setting_sources.settings(args))
    return _run(session, lambda: _open_and_do(session, job, works=works, observe=observe))


def run_with_reader(
    args: Namespace, terminal: Terminal, job: Callable[[Session], Awaitable[Result]]
) -> Result:
    """Do a job that only looks into the journal: there is no studio, which takes longer to load.

    Raises:
        HailuoError: as the job does.
        KeyboardInterrupt: it was stopped.
    """
    session = Session(args=args, terminal=terminal, settings=setting_sources.settings(args))
    return _run(session, lambda: _read_and_do(session, job))


def _run(session: Session, run: Callable[[], Awaitable[Result]]) -> Result:
    import anyio

    try:
        with ends_as_by_interrupt():
            return anyio.run(run)
    except KeyboardInterrupt:
        report_interrupted(session)
        raise


@contextmanager
def ends_as_by_interrupt() -> Generator[None]:
    """SIGTERM is treated as Ctrl-C: an orderly end for `kill` and `docker stop` as well."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ignore_interrupts() -> None:
    """Ctrl-C was pressed: a second one changes nothing, and a third one ends the process at once.

    That loses nothing that is in the journal, as a power failure does not.
    """
    pressed = itertools.count(2)

    def again(_signal: int, _frame: object) -> None:
        if next(pressed) > _PATIENCE:
            os._exit(exits.INTERRUPTED)

    signal.signal(signal.SIGINT, again)


def _interrupt(_signal: int, _frame: object) -> None:
    signal.raise_signal(signal.SIGINT)


async def _read_and_do(session: Session, job: Callable[[Session], Awaitable[Result]]) -> Result:
    from hailuo_mcp.cli import task_names
    from hailuo_mcp.studio.reader import open_reader

    async with open_reader(session.settings) as reader:
        session.reader = reader
        await task_names.resolve_options(reader, session.args)
        result = await job(session)
        session.report_damage()
        return result


async def _open_and_do(
    session: Session,
    job: Callable[[Session], Awaitable[Result]],
    *,
    works: bool,
    observe: Observe | None,
) -> Result:
    import anyio

    from hailuo_mcp.bootstrap import open_studio
    from hailuo_mcp.cli import task_names

    async with open_studio(session.settings, fenced=False, works=works, observe=observe) as studio:
        session.reader = session.studio = studio
        # An error that crosses the studio's task group would come out wrapped.
        try:
            await task_names.resolve_options(studio, session.args)
            result = await job(session)
        except HailuoError as exc:
            error = exc
        except anyio.get_cancelled_exc_class():
            # Closing takes 2 s at most: it waits for the answer to a purchase that was just sent.
            _ignore_interrupts()
            raise
        else:
            session.report_damage()
            return result
    raise error
