"""An upgrade: whether a clip can be made again at a higher resolution, and at what price."""

from __future__ import annotations

from hailuo_mcp.domain import UpgradeRequest
from hailuo_mcp.rules.judge import Checked, Seller


def check_upgrade(request: UpgradeRequest, seller: Seller) -> Checked[UpgradeRequest]:
    """Return it as it will be sent; InvalidRequestError names every problem at once."""
    raise NotImplementedError
