"""Every call in docs/tools.md, made in its order through the real studio over the sandbox."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from mcp import Client
from PIL import Image

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "tools.md"
CALLS = [
    json.loads(block)
    for block in re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
]


@pytest.mark.anyio
async def test_every_example_is_answered_as_its_schema_says(tmp_path):
    pictures = tmp_path / "Pictures"
    pictures.mkdir()
    for name in ("cat.png", "cat-asleep.png"):
        Image.new("RGB", (640, 480), "teal").save(pictures / name)
    options = SandboxOptions(state_dir=tmp_path / "sandbox", seconds_to_ready=0.2, fast_clips=True)
    with serve_in_thread(options) as sandbox:
        settings = Settings.from_env(
            {
                "HAILUO_PROVIDER": "sandbox",
                "HAILUO_BASE_URL": sandbox.base_url,
                "HAILUO_STATE_DIR": str(tmp_path / "state"),
                "HAILUO_OUTPUT_DIR": str(tmp_path / "videos"),
                "HAILUO_ALLOWED_DIRS": str(tmp_path),
                "HAILUO_POLL_SECONDS": "0.1",
            }
        )
        async with open_studio(settings) as studio:
            context = AppContext()
            context.set_studio(studio)
            async with Client(Server(context)) as client:
                tools = {tool.name: tool for tool in (await client.list_tools()).tools}
                latest, used = "", set()
                for call in CALLS:
                    text = json.dumps(call["arguments"], ensure_ascii=False)
                    text = text.replace("<task_id>", latest).replace("~", str(tmp_path))
                    result = await client.call_tool(call["tool"], json.loads(text))

                    assert not result.is_error, result.content[0].text
                    answer = result.structured_content
                    if schema := tools[call["tool"]].output_schema:
                        jsonschema.validate(answer, schema)
                        latest = answer.get("task_id", latest)
                    used.add(call["tool"])
                assert used == set(tools), "each tool has an example"
                assert (tmp_path / "videos" / "boats" / "first.mp4").exists()
