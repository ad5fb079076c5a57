"""Rules that every tool keeps: a surface that models and clients use right."""

from __future__ import annotations

import json

import pytest
from mcp.server.mcpserver.tools import Tool
from pydantic import TypeAdapter
from tokens import count

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.catalog.video_models import Model, find_model, limits, models
from hailuo_mcp.domain.remote import Api, Capabilities
from hailuo_mcp.domain.requests import IMAGE_FITS, Mode
from hailuo_mcp.rules.judge import default_model
from hailuo_mcp.server.mcp_server import instructions
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.server.tools.arguments import Arguments
from hailuo_mcp.server.tools.registration import output_schema
from hailuo_mcp.wording import shapes

TOOLS = {tool.name: tool for tool in all_tools()}
SPENDING = {"generate_video", "generate_from_template", "generate_storyboard", "upgrade_video"}
each_tool = pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))


def kind_of(tool: Tool) -> type[Arguments]:
    kind = tool.fn_metadata.arg_model
    assert issubclass(kind, Arguments)
    return kind


def test_there_are_few_tools() -> None:
    assert len(TOOLS) <= 12


@each_tool
def test_every_hint_is_set(tool: Tool) -> None:
    hints = tool.annotations
    assert hints is not None
    for hint in (
        hints.read_only_hint,
        hints.destructive_hint,
        hints.idempotent_hint,
        hints.open_world_hint,
    ):
        assert hint is not None
    assert not (hints.read_only_hint and hints.destructive_hint)


@each_tool
def test_only_what_spends_is_marked_so_and_never_read_only(tool: Tool) -> None:
    assert tool.annotations
    assert tool.title
    spends = tool.name in SPENDING
    assert ("max_cost" in tool.parameters["properties"]) == spends
    assert ("costs money" in tool.title) == spends
    if spends:
        assert tool.annotations.read_only_hint is False
        assert tool.annotations.idempotent_hint is False
        assert "Costs money" in tool.description
    else:
        assert "ree" in tool.description  # Free, or free of charge


@each_tool
def test_a_description_is_short_prose_that_names_the_next_call(tool: Tool) -> None:
    assert 40 < len(tool.description) <= 1024
    assert "Args:" not in tool.description
    assert "  " not in tool.description
    assert "\n" not in tool.description
    assert (
        tool.name == "cancel_task"
        or any(name in tool.description for name in TOOLS if name != tool.name)
        or "call again" in tool.description
    )


@each_tool
def test_every_argument_is_described_and_typed(tool: Tool) -> None:
    required = tool.parameters.get("required", [])
    for name, schema in tool.parameters["properties"].items():
        assert schema["description"], name
        assert schema["type"] in {"string", "integer", "number", "boolean", "array"}
        assert ("default" in schema) != (name in required)
    assert "additionalProperties" not in tool.parameters, "google-genai 3.4.0 fails on it"


@each_tool
def test_schemas_are_flat(tool: Tool) -> None:
    # A tool that answers with a picture has no output schema.
    answers = [tool.output_schema] if tool.name != "preview_video" else []
    for schema in (tool.parameters, *answers):
        text = json.dumps(schema)
        for word in (
            '"anyOf"',
            '"oneOf"',
            '"allOf"',
            '"$ref"',
            '"$defs"',
            '"null"',
            "null",
            '"title"',
        ):
            assert word not in text, word
        assert schema is not None
        assert schema["type"] == "object"


@each_tool
def test_our_input_schema_says_what_pydantic_says(tool: Tool) -> None:
    theirs = kind_of(tool).model_json_schema()
    assert tool.parameters | {"additionalProperties": False} == untitled(theirs)


def test_our_output_schemas_say_what_pydantic_says() -> None:
    for kind in (
        *(shapes.VideoTask, shapes.SavedVideo, shapes.CostEstimate),
        *(shapes.TaskList, shapes.Storyboard),
    ):
        assert output_schema(kind) == untitled(TypeAdapter(kind).json_schema())


def test_an_answer_that_is_one_of_several_has_the_keys_of_all_of_them() -> None:
    """Clients hold it to one schema: a task's, or a film's wherever a film_id is taken."""
    for name in ("query_task", "cancel_task"):
        merged = TOOLS[name].output_schema
        assert merged is not None
        for kind in (shapes.VideoTask, shapes.Storyboard):
            for key, schema in output_schema(kind)["properties"].items():
                found = merged["properties"][key]
                assert found["type"] == schema["type"]
                assert set(schema.get("enum", [])) <= set(found.get("enum", []))
        assert merged["required"] == ["message"]


def untitled(schema: dict) -> dict:
    """The schema without titles, docstrings of types and references."""
    definitions = schema.get("$defs", {})

    def walk(node, names: bool = False):
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            node = definitions[node["$ref"].rpartition("/")[2]]
        dropped = {"title", "$defs"} | ({"description"} if "properties" in node else set())
        return {k: walk(v, k == "properties") for k, v in node.items() if names or k not in dropped}

    return walk(schema)


def test_what_a_model_reads_of_the_tools_is_within_2880_tokens() -> None:
    assert sum(read for read, _ in count().values()) <= 2880


def test_output_schemas_are_within_2200_tokens() -> None:
    assert sum(output for _, output in count().values()) <= 2200


def test_instructions_are_under_200_words_and_name_real_tools() -> None:
    text = instructions()
    assert len(text.split()) < 200
    for name in ("estimate_cost", "generate_video", "query_task", "list_tasks"):
        assert name in text
        assert name in TOOLS


