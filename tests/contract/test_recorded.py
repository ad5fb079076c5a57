"""Each recording in recorded/, as it lies: our dialects read it as they did, and no secret is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.remote import Phase, RemoteStatus
from hailuo_mcp.domain.requests import TemplateRequest, UpgradeRequest, VideoRequest
from hailuo_mcp.verification import recording
from hailuo_mcp.verification.compare import compare
from hailuo_mcp.verification.expected import id_in_path, operation_of
from hailuo_mcp.verification.facts import Exchange, Operation

FOLDER = Path(__file__).parent / "recorded"
FILES = sorted(FOLDER.glob("*.json"))
RECORDINGS = {path.stem: recording.read(path) for path in FILES}
ALL = [
    pytest.param(it.provider, row, id=f"{stem}-{number}-{row.step}".replace(" ", "-"))
    for stem, it in RECORDINGS.items()
    for number, row in enumerate(it.exchanges, 1)
]
OURS = {
    "image_url": "first_frame_image",
    "enable_prompt_expansion": "prompt_optimizer",
    "aigc_watermark": "watermark",
    "ratio": "aspect_ratio",
}
ROLES = {"first_frame": "first_frame_image", "last_frame": "last_frame_image"}


@pytest.mark.parametrize(("provider", "row"), ALL)
def test_the_dialect_reads_what_it_read_when_it_was_recorded(provider, row):
    assert recording.reads(provider, row.exchange) == row.reads


@pytest.mark.parametrize(("provider", "row"), ALL)
def test_the_differences_from_the_documents_are_those_recorded(provider, row):
    found = compare(provider, row.exchange)
    assert [recording.brief(it) for it in found] == list(row.differences)


@pytest.mark.parametrize(("provider", "row"), ALL)
def test_the_dialect_still_writes_the_request(provider, row):
    sent = row.exchange.request
    assert operation_of(provider, sent) is row.exchange.operation
    again = written_again(provider, row.exchange)
    if again is None:
        assert not (sent.json or {}).get("prompt"), "only what asks for nothing is not ours"
        return
    assert (again.method, again.path, dict(again.query)) == (
        sent.method,
        sent.path,
        dict(sent.query),
    )
    assert set(again.json or {}) == set(sent.json or {})


@pytest.mark.parametrize("stem", RECORDINGS)
def test_a_recording_holds_nothing_that_redaction_would_change(stem):
    """So a file that was made or altered by hand is caught too."""
    found = RECORDINGS[stem]
    assert recording.redacted_again(found) == tuple(row.exchange for row in found.exchanges)
    known = {"note", "format", "provider", "dialect", "own_host", "date", "version", "exchanges"}
    row_keys = {"step", "operation", "request", "reply", "reads", "differences"}
    assert set(found.whole) <= known
    assert {name for row in found.whole["exchanges"] for name in row} <= row_keys


@pytest.mark.parametrize("stem", RECORDINGS)
def test_a_recording_is_as_the_program_writes_it(stem):
    path = FOLDER / f"{stem}.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    assert (
        path.read_text(encoding="utf-8") == json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    )


def test_every_provider_has_a_recording():
    assert {it.provider.name for it in RECORDINGS.values()} == set(PROVIDERS)


def written_again(provider: Provider, exchange: Exchange) -> HttpRequest | None:
    """Let the dialect write the request for what it asks; None for one that it never writes."""
    sent, operation = exchange.request, exchange.operation
    dialect = recording.speaker(provider, sent)
    asked = id_in_path(provider, sent)
    match operation:
        case Operation.BALANCE:
            return dialect.probe()
        case Operation.STATUS | Operation.TEMPLATE_STATUS:
            remote_id = asked or sent.query["task_id"]
            return dialect.status(remote_id, template=operation is Operation.TEMPLATE_STATUS)
        case Operation.FILE:
            file_id = asked or sent.query["file_id"]
            status = RemoteStatus(phase=Phase.SUCCEEDED, word="", file_id=file_id)
            return dialect.file(status)
        case Operation.LIST:
            model = sent.query.get("filter.model", "")
            return dialect.list_tasks(int(sent.query["page_num"]), model=model)
        case Operation.LINK:
            return None
    wanted = request_in(dict(sent.json or {}))
    return dialect.submit(wanted) if wanted else None


def request_in(body: dict[str, object]) -> VideoRequest | TemplateRequest | UpgradeRequest | None:
    if "template_id" in body:
        given = {
            name: tuple(it["value"] for it in body.get(name, []))
            for name in ("text_inputs", "media_inputs")
        }
        return TemplateRequest(template_id=body["template_id"], **given)
    if source := body.get("source_task_id"):
        return UpgradeRequest(
            source_id="",
            remote_id=source,
            model=body["model"],
            resolution=body["resolution"],
            duration=4,
        )
    for item in body.pop("content", []):
        url = item.get("image_url", {}).get("url", "")
        body |= {ROLES[item["role"]]: url} if url else {"prompt": item["text"]}
    if "model" not in body:
        return None
    return VideoRequest(**{OURS.get(name, name): value for name, value in body.items()})
