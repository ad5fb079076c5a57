"""The use cases: what a person or an agent can ask for, without knowing who asks or who answers."""

from hailuo_mcp.studio.desk import Desk, Rules
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.studio.views import Listing, Offer, Progress, Saved, Spending, Terms, View

__all__ = [
    "Desk",
    "Listing",
    "Offer",
    "Progress",
    "Rules",
    "Saved",
    "Spending",
    "Studio",
    "Terms",
    "View",
]
