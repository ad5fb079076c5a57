"""Reads values from a provider's reply: exact, bounded and checked."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice

from hailuo_mcp.text import LONGEST_ID

_LONGEST_URL = 8192
_WORD = re.compile(r"[\w.:-]{1,40}")
_TASK_IDS = frozenset({"task_id", "taskId", "platform_id"})
_TASKS = frozenset({"task", "tasks", "data", "result"})
"""In these an `id` is a task's."""
_MOST_VALUES, _MOST_IDS = 5_000, 5
_IN_TEXT = re.compile(
    rb'"(?:task_id|taskId|platform_id|id)"\s*:\s*("[^"\\]{1,200}|[0-9.e+-]{1,200}|[\[{][^,}\]]{0,99})'
)


def fields(value: object) -> dict[str, object]:
    """Return a JSON object, or an empty one for anything else."""
    if not isinstance(value, dict):
        return {}
    return {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def items(value: object) -> list[object]:
    """Return a JSON list, or a list of a single value in a list's place."""
    if isinstance(value, list):
        return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return [] if value is None else [value]


def given_id(value: object) -> str:
    """Return whatever is in the place of a task's id, for the journal; empty if nothing is.

    Even an unusable id may be the only trace of a clip that was bought.
    """
    return (
        ""
        if value is None or str(value).strip() in ("", "0")
        else f"task_id {ascii(value)[:300]}; "
    )


def given_ids(body: Mapping[str, object], raw: bytes, *, flat: bool = False) -> str:
    """Return given_id of the first task ids in an answer, as task_ids finds them."""
    found = (given_id(value) for value in task_ids(body, raw, flat=flat))
    return "".join(islice(dict.fromkeys(it for it in found if it), _MOST_IDS))


def task_ids(body: Mapping[str, object], raw: bytes, *, flat: bool = False) -> Iterator[object]:
    """Yield whatever stands in the place of a task's id, anywhere in an answer.

    Of a body that is no JSON object, `raw` is searched as text: it may be cut off in the id.
    `flat`: the format has `id` at the top level.
    """
    if not body:
        for told in islice(_IN_TEXT.finditer(raw), _MOST_VALUES):
            yield told[1].lstrip(b'"').decode(errors="replace")
        return
    todo = deque[tuple[object, bool]]([(body, flat)])
    for _ in range(_MOST_VALUES):
        if not todo:
            return
        holder, has_id = todo.popleft()
        for entry in items(holder):
            for name, value in fields(entry).items():
                if name in _TASK_IDS or (has_id and name == "id"):
                    yield value
                else:
                    todo.append((value, has_id or name in _TASKS))


def identifier(value: object) -> str:
    """Return an id as text, exact to the last digit; empty if it is not an id.

    The same file_id comes as a string from the query and as a number from files/retrieve, and
    18-digit ids do not survive a float: a float is refused rather than rounded.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int) and abs(value) > 10**LONGEST_ID:
        return ""
    text = str(value).strip()
    plain = text.isascii() and text.isprintable() and " " not in text
    return text if plain and len(text) <= LONGEST_ID else ""


def word(value: object) -> str:
    """Return a short code or status word, to compare; statuses.py says what a model may see."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip().replace(" ", "_")
    return text if _WORD.fullmatch(text) else ""


def prose(value: object) -> str:
    """Return provider text for the journal: bounded, on one line, encodable."""
    if not isinstance(value, str):
        return ""
    safe = value[:500].encode("utf-8", "replace").decode("utf-8")
    return "".join(mark if mark.isprintable() else " " for mark in safe).strip()


def number(value: object) -> int | None:
    """Return a whole number that came as a number or as digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 20:  # noqa: PLR2004
        return int(value)
    return None


def seconds(value: object) -> float | None:
    """Return a length or a moment that is not negative, from a number or from text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < 2**53 else None


def size(value: object) -> int | None:
    """Return a width or a height in pixels."""
    pixels = number(value)
    return pixels if pixels is not None and 0 < pixels < 100_000 else None  # noqa: PLR2004


def link_text(value: object) -> str:
    """Return an http(s) link; empty for anything else."""
    if not isinstance(value, str) or len(value) > _LONGEST_URL:
        return ""
    text = value.strip()
    plain = text.isprintable() and " " not in text and "\\" not in text
    return text if plain and text.lower().startswith(("http://", "https://")) else ""


def base_code(body: Mapping[str, object]) -> str:
    """Return base_resp.status_code as text; empty for success or if there is none."""
    base = fields(body.get("base_resp"))
    if "status_code" not in base:
        return ""
    code = number(base["status_code"])
    return "unreadable" if code is None else str(code) if code else ""


def said(body: Mapping[str, object]) -> str:
    """Return the provider's own text, wherever it is: for the journal only."""
    error = fields(body.get("error"))
    texts = [
        fields(body.get("base_resp")).get("status_msg"),
        body.get("error"),
        error.get("message"),
    ]
    texts += [body.get(name) for name in ("message", "error_message", "fail_reason")]
    return "; ".join(dict.fromkeys(text for text in map(prose, texts) if text))[:500]
