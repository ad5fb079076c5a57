"""Before buying: open the pictures and references, check the request, price it. Costs nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from hailuo_mcp.catalog.video_models import Limits, api_of, limits
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.dialect_of import capabilities_of
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.domain.requests import (
    IMAGE_FIELDS,
    REFERENCE_FIELDS,
    AnyRequest,
    ClipFacts,
    ImageFacts,
    SoundFacts,
    TemplateRequest,
    UpgradeRequest,
    VideoRequest,
)
from hailuo_mcp.domain.task import Quote
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.images import changes_words, fit_name

if TYPE_CHECKING:
    from hailuo_mcp.files.folders import Folders
    from hailuo_mcp.files.images import Frame, OpenedImage
    from hailuo_mcp.files.references import OpenedClip, OpenedSound, SavedClip
    from hailuo_mcp.files.sources import Fetch, Opened
    from hailuo_mcp.rules.judge import Checked, Seller

Upload = Callable[[str], Awaitable[bytes | None]]
Facts = TypeVar("Facts", ClipFacts, SoundFacts)
_, _VIDEOS, _AUDIOS = REFERENCE_FIELDS
_OPENED_AT_ONCE = 4
"""Each may be as large as a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A valid request, with its pictures and references in wire format."""

    request: AnyRequest
    images: Mapping[str, OpenedImage] = field(default_factory=dict[str, "OpenedImage"])
    """By argument; a template's are media_inputs[0], media_inputs[1] …, and reference pictures are
    reference_images[0] …"""
    clips: Mapping[str, OpenedClip] = field(default_factory=dict[str, "OpenedClip"])
    """As reference_videos[0] …"""
    sounds: Mapping[str, OpenedSound] = field(default_factory=dict[str, "OpenedSound"])
    warnings: tuple[str, ...] = ()
    quote: Quote

    @property
    def inputs(self) -> tuple[Opened[ImageFacts | ClipFacts | SoundFacts], ...]:
        """All that was opened; not what only the provider has."""
        return (*self.images.values(), *self.clips.values(), *self.sounds.values())


@dataclass(slots=True, kw_only=True)
class _Inputs:
    """What could be opened, by argument, and why the rest could not."""

    images: dict[str, OpenedImage] = field(default_factory=dict[str, "OpenedImage"])
    clips: dict[str, OpenedClip] = field(default_factory=dict[str, "OpenedClip"])
    sounds: dict[str, OpenedSound] = field(default_factory=dict[str, "OpenedSound"])
    unread: dict[str, InvalidRequestError] = field(default_factory=dict[str, InvalidRequestError])
    at_provider: dict[str, str] = field(default_factory=dict[str, str])
    """Files that it has already: their names."""

    @property
    def wires(self) -> dict[str, str]:
        kinds = (self.images, self.clips, self.sounds)
        opened = {name: it.wire for kind in kinds for name, it in kind.items()}
        return opened | self.at_provider


async def prepare(
    request: AnyRequest,
    seller: Seller,
    *,
    folders: Folders | None,
    fetch: Fetch,
    upload: Upload | None = None,
    frame: Frame | None = None,
    clip: SavedClip | None = None,
    promised: Collection[str] = (),
) -> Prepared:
    """Return the request as it would be sent; InvalidRequestError names every problem.

    `promised`: pictures that do not exist yet and will be valid. The request names them by any
    text, which stays as it is.
    """
    from hailuo_mcp.rules.template import check_template
    from hailuo_mcp.rules.upgrade import check_upgrade
    from hailuo_mcp.rules.video import check_video

    if isinstance(request, UpgradeRequest):
        priced = check_upgrade(request, seller)
        return Prepared(request=priced.request, warnings=priced.warnings, quote=priced.quote)
    api = Api.V1 if isinstance(request, TemplateRequest) else _api(request, seller)
    rules = limits(api)
    fit = "" if isinstance(request, TemplateRequest) else fit_name(request.image_fit)

    async def open_one(name: str, source: str, found: _Inputs) -> None:
        from hailuo_mcp.files import images, references
        from hailuo_mcp.files.sources import is_provider_file, refused

        if is_provider_file(source):
            if api is not Api.V2:
                raise refused(
                    f"{source.strip()!r} is a file of the provider, which this model cannot take",
                    "give the file itself",
                )
            found.at_provider[name] = source.strip()
        elif rules.references and name.startswith(_VIDEOS):
            found.clips[name] = await references.open_reference_clip(
                source, rules.references, folders=folders, fetch=fetch, saved=clip
            )
        elif rules.references and name.startswith(_AUDIOS):
            found.sounds[name] = await references.open_reference_sound(
                source, rules.references, folders=folders, fetch=fetch
            )
        else:
            found.images[name] = await images.open_image(
                source,
                folders=folders,
                fetch=fetch,
                upload=upload,
                frame=frame,
                fit=fit,
                rules=rules,
            )

    named = {name: it for name, it in _named(request, rules).items() if name not in promised}
    found = await _open(named, open_one)
    pictures = {name: image.facts for name, image in found.images.items()}
    checked: Checked[AnyRequest]
    try:
        if isinstance(request, TemplateRequest):
            checked = check_template(request, seller, pictures=pictures, unread=found.unread)
            ready: AnyRequest = replace(
                checked.request, media_inputs=tuple(image.wire for image in found.images.values())
            )
        else:
            checked = check_video(
                request,
                seller,
                pictures=pictures,
                unread=found.unread,
                clips=_facts(found.clips, found.at_provider, _VIDEOS),
                sounds=_facts(found.sounds, found.at_provider, _AUDIOS),
            )
            ready = _wired(checked.request, found.wires)
    except InvalidRequestError as refused:
        refused.no_such_file = any(trouble.no_such_file for trouble in found.unread.values())
        raise
    changed = [
        changes_words(it, image.changes) for it, image in found.images.items() if image.changes
    ]
    return Prepared(
        request=ready,
        images=found.images,
        clips=found.clips,
        sounds=found.sounds,
        warnings=(*changed, *checked.warnings),
        quote=checked.quote,
    )


def seller_of(provider: Provider, plan: str) -> Seller:
    """What the judge needs to know about a provider and its plan."""
    from hailuo_mcp.rules.judge import Seller

    return Seller(
        name=provider.name,
        capabilities=capabilities_of(provider),
        price_list=provider.price_list,
        region=provider.region,
        plan=plan,
        templates=provider.templates,
        others={
            name: capabilities_of(row) for name, row in PROVIDERS.items() if not row.is_sandbox
        },
    )


def working_folders() -> Folders:
    """Return what a library user may read: the working directory and the home folder."""
    from pathlib import Path

    from hailuo_mcp.files.folders import Folders

    return Folders(Path.cwd(), (Path.cwd(), Path.home()))


def _api(request: VideoRequest, seller: Seller) -> Api:
    """The API of the model that the request would be made with."""
    from hailuo_mcp.rules.video import model_for

    return api_of(model_for(request, seller))


def _named(request: VideoRequest | TemplateRequest, rules: Limits) -> dict[str, str]:
    """The texts that name files, by argument; too many references are not even opened."""
    if isinstance(request, TemplateRequest):
        return {f"media_inputs[{at}]": text for at, text in enumerate(request.media_inputs)}
    named = {name: text for name in IMAGE_FIELDS if (text := getattr(request, name))}
    given = {name: getattr(request, name) for name in REFERENCE_FIELDS}
    most = rules.references
    counts = [len(texts) for texts in given.values()]
    if most is None or sum(counts) > most.together:
        return named
    if any(map(int.__gt__, counts, (most.images, most.videos, most.audios))):
        return named
    return named | {
        f"{name}[{at}]": text for name, texts in given.items() for at, text in enumerate(texts)
    }


async def _open(
    named: Mapping[str, str], open_one: Callable[[str, str, _Inputs], Awaitable[None]]
) -> _Inputs:
    """Open all of them at the same time, as links take their time."""
    found, broken = _Inputs(), list[Exception]()
    at_once = anyio.CapacityLimiter(_OPENED_AT_ONCE)

    async def try_one(name: str, source: str) -> None:
        async with at_once:
            try:
                await open_one(name, source, found)
            except InvalidRequestError as trouble:
                found.unread[name] = trouble
            except Exception as trouble:  # noqa: BLE001  # raised below: the group would wrap it
                broken.append(trouble)

    async with anyio.create_task_group() as group:
        for name, source in named.items():
            group.start_soon(try_one, name, source)
    if broken:
        raise broken[0]
    # In the order of the request, whichever came first.
    for opened in (found.images, found.clips, found.sounds, found.unread):
        _sort(opened, named)
    return found


def _sort(opened: dict[str, Any], named: Mapping[str, str]) -> None:
    ordered = {name: opened[name] for name in named if name in opened}
    opened.clear()
    opened.update(ordered)


def _facts(
    opened: Mapping[str, Opened[Facts]], at_provider: Mapping[str, str], argument: str
) -> dict[str, Facts | None]:
    """What is known of each; None of what only the provider has."""
    known: dict[str, Facts | None] = {name: it.facts for name, it in opened.items()}
    return known | dict.fromkeys(it for it in at_provider if it.startswith(argument))


def _wired(request: VideoRequest, wires: Mapping[str, str]) -> VideoRequest:
    """The request with each file as it is sent."""
    values: dict[str, Any] = {
        name: tuple(wires[f"{name}[{at}]"] for at in range(len(getattr(request, name))))
        for name in REFERENCE_FIELDS
    }
    values |= {name: wires[name] for name in IMAGE_FIELDS if name in wires}
    return replace(request, image_fit="", **values)
