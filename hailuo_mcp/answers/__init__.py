"""What agents and scripts read: plain dictionaries with a message first, for both faces.

A name is loaded when it is first asked for; a server that only lists its tools needs the shapes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hailuo_mcp.answers.costs import (
        cost_estimate,
        no_such_template,
        offer_words,
        prices,
        purchase_quote,
        spending,
        template_choice,
    )
    from hailuo_mcp.answers.sentences import progress_line
    from hailuo_mcp.answers.shapes import (
        Cost,
        CostEstimate,
        ErrorAnswer,
        ErrorFacts,
        PackEstimate,
        Prices,
        PurchaseQuote,
        SavedVideo,
        SpendingSoFar,
        TaskList,
        TaskRow,
        VideoTask,
    )
    from hailuo_mcp.answers.tasks import (
        error_answer,
        facts,
        list_facts,
        saved_video,
        still,
        still_listed,
        task_list,
        video_task,
    )

__all__ = [
    "Cost",
    "CostEstimate",
    "ErrorAnswer",
    "ErrorFacts",
    "PackEstimate",
    "Prices",
    "PurchaseQuote",
    "SavedVideo",
    "SpendingSoFar",
    "TaskList",
    "TaskRow",
    "VideoTask",
    "cost_estimate",
    "error_answer",
    "facts",
    "list_facts",
    "no_such_template",
    "offer_words",
    "prices",
    "progress_line",
    "purchase_quote",
    "saved_video",
    "spending",
    "still",
    "still_listed",
    "task_list",
    "template_choice",
    "video_task",
]

_HOMES = {
    "cost_estimate": "costs",
    "error_answer": "tasks",
    "facts": "tasks",
    "list_facts": "tasks",
    "no_such_template": "costs",
    "offer_words": "costs",
    "prices": "costs",
    "progress_line": "sentences",
    "purchase_quote": "costs",
    "saved_video": "tasks",
    "spending": "costs",
    "still": "tasks",
    "still_listed": "tasks",
    "task_list": "tasks",
    "template_choice": "costs",
    "video_task": "tasks",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # the module protocol
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'shapes')}"), name)
