"""Before buying: open the pictures, check the request, price it. Costs nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.providers import PROVIDERS, capabilities_of
from hailuo_mcp.domain import IMAGE_FIELDS, AnyRequest, Quote, TemplateRequest, UpgradeRequest
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.images import changes_words, fit_name

if TYPE_CHECKING:
    from hailuo_mcp.files.folders import Folders
    from hailuo_mcp.files.images import Frame, OpenedImage
    from hailuo_mcp.rules.judge import Checked, Seller

Fetch = Callable[[str], Awaitable[bytes]]
Upload = Callable[[str], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A valid request, with its pictures in wire format."""

    request: AnyRequest
    images: Mapping[str, OpenedImage]
    """By argument; a template's are media_inputs[0], media_inputs[1] …"""
    warnings: tuple[str, ...]
    quote: Quote


async def prepare(
    request: AnyRequest,
    seller: Seller,
    *,
    folders: Folders | None,
    fetch: Fetch,
    upload: Upload | None = None,
    frame: Frame | None = None,
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
        return Prepared(
            request=priced.request, images={}, warnings=priced.warnings, quote=priced.quote
        )
    fit = "" if isinstance(request, TemplateRequest) else fit_name(request.image_fit)

    async def opened(source: str) -> OpenedImage:
        from hailuo_mcp.files.images import open_image

        return await open_image(
            source, folders=folders, fetch=fetch, upload=upload, frame=frame, fit=fit
        )

    named = {name: it for name, it in _named(request).items() if name not in promised}
    images, unread = await _open(named, opened)
    pictures = {name: image.facts for name, image in images.items()}
    checked: Checked[AnyRequest]
    try:
        if isinstance(request, TemplateRequest):
            checked = check_template(request, seller, pictures=pictures, unread=unread)
            ready: AnyRequest = replace(
                checked.request, media_inputs=tuple(image.wire for image in images.values())
            )
        else:
            checked = check_video(request, seller, pictures=pictures, unread=unread)
            wired: dict[str, Any] = {name: image.wire for name, image in images.items()}
            ready = replace(checked.request, image_fit="", **wired)
    except InvalidRequestError as refused:
        refused.no_such_file = any(trouble.no_such_file for trouble in unread.values())
        raise
    changed = [changes_words(it, image.changes) for it, image in images.items() if image.changes]
    warnings = (*changed, *checked.warnings)
    return Prepared(request=ready, images=images, warnings=warnings, quote=checked.quote)


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


def _named(request: AnyRequest) -> dict[str, str]:
    if isinstance(request, TemplateRequest):
        return {f"media_inputs[{at}]": text for at, text in enumerate(request.media_inputs)}
    return {name: text for name in IMAGE_FIELDS if (text := getattr(request, name))}


async def _open(
    named: Mapping[str, str], opened: Callable[[str], Awaitable[OpenedImage]]
) -> tuple[dict[str, OpenedImage], dict[str, InvalidRequestError]]:
    images: dict[str, OpenedImage] = {}
    troubles: dict[str, InvalidRequestError] = {}
    for name, source in named.items():
        try:
            images[name] = await opened(source)
        except InvalidRequestError as trouble:
            troubles[name] = trouble
    return images, troubles
