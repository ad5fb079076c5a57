"""Whatever a provider puts into its replies, no report and no recording shows anybody's secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from verification.deviating import DeviatingServer, served
from verification.planting import (
    HOME,
    HOST,
    PROXY,
    SECRETS,
    TASK,
    Secret,
    all_disguised,
    disguised,
    traces,
)
from verification.running import Ran, verify
from verification.secretive import PLACES, WAYS, Fill, at, everywhere, while_bought

ENVIRONMENT = {
    "HTTPS_PROXY": PROXY.text,
    "NO_PROXY": f"127.0.0.1,{HOST.text}",
    "HAILUO_ALLOWED_HOSTS_PRIVATE": HOST.text,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviatingServer]:
    with served(tmp_path_factory.mktemp("provider")) as running:
        yield running


def test_a_trace_is_found_in_every_disguise() -> None:
    for secret in SECRETS:
        for text in disguised(secret.text):
            assert traces(f"- found {text}."), text
    assert all_disguised()


def test_what_anybody_may_say_is_no_trace() -> None:
    assert not traces(
        "HTTP 200, code 2013: `file.download_url` lives 60 min since 2026-11-20T15:00"
    )


@pytest.mark.parametrize("provider", ["hingnet", "xcompute", "compat", "compat-v3", "sandbox"])
@pytest.mark.parametrize("way", [WAYS[1], WAYS[4]])
def test_no_other_format_gives_secrets_away(
    way: Fill, provider: str, server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(at(("GET", "/"), way), at(("POST", "/"), way)):
        ran = verify(server, tmp_path, provider=provider, variables=ENVIRONMENT)
        assert_silent(ran, server)


@pytest.mark.parametrize("turn", range(len(WAYS)))
def test_no_reply_of_the_free_part_gives_secrets_away(
    turn: int, server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(*everywhere(turn)):
        ran = verify(server, tmp_path, variables=ENVIRONMENT)
        assert_silent(ran, server)
        asked = {it.path for it in server.app.asked}
        assert all(any(path.startswith(place.rstrip("/")) for path in asked) for _, place in PLACES)


def test_no_reply_to_a_purchase_gives_secrets_away(server: DeviatingServer, tmp_path: Path) -> None:
    with server.deviates(*while_bought()):
        ran = verify(server, tmp_path, "--buy", "--yes", variables=ENVIRONMENT)
        assert len(server.app.accepted) == 1
        assert_silent(ran, server)


def assert_silent(ran: Ran, server: DeviatingServer) -> None:
    secrets = [*SECRETS, *_of_this_run(server)]
    assert not traces(ran.report, secrets)
    assert not traces(_without_places(ran), secrets)
    assert not traces(ran.recorded, secrets)
    assert not traces(ran.log, secrets)
    # A task that was not refused is the person's own, and at the terminal they must learn of it.
    named = set(TASK.marks) if "accepted" in (it["kind"] for it in ran.found) else set[str]()
    assert traces(ran.said, secrets) <= set(HOME.marks) | named
    for text in (ran.report, ran.recorded, ran.page):
        assert Path(server.url).name not in text
    assert ran.report
    assert ran.recorded


def _without_places(ran: Ran) -> str:
    """The JSON; it also tells the person where their own files are."""
    told = {name: value for name, value in ran.data.items() if name not in ("report", "recording")}
    return json.dumps(told, ensure_ascii=False)


def _of_this_run(server: DeviatingServer) -> Iterator[Secret]:
    """Ids and signatures of the imitation itself."""
    for answer in server.app.given:
        trace = answer.headers.get("trace-id", "")
        yield Secret(trace, (trace,))
        try:
            body: Any = answer.json
        except ValueError:
            continue
        if not isinstance(body, dict):
            continue
        for place in (body, body.get("file", {}), body.get("task", {})):
            for name in ("task_id", "file_id", "request_id", "id"):
                if (text := str(place.get(name) or "")) and len(text) > 8:
                    yield Secret(text, (text,))
