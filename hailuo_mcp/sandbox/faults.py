"""Faults on request: the `[sandbox:…]` markers in a prompt, in any combination."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hailuo_mcp.sandbox.refusal import MESSAGES, RESET, SENSITIVE_OUTPUT, Refusal, invalid

MARKER = re.compile(r"\[sandbox:([^\]]*)\]", re.IGNORECASE)
_COUNTED = re.compile(r"(.+?)x(\d+)")

ALWAYS = 10**9
"""How often a fault without a number happens, where it is not once by nature."""

# 1027 can only be known when the clip exists, so that code is a fault at the end.
CREATE_CODES = frozenset(str(code) for code in MESSAGES if code != SENSITIVE_OUTPUT)
HTTP_STATUSES = {
    "http401": 401,
    "http429": 429,
    "http500": 500,
    "http502": 502,
    "http503": 503,
    "529": 529,
}

# Once unless a number is given: a task that never answered its polls would teach nothing.
_ONCE = frozenset(
    {
        "poll-500",
        "poll-529",
        "poll-1002",
        "poll-html",
        "poll-reset",
        "expired-link",
        "stall-download",
        "cut-download",
        "cut-no-range",
        "short-chunked",
    }
)
_ALWAYS = frozenset(
    {
        "reset",
        "dead-link",
        "slow-download",
        "corrupt-download",
        "json-download",
        "html-download",
        "redirect-download",
        "redirect-private",
        "http-link",
    }
)
# What happens to the response to an accepted create.
ANSWERS = frozenset({"lost", "hang", "garbage", "cutjson", "noid", "http500-after", "gateway-504"})
ENDINGS = {
    "fail": "fail",
    "1027": "moderated",
    "moderated": "moderated",
    "input-moderated-late": "input-moderated",
    "expired": "expired",
}
_PLAIN = frozenset(
    {"weird-status", "lost-task", "flat", "url-string", "not-enabled", "cancel-lost"}
)
_VALUED = frozenset({"late", "seconds", "list-lag", "usage-more"})

_COUNTABLE = CREATE_CODES | HTTP_STATUSES.keys() | _ONCE | _ALWAYS
_UNCOUNTED = ANSWERS | ENDINGS.keys() | _PLAIN
NAMES = tuple(sorted(_COUNTABLE | _UNCOUNTED | {f"{name}=N" for name in _VALUED}))
"""All faults; those of creates, polls and downloads also take a count, as in `1002x2`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What was asked for: a name, and how often or how much."""

    asked: dict[str, float]

    def __contains__(self, name: str) -> bool:
        """Tell whether the fault was asked for at all."""
        return name in self.asked

    def hits(self, name: str, occasion: int) -> bool:
        """Tell whether the fault strikes on this occasion, counted from 1."""
        return occasion <= self.asked.get(name, 0)

    def value(self, name: str, default: float) -> float:
        """Return the number of a `name=N` fault."""
        return self.asked.get(name, default)

    @property
    def ending(self) -> str:
        """Return how the task ends: success, fail, moderated, input-moderated or expired."""
        return next((end for name, end in ENDINGS.items() if name in self.asked), "success")

    @property
    def answer(self) -> str:
        """Return the fault of the response to an accepted create; empty: it arrives."""
        return next((name for name in sorted(ANSWERS) if name in self.asked), "")

    def refusal(self, occasion: int) -> Refusal | None:
        """Return the refusal of a create that is the nth with exactly this body."""
        if self.hits("reset", occasion):
            return Refusal(RESET, note="[sandbox:reset]")
        for name in sorted(CREATE_CODES | HTTP_STATUSES.keys()):
            if self.hits(name, occasion):
                return Refusal(HTTP_STATUSES.get(name) or int(name), note=f"[sandbox:{name}]")
        return None

    @property
    def markers(self) -> list[str]:
        """Return the faults in a form that `read` takes back."""
        return [f"{name}={number:g}" for name, number in self.asked.items()]


def read(texts: Iterable[str]) -> Faults:
    """Read the markers of a prompt; an unknown one is refused, naming those that exist."""
    asked: dict[str, float] = {}
    for text in texts:
        for raw in MARKER.findall(text):
            name, number = _parse(raw.strip().lower())
            asked[name] = number
    return Faults(asked=asked)


def restore(markers: Iterable[str]) -> Faults:
    """Return the faults that the book kept for a task."""
    pairs = (marker.rsplit("=", 1) for marker in markers)
    return Faults(asked={name: float(number) for name, number in pairs})


def without_markers(text: str) -> str:
    """Return the text as it should appear in the picture."""
    whole = text.encode("utf-8", "replace").decode()  # half a character cannot be drawn
    return " ".join(MARKER.sub(" ", whole).split())


def _parse(raw: str) -> tuple[str, float]:
    name, sign, number = raw.partition("=")
    if sign and name in _VALUED:
        try:
            return name, min(ALWAYS, max(0.0, float(number)))
        except ValueError:
            raise invalid(f"[sandbox:{raw}] needs a number") from None
    counted = _COUNTED.fullmatch(raw)
    if counted and counted[1] in _COUNTABLE:
        return counted[1], int(counted[2])
    if raw in _COUNTABLE | _UNCOUNTED:
        return raw, 1 if raw in _ONCE else ALWAYS
    raise invalid(f"unknown marker [sandbox:{raw}]; known markers: {', '.join(NAMES)}")
