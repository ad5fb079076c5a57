"""Each event is one line, with ids and numbers and nothing of what a client wrote."""

from __future__ import annotations

import json
import logging

import pytest
from until import until

from hailuo_mcp.errors import JournalError
from hailuo_mcp.server.http.logs import JsonLines
from hailuo_mcp.telemetry.events import Event, log_event

pytestmark = pytest.mark.anyio

MARK = "Kauderwelsch"


@pytest.fixture
def lines(caplog):
    """What was logged of events so far, as the log has it."""
    caplog.set_level(logging.INFO, "hailuo_mcp.telemetry.events")

    def so_far() -> list[dict]:
        written = [JsonLines([]).format(record) for record in caplog.records]
        return [line for text in written if "event" in (line := json.loads(text))]

    return so_far


async def named(lines, event: Event) -> dict:
    def look() -> dict | None:
        return next((line for line in lines() if line["event"] == event), None)

    return await until(look)


async def buy(client, fault: str = "") -> str:
    prompt = f"{MARK} {fault and f'[sandbox:{fault}]'}"
    made = await client.call_tool("generate_video", {"prompt": prompt})
    content = made.structured_content
    return content.get("task_id") or content["error"].get("task_id", "")


@pytest.mark.parametrize(
    ("fault", "events"),
    [
        ("", ["recorded", "submitted", "answered", "ready", "saved"]),
        ("1026", ["recorded", "submitted", "failed"]),
        ("fail", ["recorded", "submitted", "answered", "failed"]),
        ("garbage", ["recorded", "submitted", "unconfirmed"]),
        ("dead-link", ["recorded", "submitted", "answered", "ready", "save_failed"]),
    ],
)
async def test_a_clips_life_is_told_line_by_line(server, lines, fault, events) -> None:
    async with server.client() as client:
        task_id = await buy(client, fault)
        await named(lines, Event(events[-1]))
    said = [line for line in lines() if line["event"] in set(Event)]

    assert [line["event"] for line in said][: len(events)] == events
    assert {line["task_id"] for line in said} == {task_id}
    assert all(line["seconds"] >= 0 for line in said)
    assert MARK not in json.dumps(said)
    if events[-1] in ("failed", "save_failed", "unconfirmed"):
        assert said[len(events) - 1]["code"]


async def test_a_refusal_by_the_budget_is_told(serve, lines) -> None:
    async with serve(HAILUO_BUDGET="0.1").client() as client:
        await buy(client)
    assert [line["event"] for line in lines()] == ["over_budget"]


async def test_a_journal_that_is_away_is_told_once_and_so_is_its_return(server, lines) -> None:
    store = server.served.context.opened.store
    claim, tries = store.claim, []

    async def away(*_given, **_more):
        tries.append(1)
        raise JournalError("The journal is locked.")

    store.claim = away
    async with server.client() as client:
        await buy(client)
        await until(lambda: len(tries) >= 2)
        store.claim = claim
        back = await named(lines, Event.DATABASE_BACK)
    assert [line["event"] for line in lines()].count("database_lost") == 1
    assert back["seconds"] > 0


def test_every_event_has_a_line(caplog) -> None:
    caplog.set_level(logging.INFO, "hailuo_mcp.telemetry.events")
    for event in Event:
        log_event(event)
    assert len(caplog.records) == len(Event)
    assert all("{" not in record.getMessage() for record in caplog.records)
