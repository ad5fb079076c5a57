"""How an answer and a refusal go out: the one place where our errors become a tool's answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

from hailuo_mcp.errors import (
    AuthenticationError,
    HailuoError,
    InsufficientBalanceError,
    InvalidRequestError,
)
from hailuo_mcp.wording.tasks import error_answer

_ONLY_A_PERSON = frozenset({AuthenticationError.code, InsufficientBalanceError.code})


def spoken(answer: Mapping[str, Any], *, text: str = "", is_error: bool = False) -> CallToolResult:
    """Say it twice: some clients show the model only the text, others only the structure."""
    line = text or json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(
        content=[TextContent(type="text", text=line)],
        structured_content=dict(answer),
        is_error=is_error,
    )


def refused(error: HailuoError, notice: str) -> CallToolResult:
    # Its detail is untrusted text of the provider's and may repeat the prompt: not for the model,
    # nor for the log.
    said = str(error)
    if error.charged == "no" and "charged" not in said and "costs nothing" not in said:
        said = f"{said} Nothing was charged."
    text = " ".join(part for part in (notice, said, _what_to_ask(error)) if part)
    # Pydantic AI shows the model the structure alone, and the Inspector holds it to the tool's
    # output schema, errors included: so it opens with the message, as every answer does.
    return spoken({"message": text, **error_answer(error)}, text=text, is_error=True)


def _what_to_ask(error: HailuoError) -> str:
    """What a model needs to hear beside the error, because it cannot do it itself."""
    if isinstance(error, InvalidRequestError) and error.no_such_file:
        return (
            "A picture attached to the chat does not reach this server: ask the person for the "
            "path of the file on this computer."
        )
    return "Tell the person: only they can do that." if error.code in _ONLY_A_PERSON else ""
