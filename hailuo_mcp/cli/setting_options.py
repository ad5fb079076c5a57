"""The settings that are options of every command; a table of its own, for the settings load slowly.

`tests/cli/test_program.py` compares its names with the settings'.
"""

from __future__ import annotations

from collections.abc import Mapping

SETTING_OPTIONS: Mapping[str, tuple[str, str]] = {
    "provider": ("NAME", "who is paid; sandbox is free and needs no key"),
    "base_url": ("URL", "the provider's address, where it is not the usual one"),
    "output_dir": ("FOLDER", "where clips go"),
    "state_dir": ("FOLDER", "where the record of purchases is"),
    "plan": ("PLAN", "payg, or a pack such as basic"),
    "budget": ("AMOUNT", "a hard limit on spending, in the plan's unit"),
}
"""By setting: what the help calls its value, and what it is."""
