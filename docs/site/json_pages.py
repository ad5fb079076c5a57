"""docs/cli-schema.json as Markdown: what each command prints, and what is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from schema_tables import Schema, kind, plain, table

SCHEMA = Path(__file__).parents[1] / "cli-schema.json"


def page() -> str:
    """Return the commands, then a section for each object."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    commands = (
        f"| `hailuo-mcp {command}` | {' · '.join(f'[{name}](#{name})' for name in printed)} |"
        for command, printed in schema["x-commands"].items()
    )
    return "\n\n".join(
        (
            re.sub(r"x-commands says .*?; a", "A", schema["description"]),
            "\n".join(("| command with `--json` | prints |", "|---|---|", *commands)),
            *(_section(name, each) for name, each in schema["$defs"].items()),
        )
    )


def _section(name: str, schema: Schema) -> str:
    shared = " and ".join(kind(each) for each in schema.get("allOf", ()) if "$ref" in each)
    fields = table(schema)
    parts = (
        f"## {name}",
        plain(schema.get("description", "")),
        f"All that {shared} has, and:" if shared else "",
        fields or f"Is {kind(schema)}.",
    )
    return "\n\n".join(filter(None, parts))
