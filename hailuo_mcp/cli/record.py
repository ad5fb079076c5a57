"""A task as JSON for scripts: one shape, wherever a command prints one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hailuo_mcp.views import View


def task_record(view: View) -> dict[str, object]:
    """What a tool answers about the task, with the whole prompt, for a person's script.

    The schema is in docs/cli.md. Times are ISO 8601 in UTC, amounts decimal text.
    """
    from hailuo_mcp.wording.tasks import video_task

    return {**video_task(view), "prompt": view.task.prompt}
