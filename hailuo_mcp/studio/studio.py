"""The use cases of one account, shared by the server and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from hailuo_mcp.catalog import video_templates
from hailuo_mcp.catalog.video_templates import Template
from hailuo_mcp.studio import film_tracking, film_views, films, purchase
from hailuo_mcp.studio.batch import hold_batch, quote_batch, recover_dead
from hailuo_mcp.studio.cancel_settle import cancel_task, settle_task
from hailuo_mcp.studio.clip_bytes import clip_part, clip_poster
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.download import download_clip
from hailuo_mcp.studio.gallery import gallery
from hailuo_mcp.studio.listing import (
    ids_that_begin,
    known_task,
    recent_film_ids_of,
    recent_ids_of,
    sums_of,
)
from hailuo_mcp.studio.moving import need_movable
from hailuo_mcp.studio.preview import preview_clips
from hailuo_mcp.studio.query import list_tasks, query_task
from hailuo_mcp.studio.questions import close_question, may_ask
from hailuo_mcp.studio.retaking import retake
from hailuo_mcp.studio.upgrading import upgrade, upgrade_question, upgrade_request
from hailuo_mcp.studio.waiting import poll_at


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Studio(Context):
    """The use cases; each has its own module."""

    quote = purchase.quote
    consent_question = purchase.consent_question
    may_ask = may_ask
    close_question = close_question
    generate = purchase.generate
    recover_dead = recover_dead
    quote_batch = quote_batch
    hold_batch = hold_batch
    upgrade_request = upgrade_request
    upgrade_question = upgrade_question
    upgrade = upgrade
    plan_film = films.plan_film
    film_question = films.film_question
    make_film = films.make_film
    film = film_views.find_film
    query_film = film_tracking.query_film
    download_film = film_tracking.download_film
    cancel_film = film_tracking.cancel_film
    withdraw_redo = film_tracking.withdraw_redo
    query = query_task
    known = known_task
    tasks = list_tasks
    sums_of = sums_of
    ids_that_begin = ids_that_begin
    recent_ids = recent_ids_of
    recent_film_ids = recent_film_ids_of
    download = download_clip
    need_movable = need_movable
    preview = preview_clips
    retake = retake
    gallery = gallery
    clip_part = clip_part
    clip_poster = clip_poster
    cancel = cancel_task
    settle = settle_task
    expedite_poll = poll_at

    async def check_provider(self) -> None:
        """Send the provider a free request; raises whatever prevents buying."""
        self.client.need_key()
        await self.client.check_key()

    def templates(self) -> tuple[Template, ...]:
        return video_templates.templates(self.provider.templates) if self.provider.templates else ()
