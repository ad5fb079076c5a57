"""The rules of the architecture that a program can check."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "hailuo_mcp").rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_imports_run_downwards_only():
    # In a process of its own: it switches off the loggers of the one that it runs in.
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_every_module_says_what_it_is():
    silent = [str(path.relative_to(ROOT)) for path in SOURCES if not ast.get_docstring(tree(path))]

    assert silent == []


def test_nothing_above_the_dialects_names_a_provider():
    from hailuo_mcp.dialects.providers import PROVIDERS

    names = [name for name in PROVIDERS if name not in ("sandbox", "compat")]
    above = [
        path
        for path in SOURCES
        if not {"dialects", "catalog", "sandbox", "replies"} & set(path.relative_to(ROOT).parts)
    ]
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in above
        for name in names
        if re.search(rf"\b{re.escape(name)}\b", path.read_text("utf-8"))
    ]

    assert found == []


def test_only_the_command_line_prints():
    for path in SOURCES:
        parts = path.relative_to(ROOT).parts
        if "cli" in parts or path.name == "tokens.py":
            continue
        calls = [
            node
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
        ]
        assert not calls, f"{path} prints, and a stdio server's stdout belongs to the protocol"


def test_only_until_sleeps_and_nothing_else_in_the_tests():
    """Elsewhere a test sleeps either too short for a busy machine or longer than it must."""
    own = {"until.py", "test_architecture.py"}
    own |= {"run.py", "trial.py", "scene.py", "agents.py", "story.py"}  # programs run by hand
    dripping = {"test_pay.py", "test_links.py"}  # servers that send slowly
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if path.name not in own | dripping
        and re.search(r"\b(anyio|asyncio|time)\.sleep\((?!0\))", path.read_text("utf-8"))
    ]

    assert found == []


def test_the_readmes_tables_are_what_the_code_says():
    done = subprocess.run(
        [sys.executable, "docs/tables.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_every_fault_of_the_sandbox_is_on_its_page():
    from hailuo_mcp.sandbox.faults import NAMES

    page = (ROOT / "docs" / "sandbox.md").read_text("utf-8")

    assert [name for name in NAMES if f"`{name}`" not in page] == []


def test_the_config_example_is_the_one_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    example = (ROOT / "claude_desktop_config.example.json").read_text("utf-8")

    assert example.strip() in readme


def test_the_changelog_speaks_of_this_version():
    from hailuo_mcp import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_source_that_a_comment_names_is_explained():
    label = re.compile(r"\b([Ss]eeds? 00\d|[Ff]acts,? (?:section )?\d+(?:\.\d+)?|C\d{1,2})\b")
    sources = (ROOT / "docs" / "sources.md").read_text("utf-8")
    explained = set(re.findall(r"^### (seed \d+|facts [\d.]+|C\d+)$", sources, re.MULTILINE))
    unknown = [
        f"{path.relative_to(ROOT)}: {said}"
        for folder in ("hailuo_mcp", "docs")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".toml", ".md"}
        for said in label.findall(path.read_text("utf-8"))
        if re.sub(",| section", "", said).lower() not in {known.lower() for known in explained}
    ]

    assert explained
    assert unknown == []
