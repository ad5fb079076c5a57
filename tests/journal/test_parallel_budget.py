"""A hundred purchases at once, from four processes, against a budget for ten."""

from pathlib import Path

import pytest

from .buying import together
from .stores import STORES


@pytest.mark.slow
def test_a_hundred_calls_from_four_processes_buy_exactly_what_the_budget_allows(
    tmp_path: Path,
) -> None:
    from hailuo_mcp.sandbox.options import SandboxOptions
    from hailuo_mcp.sandbox.report import read_book
    from hailuo_mcp.sandbox.serve import serve_in_thread

    options = SandboxOptions(state_dir=tmp_path / "sandbox", fast_clips=True, seconds_to_ready=60)
    with serve_in_thread(options) as sandbox:
        results = together("calls", 4, sandbox.base_url, str(tmp_path))
    assert sum(bought for bought, _, _ in results) == 10
    assert sum(refused for _, refused, _ in results) == 90
    assert max(held for _, _, held in results) == 20
    book = read_book(tmp_path / "sandbox")
    assert book["totals"]["creates_accepted"] == 10
    (account,) = book["accounts"].values()
    assert account["bill"]["cny"] == "20.00"


@pytest.mark.parametrize("store", STORES)
def test_a_hundred_transactions_from_four_connections_pass_no_budget(
    tmp_path: Path, store: str
) -> None:
    """The same at the journal alone, where nothing else slows them down."""
    said = together("transactions", 4, store, str(tmp_path))
    assert len(said) == 4
    assert sum(bought for bought, _ in said) == 10
    assert max(known for _, known in said) == 10
