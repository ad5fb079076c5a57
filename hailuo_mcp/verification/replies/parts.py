"""What the documented replies of all formats are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, NamedTuple, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from hailuo_mcp.dialects.dialect import NO_TASK, Provider
from hailuo_mcp.dialects.parsing import link_text
from hailuo_mcp.verification.facts import Exchange, Kind, Operation

OTHER_TYPE = "documented_type"
"""The type of an error whose context names what is documented."""
NOT_A_LINK = "documented_link"


class Shape(BaseModel):
    """A documented JSON object."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)


class OpenShape(BaseModel):
    """An object of which the documents name only some fields."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", strict=True)


class Finding(NamedTuple):
    """A difference before it is worded for a provider."""

    kind: Kind
    where: str
    expected: str = ""
    found: str = ""
    told: object = None
    """What the provider chose, to be redacted, in place of `found`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is documented for one reply."""

    shape: type[BaseModel] | None
    """None: nothing is documented of it."""
    statuses: frozenset[int]
    refused: bool = False
    codes: Mapping[str, str] = field(default_factory=dict[str, str])
    """The codes that the reply holds, by where they stand."""
    documented: frozenset[str] = frozenset()
    """The codes documented for this operation."""
    elsewhere: frozenset[str] = frozenset()
    """Codes that the provider documents for something else."""
    more: tuple[Finding, ...] = ()
    """What no model of one object can say."""
    headers: tuple[str, ...] = ()


Asked = tuple[str, str]
"""A method and a path."""


class Judge(Protocol):
    """Says what is documented for a reply with this body."""

    def __call__(
        self, provider: Provider, exchange: Exchange, body: Mapping[str, object]
    ) -> Expected: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One wire format: its addresses, and what is documented as their answers."""

    operations: Mapping[Asked, Operation]
    with_id: Mapping[str, Operation] = field(default_factory=dict[str, Operation])
    """Paths of GET requests whose last part, not given here, is an id."""
    expected: Judge


def _text_or_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticCustomError(OTHER_TYPE, "{expected}", {"expected": "text or a whole number"})
    return value


def _link(value: object) -> object:
    if isinstance(value, str) and value and not link_text(value):
        raise PydanticCustomError(NOT_A_LINK, "not a link")
    return value


def _links(value: object) -> object:
    found: list[object] = list(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if not found or not all(isinstance(it, str) for it in found):
        raise PydanticCustomError(
            OTHER_TYPE, "{expected}", {"expected": "a link or a list of links"}
        )
    if "" in found:
        raise PydanticCustomError(NOT_A_LINK, "not a link")
    return [_link(it) for it in found]


def nothing(value: object) -> str:
    """Say in what way the text in an id's place is no id; empty if it may be one."""
    text = value.strip() if isinstance(value, str) else "an id"
    return "empty" if not text else "0" if text == NO_TASK else ""


Size = Annotated[int, Field(ge=0)]
"""A number of something."""
TextOrNumber = Annotated[object, BeforeValidator(_text_or_number)]
Link = Annotated[str, BeforeValidator(_link)]
"""An http(s) link, or an empty text."""
Links = Annotated[object, BeforeValidator(_links)]
"""One http(s) link or several."""
