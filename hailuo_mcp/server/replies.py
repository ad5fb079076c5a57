"""How an answer and a refusal go out: the one place where our errors become a tool's answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

from hailuo_mcp import answers
from hailuo_mcp.errors import HailuoError


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
    text = f"{notice} {said}".strip()
    # Pydantic AI shows the model the structure alone, and the Inspector holds it to the tool's
    # output schema, errors included: so it opens with the message, as every answer does.
    return spoken({"message": text, **answers.error_answer(error)}, text=text, is_error=True)
