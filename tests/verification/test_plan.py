"""What a verification sends, and which clip it would buy."""

from decimal import Decimal
from pathlib import Path

import pytest

from hailuo_mcp import HailuoClient
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.verification.expected import operation_of
from hailuo_mcp.verification.plan import free_steps, refused_steps
from hailuo_mcp.verification.purchase import cheapest

DOCS = Path(__file__).parents[2].joinpath("docs", "verify.md").read_text(encoding="utf-8")
ROWS = list(PROVIDERS.values())
every_provider = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@every_provider
def test_a_question_reads_and_nothing_else(row):
    steps = free_steps(row)

    assert {step.request.method for step in steps} == {"GET"}
    assert steps[0].shows_key
    assert not any(step.must_be_refused for step in steps)


@every_provider
def test_what_must_be_refused_holds_nothing_that_could_be_made(row):
    """Hosts have taken nonsense beside a legal model, and charged for it (facts 1.4)."""
    steps = refused_steps(row)

    assert 1 <= len(steps) <= 3
    for step in steps:
        held = dict(step.request.json or {})
        assert held in ({}, {"template_id": "1"}, {"enable_prompt_expansion": True}), step.name
        assert step.must_be_refused
        assert step.codes, "an answer that is no refusal is found"


@every_provider
def test_each_step_asks_for_what_it_says_and_is_documented(row):
    for step in (*free_steps(row), *refused_steps(row)):
        assert operation_of(row, step.request) is step.operation, step.name
        line = next(it for it in DOCS.splitlines() if it.startswith(f"| {step.name} |"))
        assert line.endswith(f"| {step.documented} |")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "amount", "model", "resolution"),
    [
        ("minimax-cn", "0.60", "MiniMax-Hailuo-02", "512P"),
        ("minimax-global", "0.10", "MiniMax-Hailuo-02", "512P"),
        ("sandbox", "0.60", "MiniMax-Hailuo-02", "512P"),
        ("hingnet", None, "MiniMax-Hailuo-02", "512P"),
        ("xcompute", None, "MiniMax-Hailuo-2.3-Fast", "768P"),
        ("compat", None, "MiniMax-Hailuo-2.3", "768P"),
        ("compat-v3", None, "MiniMax-Hailuo-2.3", "768P"),
    ],
)
async def test_the_cheapest_clip_is_legal(name, amount, model, resolution):
    async with HailuoClient("k", provider=name) as client:
        request = cheapest(client.seller, client.provider)
        prepared = await client.prepare(request)

    assert (request.model, request.resolution, request.duration) == (model, resolution, 6)
    assert prepared.quote.amount == (Decimal(amount) if amount else None)
    takes_links_only = name.startswith("compat")
    assert request.mode is (Mode.T2V if takes_links_only else Mode.I2V)


def test_every_provider_has_its_cheapest_clip_in_the_test_above():
    marks = test_the_cheapest_clip_is_legal.pytestmark
    rows = next(mark.args[1] for mark in marks if mark.name == "parametrize")
    assert {row[0] for row in rows} == set(PROVIDERS)
