"""Parses the variables' text: one type for each kind of setting.

A refusal is the end of a sentence that starts with the setting's name; the value itself
is never repeated, since it may be a key in the wrong place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError, PydanticKnownError

from hailuo_mcp.catalog.prices import plan_named, plans
from hailuo_mcp.files.name_pattern import name_pattern
from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.text import is_number

_OWN = "unusable"
_PLAIN = re.compile(r"[!#-\[\]-~]+")
"""No spaces, quotes, backslashes or letters beyond ASCII."""
_Number = Literal["decimal_parsing", "int_parsing", "float_parsing"]
_WORDS = {
    "decimal": "is not an amount such as 50 or 0.5, without currency or separators",
    "int": "is not a whole number",
    "float": "is not a number",
    "bool": "is neither true nor false",
}


def flaw(kind: str, message: str) -> str:
    """Replace pydantic's description of a wrong value by our own."""
    if kind == _OWN:
        return message
    known = _WORDS.get(kind.partition("_")[0]) if kind.endswith(("_parsing", "_type")) else None
    return known or message.lower().replace("input should", "should")


def _refused(why: str) -> PydanticCustomError:
    return PydanticCustomError(_OWN, "{why}", {"why": why})


def _text(read: Callable[[str], object]) -> BeforeValidator:
    """Parse text; any other value is left to its type."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _as_written(kind: _Number) -> BeforeValidator:
    def check(text: str) -> str:
        if not is_number(text):
            raise PydanticKnownError(kind)
        return text

    return _text(check)


def _path(text: str) -> Path:
    if any(c < " " or c == "\x7f" for c in text):
        raise _refused("has an invisible character")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise _refused("begins with ~ and a name that no user of this computer has") from None


def _folder(text: str) -> Path:
    path = _path(text)
    if not path.is_absolute():
        raise _refused(
            "is not the full path of a folder (~ works for home): clients start servers in other "
            "folders"
        )
    return path


def _file(text: str) -> Path:
    path = _path(text)
    if not path.is_absolute():
        raise _refused("is not the full path of a file (~ works for home)")
    return path


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(_folder(part.strip()) for part in text.split(os.pathsep) if part.strip())


_BUCKET = re.compile(r"s3://([A-Za-z0-9][\w.-]{1,253}[A-Za-z0-9])((?:/[\w.=+@-]+)*)/?")


def _files(text: str) -> str:
    if "://" not in text:
        return str(_folder(text))
    found = _BUCKET.fullmatch(text)
    if found is None or {".", ".."} & set(found[2].split("/")):
        raise _refused(
            "is neither s3://bucket/prefix (letters, digits and - _ . = + @ in each name) nor the "
            "full path of a folder"
        )
    return f"s3://{found[1]}{found[2]}"


def names(text: str) -> tuple[str, ...]:
    parts = text.replace(";", ",").split(",")
    return tuple(part.strip().lower() for part in parts if part.strip())


def _plan(text: str) -> str:
    try:
        return plan_named(text).name
    except ValueError:
        names = ", ".join(f"{plan.name} ({plan.chinese})" for plan in plans())
        raise _refused(f"is not a plan; use one of: {names}") from None


def _callback_url(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise _refused(
            "is not an address that a provider could call, such as https://video.example.com"
        )
    return text.rstrip("/")


def _trusted_url(text: str) -> str:
    """The address of a service that decides who may come in, exactly as it is written."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    known = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not (known and host) or "@" in parts.netloc or parts.fragment or not _PLAIN.fullmatch(text):
        raise _refused(
            "is not an address such as https://login.example.com (http:// only on this computer)"
        )
    return text


def _tokens(text: str) -> tuple[tuple[str, SecretStr], ...]:
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    names = [name.strip() for name, _, _ in pairs]
    tokens = [token.strip() for _, _, token in pairs]
    if not (all(names) and all(tokens)):
        raise _refused(
            "is not a list of name:token pairs separated by commas, such as "
            "alice:<a long random text>"
        )
    if len(set(names)) != len(names):
        raise _refused("has the same name twice; each token needs a name of its own")
    if len(set(tokens)) != len(tokens):
        raise _refused("has the same token under two names, which could not be told apart")
    return tuple(zip(names, map(SecretStr, tokens), strict=True))


def _filename(text: str) -> str:
    try:
        name_pattern(text)
    except ValueError as exc:
        raise _refused(str(exc)) from None
    return text


def _database(text: str) -> SecretStr:
    if not text.startswith(("postgresql://", "postgres://")):
        raise _refused("is not the URL of a PostgreSQL database (postgresql://…)")
    return SecretStr(text)


Amount = Annotated[
    Decimal,
    Field(ge=0, max_digits=18, decimal_places=6, allow_inf_nan=False),
    _as_written("decimal_parsing"),
]
Whole = Annotated[int, _as_written("int_parsing")]
Seconds = Annotated[float, _as_written("float_parsing")]
Wait = Annotated[
    Annotated[Seconds, Field(ge=0, le=3600)] | None,
    _text(lambda text: None if text.lower() == "auto" else text),
]
Period = Annotated[Literal["day", "month", "total"], _text(str.lower)]
PlanName = Annotated[str, _text(_plan)]
Folder = Annotated[Path, _text(_folder)]
File = Annotated[Path, _text(_file)]
FilesPlace = Annotated[str, _text(_files)]
Folders = Annotated[tuple[Path, ...], _text(_folders)]
Names = Annotated[tuple[str, ...], _text(names)]
Filename = Annotated[str, _text(_filename)]
Database = Annotated[SecretStr, _text(_database)]
NameSet = Annotated[frozenset[str], _text(names)]
CallbackUrl = Annotated[str, _text(_callback_url)]
TrustedUrl = Annotated[str, _text(_trusted_url)]
Tokens = Annotated[tuple[tuple[str, SecretStr], ...], _text(_tokens)]
