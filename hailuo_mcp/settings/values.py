"""Reads the settings' text: one function for each kind of setting.

A refusal is the end of a sentence that starts with the setting's name; the value itself
is never repeated, since it may be a key in the wrong place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from decimal import Context, Decimal
from pathlib import Path
from urllib.parse import urlsplit

from hailuo_mcp.catalog.prices import plan_named, plans
from hailuo_mcp.files.name_pattern import name_pattern
from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.text import is_number

_PLAIN = re.compile(r"[!#-\[\]-~]+")
"""No spaces, quotes, backslashes or letters beyond ASCII."""
_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
_NO = frozenset({"0", "false", "f", "no", "n", "off"})
_PERIODS = ("day", "month", "total")
_DIGITS, _PLACES = 18, 6
"""Of an amount, in all and after the point."""


class RefusedError(ValueError):
    """Why a text cannot be used: the end of a sentence."""


class Secret:
    """A key or a token, which no message and no log may show."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('**********')" if self._text else "Secret('')"

    def __str__(self) -> str:
        return "**********" if self._text else ""

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def plain(text: str) -> str:
    return text


def amount(text: str) -> Decimal:
    if not is_number(text):
        raise RefusedError("is not an amount such as 50 or 0.5, without currency or separators")
    value = Decimal(text.strip())
    if value < 0:
        raise RefusedError("should be greater than or equal to 0")
    if value.adjusted() >= _DIGITS:
        raise RefusedError(f"should have no more than {_DIGITS} digits")
    _, digits, exponent = value.normalize(Context(prec=max(28, len(text)))).as_tuple()
    places = max(0, -int(exponent))
    if places > _PLACES:
        raise RefusedError(f"should have no more than {_PLACES} decimal places")
    if len(digits) + max(0, int(exponent)) > _DIGITS:
        raise RefusedError(f"should have no more than {_DIGITS} digits")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = float(text) if is_number(text) else 0.5
        if not value.is_integer():
            raise RefusedError("is not a whole number")
        return int(_within(value, least, most))

    return read


def seconds(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not is_number(text):
            raise RefusedError("is not a number")
        return _within(float(text), least, most)

    return read


def _within(value: float, least: float, most: float) -> float:
    if value < least:
        raise RefusedError(f"should be greater than or equal to {least}")
    if value > most:
        raise RefusedError(f"should be less than or equal to {most}")
    return value


def wait(text: str) -> float | None:
    return None if text.lower() == "auto" else seconds(0, 3600)(text)


def truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise RefusedError("is neither true nor false")
    return word in _YES


def period(text: str) -> str:
    if text.lower() not in _PERIODS:
        raise RefusedError("should be 'day', 'month' or 'total'")
    return text.lower()


def proxies(found: dict[str, str]) -> dict[str, Secret]:
    return {name: Secret(text) for name, text in found.items()}


def _path(text: str) -> Path:
    if any(c < " " or c == "\x7f" for c in text):
        raise RefusedError("has an invisible character")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise RefusedError("begins with ~ and a name that no user of this computer has") from None


def folder(text: str) -> Path:
    path = _path(text)
    if not path.is_absolute():
        raise RefusedError(
            "is not the full path of a folder (~ works for home): clients start servers in other "
            "folders"
        )
    return path


def file(text: str) -> Path:
    path = _path(text)
    if not path.is_absolute():
        raise RefusedError("is not the full path of a file (~ works for home)")
    return path


def folders(text: str) -> tuple[Path, ...]:
    return tuple(folder(part.strip()) for part in text.split(os.pathsep) if part.strip())


_BUCKET = re.compile(r"s3://([A-Za-z0-9][\w.-]{1,253}[A-Za-z0-9])((?:/[\w.=+@-]+)*)/?")


def files(text: str) -> str:
    if "://" not in text:
        return str(folder(text))
    found = _BUCKET.fullmatch(text)
    if found is None or {".", ".."} & set(found[2].split("/")):
        raise RefusedError(
            "is neither s3://bucket/prefix (letters, digits and - _ . = + @ in each name) nor the "
            "full path of a folder"
        )
    return f"s3://{found[1]}{found[2]}"


def names(text: str) -> tuple[str, ...]:
    parts = text.replace(";", ",").split(",")
    return tuple(part.strip().lower() for part in parts if part.strip())


def plan(text: str) -> str:
    try:
        return plan_named(text).name
    except ValueError:
        known = ", ".join(f"{row.name} ({row.chinese})" for row in plans())
        raise RefusedError(f"is not a plan; use one of: {known}") from None


def name_set(text: str) -> frozenset[str]:
    return frozenset(names(text))


def callback_url(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise RefusedError(
            "is not an address that a provider could call, such as https://video.example.com"
        )
    return text.rstrip("/")


def trusted_url(text: str) -> str:
    """The address of a service that decides who may come in, exactly as it is written."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    known = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not (known and host) or "@" in parts.netloc or parts.fragment or not _PLAIN.fullmatch(text):
        raise RefusedError(
            "is not an address such as https://login.example.com (http:// only on this computer)"
        )
    return text


def tokens(text: str) -> tuple[tuple[str, Secret], ...]:
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    callers = [name.strip() for name, _, _ in pairs]
    secrets = [token.strip() for _, _, token in pairs]
    if not (all(callers) and all(secrets)):
        raise RefusedError(
            "is not a list of name:token pairs separated by commas, such as "
            "alice:<a long random text>"
        )
    if len(set(callers)) != len(callers):
        raise RefusedError("has the same name twice; each token needs a name of its own")
    if len(set(secrets)) != len(secrets):
        raise RefusedError("has the same token under two names, which could not be told apart")
    return tuple(zip(callers, map(Secret, secrets), strict=True))


def filename(text: str) -> str:
    try:
        name_pattern(text)
    except ValueError as exc:
        raise RefusedError(str(exc)) from None
    return text


def database(text: str) -> Secret:
    if not text.startswith(("postgresql://", "postgres://")):
        raise RefusedError("is not the URL of a PostgreSQL database (postgresql://…)")
    return Secret(text)
