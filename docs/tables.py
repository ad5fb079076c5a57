"""Writes the tables of tools, settings and clients: python docs/tables.py [--check]."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from hailuo_mcp.catalog.mcp_clients import client_setups
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.settings import Settings, variable_of

DOCS = Path(__file__).parent
CHINESE = tomllib.loads((DOCS / "tables.zh.toml").read_text("utf-8"))


def _table(*rows: Sequence[str]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join((head, "|" + "---|" * len(rows[0]), *body))


def tools(*, chinese: bool = False) -> str:
    yes, no = ("是", "否") if chinese else ("yes", "no")
    rows = [("工具", "作用", "是否收费") if chinese else ("tool", "what it does", "costs money")]
    for tool in all_tools():
        first = re.split(r"(?<=\.)\s", " ".join((tool.description or "").split()))[0]
        spends = "costs money" in (tool.title or "")
        if chinese:
            first = CHINESE["tools"][tool.name]
        rows.append((f"`{tool.name}`", first, f"**{yes}**" if spends else no))
    return _table(*rows)


def settings(*, chinese: bool = False) -> str:
    names = " · ".join(f"`{name}`" for name in PROVIDERS)
    rows = [("变量", "默认值", "含义") if chinese else ("variable", "default", "meaning")]
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        default = str(extra["default"]) if isinstance(extra, dict) else ""
        variable, meaning = variable_of(name), field.description or ""
        if chinese:
            default, meaning = CHINESE["settings"][variable]
            meaning = meaning.replace("{providers}", names)
        rows.append((f"`{variable}`", default, meaning))
    return _table(*rows)


def clients(*, chinese: bool = False) -> str:
    """Where each client of `hailuo-mcp init` keeps its servers."""
    del chinese  # the page is only in English
    rows = [("`init …`", "client", "its file")]
    for app in client_setups():
        places = (
            SYSTEMS[platform]
            + ", else ".join(dict.fromkeys(_path(place.file, platform) for place in found))
            for platform, found in app.places.items()
        )
        rows.append((f"`{app.name}`", app.title, "; ".join(places)))
    return _table(*rows)


SYSTEMS = {"darwin": "macOS ", "win32": "Windows ", "linux": "Linux ", "any": ""}
ROOTS = {
    "{home}": "~",
    "{config}": "~/.config",
    "{appdata}": "%APPDATA%",
    "{localappdata}": "%LOCALAPPDATA%",
}


def _path(template: str, platform: str) -> str:
    root, _, rest = template.partition("/")
    if platform == "win32":
        root = root.replace("{home}", "%USERPROFILE%")
    path = f"{ROOTS.get(root, root.replace('{', '$').strip('}'))}/{rest}".replace("*", "…")
    return f"`{path.replace('/', chr(92)) if platform == 'win32' else path}`"


def filled(text: str, *, chinese: bool) -> str:
    """Return the page with each table between its markers."""
    for name, table in (("tools", tools), ("settings", settings), ("clients", clients)):
        text = re.sub(
            rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)",
            lambda found, table=table: f"{found[1]}{table(chinese=chinese)}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def main() -> int:
    status = 0
    pages = (DOCS.parent / "README.md", DOCS / "README.zh-CN.md", DOCS / "install.md")
    for page in pages:
        chinese = ".zh-" in page.name
        text = page.read_text("utf-8")
        now = filled(text, chinese=chinese)
        if now == text:
            continue
        if "--check" in sys.argv:
            sys.stderr.write(f"{page.name} is stale: run python docs/tables.py\n")
            status = 1
        else:
            page.write_text(now, "utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
