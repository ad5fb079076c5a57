"""A studio on a provider that accepts everything and finishes nothing, and the page's way to it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import jsonschema
from mcp import Client
from PIL import Image

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.server.context import AppContext, Caller
from hailuo_mcp.server.gallery.tools import app_tools
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.studio.studio import Studio


class Provider:
    """MiniMax's wire format; what is bought there is kept."""

    def __init__(self) -> None:
        self.bought: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        fine = {"base_resp": {"status_code": 0, "status_msg": "said"}}
        if request.method == "POST":
            self.bought.append(json.loads(request.content))
            number = f"77{len(self.bought)}"
            if request.url.path.startswith("/v2/"):
                return httpx.Response(200, json={"task_id": number, "status": "queued"})
            return httpx.Response(200, json={"task_id": number, **fine})
        return httpx.Response(200, json={"status": "Processing", **fine})


@asynccontextmanager
async def kept(
    folder: Path,
    provider: Provider | None = None,
    *,
    clock: Callable[[], float] = time.time,
    remote: RemoteAccess | None = None,
    **variables: str,
) -> AsyncIterator[Studio]:
    """Settings by variable name."""
    given = {
        "HAILUO_PROVIDER": "minimax-cn",
        "HAILUO_API_KEY": "k",
        "HAILUO_STATE_DIR": str(folder / "state"),
        "HAILUO_OUTPUT_DIR": str(folder / "clips"),
        "HAILUO_ALLOWED_DIRS": str(folder),
        "HAILUO_POLL_SECONDS": "600",
        "HAILUO_RPM": "100000",
    }
    given |= {f"HAILUO_{name.upper()}": value for name, value in variables.items()}
    wire = httpx.MockTransport(provider or Provider())
    settings = Settings.from_env(given)
    async with open_studio(settings, wire=wire, clock=clock, remote=remote) as studio:
        yield studio


async def a_task(studio: Studio, task_id: str, **facts: Any) -> Task:
    """A task in the journal, as it was bought; by default a saved clip."""
    known = {
        "task_id": task_id,
        "account": studio.account,
        "provider": studio.provider.name,
        "caller": "",
        "status": Status.SUCCEEDED,
        "created_at": studio.clock(),
        "updated_at": studio.clock(),
        "mode": Mode.T2V,
        "model": "MiniMax-Hailuo-2.3",
        "duration": 6,
        "resolution": "768P",
        "prompt": "a cat",
        "request": json.dumps(
            {
                "prompt": "a cat",
                "model": "MiniMax-Hailuo-2.3",
                "duration": 6,
                "resolution": "768P",
            }
        ),
        "identity": task_id,
        "remote_id": f"7{task_id}",
        "money": Money.SPENT,
    }
    adopted = await studio.store.adopt(Task(**{**known, **facts}))
    assert adopted is not None
    return adopted


@asynccontextmanager
async def page_of(studio: Studio, caller: Caller | None = None) -> AsyncIterator[Any]:
    """Call the tools as the page does; each answer is held to its published schema."""
    who = caller or Caller()
    app = AppContext(caller=lambda: who)
    app.set_studio(studio)
    schemas = {tool.name: tool.output_schema for tool in app_tools()}
    server = Server(app)
    async with Client(server) as client:

        async def call(name: str, **arguments: Any) -> dict[str, Any]:
            answer = await client.session.call_tool(name, arguments, allow_input_required=True)
            found: dict[str, Any] = answer.structured_content
            if not answer.is_error and name in schemas:
                jsonschema.validate(found, schemas[name])
            return found

        yield call


def picture(folder: Path, name: str = "first.png", shade: int = 90) -> Path:
    path = folder / name
    path.write_bytes(picture_bytes(shade))
    return path


def picture_bytes(shade: int = 90) -> bytes:
    out = BytesIO()
    Image.new("RGB", (640, 360), (shade, 120, 40)).save(out, "PNG")
    return out.getvalue()
