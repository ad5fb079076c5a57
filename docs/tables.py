"""Writes the tool and settings tables into the READMEs: python docs/tables.py [--check]."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.settings import Settings, variable_of

DOCS = Path(__file__).parent
PAGES = (DOCS.parent / "README.md", DOCS / "README.zh-CN.md")


def tools() -> str:
    rows = ["| tool | what it does | costs money |", "|---|---|---|"]
    for tool in all_tools():
        first = re.split(r"(?<=\.)\s", " ".join((tool.description or "").split()))[0]
        spends = "**yes**" if "costs money" in (tool.title or "") else "no"
        rows.append(f"| `{tool.name}` | {first} | {spends} |")
    return "\n".join(rows)


def settings() -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        default = extra["default"] if isinstance(extra, dict) else ""
        rows.append(f"| `{variable_of(name)}` | {default} | {field.description} |")
    return "\n".join(rows)


def filled(text: str) -> str:
    """The page with each table between its markers written anew."""
    for name, table in (("tools", tools()), ("settings", settings())):
        text = re.sub(
            rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)",
            lambda found, table=table: f"{found[1]}{table}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def main() -> int:
    stale = [page for page in PAGES if page.read_text("utf-8") != filled(page.read_text("utf-8"))]
    if "--check" in sys.argv:
        for page in stale:
            sys.stderr.write(f"{page.name} is stale: run python docs/tables.py\n")
        return 1 if stale else 0
    for page in stale:
        page.write_text(filled(page.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
