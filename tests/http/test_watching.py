"""docs/operating: the board and the alerts ask for what /metrics really gives."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from .conftest import TOKENS

OPERATING = Path(__file__).parents[2] / "docs/operating"
BOARD = json.loads((OPERATING / "grafana.json").read_text("utf-8"))
ALERTS = yaml.safe_load((OPERATING / "alerts.yaml").read_text("utf-8"))
OF_PROMETHEUS = {"up": {"job", "instance"}}
ADDED = {"job", "instance"}
"""The labels that Prometheus gives to everything."""

Seen = dict[str, dict[str, set[str]]]
"""The values of each label of each metric."""


@pytest.fixture
async def figures(serve, tmp_path, monkeypatch) -> str:
    """/metrics after the operator's caller and a tenant have bought a clip each."""
    monkeypatch.setitem(TOKENS, "acme", "acmes-token-0123456789")
    digest = hashlib.sha256(TOKENS["acme"].encode()).hexdigest()
    file = tmp_path / "tenants.toml"
    file.write_text(f'[tenants.acme]\ntokens = ["sha256:{digest}"]\nbudget = 50\n')
    server = serve(
        callbacks=True,
        HAILUO_BUDGET="1000",
        HAILUO_TENANTS=str(file),
        HAILUO_HTTP_TOKENS=f"alice:{TOKENS['alice']}",
    )
    for caller in ("alice", "acme"):
        async with server.client(caller=caller) as client:
            made = await client.call_tool("generate_video", {"prompt": "A boat"})
            ids = {"task_id": made.structured_content["task_id"], "wait_seconds": 20}
            await client.call_tool("download_video", ids)
    with server.http() as http:
        return http.get("/metrics").text


@pytest.fixture
def seen(figures: str) -> Seen:
    found: Seen = defaultdict(lambda: defaultdict(set))
    for family in text_string_to_metric_families(figures):
        for sample in family.samples:
            found[sample.name] = found[sample.name]
            for label, value in sample.labels.items():
                found[sample.name][label].add(value)
    return found


def alert_queries() -> Iterator[str]:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def board_queries() -> Iterator[str]:
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m").replace("$tenant", ".*")


def faults(query: str, seen: Seen) -> list[str]:
    """What the query asks for and nobody gives."""
    found: list[str] = []
    grouped: set[str] = set()
    metrics: list[str] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            grouped.update(node.modifier.labels)
        if isinstance(node, promql.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql.VectorSelector):
            metrics.append(node.name)
            if node.name not in seen and node.name not in OF_PROMETHEUS:
                found.append(f"there is no metric {node.name}")
            for matcher in node.matchers.matchers:
                given = seen.get(node.name, {})
                if matcher.name in ADDED or matcher.value == ".*":
                    continue
                if matcher.name not in given:
                    found.append(f"{node.name} has no label {matcher.name}")
                values = set(matcher.value.split("|"))
                if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re):
                    found.extend(
                        f"{matcher.name} of {node.name} is never {value}"
                        for value in values - given.get(matcher.name, set())
                    )
        return True

    promql.walk(promql.parse(query), visit)
    labels = {label for name in metrics for label in seen.get(name, {})} | ADDED
    found.extend(f"no label {label} to group by" for label in grouped - labels)
    return found


@pytest.mark.anyio
async def test_the_board_and_the_alerts_ask_for_what_is_measured(seen: Seen) -> None:
    queries = [*alert_queries(), *board_queries()]
    assert len(queries) > 25
    assert {query: wrong for query in queries if (wrong := faults(query, seen))} == {}


@pytest.mark.anyio
async def test_what_a_tenant_does_is_counted_as_the_tenants(figures: str) -> None:
    lines = dict(line.rsplit(" ", 1) for line in figures.splitlines() if line[:1] != "#")

    for tenant in ("", "acme"):
        bought = f'{{outcome="ok",tenant="{tenant}",tool="generate_video"}}'
        assert lines[f"hailuo_tool_calls_total{bought}"] == "1.0"
        for event in ("recorded", "submitted", "answered", "ready", "saved"):
            assert lines[f'hailuo_events_total{{event="{event}",tenant="{tenant}"}}'] == "1.0"
        failed = f'{{outcome="failed",tenant="{tenant}",tool="query_task"}}'
        assert lines[f"hailuo_tool_calls_total{failed}"] == "0.0"
    assert lines['hailuo_tasks{status="succeeded"}'] == "2.0"
    assert lines['hailuo_tenant_tasks{status="succeeded",tenant="acme"}'] == "1.0"


@pytest.mark.anyio
async def test_a_query_for_something_else_would_be_noticed(seen: Seen) -> None:
    assert faults('rate(hailuo_no_such_total{a="b"}[5m])', seen)
    assert faults('hailuo_tasks{state="pending"}', seen)
    assert faults('hailuo_tasks{status="waiting"}', seen)
    assert faults("sum by (tool) (hailuo_tasks)", seen)


@pytest.mark.anyio
async def test_everything_that_is_measured_stands_on_the_board(seen: Seen) -> None:
    text = " ".join(board_queries())
    ours = {name for name in seen if name.startswith("hailuo_")}
    bases = {
        name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
        for name in ours
        if not name.endswith("_created")
    }
    assert {name for name in bases if name not in text} == set()


def test_each_alert_says_how_bad_it_is_and_what_has_happened() -> None:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("critical", "warning", "info")
            assert rule["annotations"]["summary"]


def test_each_alert_stands_in_the_page_with_what_to_do() -> None:
    page = (OPERATING.parent / "serving.md").read_text("utf-8")
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert f"`{rule['alert']}`" in page


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_accepts_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(OPERATING / "alerts.yaml")], check=True)


def test_every_panel_of_the_board_has_its_own_place() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
