"""What a clip would have cost: the sandbox's own copy of the published prices, for its book.

Credits: seed 000. CNY and USD, pay as you go: facts 5.1, checked 2026-07-10.
"""

from __future__ import annotations

_FAST, _HAILUO_23, _HAILUO_02 = "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-02"

_PRICES: dict[tuple[str, str, int], tuple[str, str, str]] = {
    (_FAST, "768P", 6): ("0.7", "1.35", "0.19"),
    (_FAST, "768P", 10): ("1.1", "2.25", "0.32"),
    (_FAST, "1080P", 6): ("1.3", "2.31", "0.33"),
    (_HAILUO_02, "512P", 6): ("0.3", "0.60", "0.10"),
    (_HAILUO_02, "512P", 10): ("0.5", "1.00", "0.15"),
}
for _model in (_HAILUO_23, _HAILUO_02):
    _PRICES[_model, "768P", 6] = ("1", "2.00", "0.28")
    _PRICES[_model, "768P", 10] = ("2", "4.00", "0.56")
    _PRICES[_model, "1080P", 6] = ("2", "3.50", "0.49")


def price(model: str, resolution: str, duration: int) -> tuple[str, str, str]:
    """Return credits, CNY and USD as decimal strings, empty where nothing is published."""
    return _PRICES.get((model, resolution.upper(), duration), ("", "", ""))
