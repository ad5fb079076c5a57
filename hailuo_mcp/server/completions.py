"""What arguments can be completed with: every closed list, and the caller's own ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mcp.server.mcpserver import MCPServer
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from hailuo_mcp.server.context import AppContext

_MOST = 100


def add_completions(server: MCPServer[AppContext], app: AppContext) -> None:
    """For the arguments of prompts and resource templates, which are named as the tools' are."""

    @server.completion()  # type: ignore[no-untyped-call,untyped-decorator]  # the SDK left it so
    async def complete(  # pyright: ignore[reportUnusedFunction]  registered
        _ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        _context: CompletionContext | None,
    ) -> Completion:
        name, typed = argument.name, argument.value.strip()
        found = await _ids(app, name, typed)
        found += [word for word in closed_list(name) if typed.casefold() in word.casefold()]
        return Completion(values=found[:_MOST], total=len(found), has_more=len(found) > _MOST)


def closed_list(argument: str) -> list[str]:
    """All values that an argument of this name can have; empty if anything goes."""
    from hailuo_mcp.catalog.camera_moves import moves
    from hailuo_mcp.catalog.prices import plans
    from hailuo_mcp.catalog.video_models import lengths, models, resolutions
    from hailuo_mcp.domain.film import Continuity, Transition
    from hailuo_mcp.domain.requests import Mode
    from hailuo_mcp.domain.task import STATUS_WORDS

    known: dict[str, Callable[[], Iterable[str]]] = {
        "model": lambda: (model.name for model in models()),
        "resolution": resolutions,
        "aspect_ratio": _ratios,
        "duration": lambda: map(str, lengths()),
        "camera": lambda: (name for move in moves() for name in (move.english, move.chinese)),
        "mode": lambda: Mode,
        "plan": lambda: (*(plan.name for plan in plans()), "compare"),
        "status": lambda: (*STATUS_WORDS, "planned"),
        "continuity": lambda: Continuity,
        "transition": lambda: Transition,
    }
    return [str(word) for word in known.get(argument, tuple)()]


def _ratios() -> Iterable[str]:
    from hailuo_mcp.catalog.video_models import models

    rules = [rules for model in models() for rules in model.modes.values()]
    return dict.fromkeys(ratio for it in rules for ratio in it.ratios)


async def _ids(app: AppContext, argument: str, typed: str) -> list[str]:
    """The caller's newest ids that begin so; a film's goes wherever a task's goes."""
    if argument not in ("task_id", "film_id", "template_id", "compare_with"):
        return []
    studio, caller = await app.studio(), app.caller().name
    if argument == "template_id":
        return [it.template_id for it in studio.templates() if typed in it.template_id]
    recent = studio.recent_film_ids if argument == "film_id" else studio.recent_ids
    return await recent(typed, caller=caller)
