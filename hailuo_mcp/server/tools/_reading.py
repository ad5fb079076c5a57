"""From what a client sent to what a tool takes: blanks, odd ids, and plain words for mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import (
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticKnownError

from hailuo_mcp.domain import LONGEST_ID
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.server.tools._spelling import unknown_arguments
from hailuo_mcp.text import is_number

_BLANK: tuple[object, ...] = (None, "", "null", [], {})
_PARSING: Mapping[object, Literal["int_parsing", "float_parsing"]] = {
    int: "int_parsing",
    float: "float_parsing",
}
_SHOWN = 40


class Arguments(ArgModelBase):
    """A tool's arguments; the handler gets them as one object, named `wanted`."""

    # defer_build: a validator is made at a tool's first call, not at the server's start.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: object, info: ValidationInfo) -> object:
        kind = _PARSING.get(cls.model_fields[info.field_name or ""].annotation)
        if kind and isinstance(value, str) and not is_number(value):
            raise PydanticKnownError(kind)
        return value

    def model_dump_one_level(self) -> dict[str, Any]:
        return {"wanted": self}


def _exact(value: object) -> object:
    """An id as text: exact as an integer, spoilt as a float, and such as can be written down."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, float):
        raise ValueError("ids have more digits than such a number keeps: write it as text")  # noqa: TRY004  pydantic reads ValueError
    if isinstance(value, str):
        if len(value) > LONGEST_ID:
            raise ValueError(f"must be at most {LONGEST_ID} characters")
        if any("\ud800" <= mark <= "\udfff" for mark in value):
            raise ValueError("holds half of a character, which no text can")
    return value


def _size(value: object) -> object:
    """768 is how many APIs write 768P."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Id = Annotated[str, BeforeValidator(_exact)]
"""Ours and the providers' are text; MiniMax's have 18 digits."""
Size = Annotated[str, BeforeValidator(_size)]
Texts = Annotated[list[str], BeforeValidator(_several)]


def read(tool: str, kind: type[Arguments], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what means "not given"; refuse what does not exist.

    Raises:
        InvalidRequestError: an argument that the tool does not have.
    """
    fields = kind.model_fields
    if wrong := [name for name, value in sent.items() if name not in fields and value is not None]:
        raise InvalidRequestError(unknown_arguments(tool, wrong, fields))
    given: dict[str, Any] = {}
    for name, value in sent.items():
        if name not in fields:
            continue
        field = fields[name]
        blank = _is_blank(value) or (
            _is_zero(value) and field.annotation is not bool and name != "wait_seconds"
        )
        if not blank:
            given[name] = value
    return given


def _is_blank(value: object) -> bool:
    return value in _BLANK or (isinstance(value, str) and not value.strip())


def _is_zero(value: object) -> bool:
    return value == 0 and not isinstance(value, bool)


def mistakes(tool: str, wrong: ValidationError) -> InvalidRequestError:
    """What is wrong with the values, in plain words."""
    rows = "; ".join(_mistake(error) for error in wrong.errors(include_url=False)[:8])
    return InvalidRequestError(f"{tool} was not called, nothing was sent or charged. {rows}.")


_PLAIN = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list of texts",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}


def _mistake(error: ErrorDetails) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "arguments"
    told = _PLAIN.get(error["type"], error["msg"]).format_map(error.get("ctx", {}))
    if error["type"] == "missing":
        return f"{name}: {told}"
    shown = repr(error["input"])
    return f"{name}: {told} (got {shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''})"
