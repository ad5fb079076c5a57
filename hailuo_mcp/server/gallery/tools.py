"""The tools that only the page calls; no model sees them."""

from __future__ import annotations

from base64 import b64encode
from typing import Literal

from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.gallery.cards import Cards, cards_of
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments, Id, Ids
from hailuo_mcp.server.tools.purchase import MOST_TAKES, ceiling_of
from hailuo_mcp.server.tools.registration import READS, SPENDS, tool
from hailuo_mcp.wording.shapes import VideoTask

CHUNK = 384 * 1024
"""Bytes of one answer of read_media: half a megabyte as base64."""


class Media(TypedDict, total=False):
    """A part of a clip, or its poster."""

    data: str
    """Base64."""
    mime_type: str
    offset: int
    total: int
    """Bytes of the whole."""


class ShowCards(Arguments):
    task_ids: Ids = Field([], description="Tasks and films; none: the newest.")
    takes: bool = Field(default=False, description="Also the other takes of the same requests.")
    limit: int = Field(24, ge=1, le=100, description="At most this many of the newest.")


async def show_cards(wanted: ShowCards, ctx: Ctx) -> Cards:
    """For the gallery: clips and films as they are now. Free; waits for nothing."""
    request = await tool_request(ctx)
    caller = request.caller
    shown = await request.studio.gallery(
        wanted.task_ids, caller=caller.name, takes=wanted.takes, limit=wanted.limit
    )
    return cards_of(shown, local=caller.local, may_buy=caller.may_buy)


class ReadMedia(Arguments):
    task_id: Id = Field(description="A task's or a film's id.")
    part: Literal["clip", "poster"] = Field("clip", description="Which of its files.")
    offset: int = Field(0, ge=0, description="The first byte.")


async def read_media(wanted: ReadMedia, ctx: Ctx) -> Media:
    """For the gallery: a part of a saved clip, or its first frame as a JPEG. Free."""
    request = await tool_request(ctx)
    studio, caller = request.studio, request.caller.name
    if wanted.part == "poster":
        part = await studio.clip_poster(wanted.task_id, caller=caller)
    else:
        part = await studio.clip_part(
            wanted.task_id, caller=caller, offset=wanted.offset, most=CHUNK
        )
    return {
        "data": b64encode(part.data).decode("ascii"),
        "mime_type": part.mime,
        "offset": part.offset,
        "total": part.total,
    }


class RetakeVideo(Arguments):
    task_id: Id = Field(description="The take to make again.")
    take: int = Field(ge=2, le=MOST_TAKES, description="The number of the new take.")
    max_cost: float = Field(0, ge=0, description="The price that the person agreed to.")
    confirm: Id = Field("", description="A refusal's code, after the person's yes.")


async def retake_video(wanted: RetakeVideo, ctx: Ctx) -> VideoTask:
    """For the gallery: buy another take, after the person agreed to its price there."""
    from hailuo_mcp.views import Terms

    request = await tool_request(ctx)
    terms = Terms(take=wanted.take, max_cost=ceiling_of(wanted.max_cost), confirm=wanted.confirm)
    view = await request.studio.retake(
        wanted.task_id, terms, caller=request.caller.name, local=request.caller.local
    )
    return request.tell(view)


def app_tools() -> list[Tool]:
    return [
        tool(show_cards, title="Clips for the gallery", hints=READS, text="For the gallery."),
        tool(
            read_media,
            title="A clip's bytes for the gallery",
            hints=READS,
            text="For the gallery.",
        ),
        tool(retake_video, title="Another take (costs money)", hints=SPENDS),
    ]
