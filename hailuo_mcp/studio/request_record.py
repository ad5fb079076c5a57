"""The record of a checked request: task id, identity, JSON, and back to a request."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from hailuo_mcp.domain.requests import (
    IMAGE_FIELDS,
    PROVIDER_DEFAULTS,
    PROVIDER_FILE,
    REFERENCE_FIELDS,
    AnyRequest,
    ClipFacts,
    ImageFacts,
    SoundFacts,
    TemplateRequest,
    UpgradeRequest,
    VideoRequest,
)

if TYPE_CHECKING:
    from hailuo_mcp.files.images import OpenedImage
    from hailuo_mcp.files.sources import Opened
    from hailuo_mcp.views import Terms

    Inputs = Mapping[str, Opened[ImageFacts | ClipFacts | SoundFacts]]
    """Opened files, by what is sent of each."""

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # without i, l, o, u: easy to read out


FILM = "f"
"""What the id of a film begins with; that of a task begins with "v"."""


def new_task_id(now: float) -> str:
    """A short id, sortable by time, easy to copy: nine characters of time, six random ones."""
    return _new_id("v", now)


def new_film_id(now: float) -> str:
    return _new_id(FILM, now)


def _new_id(kind: str, now: float) -> str:
    number, text = int(now * 1000), ""
    for _ in range(9):
        number, digit = divmod(number, 32)
        text = _LETTERS[digit] + text
    return kind + text + "".join(secrets.choice(_LETTERS) for _ in range(6))


def request_json(request: AnyRequest, inputs: Inputs, *, sources: bool = True) -> str:
    """The request as JSON, with each file by its sha256. `inputs` is keyed by wire text.

    `sources`: also where each came from.
    """

    def kept(text: str) -> object:
        if not text:
            return None
        if text.startswith(PROVIDER_FILE):
            return {"url": text}
        held = inputs[text]
        facts = held.facts
        record: dict[str, object] = {"sha256": facts.sha256, "mime": facts.mime}
        record["url"] = held.url if sources else ""
        if sources and not isinstance(facts, ImageFacts):
            record["seconds"] = facts.seconds
        if sources and held.origin:
            record["from"] = held.origin
        return record

    if isinstance(request, UpgradeRequest):
        return _upgrade_json(request, sources=sources)
    body: dict[str, object] = asdict(request)
    if isinstance(request, VideoRequest):
        for name in IMAGE_FIELDS:
            body[name] = kept(getattr(request, name))
        for name in REFERENCE_FIELDS:
            body[name] = [kept(text) for text in getattr(request, name)]
    else:
        body["media_inputs"] = [kept(text) for text in request.media_inputs]
    given = {name: value for name, value in body.items() if value not in (None, "", [], ())}
    return json.dumps(given, ensure_ascii=False, sort_keys=True)


async def request_from_json(record: str, load: Callable[[str, str], Awaitable[str]]) -> AnyRequest:
    """The request behind a record; `load(sha256, mime)` gives a file's data URL.

    Raises:
        KeyError: a file's bytes no longer exist (from `load`).
        OSError: they cannot be read now (from `load`).
    """
    body = json.loads(record)
    if _UPGRADE_OF in body:
        return await _upgrade_from(body, load)

    async def wire(value: Mapping[str, str]) -> str:
        return value.get("url") or await load(value["sha256"], value["mime"])

    if "template_id" in body:
        return TemplateRequest(
            template_id=body["template_id"],
            text_inputs=tuple(body.get("text_inputs", ())),
            media_inputs=tuple([await wire(value) for value in body.get("media_inputs", ())]),
        )
    for name in IMAGE_FIELDS:
        if name in body:
            body[name] = await wire(body[name])
    for name in REFERENCE_FIELDS:
        if name in body:
            body[name] = tuple([await wire(value) for value in body[name]])
    return VideoRequest(**body)


_UPGRADE_OF = "upgrade_of"
"""In the record of an upgrade: the source's task id. "source" is the source's own record, and
"base_video", once it is sent, the clip itself by its sha256."""


def _upgrade_json(request: UpgradeRequest, *, sources: bool) -> str:
    kept: dict[str, object] = {
        _UPGRADE_OF: request.source_id,
        "remote_id": request.remote_id,
        "model": request.model,
        "resolution": request.resolution,
    }
    if request.watermark is not None:
        kept["watermark"] = request.watermark
    if sources:
        kept |= {
            "source_resolution": request.source_resolution,
            "duration": request.duration,
            "prompt": request.prompt,
            "source": json.loads(request.source_record or "{}"),
        }
    return _record(kept)


async def _upgrade_from(
    body: Mapping[str, Any], load: Callable[[str, str], Awaitable[str]]
) -> UpgradeRequest:
    source_record = _record(body["source"]) if body["source"] else ""
    base_video, source = "", None
    if clip := body.get("base_video"):
        base_video = await load(clip["sha256"], clip["mime"])
        source = await request_from_json(source_record, load) if source_record else None
    return UpgradeRequest(
        source_id=body[_UPGRADE_OF],
        remote_id=body["remote_id"],
        model=body["model"],
        resolution=body["resolution"],
        source_resolution=body["source_resolution"],
        duration=body["duration"],
        prompt=body["prompt"],
        source_record=source_record,
        source=source if isinstance(source, VideoRequest) else None,
        base_video=base_video,
        watermark=body.get("watermark"),
    )


def upgrade_of(record: str) -> str:
    """The id of the task that this is an upgrade of; empty if it is none."""
    return str(json.loads(record).get(_UPGRADE_OF, ""))


def with_base_video(record: str, sha256: str) -> str:
    """The record of an upgrade that sends the clip itself instead of its id."""
    return _record({**json.loads(record), "base_video": {"sha256": sha256, "mime": "video/mp4"}})


def _record(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def with_picture(record: str, argument: str, picture: OpenedImage, *, source: str) -> str:
    """The record with one more picture; `source` says what it was taken from."""
    facts = picture.facts
    added = {"sha256": facts.sha256, "mime": facts.mime, "url": "", "from": source}
    return json.dumps({**json.loads(record), argument: added}, ensure_ascii=False, sort_keys=True)


def pictures_of(record: str) -> list[str]:
    """The sha256 of the pictures, clips and sounds whose bytes are needed to send a request."""
    body = json.loads(record)
    given = [body[name] for name in IMAGE_FIELDS if name in body]
    given += [one for name in REFERENCE_FIELDS for one in body.get(name, ())]
    return [one["sha256"] for one in given if not one.get("url")]


def content_of(request: AnyRequest, inputs: Inputs) -> str:
    """What makes two requests the same: defaults are resolved, files are their bytes."""
    if isinstance(request, VideoRequest):
        absent = {n: d for n, d in PROVIDER_DEFAULTS.items() if getattr(request, n) is None}
        request = replace(request, **absent)
    return request_json(request, inputs, sources=False)


def content_of_record(record: str) -> str:
    """The same of a record; empty if nothing is known, as of a clip that was bought elsewhere."""
    body = json.loads(record)
    if not body:
        return ""
    if "template_id" not in body:
        body = {**PROVIDER_DEFAULTS, **body}
    return _record(_with_files(body, _bytes_of))


def same_files(record: str) -> tuple[str, ...]:
    """What the files of a request are, in its order, wherever they came from."""
    return tuple(map(_bytes_of, files_of(record)))


def files_of(record: str) -> list[Mapping[str, Any]]:
    """The record of each picture, clip and sound of a request, in its order."""
    found = list[Mapping[str, Any]]()
    _with_files(json.loads(record), found.append)
    return found


def _bytes_of(held: Mapping[str, Any]) -> str:
    return str(held.get("sha256") or held.get("url"))


async def request_again(
    record: str, source: Callable[[Mapping[str, Any]], Awaitable[str]]
) -> AnyRequest:
    """The request behind a record, to be checked anew; `source` names each of its files."""
    named = iter([await source(held) for held in files_of(record)])
    body = _with_files(json.loads(record), lambda _held: {"url": next(named)})
    return await request_from_json(_record(body), _nothing_kept)


async def _nothing_kept(sha256: str, _mime: str) -> str:
    raise KeyError(sha256)


def _with_files(
    body: Mapping[str, Any], change: Callable[[Mapping[str, Any]], object]
) -> dict[str, Any]:
    """The body of a record with each file as `change` returns it."""
    changed = dict(body)
    for name in (*IMAGE_FIELDS, *REFERENCE_FIELDS, "media_inputs"):
        held = body.get(name)
        if isinstance(held, list):
            changed[name] = [change(one) for one in cast("list[Mapping[str, Any]]", held)]
        elif held:
            changed[name] = change(held)
    return changed


def identity(
    request: AnyRequest,
    inputs: Inputs,
    terms: Terms,
    *,
    account: str,
    caller: str,
) -> str:
    """What makes two requests the same purchase."""
    content = content_of(request, inputs)
    return digest(account, caller, content, str(terms.take), terms.request_key)


def key_in_file(request: AnyRequest, inputs: Inputs, terms: Terms) -> str:
    """The request key of a clip in a file of requests: the same wherever the line stands."""
    content = content_of(request, inputs)
    return f"file-{digest(content, str(terms.take), str(terms.place))[:32]}"


def digest(*parts: str) -> str:
    """One identity of several texts."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
