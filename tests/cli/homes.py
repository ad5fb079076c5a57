"""Computers of three kinds as folders: a home with the apps' own folders, and programs in it."""

from dataclasses import replace
from pathlib import Path

from hailuo_mcp.cli.set_up.system import Platform, System

CLAUDE = "claude_desktop_config.json"


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def mac(root: Path) -> System:
    home = root / "Users" / "mei"
    for folder in (
        "Library/Application Support/Claude",
        "Library/Application Support/Code/User",
        ".cursor",
        ".config/zed",
        ".codex",
    ):
        (home / folder).mkdir(parents=True)
    return _system("darwin", root, home, home / ".local/bin/hailuo-mcp")


def windows(root: Path) -> System:
    home = root / "C" / "Users" / "Mei Lin"
    roaming, local = home / "AppData/Roaming", home / "AppData/Local"
    for folder in (roaming / "Claude", roaming / "Code/User", roaming / "Zed", home / ".cursor"):
        folder.mkdir(parents=True)
    system = _system("win32", root, home, home / ".local/bin/hailuo-mcp.exe")
    # Environment variables of Windows are looked up in any case.
    more = {"AppData": str(roaming), "LOCALAPPDATA": str(local)}
    return replace(system, environ={**system.environ, **more})


def linux(root: Path) -> System:
    home = root / "home" / "mei"
    for folder in (".config/Claude", ".config/Code/User", ".config/zed", ".cursor", ".codex"):
        (home / folder).mkdir(parents=True)
    return _system("linux", root, home, home / ".local/bin/hailuo-mcp")


HOMES = {"mac": mac, "windows": windows, "linux": linux}


def _system(platform: Platform, root: Path, home: Path, installed: Path) -> System:
    program(installed)
    (root / "bin").mkdir()
    separator = ";" if platform == "win32" else ":"
    return System(
        platform=platform,
        home=home,
        environ={"PATH": separator.join((str(installed.parent), str(root / "bin")))},
        executable=str(program(root / "python" / "python3")),
        called=str(installed.with_suffix("")),  # Windows leaves .exe out of argv[0]
        version=(3, 12, 1),
        has_media=True,
        gui_path=None if platform == "win32" else (str(root / "bin"),),
    )
