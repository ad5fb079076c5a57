"""Makes an exchange publishable: stand-ins of the same form for all that is a person's.

Redacting what is redacted changes nothing, so a file can be checked by doing it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from urllib.parse import parse_qsl, urlencode, urlsplit

from hailuo_mcp.catalog.video_models import find_model
from hailuo_mcp.catalog.video_templates import REGIONS, templates
from hailuo_mcp.dialects.dialect import NO_TASK, HttpReply, HttpRequest, Provider
from hailuo_mcp.dialects.parsing import fields, identifier, items
from hailuo_mcp.dialects.providers import CLIP_DOMAINS
from hailuo_mcp.verification.expected import id_in_path, operation_of
from hailuo_mcp.verification.facts import Exchange
from hailuo_mcp.verification.redaction import HIDDEN, media_type, safe_name, safe_text, safe_word
from hailuo_mcp.verification.replies.formats import bounded
from hailuo_mcp.verification.replies.questions import OUR_IDS

_NOBODY = "link.invalid"
_PICTURE = "data:image/png;base64,AAAA"
_DEEPEST, _LONGEST_LIST = 40, 50
_MOST_VALUES, _MOST_IN_ONE = 50_000, 2_000
"""A recording and one exchange are cut after so many values."""
_LARGEST, _EARLIEST, _LATEST = 99_999, 946_684_800, 4_102_444_800
_ID_DIGITS = 15
_DAY = 86_400
"""Seconds. When exactly somebody asked is nobody's business."""

_IDS = frozenset(
    {
        *("id", "task_id", "file_id", "platform_id", "request_id", "trace_id", "template_id"),
        *("source_task_id", "external_task_id", "channel_id", "user_id", "group_id", "account_id"),
    }
)
_MESSAGES = frozenset(
    {"status_msg", "message", "msg", "error", "error_message", "fail_reason", "detail", "reason"}
)
_WORDS = frozenset(
    {
        *("status", "type", "task_type", "modality", "purpose", "action", "role", "code"),
        *("http_code", "status_code", "page_num", "page_size", "error_code"),
        *("prompt_expansion_mode",),
    }
)
_PROSE = frozenset({"prompt", "text", "value", "name", "user_name", "email", "username"})
_CODES = frozenset({"status_code", "code", "error_code", "http_code"})
_PAGES = frozenset({"page_num", "page_size"})
_LONGEST_CLIP = 60
"""A clip's length in seconds stays: requests are written again from it."""
_MOMENTS = frozenset({"created_at", "updated_at", "created", "completed", "expires_at"})
_FORMS = {
    "resolution": re.compile(r"[0-9]{3,4}[pP]|[0-9][kK]"),
    "ratio": re.compile(r"[0-9]{1,2}:[0-9]{1,2}|adaptive"),
    "filename": re.compile(r"output(_aigc)?\.mp4"),
}
_EXPIRY = re.compile(r"expires|e|se|q-sign-time|x-(amz|goog|oss)-(date|expires)", re.IGNORECASE)
_EXPIRY_VALUE = re.compile(r"[0-9]{1,7}|[0-9]{8}T[0-9]{6}Z|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{5,8}Z")
_MOMENT = re.compile(r"[0-9]{10}|[0-9]{13}")
_PREFIX = re.compile(r"(task|video|file|req)[_-]")
_LOOKS_LIKE_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9_-]{15,200}|[0-9]{6,}")
_NAMED_FIELD = re.compile(r"field_[0-9]+")
_QUERY_NAMES = frozenset({"filter.model", "filter.status", "filter.task_type"})
_TAIL = 4
_LONGEST_WAIT = re.compile(r"[0-9]{1,4}")


