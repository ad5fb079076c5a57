"""A recording: the exchanges of one verification, publishable, as the contract tests run them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from hailuo_mcp.dialects.dialect import Dialect, HttpReply, HttpRequest, Provider
from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.parsing import fields, items
from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url
from hailuo_mcp.domain.remote import Link, Phase, RemoteStatus, RemoteTasks, Submitted
from hailuo_mcp.errors import ConfigError, Do, HailuoError, Step
from hailuo_mcp.verification.compare import compare
from hailuo_mcp.verification.expected import id_in_path, speaks_v2
from hailuo_mcp.verification.facts import Difference, Exchange, Operation, Verdict
from hailuo_mcp.verification.stand_ins import StandIns

FORMAT = 1
_ON_V2 = "MiniMax-H3"
_UNSAID = (None, "", False, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exchange of a recording."""

    step: str
    exchange: Exchange
    reads: Mapping[str, object]
    """What the dialect read from the reply: the neutral answer, or {"error": its class}."""
    differences: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording as read from its file."""

    provider: Provider
    own_host: bool
    date: str
    version: str
    exchanges: tuple[Recorded, ...]
    whole: Mapping[str, object]
    """The file as it lies."""


def write(folder: Path, verdict: Verdict) -> Path:
    """Write what a verification exchanged, redacted, to a new file in the folder."""
    moment = datetime.fromtimestamp(verdict.began, UTC)
    text = json.dumps(recorded(verdict), ensure_ascii=False, indent=1) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        more = f"-{number}" if number > 1 else ""
        path = folder / f"{verdict.provider}-{moment:%Y%m%d-%H%M%S}{more}.json"
        with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
            file.write(text)
            return path
    raise AssertionError


def recorded(verdict: Verdict) -> dict[str, object]:
    """Return the content of the file."""
    provider, stand_ins = provider_of(verdict.provider), StandIns()
    rows: list[object] = []
    for step, secret in verdict.exchanges:
        exchange = stand_ins.exchange(provider, secret)
        rows.append(
            {
                "step": step,
                "operation": str(exchange.operation),
                "request": _request(exchange.request),
                "reply": _reply(exchange.reply),
                "reads": reads(provider, exchange),
                "differences": [brief(it) for it in compare(provider, exchange)],
            }
        )
    return {
        "format": FORMAT,
        "provider": verdict.provider,
        "dialect": provider.dialect,
        "own_host": verdict.own_host,
        "date": f"{datetime.fromtimestamp(verdict.began, UTC):%Y-%m-%d}",
        "version": verdict.version,
        "exchanges": rows,
    }


def read(path: Path) -> Recording:
    """Read a recording.

    Raises:
        ConfigError: it is none, or of a later format.
    """
    try:
        whole = fields(json.loads(path.read_text(encoding="utf-8")))
        if whole.get("format") != FORMAT:
            raise ValueError(whole.get("format"))
        return Recording(
            provider=provider_of(str(whole["provider"])),
            own_host=whole["own_host"] is True,
            date=str(whole["date"]),
            version=str(whole["version"]),
            exchanges=tuple(_recorded(fields(row)) for row in items(whole["exchanges"])),
            whole=whole,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path.name} is not a recording that this version can read.",
            Step(Do.TRY, "record again with hailuo-mcp verify --record"),
        ) from error


def redacted_again(recording: Recording) -> tuple[Exchange, ...]:
    """Redact what was recorded: a recording that holds nothing secret does not change."""
    stand_ins = StandIns()
    return tuple(stand_ins.exchange(recording.provider, it.exchange) for it in recording.exchanges)


def provider_of(name: str) -> Provider:
    """Return the row of a recording, at its own address: only the format matters."""
    row = PROVIDERS[name]
    return with_base_url(row, row.base_url)


def speaker(provider: Provider, request: HttpRequest) -> Dialect:
    """Return the dialect that wrote a request."""
    return dialect_of(provider, _ON_V2 if speaks_v2(provider, request) else "")


def reads(provider: Provider, exchange: Exchange) -> dict[str, object]:
    """Return what our dialect reads from a reply, or the class of the error that it raises."""
    dialect = speaker(provider, exchange.request)
    try:
        answer = _read(dialect, provider, exchange)
    except HailuoError as error:
        code = getattr(error, "provider_code", "")
        return {"error": type(error).__name__, **({"code": str(code)} if code else {})}
    if answer is None:
        return {}
    told: dict[str, object] = json.loads(json.dumps(asdict(answer), default=str))
    # The provider's text is in the reply already.
    return {name: it for name, it in told.items() if it not in _UNSAID and name != "detail"}


def _read(
    dialect: Dialect, provider: Provider, exchange: Exchange
) -> Submitted | RemoteStatus | Link | RemoteTasks | None:
    reply, request = exchange.reply, exchange.request
    found: Submitted | RemoteStatus | Link | RemoteTasks | None = None
    match exchange.operation:
        case Operation.BALANCE:
            dialect.read_probe(reply)
        case Operation.SUBMIT | Operation.TEMPLATE_SUBMIT:
            found = dialect.read_submit(reply)
        case Operation.STATUS | Operation.TEMPLATE_STATUS:
            found = dialect.read_status(reply)
        case Operation.FILE:
            file_id = id_in_path(provider, request) or request.query.get("file_id", "")
            asked = RemoteStatus(phase=Phase.SUCCEEDED, word="", file_id=file_id)
            found = dialect.read_file(reply, asked)
        case Operation.LIST:
            found = dialect.read_tasks(reply)
        case Operation.LINK:
            pass
    return found


def brief(difference: Difference) -> dict[str, str]:
    """Return what identifies a difference, for a recording."""
    told = {
        "kind": str(difference.kind),
        "where": difference.where,
        "found": difference.found,
        "known": difference.known,
    }
    return {name: text for name, text in told.items() if text}


def _request(request: HttpRequest) -> dict[str, object]:
    told: dict[str, object] = {"method": request.method, "path": request.path}
    if request.query:
        told["query"] = dict(request.query)
    if request.json is not None:
        told["json"] = dict(request.json)
    return told


def _reply(reply: HttpReply) -> dict[str, object]:
    parsed = reply.json()
    body = {"body": parsed} if parsed is not None else {"text": reply.body.decode()}
    return {
        "status": reply.status,
        "received_at": int(reply.received_at),
        "headers": dict(reply.headers),
        **body,
    }


def _recorded(row: Mapping[str, object]) -> Recorded:
    asked, told = fields(row["request"]), fields(row["reply"])
    request = HttpRequest(
        method=str(asked["method"]),
        path=str(asked["path"]),
        query={name: str(it) for name, it in fields(asked.get("query")).items()},
        json=fields(asked["json"]) if "json" in asked else None,
    )
    body = json.dumps(told["body"], ensure_ascii=False) if "body" in told else told["text"]
    reply = HttpReply(
        status=int(str(told["status"])),
        headers={name: str(it) for name, it in fields(told["headers"]).items()},
        body=str(body).encode(),
        received_at=float(str(told["received_at"])),
    )
    differences = tuple(
        {name: str(it) for name, it in fields(found).items()} for found in items(row["differences"])
    )
    return Recorded(
        step=str(row["step"]),
        exchange=Exchange(operation=Operation(str(row["operation"])), request=request, reply=reply),
        reads=fields(row["reads"]),
        differences=differences,
    )
