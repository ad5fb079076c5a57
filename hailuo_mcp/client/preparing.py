"""Before buying: open the pictures, check the request, price it. Costs nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.providers import PROVIDERS, dialect_of
from hailuo_mcp.domain import AnyRequest, Capabilities, Quote, TemplateRequest, VideoRequest
from hailuo_mcp.errors import InvalidRequestError

if TYPE_CHECKING:
    from hailuo_mcp.files.folders import Folders
    from hailuo_mcp.files.images import OpenedImage

Fetch = Callable[[str], Awaitable[bytes]]
Upload = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request that may be bought: checked, with its pictures as the wire takes them."""

    request: AnyRequest
    images: Mapping[str, OpenedImage]
    """By argument; a template's are media_inputs[0], media_inputs[1] …"""
    warnings: tuple[str, ...]
    quote: Quote


async def prepare(
    request: AnyRequest,
    *,
    provider: Provider,
    capabilities: Capabilities,
    plan: str,
    folders: Folders | None,
    fetch: Fetch,
    upload: Upload | None = None,
) -> Prepared:
    """Return the request as it would be bought; InvalidRequestError names every problem."""
    images, troubles = await _open(_named(request), folders, fetch, upload)
    told = [f"{name}: {str(trouble).removesuffix('.')}" for name, trouble in troubles.items()]
    try:
        if isinstance(request, TemplateRequest):
            return _template(
                request, images, told, provider=provider, capabilities=capabilities, plan=plan
            )
        return _video(
            request, images, told, provider=provider, capabilities=capabilities, plan=plan
        )
    except InvalidRequestError as refused:
        refused.no_such_file = any(trouble.no_such_file for trouble in troubles.values())
        raise


def working_folders() -> Folders:
    """Return what a library user may read: the working directory and the home folder."""
    from pathlib import Path

    from hailuo_mcp.files.folders import Folders

    return Folders(Path.cwd(), (Path.cwd(), Path.home()))


def _video(
    request: VideoRequest,
    images: Mapping[str, OpenedImage],
    troubles: list[str],
    *,
    provider: Provider,
    capabilities: Capabilities,
    plan: str,
) -> Prepared:
    from hailuo_mcp.catalog.prices import list_price
    from hailuo_mcp.rules.video import check_video

    checked = check_video(
        request,
        images={name: image.facts for name, image in images.items()},
        image_problems=troubles,
        capabilities=capabilities,
        provider=provider.name,
        price_list=provider.price_list,
        plan=plan,
        others=_others(provider),
    )
    ready = checked.request
    quote = list_price(
        ready.model, ready.resolution, ready.duration, price_list=provider.price_list, plan=plan
    )
    wired: dict[str, Any] = {name: image.wire for name, image in images.items()}
    ready = replace(ready, **wired)
    return Prepared(request=ready, images=images, warnings=checked.warnings, quote=quote)


def _template(
    request: TemplateRequest,
    images: Mapping[str, OpenedImage],
    troubles: list[str],
    *,
    provider: Provider,
    capabilities: Capabilities,
    plan: str,
) -> Prepared:
    from hailuo_mcp.catalog.video_templates import template_price
    from hailuo_mcp.rules.template import check_template

    checked = check_template(
        request,
        images={name: image.facts for name, image in images.items()},
        image_problems=troubles,
        capabilities=capabilities,
        region=provider.templates,
        provider=provider.name,
        others=_others(provider),
    )
    return Prepared(
        request=replace(checked.request, media_inputs=tuple(i.wire for i in images.values())),
        images=images,
        warnings=checked.warnings,
        quote=template_price(checked.template, price_list=provider.price_list, plan=plan),
    )


def _named(request: AnyRequest) -> dict[str, str]:
    if isinstance(request, TemplateRequest):
        return {f"media_inputs[{at}]": text for at, text in enumerate(request.media_inputs)}
    from hailuo_mcp.rules.examination import given_pictures

    return {name: getattr(request, name) for name in given_pictures(request)}


async def _open(
    named: Mapping[str, str], folders: Folders | None, fetch: Fetch, upload: Upload | None
) -> tuple[dict[str, OpenedImage], dict[str, InvalidRequestError]]:
    images: dict[str, OpenedImage] = {}
    troubles: dict[str, InvalidRequestError] = {}
    if not named:
        return images, troubles
    from hailuo_mcp.files.images import open_image

    for name, source in named.items():
        try:
            images[name] = await open_image(source, folders=folders, fetch=fetch, upload=upload)
        except InvalidRequestError as trouble:
            troubles[name] = trouble
    return images, troubles


def _others(provider: Provider) -> dict[str, Capabilities]:
    """Return what the other providers carry, to name those that could do what this one cannot."""
    return {
        name: dialect_of(row).capabilities
        for name, row in PROVIDERS.items()
        if name != provider.name and not row.embedded
    }