class StandIns:
    """The stand-ins of one recording: equal ids and names stay equal over all of it."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._left = 0
        self._left_of_all = _MOST_VALUES

    def exchange(self, provider: Provider, exchange: Exchange) -> Exchange:
        """Return the exchange as it may be published."""
        self._left = most = min(_MOST_IN_ONE, self._left_of_all)
        request = self._request(provider, exchange.request)
        reply = self._reply(exchange.reply)
        self._left_of_all -= most - self._left
        return Exchange(operation=exchange.operation, request=request, reply=reply)

    def _request(self, provider: Provider, request: HttpRequest) -> HttpRequest:
        path = request.path if operation_of(provider, request) else f"/{HIDDEN}"
        if named := id_in_path(provider, request):
            path = path.removesuffix(named) + self.id(named)
        query = {
            name if name in _QUERY_NAMES else self.name(name): str(
                self.value(name.removeprefix("filter."), value)
            )
            for name, value in request.query.items()
        }
        body = None if request.json is None else fields(self.value("", dict(request.json)))
        return HttpRequest(method=request.method, path=path, query=query, json=body)

    def _reply(self, reply: HttpReply) -> HttpReply:
        parsed = reply.json()
        if parsed is None:
            body = HIDDEN if reply.body.strip() else ""
        else:
            body = json.dumps(self.value("", parsed), ensure_ascii=False)
        return HttpReply(
            status=reply.status,
            headers=self._headers(reply.headers),
            body=body.encode(),
            received_at=float(reply.received_at // _DAY * _DAY),
        )

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        kept: dict[str, str] = {}
        kind = media_type(headers)
        if kind != "absent":
            kept["content-type"] = kind
        if trace := headers.get("trace-id", "").strip():
            kept["trace-id"] = self.id(trace)
        if _LONGEST_WAIT.fullmatch(wait := headers.get("retry-after", "").strip()):
            kept["retry-after"] = wait
        return kept

    def name(self, name: str) -> str:
        """Return a field's name, or one that says nothing."""
        if safe_name(name) == name and not _NAMED_FIELD.fullmatch(name):
            return name
        return self._names.setdefault(name, f"field_{len(self._names) + 1}")

    def id(self, text: str) -> str:
        """Return an id of the same form: an 18-digit one has 18 digits."""
        if identifier(text) != text:
            return HIDDEN if text.strip() else ""
        if text in ("", NO_TASK) or text in _public_ids():
            return text
        if text not in self._ids:
            form = _form(text)
            while (found := self._next(form)) in OUR_IDS:
                pass
            self._ids[text] = found
        return self._ids[text]

    def _next(self, form: str) -> str:
        self._counts[form] = number = self._counts.get(form, 0) + 1
        counted = f"{number:0{_TAIL}d}"
        return str(int(form) + number) if form.isdecimal() else form[: -len(counted)] + counted

    def value(self, name: str, value: object, depth: int = 0) -> object:
        """Return a value of the same type that may be published, by the name of its field."""
        if depth > _DEEPEST:
            return None
        if isinstance(value, dict):
            return self._object(fields(value), depth)  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(value, list):
            rows = items(value)[:_LONGEST_LIST]  # pyright: ignore[reportUnknownArgumentType]
            return [self.value(name, it, depth + 1) for it in rows if self._may_go_on()]
        return self._single(name, value)

    def _object(self, found: Mapping[str, object], depth: int) -> dict[str, object]:
        """Of an object that is too large, "…" stands for the rest."""
        named = {key: it for key, it in found.items() if key != HIDDEN}
        shown: dict[str, object] = {}
        for key, it in bounded(named).items():
            if not self._may_go_on():
                break
            shown[self.name(key)] = self.value(key, it, depth + 1)
        total = found.get("total")
        if "items" in shown and type(total) is int and total >= len(items(shown["items"])):
            shown["total"] = len(items(shown["items"]))  # not how many tasks the account has
        return shown if len(shown) == len(found) else {**shown, HIDDEN: None}

    def _may_go_on(self) -> bool:
        self._left -= self._left > 0
        return self._left > 0

    def _single(self, name: str, value: object) -> object:
        match value:
            case None | bool():
                return value
            case int():
                return self._number(name, value)
            case str():
                return self._text(name, value)
            case _:
                return 0.5

    def _number(self, name: str, value: int) -> int:
        if name in _IDS or abs(value) >= 10 ** (_ID_DIGITS - 1):
            shown = self.id(str(abs(value))) if abs(value) < 10**200 else ""
            return int(shown) if shown.isdecimal() else 0
        if name in _MOMENTS and _EARLIEST < value < _LATEST:
            return value
        if name in _CODES and 0 <= value <= _LARGEST:
            return value
        if name == "duration" and 0 <= value <= _LONGEST_CLIP:
            return value
        # Any other number may be an amount: it keeps its sign and how many digits it has.
        form = 10 ** (len(str(abs(value))) - 1) if value else 0
        return -form if value < 0 else form

    def _text(self, name: str, text: str) -> str:
        if not text.strip():
            return ""
        start = text[:8].lower()
        if start.startswith(("http://", "https://")):
            return link(text)
        if start.startswith("data:"):
            return _PICTURE
        if name in _IDS:
            return self.id(text)
        if shown := _by_name(name, text):
            return shown
        return self.id(text) if _LOOKS_LIKE_ID.fullmatch(text) else HIDDEN


def _by_name(name: str, text: str) -> str:
    """Return what may be shown of a field that is known; empty if it is not known."""
    if name in _PROSE:
        return HIDDEN
    if name in _MESSAGES:
        return safe_text(text)
    if name == "model":
        return text if _is_model(text) else HIDDEN
    if name in _FORMS:
        return text if _FORMS[name].fullmatch(text) else HIDDEN
    if text.strip().isdecimal() and name not in _CODES | _PAGES:
        return ""
    return safe_word(text) if name in _WORDS else ""


@cache
def _public_ids() -> frozenset[str]:
    return OUR_IDS | {it.template_id for region in REGIONS for it in templates(region)}


def link(url: str) -> str:
    """Return a link with nothing but its scheme, a known domain and when it expires."""
    try:
        parts = urlsplit(url)
        host, query = parts.hostname or "", parse_qsl(parts.query)
    except ValueError:
        return f"https://{_NOBODY}/clip.mp4"
    known = (it for it in CLIP_DOMAINS if host == it or host.endswith(f".{it}"))
    kept = [(name, value) for name, value in query if _is_expiry(name, value)]
    tail = f"?{urlencode(kept)}" if kept else ""
    return f"{parts.scheme.lower()}://{next(known, _NOBODY)}/clip.mp4{tail}"


def _is_expiry(name: str, value: str) -> bool:
    if not _EXPIRY.fullmatch(name):
        return False
    moments = value.split(";")
    if all(_MOMENT.fullmatch(it) and _EARLIEST < int(it[:10]) < _LATEST for it in moments):
        return True
    return _EXPIRY_VALUE.fullmatch(value) is not None


def _form(text: str) -> str:
    """Return what ids of this form have in common, ready for a number at its end."""
    if text.isdecimal():
        return str(10 ** (len(text) - 1))
    found = _PREFIX.match(text)
    start = found.group() if found else ""
    rest = text[len(start) :]
    fill = "A" if rest.upper() == rest and rest.lower() != rest else "a"
    shape = "".join(it if it in "-_" else fill for it in rest)
    return f"{start}{shape[:-_TAIL] or fill}{'0' * _TAIL}"


def _is_model(text: str) -> bool:
    found = find_model(text)
    return found is not None and text.lower() == found.name.lower()
