"""A process that serves no tenants, such as a command, and does work that is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.settings import Settings
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("toml", "folder"), [('folder = "of/acme"', "of/acme"), ("rpm =", ".")])
async def test_a_tenants_clip_is_saved_in_its_folder_by_whoever_saves_it(
    tmp_path: Path, toml: str, folder: str
) -> None:
    file = tmp_path / "tenants.toml"
    file.write_text(f"[tenants.acme]\n{toml}\n")
    options = SandboxOptions(state_dir=tmp_path / "book", seconds_to_ready=0.0, fast_clips=True)
    with serve_in_thread(options) as sandbox:
        settings = Settings.from_env(
            {
                "HAILUO_PROVIDER": "sandbox",
                "HAILUO_BASE_URL": sandbox.base_url,
                "HAILUO_STATE_DIR": str(tmp_path / "state"),
                "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
                "HAILUO_POLL_SECONDS": "0.2",
                "HAILUO_TENANTS": str(file),
            }
        )
        async with open_studio(settings) as studio:
            request = VideoRequest(prompt="a lighthouse")
            view = await studio.generate(request, Terms(), caller="tenant:acme", wait_seconds=20)
    assert Path(view.task.file).parent == (tmp_path / "clips" / folder).resolve()
