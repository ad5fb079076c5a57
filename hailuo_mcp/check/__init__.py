"""What may be bought: model, mode, size, pictures and prompt, judged before any request."""

from hailuo_mcp.check.images import image_problems
from hailuo_mcp.check.nearest import Nearest, nearest_video
from hailuo_mcp.check.template import CheckedTemplate, check_template
from hailuo_mcp.check.video import Checked, check_video

__all__ = [
    "Checked",
    "CheckedTemplate",
    "Nearest",
    "check_template",
    "check_video",
    "image_problems",
    "nearest_video",
]
