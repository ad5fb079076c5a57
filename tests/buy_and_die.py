"""A process that buys a clip and is killed at a step of the task's life; for those who take over."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.settings import Settings
from hailuo_mcp.views import Terms


def main(environ: Mapping[str, str], step: str, prompt: str) -> None:
    sys.path.insert(0, str(Path(__file__).parent / "crash"))
    import steps

    steps.arm(step, 1)
    anyio.run(_buy, Settings.from_env(environ), prompt)


async def _buy(settings: Settings, prompt: str) -> None:
    async with open_studio(settings) as studio:
        await studio.generate(VideoRequest(prompt=prompt), Terms())
        await anyio.sleep_forever()


if __name__ == "__main__":
    main(os.environ, *sys.argv[1:])
