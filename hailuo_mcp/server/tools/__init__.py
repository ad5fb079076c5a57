"""The tools, in the order in which an agent needs them."""

from mcp.server.mcpserver.tools import Tool

from hailuo_mcp.server.tools.cancel_task import cancel_task
from hailuo_mcp.server.tools.download_video import download_video
from hailuo_mcp.server.tools.estimate_cost import estimate_cost
from hailuo_mcp.server.tools.generate_from_template import generate_from_template
from hailuo_mcp.server.tools.generate_storyboard import generate_storyboard
from hailuo_mcp.server.tools.generate_video import generate_video
from hailuo_mcp.server.tools.list_tasks import list_tasks
from hailuo_mcp.server.tools.preview_video import preview_video
from hailuo_mcp.server.tools.query_task import query_task
from hailuo_mcp.server.tools.registration import (
    ASKS_PROVIDER,
    CANCELS,
    READS,
    SPENDS,
    WRITES,
    tool,
)
from hailuo_mcp.server.tools.upgrade_video import upgrade_video


def all_tools() -> list[Tool]:
    """Build them, with their schemas, once for each server."""
    return [
        tool(generate_video, title="Generate a video (costs money)", hints=SPENDS),
        tool(query_task, title="Wait for a video", hints=ASKS_PROVIDER),
        tool(list_tasks, title="List videos and spending", hints=READS),
        tool(download_video, title="Save a video", hints=WRITES),
        tool(preview_video, title="Look at a video", hints=READS),
        tool(estimate_cost, title="Estimate the cost", hints=READS),
        tool(cancel_task, title="Cancel a video", hints=CANCELS),
        tool(generate_from_template, title="Generate from a template (costs money)", hints=SPENDS),
        tool(upgrade_video, title="Upgrade a video to 2K (costs money)", hints=SPENDS),
        tool(generate_storyboard, title="Make a film of several shots (costs money)", hints=SPENDS),
    ]
