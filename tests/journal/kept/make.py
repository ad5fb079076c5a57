"""Made the journals that test_kept.py opens:
`PYTHONPATH=tests python -m tests.journal.kept.make FOLDER`.

The whole program bought from the sandbox, which answered for api.minimaxi.com, so that the account
is what a person's would be. FOLDER is a part of the paths in the journal, and must not exist.
What is kept was made once, by version 0.1.0, in /srv/hailuo: the file and its mark as they lay in
the state folder, and the database as `journal copy` and pg_dump wrote it. They are never made
again: a later version's are kept beside them, under its own name.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import postgres
from until import until

from hailuo_mcp import __version__
from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.film import Continuity, FilmRequest
from hailuo_mcp.domain.requests import TemplateRequest, VideoRequest
from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import ConsentRequiredError, HailuoError
from hailuo_mcp.journal.copy import book, copy
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text

HERE = Path(__file__).parent
BEGINS = 1_795_338_000.0
"""2026-11-22 09:00 UTC."""
KEY = "no-key"
PORT = 8790
SECONDS = 20.0


class ToSandbox(httpx.AsyncHTTPTransport):
    """Sends to the sandbox what is meant for the provider."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._to = httpx.URL(base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(
            scheme=self._to.scheme, host=self._to.host, port=self._to.port
        )
        return await super().handle_async_request(request)


def settings_in(folder: Path, **more: str) -> Settings:
    return Settings.from_env(
        {
            "HAILUO_PROVIDER": "minimax-cn",
            "HAILUO_API_KEY": KEY,
            "HAILUO_STATE_DIR": str(folder / "state"),
            "HAILUO_OUTPUT_DIR": str(folder / "clips"),
            "HAILUO_ALLOWED_DIRS": str(folder),
            "HAILUO_ALLOWED_HOSTS_PRIVATE": "127.0.0.1",
            "HAILUO_POLL_SECONDS": "0.1",
            "HAILUO_BUDGET": "500",
            "HAILUO_UNPRICED_COST": "4",
            **more,
        }
    )


@asynccontextmanager
async def begun(
    folder: Path, base_url: str, clock: Callable[[], float], **more: str
) -> AsyncIterator[Studio]:
    async with open_studio(
        settings_in(folder, **more), wire=ToSandbox(base_url), clock=clock
    ) as studio:
        yield studio


