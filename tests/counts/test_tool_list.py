"""What a client's context and memory pay for this server before anybody has called it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tokens import count

from hailuo_mcp.server.tools import all_tools

from .counts_of import size

STARTED = """
import sys
from hailuo_mcp.server import stdio
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.server.context import AppContext
Server(AppContext())
print("\\n".join(sys.modules))
"""
HEAVY = (
    "PIL",
    "av",
    "filelock",
    "httpx",
    "joserfc",
    "numpy",
    "botocore",
    "platformdirs",
    "psycopg",
    "psycopg_pool",
    "sqlite3",
    "hailuo_mcp.bootstrap",
    "hailuo_mcp.cli",
    "hailuo_mcp.client",
    "hailuo_mcp.journal",
    "hailuo_mcp.server.gallery.page",
    "hailuo_mcp.server.gallery.tools",
    "hailuo_mcp.sandbox",
    "hailuo_mcp.settings",
    "hailuo_mcp.studio",
    "hailuo_mcp.worker",
)


def test_a_model_reads_at_most_2880_tokens_of_ten_tools() -> None:
    """The official server's eight take 2,890."""
    counted = count()
    assert len(counted) == 10
    assert sum(read for read, _ in counted.values()) <= 2880


def test_the_whole_list_is_at_most_20_kilobytes() -> None:
    whole = [tool.parameters for tool in all_tools()], [tool.output_schema for tool in all_tools()]
    described = sum(len(tool.description.encode()) for tool in all_tools())
    assert size(whole) + described <= 20_000


def test_the_list_is_answered_without_what_only_a_call_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert [name for name in HEAVY if name in loaded] == []
    ours = [find_spec(name) for name in loaded if name.split(".")[0] == "hailuo_mcp"]
    read = sum(Path(found.origin).stat().st_size for found in ours if found and found.origin)
    assert 100_000 < read <= 168_000, "bytes of our code that a list of tools loads"


OPENED = """
import sys, anyio
from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.settings import Settings
from hailuo_mcp.server.http import create_app
given = {"HAILUO_PROVIDER": "sandbox", "HAILUO_STATE_DIR": sys.argv[1] + "/state",
         "HAILUO_OUTPUT_DIR": sys.argv[1] + "/clips"}
create_app(Settings.from_env(given))
async def main():
    async with open_studio(Settings.from_env(given)) as studio:
        await studio.storage.need_writable()
anyio.run(main)
print("\\n".join(sys.modules))
"""


def test_a_server_whose_clips_go_to_a_folder_never_loads_what_a_bucket_needs(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPENED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "hailuo_mcp.files.folder_storage" in loaded
    forbidden = {"botocore", "hailuo_mcp.files.bucket", "hailuo_mcp.files.bucket_storage"}
    assert loaded & forbidden == set()
