"""What a dialect is made of: a provider's row, one HTTP request out, one HTTP reply in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

from hailuo_mcp.domain import AnyRequest, Capabilities, Link, RemoteStatus, Submitted
from hailuo_mcp.errors import InvalidRequestError, RemoteTaskNotFoundError

_UNRELATED = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
NO_TASK = "0"
"""The id of no task: asked about, it costs nothing and tells whether the key is good."""
_LONGEST_ID = 200
_LONGEST_URL = 8192
_WORD = re.compile(r"[\w.:-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who is paid, and how to speak to them. One row of the table in providers.py."""

    name: str
    dialect: str
    base_url: str
    """Empty where the provider is served by this process."""
    prefix: str = ""
    """Put before every path of the dialect."""
    region: str = "cn"
    price_list: str = ""
    """Whose published prices hold: "cn", "global", or "" where nobody publishes any."""
    minimax_env: bool = False
    """Whether the key and the host may also come from MINIMAX_API_KEY and MINIMAX_API_HOST."""
    templates: str = ""
    """Which region's Video Agent templates it offers; empty for none."""
    twin: str = ""
    """The same service in the other region, whose keys do not work here."""
    twin_host: str = ""
    embedded: bool = False
    notice: str = ""
    """What every message opens with, written by whoever shows messages."""
    hosts: tuple[str, ...] = ()
    """Hosts that identify it, for a base URL given without a provider."""
    console: str = ""
    """Where its keys come from and where the person can see what was bought."""
    usual_seconds: float | None = None
    """How long its clips take, where that is not the model's own time."""
    probe: str = ""
    """A path that costs nothing and tells whether a key is good."""
    doubt: str = ""
    """Why its own host may not speak its dialect, and what to do; empty at any other address."""
    source: str = ""
    checked: str = ""

    @property
    def host(self) -> str:
        """What messages call the place; the sandbox's port is chance."""
        return "the sandbox" if self.embedded else urlsplit(self.base_url).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request, relative to the provider's base URL and prefix."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Mapping[str, object] | None = None

    @property
    def target(self) -> str:
        """Path and query, encoded."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """What came back, unread."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case."""
    body: bytes = b""
    received_at: float = field(default_factory=time.time)
    """Unix seconds: lives of links are counted from here."""

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def tells_nothing(self) -> bool:
        """Whether it says how the asker or the server is, and nothing of what was asked about."""
        return self.status in _UNRELATED or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def json(self) -> object | None:
        try:
            parsed: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return parsed

    @property
    def trace_id(self) -> str:
        for name in ("trace-id", "x-request-id", "request-id", "minimax-request-id"):
            if found := identifier(self.headers.get(name)):
                return found
        return ""


class Dialect(Protocol):
    """A wire format: pure functions between the domain and HTTP."""

    @property
    def capabilities(self) -> Capabilities: ...

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest: ...

    def read_submit(self, reply: HttpReply) -> Submitted:
        """Raise a ProviderError only where the refusal is certain to be free."""
        ...

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest: ...

    def read_status(self, reply: HttpReply) -> RemoteStatus: ...

    def file(self, status: RemoteStatus) -> HttpRequest | None:
        """Return the request for a link, or None where the status itself carries it."""
        ...

    def read_file(self, reply: HttpReply, status: RemoteStatus) -> Link: ...

    def file_fallback(self, status: RemoteStatus) -> Link | None: ...

    def probe(self) -> HttpRequest | None: ...

    def read_probe(self, reply: HttpReply) -> None: ...


def fields(value: object) -> dict[str, object]:
    """Return a JSON object, or an empty one for anything else."""
    if not isinstance(value, dict):
        return {}
    return {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def items(value: object) -> list[object]:
    """Return a JSON list, or a list of the one value that stands where a list may stand."""
    if isinstance(value, list):
        return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return [] if value is None else [value]


def given_id(value: object) -> str:
    """What stands where a task's id should, for the journal; empty for nothing.

    Even an id that cannot be used may be all that leads to a clip that was bought.
    """
    return (
        ""
        if value is None or str(value).strip() in ("", "0")
        else f"task_id {ascii(value)[:300]}; "
    )


def identifier(value: object) -> str:
    """Return an id as text, exact to the last digit; empty where it is none.

    The same file_id comes as a string from the query and as a number from files/retrieve, and
    18-digit ids do not survive a float: a float is refused rather than rounded.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int) and abs(value) > 10**_LONGEST_ID:
        return ""
    text = str(value).strip()
    plain = text.isascii() and text.isprintable() and " " not in text
    return text if plain and len(text) <= _LONGEST_ID else ""


def word(value: object) -> str:
    """Return a short code or status word, to compare; showing.py says what a model may see."""
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


def path_segment(remote_id: str) -> str:
    """Return an id as one segment of a path, or refuse one that would name another address."""
    if remote_id in ("", ".", "..") or identifier(remote_id) != remote_id:
        raise RemoteTaskNotFoundError(
            "The provider cannot know a task or file by this id. Nothing was asked or charged. "
            "Check the id."
        )
    return quote(remote_id, safe="")


def refuse_unsupported(request: AnyRequest, capabilities: Capabilities, provider: str) -> None:
    """Stop what the dialect would otherwise drop in silence; check.py says it better, earlier."""
    unsaid = [] if request.mode in capabilities.modes else [f"{request.mode} requests"]
    for name in ("prompt_optimizer", "fast_pretreatment", "watermark"):
        if getattr(request, name, None) is not None and not getattr(capabilities, name):
            unsaid.append(name)  # noqa: PERF401
    if unsaid:
        raise InvalidRequestError(
            f"{provider} has no way to take {' and '.join(unsaid)}. Nothing was sent or charged. "
            f"{capabilities.doubt or 'Leave it out, or use another provider.'}"
        )
