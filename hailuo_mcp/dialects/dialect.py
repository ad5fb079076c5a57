"""What a dialect is: a provider's row, one HTTP request out, one HTTP reply in."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NoReturn, Protocol
from urllib.parse import quote, urlencode, urlsplit

from hailuo_mcp.dialects.parsing import identifier
from hailuo_mcp.domain.remote import Capabilities, Link, RemoteStatus, RemoteTasks, Submitted
from hailuo_mcp.domain.requests import PROVIDER_DEFAULTS, AnyRequest, VideoRequest
from hailuo_mcp.errors import Do, InvalidRequestError, RemoteTaskNotFoundError, Step

NO_TASK = "0"
"""An id without a task: a query for it is free and shows whether the key is valid."""
_ACCOUNT_REFUSALS = (401, 402, 403, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who is paid, and how to speak to them. One row of the table in providers.py."""

    name: str
    dialect: str
    base_url: str
    """Empty if this process serves the provider."""
    prefix: str = ""
    """Put before every path of the dialect."""
    region: str = "cn"
    """Whose plans apply: "cn" or "global"."""
    price_list: str = ""
    """Whose published prices apply: "cn", "global", or "" if none are published."""
    minimax_env: bool = False
    """Whether the key and the host may also come from MINIMAX_API_KEY and MINIMAX_API_HOST."""
    templates: str = ""
    """Which region's Video Agent templates it offers; empty for none."""
    v2: bool = False
    """Whether it has MiniMax's v2 API too, for the models that are on it."""
    other_region: str = ""
    """The same service in the other region; its keys do not work here."""
    other_region_host: str = ""
    is_sandbox: bool = False
    """Whether it is the free sandbox, which this process can serve itself."""
    notice: str = ""
    """The notice at the start of every message about its tasks."""
    hosts: tuple[str, ...] = ()
    """Hosts that identify it, for a base URL given without a provider."""
    console: str = ""
    """Where a person gets its keys and sees what was bought."""
    usual_seconds: float | None = None
    """How long its clips take, if not the model's usual time."""
    probe: str = ""
    """A path for a free request that shows whether a key is valid."""
    caveat: str = ""
    """Why its own host may not speak its dialect, and what to do; empty for other addresses."""
    source: str = ""
    checked: str = ""

    @property
    def host(self) -> str:
        """The host as messages name it; the sandbox's port is random."""
        return "the sandbox" if self.is_sandbox else urlsplit(self.base_url).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request, relative to the provider's base URL and prefix."""

    path: str
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Mapping[str, object] | None = None

    @property
    def target(self) -> str:
        """Path and query, encoded."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """One response, not yet parsed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case."""
    body: bytes = b""
    received_at: float = field(default_factory=time.time)
    """Unix seconds; the lifetime of links is counted from here."""

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_account_or_server_trouble(self) -> bool:
        """Whether it concerns the key, the account or the server, not the request."""
        return self.status in _ACCOUNT_REFUSALS or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def json(self) -> object | None:
        """Return the parsed body; None if it is not JSON, or says two things under one name."""
        try:
            parsed: object = json.loads(self.body, object_pairs_hook=_unambiguous)
        except (ValueError, RecursionError):
            return None
        return parsed

    @property
    def trace_id(self) -> str:
        names = ("trace-id", "x-request-id", "request-id", "minimax-request-id")
        return next((found for name in names if (found := identifier(self.headers.get(name)))), "")


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse an object that has a name twice: which of both holds is anybody's guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


class Dialect(Protocol):
    """A wire format: pure functions between the domain and HTTP."""

    capabilities: Capabilities

    def submit(self, request: AnyRequest, *, callback_url: str = "") -> HttpRequest:
        """Write a request; an unsupported callback is left out: polling works without it."""
        ...

    def read_submit(self, reply: HttpReply) -> Submitted:
        """Raise a ProviderError only if the refusal is certainly free."""
        ...

    def status(self, remote_id: str, *, template: bool = False) -> HttpRequest: ...

    def read_status(self, reply: HttpReply) -> RemoteStatus: ...

    def file(self, status: RemoteStatus) -> HttpRequest | None:
        """Return the request for a link; None if the status itself contains it."""
        del status
        return None

    def read_file(self, reply: HttpReply, status: RemoteStatus) -> Link:
        del reply
        return Link(url=status.url, expires_at=status.url_expires_at)

    def file_fallback(self, status: RemoteStatus) -> Link | None:
        """Return a link that may work if the request for one fails."""
        del status
        return None

    def cancel(self, remote_id: str) -> HttpRequest | None:
        """Return the request that cancels a queued task; None if the provider has none.

        It may delete the record of a finished one, so it is sent once, and only for a task that
        was queued a moment ago.
        """
        del remote_id
        return None

    def read_cancel(self, reply: HttpReply) -> bool:
        """Return whether the task was cancelled; False if it was too late for that.

        Raises:
            RecordDeletedError: it had ended, and what was deleted is the provider's record.
            UnconfirmedCancelError: the answer does not say.
        """
        self.nothing_asked(reply)

    def list_tasks(self, page: int, *, model: str = "") -> HttpRequest | None:
        """Return the request for a page of the newest tasks, from 1; None if there is no list.

        `model` is the official name, or empty for all.
        """
        del page, model
        return None

    def read_tasks(self, reply: HttpReply) -> RemoteTasks:
        """Return the page; an error if any row of it cannot be read."""
        self.nothing_asked(reply)

    @staticmethod
    def nothing_asked(reply: HttpReply) -> NoReturn:
        raise AssertionError(f"nothing was asked that HTTP {reply.status} would answer")

    def probe(self) -> HttpRequest:
        """Return a free request that shows whether the key is valid."""
        return self.status(NO_TASK)

    def read_probe(self, reply: HttpReply) -> None:
        """Raise whatever prevents buying; "no such task" means that the key was accepted."""
        ...


def options_in(names: Mapping[str, str]) -> frozenset[str]:
    """Return the options of a VideoRequest in a dialect's table of field names."""
    return frozenset(names) & frozenset(PROVIDER_DEFAULTS)


def video_body(request: AnyRequest, names: Mapping[str, str]) -> dict[str, object]:
    """Return the body of a submit: the given fields under the dialect's names."""
    assert isinstance(request, VideoRequest)  # noqa: S101  # a template was refused before
    given = {name: getattr(request, field) for field, name in names.items()}
    return {name: value for name, value in given.items() if value not in (None, "")}


def path_segment(remote_id: str) -> str:
    """Return an id as one segment of a path, or refuse one that would name another address."""
    if remote_id in ("", ".", "..") or identifier(remote_id) != remote_id:
        raise RemoteTaskNotFoundError(
            "No task or file of the provider can have this id, so the provider was not asked.",
            Step(Do.TRY, "check the id"),
        )
    return quote(remote_id, safe="")


def refuse_unsupported(request: AnyRequest, capabilities: Capabilities, provider: Provider) -> None:
    """Refuse what the dialect would silently drop; the rules usually do so earlier, and better."""
    unsaid = [] if request.mode in capabilities.modes else [f"{request.mode} requests"]
    unsaid += [
        name
        for name in PROVIDER_DEFAULTS
        if name not in capabilities.options and getattr(request, name, None) is not None
    ]
    if getattr(request, "aspect_ratio", "") and not capabilities.aspect_ratio:
        unsaid.append("aspect_ratio")
    if unsaid:
        raise InvalidRequestError(
            f"{provider.name} does not support {' and '.join(unsaid)}. {provider.caveat}".strip(),
            Step(Do.TRY, "leave it out, or use another provider"),
        )
