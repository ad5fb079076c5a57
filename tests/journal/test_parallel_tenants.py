"""Purchases of two tenants at once, from two processes: their walls, and the operator's above."""

from pathlib import Path

import pytest
from postgres import database_url

from .buying import together


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_hundred_calls_of_two_tenants_buy_what_both_walls_allow(
    tmp_path: Path, store: str
) -> None:
    from hailuo_mcp.sandbox.options import SandboxOptions
    from hailuo_mcp.sandbox.report import read_book
    from hailuo_mcp.sandbox.serve import serve_in_thread

    (tmp_path / "tenants.toml").write_text(
        "[tenants.acme]\nbudget = 6\nbudget_period = 'total'\n[tenants.bird]\n"
    )
    database = database_url(tmp_path) if store == "postgres" else ""
    options = SandboxOptions(state_dir=tmp_path / "sandbox", fast_clips=True, seconds_to_ready=60)
    with serve_in_thread(options) as sandbox:
        results = together("tenants", 2, sandbox.base_url, str(tmp_path), database)
        book = read_book(tmp_path / "sandbox")
    acmes, birds = (sum(one[at] for one in results) for at in (0, 1))
    # Each clip counts as 2: never more than 3 of acme's, and 10 of both together.
    assert acmes <= 3
    assert acmes + birds == 10
    assert min(left for _, _, left in results) == 0
    assert sum(len(account["tasks"]) for account in book["accounts"].values()) == 10
