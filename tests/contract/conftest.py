"""Every dialect of every provider, and the sandbox with a client for each."""

from __future__ import annotations

import base64
import itertools
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from hailuo_mcp import HailuoClient
from hailuo_mcp.dialects.dialect import Dialect
from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url
from hailuo_mcp.domain.requests import (
    AnyRequest,
    Mode,
    TemplateRequest,
    UpgradeRequest,
    VideoRequest,
)
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    folder: Path = tmp_path_factory.mktemp("sandbox")
    box = serve_in_thread(SandboxOptions(state_dir=folder, seconds_to_ready=0.3, fast_clips=True))
    yield box
    box.stop()


H3 = "MiniMax-H3"
V2 = {f"{name} v2": (row, H3) for name, row in PROVIDERS.items() if row.v2}
SPEAKERS = {name: (row, "") for name, row in PROVIDERS.items()} | V2
"""Each provider with a model for each of its dialects; an empty name means the older one."""
DIALECTS: dict[str, Dialect] = {name: dialect_of(*pair) for name, pair in SPEAKERS.items()}
SERVED = [*PROVIDERS, "minimax-cn v2"]
"""With a client of its own; v2 is the same at every provider that has it."""

_numbers = itertools.count(1)
KEY = "sk-contract"


def picture(color: str = "teal") -> str:
    from PIL import Image

    data = BytesIO()
    Image.new("RGB", (640, 400), color).save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


@dataclass
class Counter:
    """A client, the base URL of its imitation, and what that has received."""

    client: HailuoClient
    url: str
    model: str = ""
    """Of the dialect that is meant; empty for the older one."""

    @property
    def dialect(self) -> Dialect:
        row = self.client.provider
        return dialect_of(with_base_url(row, row.base_url), self.model)

    async def query(self, remote_id: str, *, template: bool = False):
        return await self.client.query(remote_id, template=template, model=self.model)

    async def finished(self, remote_id: str, *, template: bool = False):
        return await self.client.wait(
            remote_id, template=template, model=self.model, timeout=20, poll_seconds=0.1
        )

    def received(self, prompt: str) -> list[dict]:
        rows = self._get("/sandbox/requests?last=50")
        rows = rows["requests"] if isinstance(rows, dict) else rows
        return [row for row in rows if prompt in json.dumps(row, ensure_ascii=False)]

    def book(self) -> dict:
        return self._get("/sandbox/book")

    def _get(self, path: str):
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return json.load(answer)

    def plain(self, *faults: str) -> VideoRequest:
        marks = "".join(f" [sandbox:{fault}]" for fault in faults)
        if self.model:
            return self.video(f"a cat, number {next(_numbers)}.{marks}")
        # The optimizer's name tells the compat format from MiniMax's own, which share an address.
        return VideoRequest(
            model="MiniMax-Hailuo-2.3",
            prompt=f"a cat, number {next(_numbers)}.{marks}",
            prompt_optimizer=True,
        )

    def video(self, prompt: str, **given) -> VideoRequest:
        """A request to v2, whole as the rules make it."""
        ratio = {} if given else {"aspect_ratio": "16:9"}
        return VideoRequest(
            model=H3, prompt=prompt, duration=4, resolution="768P", **ratio, **given
        )

    def with_data_url(self) -> VideoRequest:
        if self.model:
            return self.video(f"a walk, number {next(_numbers)}", first_frame_image=picture())
        return VideoRequest(
            model="MiniMax-Hailuo-2.3",
            prompt=f"a walk, number {next(_numbers)}",
            first_frame_image=picture(),
            prompt_optimizer=True,
        )

    async def of_mode(self, mode: Mode) -> AnyRequest:
        # Seed 004 documents pictures as URLs only, so its imitation refuses data URLs.
        urls = self.client.provider.dialect.startswith("compat")
        first = "https://example.com/cat.jpg" if urls else picture()
        last = "https://example.com/dog.jpg" if urls else picture("maroon")
        prompt = f"a walk, number {next(_numbers)}"
        if mode is Mode.UPGRADE:
            return await self.upgrade(prompt)
        if mode is Mode.TEMPLATE:
            template = {"global": "394514820878671878"}.get(
                self.client.provider.templates, "394125185182695432"
            )
            return TemplateRequest(template_id=template, text_inputs=(prompt,))
        if mode is Mode.T2V:
            return self.plain()
        model, pictures = {
            Mode.I2V: ("MiniMax-Hailuo-2.3-Fast", {"first_frame_image": first}),
            Mode.FL2V: (
                "MiniMax-Hailuo-02",
                {"first_frame_image": first, "last_frame_image": last},
            ),
            Mode.S2V: ("S2V-01", {"subject_image": first}),
            Mode.R2V: (H3, {"reference_images": (first, last)}),
        }[mode]
        if self.model or model == H3:
            return self.video(prompt, **pictures)
        return VideoRequest(model=model, prompt=prompt, **pictures)

    async def upgrade(self, prompt: str = "a cat") -> UpgradeRequest:
        """An upgrade of a clip that is finished, where this dialect can make one."""
        remote_id = "1"
        if self.model:
            remote_id = (await self.client.send(self.video(prompt))).remote_id
            await self.finished(remote_id)
        return UpgradeRequest(
            source_id="", remote_id=remote_id, model=H3, resolution="2K", duration=4, prompt=prompt
        )


@pytest.fixture(params=SERVED)
async def counter(request, sandbox):
    url = sandbox.base_url.rstrip("/")
    row, model = SPEAKERS[request.param]
    embedded = row.is_sandbox
    async with HailuoClient(
        KEY,
        provider=row.name,
        base_url="" if embedded else url,
        serve=(lambda: url) if embedded else None,
        submit_timeout=5,
        read_timeout=5,
    ) as client:
        yield Counter(client, url, model)
