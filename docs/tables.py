"""Writes the tables of tools, settings, clients and prices: python docs/tables.py [--check]."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from hailuo_mcp.catalog.mcp_clients import client_setups
from hailuo_mcp.catalog.tables import Row, rows
from hailuo_mcp.catalog.video_models import length_words, models
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.settings.table import SETTINGS, variable_of

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
    for name, row in SETTINGS.items():
        default, meaning = str(row.metadata["default"]), str(row.metadata["meaning"])
        variable = variable_of(name)
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


def rates(*, chinese: bool = False) -> str:
    """What is sold by the second."""
    del chinese  # the page is only in English
    head = ("model", "size", "seconds", "a second", "a second of a reference clip", "a picture")
    found: list[Sequence[str]] = [head]
    for rate in rows("prices", "rate"):
        for model in (it for it in models() if it.name in rate["models"]):
            lengths = next(iter(model.modes.values())).sizes[rate["resolution"]]
            upgrade = rate.get("upgrade", False)
            found.append(
                (
                    f"`{model.name}`",
                    f"upgrade to {rate['resolution']}" if upgrade else rate["resolution"],
                    "as its draft" if upgrade else length_words(lengths),
                    _amounts(rate, ""),
                    _amounts(rate, "_input"),
                    f"{_amounts(rate, '_image')} · {rate['free_images']} free",
                )
            )
    return _table(*found)


def _amounts(rate: Row, of: str) -> str:
    known = ((sign, rate.get(f"{unit}{of}")) for sign, unit in (("$", "usd"), ("¥", "cny")))
    return " · ".join(f"{sign}{it}" if it is not None else f"{sign} unknown" for sign, it in known)


def filled(text: str, *, chinese: bool) -> str:
    """Return the page with each table between its markers."""
    tables = {"tools": tools, "settings": settings, "clients": clients, "rates": rates}
    for name, table in tables.items():
        text = re.sub(
            rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)",
            lambda found, table=table: f"{found[1]}{table(chinese=chinese)}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def main() -> int:
    status = 0
    pages = (
        DOCS.parent / "README.md",
        *(DOCS / name for name in ("README.zh-CN.md", "install.md", "hailuo-03.md")),
    )
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
