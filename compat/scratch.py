"""Scratch environments: one venv or npm folder for each client, outside the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NODE = "node@24"
"""Node 20 would quietly get a client's older release: several need 22.19 or newer."""


class CannotInstallError(Exception):
    """The registry or the package refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A client's own environment."""

    folder: Path
    program: tuple[str, ...]
    """What a driver of this client is started with."""
    path: str
    """PATH with the environment's programs first."""
    version: str


def prepare(client: dict[str, Any], root: Path) -> Scratch:
    """Install the client, unless an earlier run has.

    Raises:
        CannotInstallError: it cannot be had.
    """
    folder = root / client["id"]
    if "npm" in client:
        return _npm(client, folder)
    return _pip(client, folder)


def _pip(client: dict[str, Any], folder: Path) -> Scratch:
    python = folder / "bin" / "python"
    done = folder / "installed.json"
    if not done.exists():
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "-q", *client["pip"]])
        said = subprocess.run(
            [str(python), "-m", "pip", "list", "--format=json"],
            check=True,
            capture_output=True,
            text=True,
        )
        done.write_text(said.stdout)
    versions = {row["name"].lower(): row["version"] for row in json.loads(done.read_text())}
    return Scratch(
        folder=folder,
        program=(str(python),),
        path=f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        version=versions[client.get("version_of", client["pip"][0]).lower()],
    )


def _npm(client: dict[str, Any], folder: Path) -> Scratch:
    modules = folder / "node_modules"
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        quiet = ["--no-fund", "--no-audit", "--silent"]
        _run(["npm", "install", *quiet, NODE, *client["npm"]], cwd=folder)
        done.touch()
    first = client["npm"][0]
    name = client.get("version_of", first[: first.rfind("@")] if first.rfind("@") > 0 else first)
    return Scratch(
        folder=folder,
        program=(str(modules / ".bin" / "node"),),
        path=f"{modules / '.bin'}{os.pathsep}{os.environ['PATH']}",
        version=json.loads((modules / name / "package.json").read_text())["version"],
    )


def _run(command: list[str], cwd: Path | None = None) -> None:
    try:
        subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=1500)
    except subprocess.CalledProcessError as error:
        lines = [line for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
        wrong = [line for line in lines if "ERROR" in line or "ERR!" in line] or lines
        raise CannotInstallError(wrong[-1][:200] if wrong else "no reason given") from error
    except (subprocess.TimeoutExpired, FileNotFoundError) as error:
        raise CannotInstallError(str(error)[:200]) from error
