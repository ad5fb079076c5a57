"""Answers and errors as tool results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

from hailuo_mcp.errors import HailuoError


def tool_result(
    answer: Mapping[str, Any], *, text: str = "", is_error: bool = False
) -> CallToolResult:
    """Say it twice: some clients show the model only the text, others only the structure."""
    line = text or json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(
        content=[TextContent(type="text", text=line)],
        structured_content=dict(answer),
        is_error=is_error,
    )


def error_result(error: HailuoError, opening: str, *, of_tenant: bool = False) -> CallToolResult:
    from hailuo_mcp.wording import agent
    from hailuo_mcp.wording.tasks import error_answer

    # Its detail is untrusted text of the provider's and may repeat the prompt: not for the model,
    # nor for the log.
    text = agent.error_text(error, opening=opening, of_tenant=of_tenant)
    # Pydantic AI shows the model the structure alone, and the Inspector holds it to the tool's
    # output schema, errors included: so it opens with the message, as every answer does.
    return tool_result({"message": text, **error_answer(error)}, text=text, is_error=True)
