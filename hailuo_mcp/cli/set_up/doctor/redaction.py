"""What a report may say: words that the program itself has, numbers, and nothing else.

A list of what to hide would miss what nobody thought of, such as the folder of a person or the
host of a relay. So each word of a message is hidden unless it stands in the program's own
sentences. What is known to be private is hidden besides, even where it is an ordinary word.
"""

from __future__ import annotations

import ast
import errno
import os
import platform
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

HIDDEN = "[hidden]"
_SOURCES = (
    "cli/set_up/doctor/*.py",
    "cli/set_up/key_check.py",
    "client/client.py",
    "dialects/codes.py",
    "journal/sqlite/check.py",
    "journal/sqlite/faults.py",
    "journal/sql/contents.py",
    "journal/postgres/faults.py",
    "settings/*.py",
    "text.py",
    "transport/proxies.py",
    "transport/tunnel.py",
    "wording/person.py",
)
"""Where the sentences of findings are written."""
_NUMBER = re.compile(r"\d{1,9}(,\d{3})*(\.\d{1,6}){0,2}%?")
"""Versions have three parts; four would be an address."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d")
_EDGE = "()[]{}<>'\"`.,:;!?→+…*"
_SHORTEST = 2
"""Characters of a private text that is looked for; a shorter one would hide half of all words."""


class Redaction:
    """Rewrites messages for anybody's eyes."""

    def __init__(self, private: Iterable[str]) -> None:
        """`private`: texts that are never shown: paths, names, addresses, secrets."""
        parts = {part for text in private for part in _parts(text)}
        known = sorted((it for it in parts if len(it) >= _SHORTEST), key=len, reverse=True)
        pattern = "|".join(rf"(?<!\w){re.escape(it)}(?!\w)" for it in known)
        # With all that is written to it without a space: the rest of a path, the port of a host.
        self._private = re.compile(rf"\S*(?:{pattern})\S*", re.IGNORECASE) if known else None
        self._words = vocabulary()

    def __call__(self, message: str) -> str:
        if self._private:
            message = self._private.sub(f" {HIDDEN} ", message)
        return " ".join(self._shown(message.split()))

    def _shown(self, words: Iterable[str]) -> Iterator[str]:
        """Each word, or one mark for all that are hidden in a row."""
        for may, row in groupby(words, self._may_be_shown):
            together = list(row)
            yield from together if may else [_mark(together)]

    def _may_be_shown(self, word: str) -> bool:
        if word == HIDDEN:
            return False
        core = word.strip(_EDGE)
        return (
            not core
            or core in self._words
            or bool(_NUMBER.fullmatch(core) or _MOMENT.fullmatch(core))
        )


def _mark(hidden: list[str]) -> str:
    """The mark for these words, with the bracket that opens or closes in them."""
    text = " ".join(hidden)
    opened = text.count("(") - text.count(")")
    return f"{'(' * (opened > 0)}{HIDDEN}{')' * (opened < 0)}"


def _parts(text: str) -> Iterator[str]:
    """A private text as a whole; of an address, its host, its user and its password besides."""
    text = text.strip()
    yield text
    if "://" not in text:
        return
    yield text.partition("://")[2]
    try:
        parts = urlsplit(text)
        yield from (part for part in (parts.hostname, parts.username, parts.password) if part)
    except ValueError:
        return


@lru_cache
def vocabulary() -> frozenset[str]:
    """The words of the program's own sentences, and the names in its tables."""
    import hailuo_mcp
    from hailuo_mcp.catalog.mcp_clients import client_setups
    from hailuo_mcp.catalog.prices import plan_unit, plans
    from hailuo_mcp.dialects.providers import PROVIDERS
    from hailuo_mcp.settings.table import variables

    root = Path(hailuo_mcp.__file__).parent
    texts = [text for pattern in _SOURCES for file in root.glob(pattern) for text in _told(file)]
    texts += [os.strerror(number) for number in errno.errorcode]
    texts += [hailuo_mcp.__version__, platform.python_version(), "hailuo-mcp", "-m hailuo_mcp"]
    texts += variables().values()
    for row in PROVIDERS.values():
        texts += [row.name, row.console, *row.hosts, urlsplit(row.base_url).hostname or ""]
    for plan in plans():
        texts += [plan.name, *(plan_unit(plan.name, region) for region in ("cn", "global"))]
    for app in client_setups():
        texts += [app.name, app.title, f"{app.title}'s"]
    return frozenset(word.strip(_EDGE) for text in texts for word in text.split()) - {""}


def _told(file: Path) -> Iterator[str]:
    """The texts in a module, without its docstrings; none where it has no source."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value
