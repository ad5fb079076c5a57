"""When a signed link expires, as far as the link itself says."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

MINIMAX_LIFE = 3600.0
"""C1: 1 h is the shortest documented lifetime of a v1 download_url."""
TEMPLATE_LIFE = 9 * 3600.0
XCOMPUTE_LIFE = 24 * 3600.0

_EARLIEST, _LATEST = 946_684_800, 4_102_444_800  # the years 2000 and 2100
_LONGEST = 10 * 365 * 86_400


def expires_at(url: str, *, life: float, received_at: float) -> float:
    """Return when a link expires, from its signature, else from the usual lifetime."""
    try:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        query = {}
    said = _from_signature(query)
    return said if said is not None else received_at + life


def _from_signature(query: dict[str, str]) -> float | None:
    for name in ("expires", "e"):
        if (found := _moment(query.get(name, ""))) is not None:
            return found
    for kind in ("x-amz", "x-goog", "x-oss"):
        start, seconds = query.get(f"{kind}-date", ""), query.get(f"{kind}-expires", "")
        if start and _digits(seconds) and (begun := _stamp(start)) is not None:
            return begun + min(int(seconds), _LONGEST)
    if "q-sign-time" in query:  # Tencent's object store: "start;end"
        return _moment(query["q-sign-time"].partition(";")[2])
    return _stamp(query.get("se", ""))  # Azure's


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 13  # noqa: PLR2004


def _moment(text: str) -> float | None:
    if not _digits(text):
        return None
    seconds = int(text) / 1000 if len(text) == 13 else float(text)  # noqa: PLR2004
    return seconds if _EARLIEST < seconds < _LATEST else None


def _stamp(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
