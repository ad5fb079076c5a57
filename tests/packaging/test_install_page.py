"""docs/install.md: what it says to paste can be pasted, and says what init would write.

The example of the configuration, to which it points, is in docs/cli.md.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest

from hailuo_mcp.catalog.mcp_clients import client_setups
from hailuo_mcp.cli.program import parser
from hailuo_mcp.settings import Settings
from hailuo_mcp.settings.config_file import Configuration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/install.md").read_text("utf-8")
BLOCKS = [
    *(json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)),
    *(tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)),
]
CLI_PAGE = (ROOT / "docs/cli.md").read_text("utf-8")
(CONFIGURATION,) = re.findall(r"```toml\n(.*?)```", CLI_PAGE, re.DOTALL)
COMMANDS = re.findall(r"^hailuo-mcp ([^#\n]*)", PAGE, re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS)
def test_each_entry_is_one_that_some_client_reads_with_settings_that_exist(block: dict):
    keys = {app.key for app in client_setups()}
    (servers,) = [value for key, value in block.items() if key in keys]
    env = servers["hailuo"]["env"]
    settings = Settings.from_env({k: v for k, v in env.items() if not v.startswith("$")})
    assert settings.budget == 50
    assert all(value.startswith("HAILUO_") for value in env)


def test_the_configuration_is_one_that_is_read_with_both_of_its_accounts():
    file = Configuration(path=Path("config.toml"), table=tomllib.loads(CONFIGURATION))
    for profile in ("", *file.profiles):
        settings = Settings.from_env({"HAILUO_PROFILE": profile}, file)
        assert settings.budget == 50
        assert settings.provider == file.section(profile).texts["provider"]


def test_every_client_of_init_is_on_the_page_with_its_file():
    for app in client_setups():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{app.name}` |"))
        assert f"| {app.title} |" in row
        for places in app.places.values():
            name = places[-1].file.rpartition("/")[2]
            assert name in row
        assert any(app.key in block for block in BLOCKS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one_that_the_program_takes(command: str):
    parser().parse_args(command.split())


def test_the_example_file_is_what_init_would_write_but_for_the_path():
    example = json.loads((ROOT / "claude_desktop_config.example.json").read_text("utf-8"))
    first = BLOCKS[0]["mcpServers"]["hailuo"]
    assert example["mcpServers"]["hailuo"] == {**first, "command": "hailuo-mcp"}
