"""The kept journals, copied to where this test may use them, and a provider to go on with."""

import gzip
import json
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from postgres import database_url

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.studio import Studio

from .make import BEGINS, HERE, settings_in

LATER = BEGINS + 60.0
"""Just after the journal was left."""


def unpacked(name: str) -> bytes:
    return gzip.decompress((HERE / name).read_bytes())


def keep_file(folder: Path, version: str) -> Path:
    """Put a kept file where the program looks for its journal."""
    folder.mkdir(parents=True)
    (folder / "journal.sqlite3").write_bytes(unpacked(f"{version}-journal.sqlite3.gz"))
    (folder / "mark").write_bytes(unpacked(f"{version}-mark.gz"))
    return folder / "journal.sqlite3"


def fill_database(url: str, version: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(unpacked(f"{version}-postgres.sql.gz"))


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings that lead to a kept journal of version 0.1.0."""
    more = {"HAILUO_AUTO_DOWNLOAD": "false"}
    if request.param == "sqlite":
        keep_file(tmp_path / "state", "0.1.0")
    else:
        url = database_url(tmp_path)
        fill_database(url, "0.1.0")
        more["HAILUO_DATABASE_URL"] = url
    return settings_in(tmp_path, **more)


class Provider:
    """Has finished whatever it is asked for, and takes what it is sent."""

    def __init__(self) -> None:
        self.bought: list[str] = []
        """Prompts."""

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        said: dict[str, Any] = {"base_resp": {"status_code": 0, "status_msg": "success"}}
        if request.method == "POST":
            self.bought.append(json.loads(request.content)["prompt"])
            return httpx.Response(200, json={"task_id": f"99{len(self.bought)}", **said})
        task_id = request.url.params.get("task_id")
        done = {"task_id": task_id, "status": "Success", "file_id": f"5{task_id}"}
        return httpx.Response(200, json={**done, **said})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def begun(kept: Settings, provider: Provider) -> Callable[[], AbstractAsyncContextManager[Studio]]:
    """Opens a studio on the kept journal, a minute after it was left."""
    started = time.monotonic()

    def clock() -> float:
        return LATER + time.monotonic() - started

    return lambda: open_studio(kept, wire=httpx.MockTransport(provider), clock=clock)
