"""What may be bought: model, mode, size, pictures and prompt are judged here, before any request."""

from hailuo_mcp.check.images import image_problems
from hailuo_mcp.check.video import Checked, Nearest, check_video, nearest_video

__all__ = [
    "Checked",
    "Nearest",
    "check_video",
    "image_problems",
    "nearest_video",
]
