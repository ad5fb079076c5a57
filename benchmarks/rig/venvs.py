"""Three environments with what a user would install: ours, the official server, the floor."""

from __future__ import annotations

import compileall
import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "ours": (str(ROOT),),
    "official": ("minimax-mcp==0.0.19",),
    "floor": ("mcp>=2.3,<3",),
}


def prepare(scratch: Path, names: tuple[str, ...] = tuple(PACKAGES)) -> dict[str, Path]:
    """Make what is missing, renew our own if the code has changed; name -> its python."""
    pythons = {}
    for name in names:
        home = scratch / "venvs" / name
        pythons[name] = home / "bin" / "python"
        stamp, mark = home / "made-of", _mark(name)
        if stamp.exists() and stamp.read_text() == mark:
            continue
        if not pythons[name].exists():
            print(f"making the environment of {name} …", file=sys.stderr)
            venv.create(home, with_pip=True, symlinks=True)
        pip = [str(pythons[name]), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        if name == "ours" and stamp.exists():  # the same version, with other code in it
            subprocess.run([*pip, "--force-reinstall", "--no-deps", *PACKAGES[name]], check=True)
        subprocess.run([*pip, *PACKAGES[name]], check=True)
        compileall.compile_dir(home / "lib", quiet=2, workers=1)
        stamp.write_text(mark)
    return pythons


def _mark(name: str) -> str:
    if name != "ours":
        return " ".join(PACKAGES[name])
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for path in sorted((ROOT / "hailuo_mcp").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def versions(python: Path) -> dict[str, str]:
    """What counts for a comparison, as installed."""
    code = (
        "import importlib.metadata as m, json, sys;"
        "n = ('mcp', 'pydantic', 'anyio', 'httpx', 'hailuo-mcp', 'minimax-mcp');"
        "d = {x.metadata['Name'].lower(): x.version for x in m.distributions()};"
        "print(json.dumps({'python': sys.version.split()[0], 'distributions': len(d),"
        " **{k: d[k] for k in n if k in d}}))"
    )
    import json

    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)
