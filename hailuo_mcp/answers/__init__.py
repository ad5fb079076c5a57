"""What agents and scripts read: plain dictionaries with a message first, for both faces."""

from hailuo_mcp.answers.costs import cost_estimate, spending, template_choice
from hailuo_mcp.answers.sentences import progress_line
from hailuo_mcp.answers.shapes import (
    Cost,
    CostEstimate,
    ErrorAnswer,
    ErrorFacts,
    PackEstimate,
    Prices,
    SavedVideo,
    SpendingSoFar,
    TaskList,
    TaskRow,
    VideoTask,
)
from hailuo_mcp.answers.tasks import error_answer, saved_video, task_list, video_task

__all__ = [
    "Cost",
    "CostEstimate",
    "ErrorAnswer",
    "ErrorFacts",
    "PackEstimate",
    "Prices",
    "SavedVideo",
    "SpendingSoFar",
    "TaskList",
    "TaskRow",
    "VideoTask",
    "cost_estimate",
    "error_answer",
    "progress_line",
    "saved_video",
    "spending",
    "task_list",
    "template_choice",
    "video_task",
]
