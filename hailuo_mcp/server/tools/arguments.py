"""Reads what a client sent: blanks, ids written as numbers, and clear messages for mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import (
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticKnownError

from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.text import LONGEST_ID, is_number, shown

_BLANK: tuple[object, ...] = (None, "", "null", [], {})
_NUMBERS: Mapping[object, Literal["int_parsing", "float_parsing"]] = {
    int: "int_parsing",
    float: "float_parsing",
}


class Arguments(ArgModelBase):
    """A tool's arguments; the handler gets them as one object, named `wanted`."""

    # defer_build: a validator is built at a tool's first call, not when the server starts.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_as_people_write_them(cls, value: object, info: ValidationInfo) -> object:
        kind = _NUMBERS.get(cls.model_fields[info.field_name or ""].annotation)
        if kind and isinstance(value, str) and not is_number(value):
            raise PydanticKnownError(kind)
        return value

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """By name: a tool's own first, then those that it shares with others."""
        own = {name: cls.model_fields[name] for name in cls.__annotations__}
        return own | {name: it for name, it in cls.model_fields.items() if name not in own}

    def model_dump_one_level(self) -> dict[str, Any]:
        return {"wanted": self}

    def given(self) -> dict[str, Any]:
        """What differs from the defaults: a default means "not given"."""
        return self.model_dump(exclude_defaults=True)


def _exact(value: object) -> object:
    """An id as text: an integer is exact, a float is not, and some text cannot be stored."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, float):
        raise ValueError("a number cannot hold all digits of an id: write it as text")  # noqa: TRY004  pydantic reads ValueError
    if isinstance(value, str):
        if len(value) > LONGEST_ID:
            raise ValueError(f"must be at most {LONGEST_ID} characters")
        if any("\ud800" <= mark <= "\udfff" for mark in value):
            raise ValueError("contains an unpaired surrogate (invalid Unicode)")
    return value


def _size(value: object) -> object:
    """768 is how many APIs write 768P."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _several(value: object) -> object:
    one = isinstance(value, (str, int)) and not isinstance(value, bool)
    return [value] if one else value


def _numbers(value: object) -> object:
    """One number is a list of one."""
    several = cast("list[object]", value) if isinstance(value, list) else [value]
    if any(isinstance(one, str) and not is_number(one) for one in several):
        raise PydanticKnownError("int_parsing")
    return several


def _word(value: object) -> object:
    """One of few words, in any case and with any space in it."""
    return "_".join(value.lower().replace("-", " ").split()) if isinstance(value, str) else value


Id = Annotated[str, BeforeValidator(_exact)]
"""Ours and the providers' are text; MiniMax's have 18 digits."""
Size = Annotated[str, BeforeValidator(_size)]
Texts = Annotated[list[str], BeforeValidator(_several)]
Ids = Annotated[list[Id], BeforeValidator(_several)]
Numbers = Annotated[list[int], BeforeValidator(_numbers)]
Word = BeforeValidator(_word)
"""Annotates a Literal."""

_ZERO_IS_A_VALUE = frozenset({"wait_seconds", "at_seconds"})
"""Arguments of which 0 does not mean "not given"."""


def read_arguments(tool: str, kind: type[Arguments], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what means "not given"; refuse what does not exist.

    Raises:
        InvalidRequestError: an argument that the tool does not have.
    """
    from hailuo_mcp.server.tools.argument_names import unknown_arguments

    fields = kind.fields()
    if wrong := [name for name, value in sent.items() if name not in fields and value is not None]:
        raise unknown_arguments(tool, wrong, fields)
    return {
        name: value
        for name, value in sent.items()
        if name in fields
        and not _is_blank(
            value, zero=name not in _ZERO_IS_A_VALUE and fields[name].annotation is not bool
        )
    }


def _is_blank(value: object, *, zero: bool) -> bool:
    """Whether a value means "not given"; `zero`: 0 does, too."""
    if isinstance(value, bool):
        return False
    return (
        value in _BLANK or (isinstance(value, str) and not value.strip()) or (zero and value == 0)
    )


def invalid_arguments(tool: str, wrong: ValidationError) -> InvalidRequestError:
    """What is wrong with the values, in plain words."""
    rows = "; ".join(_mistake(error) for error in wrong.errors(include_url=False)[:8])
    return InvalidRequestError(f"{tool} was not called. {rows}.")


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
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}


def _mistake(error: ErrorDetails) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "arguments"
    problem = _PLAIN.get(error["type"], error["msg"]).format_map(error.get("ctx", {}))
    if error["type"] == "missing":
        return f"{name}: {problem}"
    return f"{name}: {problem} (got {shown(repr(error['input']))})"
