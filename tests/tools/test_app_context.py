"""A studio that could not be opened is tried again where the journal was in the way."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from until import until

from hailuo_mcp.errors import ConfigError, HailuoError, JournalError
from hailuo_mcp.server.context import AppContext

from .fakes import FakeStudio

pytestmark = pytest.mark.anyio


class Door:
    """Opens once it has run out of errors."""

    def __init__(self, *errors: HailuoError) -> None:
        self.errors = list(errors)
        self.knocks = 0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[FakeStudio]:
        self.knocks += 1
        await anyio.wait_all_tasks_blocked()  # until everybody waits for it who will
        if self.errors:
            raise self.errors.pop(0)
        yield FakeStudio()


@asynccontextmanager
async def _owned(door: Door, **options: float) -> AsyncGenerator[AppContext]:
    context = AppContext()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as process:
            process.start_soon(lambda: context.run_studio(door.open, **options))
            yield context
            context.shut_down()


async def _refused(context: AppContext) -> str:
    with anyio.fail_after(5), pytest.raises(HailuoError) as caught:
        await context.studio()
    return str(caught.value)


async def test_the_next_call_tries_again_to_open_the_journal() -> None:
    door = Door(JournalError("locked"), JournalError("full"))
    async with _owned(door) as context:
        assert await _refused(context) == "locked"
        assert await _refused(context) == "full"
        with anyio.fail_after(5):
            assert await context.studio() is context.opened
    assert door.knocks == 3


async def test_a_try_that_takes_long_holds_no_call_up() -> None:
    door = Door(JournalError("locked"))
    async with _owned(door) as context:
        assert await _refused(context) == "locked"
        context.retry_wait = 0.0
        assert await _refused(context) == "locked"
        assert await until(lambda: context.opened)
    assert door.knocks == 2


async def test_all_who_wait_are_told_why_it_did_not_open() -> None:
    async with _owned(Door(JournalError("locked"))) as context:
        told: list[str] = []

        async def call() -> None:
            told.append(await _refused(context))

        async with anyio.create_task_group() as callers:
            for _ in range(3):
                callers.start_soon(call)
    assert told == ["locked"] * 3


async def test_it_is_tried_again_without_a_call_too() -> None:
    door = Door(JournalError("locked"), JournalError("locked"))
    async with _owned(door, retry_seconds=0.01) as context:
        await until(lambda: context.opened)
    assert door.knocks == 3


async def test_settings_are_not_read_again() -> None:
    door = Door(ConfigError("no key"))
    async with _owned(door, retry_seconds=0.01) as context:
        for _ in range(3):
            assert await _refused(context) == "no key"
    assert door.knocks == 1


async def test_who_leaves_while_the_journal_is_in_the_way_leaves_at_once() -> None:
    async with _owned(Door(JournalError("locked"))) as context:
        assert await _refused(context) == "locked"
