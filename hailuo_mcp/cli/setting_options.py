"""The settings that are options of every command; a table of its own, for the settings load slowly.

`tests/cli/test_program.py` compares its names with the settings'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class SettingOption(NamedTuple):
    """How a setting is given on the command line."""

    flag: str
    metavar: str
    help: str


SETTING_OPTIONS: Mapping[str, SettingOption] = {
    "profile": SettingOption("--profile", "NAME", "which of your accounts (hailuo-mcp login)"),
    "provider": SettingOption("--provider", "NAME", "who is paid; sandbox is free, without a key"),
    "base_url": SettingOption("--base-url", "URL", "the provider's address, if not the usual one"),
    "output_dir": SettingOption("--output-dir", "FOLDER", "where clips go"),
    "filename": SettingOption("--name", "PATTERN", "the clip's file name, such as {prompt:.24}"),
    "state_dir": SettingOption("--state-dir", "FOLDER", "where the record of purchases is"),
    "plan": SettingOption("--plan", "PLAN", "payg, or a pack such as basic"),
    "budget": SettingOption("--budget", "AMOUNT", "a hard limit on spending, in the plan's unit"),
}
"""By setting."""
