"""The bodies of v2 creates and regenerations, read like a strict provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hailuo_mcp.sandbox.refusal import invalid
from hailuo_mcp.sandbox.rules import Order, field, only, text
from hailuo_mcp.sandbox.v2.table import (
    ADAPTIVE,
    GENERATION,
    H3,
    KEEPER,
    MODELS,
    RATIOS,
    REGENERATION,
)

_CREATE_FIELDS = frozenset(
    {
        "model",
        "content",
        "resolution",
        "duration",
        "ratio",
        "aigc_watermark",
        "callback_url",
        "extra",
    }
)
_REGENERATE_FIELDS = frozenset(
    {"model", "source_task_id", "content", "resolution", "aigc_watermark", "callback_url"}
)
_EXPANSIONS = ("disabled", "balanced", "quality")
_PROMPT_LIMIT = 7000
FIRST, LAST, BASE = "first_frame", "last_frame", "base_video"
IMAGE, VIDEO, AUDIO = "reference_image", "reference_video", "reference_audio"
_ROLES = {
    "image_url": (FIRST, LAST, IMAGE),
    "video_url": (VIDEO, BASE),
    "audio_url": (AUDIO,),
}
_MOST = {FIRST: 1, LAST: 1, IMAGE: 9, VIDEO: 3, AUDIO: 3}
_MOST_FILES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file of the content: its role and where it is."""

    role: str
    url: str

    @property
    def medium(self) -> str:
        """Return image, video or audio."""
        return {VIDEO: "video", BASE: "video", AUDIO: "audio"}.get(self.role, "image")


@dataclass(frozen=True, slots=True, kw_only=True)
class V2Order(Order):
    """What a v2 create or regeneration asks for."""

    items: tuple[Item, ...] = ()
    ratio: str = ""
    task_type: str = GENERATION
    source_task_id: str = ""

    @property
    def kind(self) -> str:
        """Return the task type."""
        return self.task_type


def read_create(body: Mapping[str, object]) -> V2Order:
    """Return what a create asks for, or refuse it."""
    only(body, _CREATE_FIELDS)
    field(body, "aigc_watermark", False)  # noqa: FBT003
    name, resolution = text(body, "model"), text(body, "resolution")
    model = MODELS.get(name)
    if model is None:
        raise invalid(f"model {name or '(none)'} does not exist")
    if "extra" in body and not model.has_extra:
        raise invalid(f"model {name} does not support extra")
    _check_extra(body.get("extra"))
    if resolution not in model.resolutions:
        raise invalid(f"resolution must be one of {', '.join(model.resolutions)}")
    if (duration := field(body, "duration", 0)) not in model.seconds:
        first, last = model.seconds[0], model.seconds[-1]
        raise invalid(f"duration must be an integer from {first} to {last}")
    prompt, items = _content(body)
    if any(item.role == BASE for item in items):
        raise invalid("role base_video belongs to video_regeneration")
    _check_roles(items)
    return V2Order(
        model=name,
        mode=_mode(items),
        prompt=prompt,
        items=items,
        duration=duration,
        resolution=resolution,
        ratio=_ratio(text(body, "ratio"), items),
        callback_url=text(body, "callback_url"),
    )


def read_regeneration(body: Mapping[str, object]) -> V2Order:
    """Return what a regeneration asks for, or refuse it."""
    only(body, _REGENERATE_FIELDS)
    field(body, "aigc_watermark", False)  # noqa: FBT003
    if (model := text(body, "model")) != H3:
        raise invalid(f"model must be {H3}")
    if text(body, "resolution") != KEEPER:
        raise invalid(f"resolution must be {KEEPER}")
    source_task_id = text(body, "source_task_id")
    if bool(source_task_id) == ("content" in body):
        raise invalid("exactly one of source_task_id and content is required")
    prompt, items = ("", ()) if source_task_id else _content(body)
    if not source_task_id and sum(item.role == BASE for item in items) != 1:
        raise invalid("content must hold exactly one video_url with role base_video")
    _check_roles(tuple(item for item in items if item.role != BASE))
    return V2Order(
        model=model,
        prompt=prompt,
        items=items,
        resolution=KEEPER,
        callback_url=text(body, "callback_url"),
        task_type=REGENERATION,
        source_task_id=source_task_id,
    )


