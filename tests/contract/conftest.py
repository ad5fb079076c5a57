"""The sandbox with a client for each row of the table of providers."""

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
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain import Mode, TemplateRequest, VideoRequest
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    folder: Path = tmp_path_factory.mktemp("sandbox")
    box = serve_in_thread(SandboxOptions(state_dir=folder, seconds_to_ready=0.3, fast_clips=True))
    yield box
    box.stop()


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
        # The optimizer's name tells the compat format from MiniMax's own, which share an address.
        return VideoRequest(
            model="MiniMax-Hailuo-2.3",
            prompt=f"a cat, number {next(_numbers)}.{marks}",
            prompt_optimizer=True,
        )

    def with_data_url(self) -> VideoRequest:
        return VideoRequest(
            model="MiniMax-Hailuo-2.3",
            prompt=f"a walk, number {next(_numbers)}",
            first_frame_image=picture(),
            prompt_optimizer=True,
        )

    def of_mode(self, mode: Mode) -> VideoRequest | TemplateRequest:
        # Seed 004 documents pictures as URLs only, so its imitation refuses data URLs.
        urls = self.client.provider.dialect.startswith("compat")
        first = "https://example.com/cat.jpg" if urls else picture()
        last = "https://example.com/dog.jpg" if urls else picture("maroon")
        prompt = f"a walk, number {next(_numbers)}"
        match mode:
            case Mode.T2V:
                return self.plain()
            case Mode.I2V:
                return VideoRequest(
                    model="MiniMax-Hailuo-2.3-Fast", prompt=prompt, first_frame_image=first
                )
            case Mode.FL2V:
                return VideoRequest(
                    model="MiniMax-Hailuo-02",
                    prompt=prompt,
                    first_frame_image=first,
                    last_frame_image=last,
                )
            case Mode.S2V:
                return VideoRequest(model="S2V-01", prompt=prompt, subject_image=first)
        template = {"cn": "394125185182695432", "global": "394514820878671878"}
        return TemplateRequest(
            template_id=template[self.client.provider.templates], text_inputs=(prompt,)
        )


@pytest.fixture(params=list(PROVIDERS))
async def counter(request, sandbox):
    url = sandbox.base_url.rstrip("/")
    embedded = PROVIDERS[request.param].is_sandbox
    async with HailuoClient(
        KEY,
        provider=request.param,
        base_url="" if embedded else url,
        serve=(lambda: url) if embedded else None,
        submit_timeout=5,
        read_timeout=5,
    ) as client:
        yield Counter(client, url)