async def fill(folder: Path, base_url: str) -> None:  # noqa: PLR0915  # one story
    started = time.monotonic()

    def clock() -> float:
        return BEGINS + time.monotonic() - started

    async def buy(studio: Studio, prompt: str, *, caller: str = "", **facts: Any) -> str:
        terms = Terms(**{k: facts.pop(k) for k in ("request_key", "confirm") if k in facts})
        view = await studio.generate(
            VideoRequest(prompt=prompt, **facts), terms, caller=caller, wait_seconds=SECONDS
        )
        return view.task.task_id

    async def leave(studio: Studio, prompt: str, wanted: set[Status], **facts: Any) -> str:
        """Asks for what does not end, and sees it reach that status."""
        view = await studio.generate(VideoRequest(prompt=prompt, **facts), Terms())
        task_id = view.task.task_id

        async def is_there() -> bool:
            return (await studio.query(task_id)).task.status in wanted

        await until(is_there)
        return task_id

    folder.mkdir(parents=True)  # noqa: ASYNC240
    frame = folder / "frame.png"
    from PIL import Image

    Image.new("RGB", (800, 600), "steelblue").save(frame)

    async with begun(folder, base_url, clock) as studio:
        await buy(studio, "A red fox in fresh snow [Tracking shot]", request_key="fox-1")
        await buy(studio, "海边的灯塔, golden hour", first_frame_image=str(frame))
        draft = await buy(studio, "A paper boat on a pond", model="MiniMax-H3", duration=4)
        await studio.upgrade(draft, "2K", Terms(), wait_seconds=SECONDS)
        rabbit = TemplateRequest(template_id="394125185182695432", text_inputs=("a rabbit",))
        await studio.generate(rabbit, Terms(), wait_seconds=SECONDS)
        more = "Waves break [sandbox:usage-more=1]"
        await buy(studio, more, model="MiniMax-H3", duration=4)
        for fault in ("1026", "1027", "fail"):
            with suppress(HailuoError):
                await buy(studio, f"A street at night [sandbox:{fault}]")
        await buy(studio, "Tea is poured", caller="tenant:acme")
        await buy(studio, "Tea is poured again", caller="alice")
        queued = await leave(
            studio,
            "A kite over dunes [sandbox:seconds=5000]",
            {Status.QUEUED},
            model="MiniMax-H3",
            duration=5,
        )
        await studio.cancel(queued)
        made = FilmRequest(
            shots=("A boat is folded", "The boat drifts"), continuity=Continuity.LAST_FRAME
        )
        await studio.make_film(made, Terms(), wait_seconds=SECONDS)
        await studio.plan_film(replace(made, shots=("A kite rises", "It falls")), Terms())
        elsewhere = await _bought_elsewhere(base_url)
        await studio.query(elsewhere)
        for settled in (False, True):
            prompt = f"Rain on a window {int(settled)} [sandbox:lost]"
            lost = await leave(studio, prompt, {Status.UNCONFIRMED})
            if settled:
                await studio.settle(lost, bought=False)
    async with begun(folder, base_url, clock, HAILUO_CONFIRM_ABOVE="3") as studio:
        dear = VideoRequest(prompt="A market at dawn", resolution="1080P", duration=6)
        try:
            await studio.generate(dear, Terms())
        except ConsentRequiredError as asked:
            (code,) = re.findall(r"confirm='([0-9a-f]+)'", error_text(asked))
        await studio.generate(dear, Terms(confirm=code), wait_seconds=SECONDS)
        with suppress(ConsentRequiredError):  # a code that nobody has used
            await studio.generate(replace(dear, prompt="A market at dusk"), Terms())
    async with begun(folder, base_url, clock) as studio:
        await leave(studio, "A slow hill [sandbox:seconds=4]", {Status.RUNNING})
        await leave(studio, "A slow river [sandbox:seconds=5000]", {Status.QUEUED})
        await leave(studio, "A slow sea [sandbox:1002]", {Status.PENDING})


async def _bought_elsewhere(base_url: str) -> str:
    """The id of a task that the same key bought with another program."""
    async with httpx.AsyncClient(base_url=base_url) as other:
        answer = await other.post(
            "/v1/video_generation",
            headers={"Authorization": f"Bearer {KEY}"},
            json={"model": "MiniMax-Hailuo-02", "prompt": "A well", "duration": 6},
        )
        return str(answer.json()["task_id"])


def main() -> None:
    folder = Path(sys.argv[1])
    options = SandboxOptions(
        state_dir=folder.with_name(f"{folder.name}-sandbox"),
        fast_clips=True,
        seconds_to_ready=0.2,
        public_url=f"http://127.0.0.1:{PORT}",
    )
    with serve_in_thread(options, port=PORT) as sandbox:
        asyncio.run(fill(folder, sandbox.base_url))
    for part in ("journal.sqlite3", "mark"):
        keep(part, (folder / "state" / part).read_bytes())
    keep("postgres.sql", dumped(folder / "state").encode())


def keep(name: str, content: bytes) -> None:
    (HERE / f"{__version__}-{name}.gz").write_bytes(gzip.compress(content, mtime=0))


def dumped(state: Path) -> str:
    """The same journal as the statements that fill an empty schema."""
    postgres.begin_run()
    try:
        url = postgres.database_url(state)
        asyncio.run(copy(book(str(state)), book(url)))
        (schema,) = re.findall(r"search_path%3D(\w+)", url)
        options = ("--no-owner", "--no-comments", "--inserts", "--schema", schema)
        server = postgres.Server(Path(os.environ[postgres.FOLDER]))
        server.run("pg_dump", *options, "--file", server.folder / "dump", url.partition("?")[0])
        lines = (server.folder / "dump").read_text("utf-8").splitlines()
    finally:
        postgres.end_run()
    # What belongs to this server and its schema, not to the journal.
    foreign = ("--", "\\", "SET ", "SELECT pg_catalog", "CREATE SCHEMA")
    kept = (line for line in lines if line and not line.startswith(foreign))
    return "\n".join(kept).replace(f"{schema}.", "") + "\n"


if __name__ == "__main__":
    main()
