"""The documented rules and prices, checked like a strict provider: the first violation counts.

Sources: seed 001 sections 1.1 to 1.4 and its resolution table, the global reference for 512P and
S2V (facts 4.1). The models, modes, sizes and prices are the imitation's own copy on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from hailuo_mcp.sandbox.refusal import Refusal, invalid

Value = TypeVar("Value", str, bool, int)

_PROMPT_LIMIT = 2000
Price = tuple[str, str, str]
"""Credits (seed 000), CNY and USD as pay as you go (facts 5.1, checked 2026-07-10)."""
Sizes = dict[str, dict[int, Price]]
_UNPRICED: Price = ("", "", "")
_HD: Sizes = {
    "768P": {6: ("1", "2.00", "0.28"), 10: ("2", "4.00", "0.56")},
    "1080P": {6: ("2", "3.50", "0.49")},
}
_HD_AND_512: Sizes = {"512P": {6: ("0.3", "0.60", "0.10"), 10: ("0.5", "1.00", "0.15")}, **_HD}
_HD_FAST: Sizes = {
    "768P": {6: ("0.7", "1.35", "0.19"), 10: ("1.1", "2.25", "0.32")},
    "1080P": {6: ("1.3", "2.31", "0.33")},
}
_720P: Sizes = {"720P": {6: _UNPRICED}}

# model → mode → resolution → duration → price
MODELS: dict[str, dict[str, Sizes]] = {
    "MiniMax-Hailuo-2.3": {"t2v": _HD, "i2v": _HD},
    "MiniMax-Hailuo-2.3-Fast": {"i2v": _HD_FAST},
    "MiniMax-Hailuo-02": {"t2v": _HD, "i2v": _HD_AND_512, "fl2v": _HD},
    "T2V-01-Director": {"t2v": _720P},
    "T2V-01": {"t2v": _720P},
    "I2V-01-Director": {"i2v": _720P},
    "I2V-01-live": {"i2v": _720P},
    "I2V-01": {"i2v": _720P},
    "S2V-01": {"s2v": _720P},
}
_PRETREATED = frozenset({"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"})
_MODE_WORDS = {
    "t2v": "Text-to-Video",
    "i2v": "Image-to-Video",
    "fl2v": "First-and-Last-Frame-to-Video",
    "s2v": "Subject-Reference-to-Video",
}
_TYPE_WORDS = {str: "a string", bool: "a boolean", int: "an integer"}
# Long side for each short side; 768P landscape is 1366×768 (facts 4.3).
SIZES = {"512P": (910, 512), "720P": (1280, 720), "768P": (1366, 768), "1080P": (1920, 1080)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a create asks for, once its dialect has been read."""

    model: str = ""
    mode: str = ""
    prompt: str = ""
    duration: int = 6
    resolution: str = ""
    first: str = ""
    last: str = ""
    subject: str = ""
    callback_url: str = ""
    template_id: str = ""
    texts: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Tell a template's task from a video's."""
        return "template" if self.template_id else "video"

    @property
    def fps(self) -> int:
        """24 for 2.3 and 02, 25 for the 01 line at 720P (facts 4.3)."""
        return 25 if self.resolution == "720P" else 24

    @property
    def price(self) -> Price:
        """Return what it would cost, as decimal strings; empty where nothing is published."""
        sizes = MODELS.get(self.model, {}).get(self.mode, {})
        return sizes.get(self.resolution, {}).get(self.duration, _UNPRICED)


def field(body: Mapping[str, object], name: str, default: Value) -> Value:
    """Return a field of the default's type; absent and null are the default.

    Another type is refused: a boolean is not an integer, and digits in quotes are not either.
    """
    value = body.get(name)
    if value is None:
        return default
    if type(value) is not type(default):
        raise invalid(f"{name} must be {_TYPE_WORDS[type(default)]}")
    return value


def text(body: Mapping[str, object], name: str) -> str:
    """Return a string field; an absent one is empty."""
    return field(body, name, "")


def only(body: Mapping[str, object], known: frozenset[str]) -> None:
    """Refuse fields that the page does not list: a misspelt one would be silently ignored."""
    unknown = sorted(body.keys() - known)
    if unknown:
        raise invalid(f"unknown field {', '.join(unknown)}")


def check(order: Order, body: Mapping[str, object]) -> Order:
    """Return the order with its mode and size settled, or refuse it."""
    mode = _mode(order)
    _check_prompt(order, mode)
    if order.model.startswith("video-"):
        # The global host took {"model": "video-01", "duration": 5} on 2026-01-31 (facts 1.4).
        resolution = order.resolution.upper() or "720P"
        return replace(order, mode=mode, resolution=resolution if resolution in SIZES else "768P")
    modes = MODELS.get(order.model)
    if modes is None:
        raise invalid(f"model {order.model or '(none)'} does not exist")
    sizes = modes.get(mode)
    if sizes is None:
        raise invalid(f"model {order.model} does not support {_MODE_WORDS[mode]}")
    if mode == "s2v" and (body.get("duration") is not None or body.get("resolution") is not None):
        raise invalid("S2V-01 takes neither duration nor resolution")
    resolution = order.resolution or ("768P" if "768P" in sizes else "720P")
    if resolution not in sizes:
        raise invalid(f"model {order.model} does not support resolution {resolution} in this mode")
    if order.duration not in sizes[resolution]:
        raise invalid(f"duration {order.duration} is not supported at {resolution}")
    if body.get("fast_pretreatment") is True and order.model not in _PRETREATED:
        raise invalid(f"model {order.model} does not support fast_pretreatment")
    return replace(order, mode=mode, resolution=resolution)


def _mode(order: Order) -> str:
    if order.subject:
        if order.first or order.last:
            raise invalid("subject_reference cannot be combined with first or last frame")
        return "s2v"
    if order.model == "S2V-01":
        raise invalid("S2V-01 requires subject_reference")
    if order.last:
        if not order.first:
            raise invalid("last_frame_image requires first_frame_image")
        return "fl2v"
    return "i2v" if order.first else "t2v"


def _check_prompt(order: Order, mode: str) -> None:
    if mode == "t2v" and not order.prompt.strip():
        raise invalid("prompt is required")
    if len(order.prompt) > _PROMPT_LIMIT:
        raise invalid(f"prompt exceeds {_PROMPT_LIMIT} characters")
    hidden = sum(1 for char in order.prompt if not char.isprintable() and char not in "\r\n\t")
    if hidden * 10 > len(order.prompt):
        raise Refusal(1042)


def clip_size(resolution: str, picture: tuple[int, int] | None) -> tuple[int, int]:
    """Return the clip's size: the resolution's, or the first frame's shape on its short side."""
    long, short = SIZES[resolution]
    if picture is None:
        return long, short
    width, height = picture
    scale = short / min(width, height)
    return _even(width * scale), _even(height * scale)


def _even(length: float) -> int:
    # H.264 with 4:2:0 colour has no odd sizes.
    return max(2, 2 * round(length / 2))
