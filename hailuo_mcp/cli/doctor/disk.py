"""Whether the folders can be written, and have room for clips."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hailuo_mcp.cli.doctor.finding import Finding, note, ok, problem
from hailuo_mcp.settings import Settings

_TIGHT = 1_000_000_000
_NONE = 100_000_000
"""Bytes; a clip takes 2 to 30 MB."""


def check_folders(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    findings = [
        *_folder("clips", settings.output_dir, "HAILUO_OUTPUT_DIR"),
        *_folder("journal", settings.state_dir, "HAILUO_STATE_DIR"),
    ]
    if environ.get("HAILUO_ALLOWED_DIRS", "").strip():
        findings += [
            note(
                "folders",
                f"{folder} of HAILUO_ALLOWED_DIRS is not there.",
                f"Make it, or correct the list (separated by {os.pathsep!r}).",
            )
            for folder in settings.allowed_dirs
            if not folder.is_dir()
        ]
    return findings


def _folder(what: str, folder: Path, variable: str) -> list[Finding]:
    advice = f"Allow it, or set {variable} to a folder that can be written."
    try:
        # Whoever only looks makes no folders: the nearest that is there will have to allow it.
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        with tempfile.TemporaryFile(dir=nearest, prefix=".hailuo-mcp-"):
            pass
        free = shutil.disk_usage(nearest).free
    except OSError as exc:
        why = (exc.strerror or "the system refuses").lower()
        return [problem("folders", f"{folder} for {what} cannot be written: {why}.", advice)]
    new = "" if nearest == folder else ", will be made"
    room = f"{free / 1e9:,.1f} GB free"
    if free < _NONE:
        return [
            problem("folders", f"The disk of {folder} for {what} is full ({room}).", "Free some.")
        ]
    if free < _TIGHT:
        return [note("folders", f"{folder} for {what} has little room: {room}.", "Free some.")]
    return [ok("folders", f"{what}: {folder} ({room}{new})")]