def test_the_names_and_defaults_are_the_contract() -> None:
    """design.md, section 2: other people's configs and agents rely on these."""
    defaults = {
        name: {
            argument: schema.get("default", "required")
            for argument, schema in tool.parameters["properties"].items()
        }
        for name, tool in TOOLS.items()
    }
    assert defaults == {
        "generate_video": {
            "prompt": "",
            "model": "",
            "first_frame_image": "",
            "last_frame_image": "",
            "subject_image": "",
            "reference_images": [],
            "reference_videos": [],
            "reference_audios": [],
            "aspect_ratio": "",
            "duration": 0,
            "resolution": "",
            "image_fit": "",
            "prompt_optimizer": True,
            "fast_pretreatment": False,
            "watermark": False,
            "take": 1,
            "request_key": "",
            "wait_seconds": 0,
            "max_cost": 0,
            "confirm": "",
        },
        "query_task": {"task_id": "required", "wait_seconds": 45},
        "list_tasks": {"status": "", "limit": 20, "wait_seconds": 0},
        "download_video": {
            "task_id": "required",
            "output_path": "",
            "overwrite": False,
            "wait_seconds": 25,
        },
        "preview_video": {
            "task_id": "required",
            "frames": 6,
            "at_seconds": -1,
            "compare_with": [],
        },
        "estimate_cost": {
            "model": "",
            "mode": "",
            "duration": 0,
            "resolution": "",
            "count": 1,
            "plan": "",
        },
        "cancel_task": {"task_id": "required"},
        "generate_from_template": {
            "template_id": "",
            "text_inputs": [],
            "media_inputs": [],
            "take": 1,
            "request_key": "",
            "wait_seconds": 0,
            "max_cost": 0,
            "confirm": "",
        },
        "upgrade_video": {
            "task_id": "required",
            "resolution": "2K",
            "request_key": "",
            "wait_seconds": 0,
            "max_cost": 0,
            "confirm": "",
        },
        "generate_storyboard": {
            "shots": [],
            "durations": [],
            "images": [],
            "continuity": "none",
            "model": "",
            "resolution": "",
            "transition": "cut",
            "dry_run": True,
            "film_id": "",
            "redo": [],
            "request_key": "",
            "wait_seconds": 0,
            "max_cost": 0,
            "confirm": "",
        },
    }


def test_the_prompt_lists_the_fifteen_moves() -> None:
    described = TOOLS["generate_video"].parameters["properties"]["prompt"]["description"]
    assert all(f"[{move.english}]" in described for move in moves())
    assert len(moves()) == 15
    assert f"{limits().prompt_characters:,} characters" in described
    assert f"(H3: {limits(Api.V2).prompt_characters:,})" in described


def test_pictures_are_asked_for_by_their_path() -> None:
    described = TOOLS["generate_video"].parameters["properties"]["first_frame_image"]["description"]
    assert "attached to the chat does not reach this server" in described
    assert "Never invent a path or write base64" in described


def test_what_the_descriptions_say_of_models_is_what_the_catalogue_says() -> None:
    """They are written out: a server that lists its tools need not load the catalogue."""
    described = {
        name: argument["description"]
        for name, argument in TOOLS["generate_video"].parameters["properties"].items()
    }
    anything = Capabilities(modes=frozenset(Mode))
    others = {Mode.TEMPLATE, Mode.UPGRADE}
    defaults = {default_model(mode, None, anything) for mode in Mode if mode not in others}
    by_name = [it.name for it in models() if it.last_choice]
    assert all(it in described["model"] for it in (*defaults, *by_name))
    newest = find_model("Hailuo 03")
    assert newest
    older = [model for model in models() if model.api is Api.V1]
    sizes = sorted(
        {size for model in older for size in sizes_of(model)}, key=lambda size: int(size[:-1])
    )
    assert f"{', '.join(sizes[:-1])} or {sizes[-1]}" in described["resolution"]
    assert f"H3 {' or '.join(sizes_of(newest))}" in described["resolution"]
    seconds = sorted({it for model in older for it in lengths_of(model)})
    longer = lengths_of(newest)
    assert " or ".join(map(str, seconds)) in described["duration"]
    assert f"H3 {longer[0]} to {longer[-1]}" in described["duration"]
    assert longer == list(range(longer[0], longer[-1] + 1))
    assert all(ratio in described["aspect_ratio"] for it in models() for ratio in ratios_of(it))
    references = limits(Api.V2).references
    assert references
    for name, most, seconds_in_all in (
        ("reference_images", references.images, None),
        ("reference_videos", references.videos, references.all_videos),
        ("reference_audios", references.audios, references.all_audios),
    ):
        assert f"up to {most} " in described[name]
        assert seconds_in_all is None or f"{seconds_in_all} s in all" in described[name]
    rules = limits()
    assert f"{rules.prompt_characters:,} characters" in described["prompt"]
    assert f"at most {rules.moves_together} together" in described["prompt"]
    assert rules.image_formats in described["first_frame_image"]
    low, high = rules.image_aspect_low, rules.image_aspect_high
    assert f"{low[0]}:{low[1]} to {high[0]}:{high[1]}" in described["image_fit"]
    assert all(way in described["image_fit"] for way in IMAGE_FITS)


def sizes_of(model: Model) -> list[str]:
    return list(dict.fromkeys(size for rules in model.modes.values() for size in rules.sizes))


def lengths_of(model: Model) -> list[int]:
    by_size = [rules.sizes for rules in model.modes.values()]
    return sorted({it for sizes in by_size for lengths in sizes.values() for it in lengths})


def ratios_of(model: Model) -> list[str]:
    return [ratio for rules in model.modes.values() for ratio in rules.ratios]
