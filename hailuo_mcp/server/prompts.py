"""Prompts that a person picks from a menu, and what their fields can be completed with."""

from __future__ import annotations

from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from hailuo_mcp.server.context import Backstage
from hailuo_mcp.server.server import Server

_MOST = 100


def direct_shot(shot: str, camera: str = "", model: str = "", resolution: str = "") -> str:
    asked = _asked(camera=camera, model=model, resolution=resolution)
    return (
        f"Direct one Hailuo video clip of this: {shot}\n{asked}"
        "Write a prompt of two to four sentences: subject, action, setting, light, style; camera "
        "moves in square brackets where they happen. Tell me the price by estimate_cost and "
        "wait for my yes. Then generate_video, query_task until it is saved, and show me the path."
    )


def image_to_video(
    image: str, motion: str = "", camera: str = "", model: str = "", resolution: str = ""
) -> str:
    asked = _asked(motion=motion, camera=camera, model=model, resolution=resolution)
    return (
        f"Make a Hailuo video that starts from this picture: {image}\n{asked}"
        "Describe only what moves; the picture already shows the rest. Tell me the price by "
        "estimate_cost (mode i2v) and wait for my yes. Then generate_video with first_frame_image, "
        "query_task until it is saved, and show me the path."
    )


def _asked(**wishes: str) -> str:
    return "".join(f"{name.capitalize()}: {wish}\n" for name, wish in wishes.items() if wish)


_SIZE_AND_MODEL = (
    PromptArgument(name="camera", description="A camera move, such as Push in"),
    PromptArgument(name="model", description="A model; empty chooses"),
    PromptArgument(name="resolution", description="768P, 1080P …; empty chooses"),
)


def all_prompts() -> list[Prompt]:
    return [
        Prompt(
            name="direct_shot",
            title="Direct a shot",
            description="Direct one shot from an idea to a saved clip.",
            arguments=[
                PromptArgument(name="shot", description="What happens in the clip", required=True),
                *_SIZE_AND_MODEL,
            ],
            fn=direct_shot,
            context_kwarg=None,
        ),
        Prompt(
            name="image_to_video",
            title="Bring a picture to life",
            description="Make a clip that starts from a picture.",
            arguments=[
                PromptArgument(
                    name="image", description="Path or https URL of the picture", required=True
                ),
                PromptArgument(name="motion", description="What is to move, and how"),
                *_SIZE_AND_MODEL,
            ],
            fn=image_to_video,
            context_kwarg=None,
        ),
    ]


def add_prompts(server: Server, backstage: Backstage) -> None:
    for prompt in all_prompts():
        server.add_prompt(prompt)

    @server.completion()  # type: ignore[no-untyped-call,untyped-decorator]  # the SDK left it so
    async def complete(  # pyright: ignore[reportUnusedFunction]  registered
        _ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        _context: CompletionContext | None,
    ) -> Completion:
        found = await _values(backstage, argument.name, argument.value)
        return Completion(values=found[:_MOST], total=len(found), has_more=len(found) > _MOST)


async def _values(backstage: Backstage, name: str, typed: str) -> list[str]:
    from hailuo_mcp.catalog.camera_moves import moves
    from hailuo_mcp.catalog.video_models import models, resolutions

    match name:
        case "model":
            known = [model.name for model in models()]
        case "resolution":
            known = resolutions()
        case "camera":
            known = [name for move in moves() for name in (move.english, move.chinese)]
        case "template_id":
            studio = await backstage.studio()
            known = [template.template_id for template in studio.templates()]
        case "task_id":
            studio = await backstage.studio()
            return await studio.recent_ids(typed.strip(), caller=backstage.caller().name)
        case _:
            return []
    part = typed.strip().casefold()
    return [value for value in known if part in value.casefold()]
