"""packaging/release-notes: the section of the version that is released, or a reason."""

import runpy
from pathlib import Path

import pytest

import hailuo_mcp

ROOT = Path(__file__).parents[2]
VERSION = hailuo_mcp.__version__
notes = runpy.run_path(str(ROOT / "packaging/release-notes"))["notes"]
CHANGELOG = f"""# Changelog

## [99.0.0] - unreleased

- Later.

## [{VERSION}] - 2026-01-31

First.

### Added
- This.

## [0.0.1] - 2025-01-31

- Before.
"""


def test_the_notes_are_the_section_of_the_version():
    assert notes(VERSION, CHANGELOG) == "First.\n\n### Added\n- This."


@pytest.mark.parametrize(
    ("version", "changelog", "reason"),
    [
        ("99.0.0", CHANGELOG, f"has version {VERSION}, not 99.0.0"),
        (VERSION, CHANGELOG.replace(f"[{VERSION}]", "[0.0.2]"), "no section"),
        (VERSION, CHANGELOG.replace("2026-01-31", "unreleased"), "'unreleased'"),
        (VERSION, f"## [{VERSION}] - 2026-01-31\n\n## [0.0.1] - 2025-01-31\n", "is empty"),
    ],
)
def test_what_is_not_ready_is_not_released(version: str, changelog: str, reason: str):
    with pytest.raises(SystemExit, match=r".") as stopped:
        notes(version, changelog)
    assert reason in str(stopped.value)


def test_the_changelog_has_a_section_for_this_version():
    """Dated or not: it is dated on the day of the release."""
    assert f"\n## [{VERSION}] - " in (ROOT / "CHANGELOG.md").read_text("utf-8")