def _check_extra(extra: object) -> None:
    if extra is None:
        return
    if not isinstance(extra, dict):
        raise invalid("extra must be an object")
    facts = cast("dict[str, object]", extra)
    only(facts, frozenset({"prompt_expansion_mode"}))
    if text(facts, "prompt_expansion_mode") not in ("", *_EXPANSIONS):
        raise invalid(f"prompt_expansion_mode must be one of {', '.join(_EXPANSIONS)}")


def _content(body: Mapping[str, object]) -> tuple[str, tuple[Item, ...]]:
    """Return the prompt and the files."""
    content = body.get("content")
    if not isinstance(content, list):
        raise invalid("content must be an array")
    prompts: list[str] = []
    items: list[Item] = []
    for entry in cast("list[object]", content):
        if not isinstance(entry, dict):
            raise invalid("content must hold objects")
        facts = cast("dict[str, object]", entry)
        if text(facts, "type") == "text":
            only(facts, frozenset({"type", "text"}))
            prompts.append(text(facts, "text"))
        else:
            items.append(_item(facts))
    if len(prompts) != 1 or not prompts[0].strip():
        raise invalid("content must hold exactly one text, and it must not be empty")
    if len(prompts[0]) > _PROMPT_LIMIT:
        raise invalid(f"text exceeds {_PROMPT_LIMIT} characters")
    images = [item for item in items if item.medium == "image"]
    if any(not item.role for item in images):
        if len(images) != 1:
            raise invalid("role is required where there are several images")
        items = [Item(role=item.role or FIRST, url=item.url) for item in items]
    return prompts[0], tuple(items)


def _item(facts: Mapping[str, object]) -> Item:
    kind, role = text(facts, "type"), text(facts, "role")
    if kind not in _ROLES:
        raise invalid(f"content type must be one of text, {', '.join(_ROLES)}")
    only(facts, frozenset({"type", "role", kind}))
    place = facts.get(kind)
    if not isinstance(place, dict):
        raise invalid(f"{kind} must be an object with a url")
    only(cast("dict[str, object]", place), frozenset({"url"}))
    url = text(cast("dict[str, object]", place), "url")
    if not url:
        raise invalid(f"{kind} must be an object with a url")
    if role not in _ROLES[kind] and (role or kind != "image_url"):
        raise invalid(f"role of {kind} must be one of {', '.join(_ROLES[kind])}")
    return Item(role=role, url=url)


def _check_roles(items: tuple[Item, ...]) -> None:
    counts = Counter(item.role for item in items)
    if (counts[FIRST] or counts[LAST]) and (counts[IMAGE] or counts[VIDEO] or counts[AUDIO]):
        raise invalid("first and last frame cannot be combined with references")
    if counts[LAST] and not counts[FIRST]:
        raise invalid("last_frame requires first_frame")
    for role, most in _MOST.items():
        if counts[role] > most:
            raise invalid(f"at most {most} {role}")
    if len(items) > _MOST_FILES:
        raise invalid(f"at most {_MOST_FILES} files")
    if counts[AUDIO] and not (counts[IMAGE] or counts[VIDEO]):
        raise invalid("reference_audio requires a reference_image or reference_video")


def _mode(items: tuple[Item, ...]) -> str:
    roles = {item.role for item in items}
    if LAST in roles:
        return "fl2v"
    if FIRST in roles:
        return "i2v"
    return "r2v" if roles else "t2v"


def _ratio(ratio: str, items: tuple[Item, ...]) -> str:
    """Return the ratio that counts: with frames it is adaptive whatever was asked for."""
    if ratio not in ("", ADAPTIVE, *RATIOS):
        raise invalid(f"ratio must be one of {ADAPTIVE}, {', '.join(RATIOS)}")
    if not items and ratio not in RATIOS:
        raise invalid("text alone requires a ratio other than adaptive")
    if any(item.role == FIRST for item in items):
        return ADAPTIVE
    return ratio or ADAPTIVE
