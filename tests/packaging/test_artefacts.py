"""What is shipped: the wheel holds the package and nothing else, and the bundle packs."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hailuo_mcp

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "hailuo_mcp"
SECONDS = 300
NPM_FAILED = re.compile(r"^npm (error|ERR!) ", re.MULTILINE)
pytestmark = pytest.mark.slow


def shipped() -> set[str]:
    """Every file of the package, as it lies in the source."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def ran(command: list[str], where: Path) -> str:
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    ran([*pip, "-w", str(folder), str(ROOT)], folder)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile):
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == shipped()
    for needed in ("py.typed", "server/instructions.md", "catalog/prices.toml"):
        assert f"hailuo_mcp/{needed}" in inside
    assert "hailuo_mcp/catalog/clients.toml" in inside


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile):
    folder = f"hailuo_mcp-{hailuo_mcp.__version__}.dist-info"
    metadata = wheel.read(f"{folder}/METADATA").decode()
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "\nProvides-Extra: media\n" in metadata
    assert "mcp-name: io.github.hailuo-mcp/hailuo-mcp" in metadata
    scripts = wheel.read(f"{folder}/entry_points.txt").decode()
    assert "hailuo-mcp = hailuo_mcp.__main__:main" in scripts
    assert f"{folder}/licenses/LICENSE" in wheel.namelist()


def test_the_bundle_passes_the_official_tool_and_holds_the_package(tmp_path: Path):
    out = tmp_path / "hailuo-mcp.mcpb"
    told = _packed(out)
    assert "Manifest schema validation passes" in told
    with zipfile.ZipFile(out) as bundle:
        inside = set(bundle.namelist())
        manifest = json.loads(bundle.read("manifest.json"))
    assert manifest["version"] == hailuo_mcp.__version__
    assert inside == {*shipped(), "manifest.json", "pyproject.toml", "README.md", "LICENSE"}


def _packed(out: Path) -> str:
    """What the official packer said; the test is skipped where npm cannot fetch it."""
    if not (shutil.which("mcpb") or shutil.which("npx")):
        pytest.skip("the official packer is not there, and neither is npm")
    command = [sys.executable, str(ROOT / "packaging/build-mcpb"), str(out)]
    done = subprocess.run(
        command, cwd=out.parent, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode and NPM_FAILED.search(done.stderr):
        pytest.skip("npm cannot fetch the official packer")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
