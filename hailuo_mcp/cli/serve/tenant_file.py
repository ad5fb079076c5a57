"""Changes the file of tenants."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hailuo_mcp.cli.set_up import toml_file
from hailuo_mcp.cli.set_up.toml_file import Document
from hailuo_mcp.settings.tenants import parse_tables, read_tables


@contextmanager
def changing(path: Path, *, create: bool = False) -> Generator[Document]:
    """The file's document; what the block changes in it is then written.

    Raises:
        ConfigError: the file cannot be read or written, or is, or would be, unusable.
    """
    if not create:
        read_tables(path)  # one that is missing is reported as the server would report it
    with toml_file.changing(path, check=parse_tables, create=create) as document:
        yield document


def put(document: Document, name: str, values: Mapping[str, object]) -> None:
    """Add a table at the end."""
    import tomlkit

    tenants: Any = document.setdefault("tenants", tomlkit.table(is_super_table=True))
    table = tomlkit.table()
    for key, value in values.items():
        table[key] = value
    tenants[name] = table
