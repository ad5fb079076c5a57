"""docs/operating: what an operator applies is accepted by what reads it, and fits this program."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
import yaml

from hailuo_mcp.server.http.app import DRAIN_SECONDS
from hailuo_mcp.settings.table import SETTINGS
from hailuo_mcp.telemetry.tracing import FLUSH_SECONDS
from hailuo_mcp.worker.worker import CLOSE_SECONDS

ROOT = Path(__file__).parents[2]
OPERATING = ROOT / "docs/operating"
COMPOSE = (OPERATING / "compose.yaml").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
CLUSTER: dict[str, Any] = {
    one["kind"]: one for one in yaml.safe_load_all((OPERATING / "kubernetes.yaml").read_text())
}
POD = CLUSTER["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
REPLICAS = [name for name, service in SERVICES.items() if service["image"] == "hailuo-mcp"]
ENDING = DRAIN_SECONDS + CLOSE_SECONDS + FLUSH_SECONDS
"""The seconds that a replica may take to end."""


def variables() -> set[str]:
    """Every variable of ours that is set in the files."""
    ours = {entry["name"] for entry in CONTAINER["env"]}
    for name in REPLICAS:
        ours |= set(SERVICES[name]["environment"])
    return {name for name in ours if name.startswith("HAILUO_")}


def test_compose_reads_the_file() -> None:
    compose_spec.PyCompose.from_yaml(COMPOSE).validate()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("restart: unless-stopped", "restart: sometimes"),
        ("stop_grace_period", "stop_grace"),
        ("- tenants:/etc/hailuo", "- tenant:/etc/hailuo"),
    ],
)
def test_compose_would_not_read_a_wrong_file(right: str, wrong: str) -> None:
    assert right in COMPOSE
    with pytest.raises(ValueError, match=r"."):
        compose_spec.PyCompose.from_yaml(COMPOSE.replace(right, wrong)).validate()


def test_two_replicas_share_a_database_and_a_bucket_behind_the_proxy() -> None:
    assert len(REPLICAS) == 2
    first, second = (SERVICES[name]["environment"] for name in REPLICAS)
    assert first == second
    assert "@database:" in first["HAILUO_DATABASE_URL"]
    assert first["AWS_ENDPOINT_URL"] == "http://files:7070"
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert all(":" in port and port.startswith("127.") for port in SERVICES["proxy"]["ports"])


@pytest.mark.parametrize("proxy", ["haproxy.cfg", "nginx.conf"])
def test_the_proxies_know_both_replicas(proxy: str) -> None:
    text = (OPERATING / proxy).read_text()
    assert set(re.findall(r"^ +server .*?([\w-]+):8000", text, re.MULTILINE)) == set(REPLICAS)


def test_every_variable_that_compose_needs_is_in_the_example() -> None:
    example = (OPERATING / "example.env").read_text()
    wanted = set(re.findall(r"\$\{(\w+)", COMPOSE))
    assert wanted == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_the_image_that_compose_builds_exists() -> None:
    build = SERVICES[REPLICAS[0]]["build"]
    recipe = (OPERATING / build["context"] / "Dockerfile").resolve()
    assert recipe == ROOT / "Dockerfile"
    assert f"AS {build['target']}\n" in recipe.read_text()


def test_what_the_files_set_are_settings() -> None:
    known = {f"HAILUO_{name.upper()}" for name in SETTINGS}
    assert variables() - known == set()


@pytest.mark.parametrize("kind", CLUSTER)
@pytest.mark.parametrize("version", ["1.30", "1.33"])
def test_kubernetes_accepts_the_file(kind: str, version: str) -> None:
    kubernetes_validate.validate(CLUSTER[kind], version, strict=True)


def test_kubernetes_would_not_accept_a_wrong_file() -> None:
    wrong = {**CLUSTER["PodDisruptionBudget"], "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.33", strict=True)


def test_all_parts_mean_the_same_pods() -> None:
    labels = CLUSTER["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        CLUSTER["Deployment"]["spec"]["selector"]["matchLabels"],
        CLUSTER["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        CLUSTER["Service"]["spec"]["selector"],
        POD["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ):
        assert selector == labels
    (port,) = CONTAINER["ports"]
    assert CLUSTER["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {
        volume["name"] for volume in POD["volumes"]
    }


def test_a_replica_has_time_to_end() -> None:
    before = float(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    assert POD["terminationGracePeriodSeconds"] >= before + ENDING
    for name in REPLICAS:
        assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= ENDING


def test_no_secret_stands_in_the_files() -> None:
    secret = ("KEY", "PASSWORD", "SECRET", "TOKEN", "DATABASE_URL", "ACCESS_KEY_ID")
    for entry in CONTAINER["env"]:
        if entry["name"].endswith(secret):
            assert entry["valueFrom"]["secretKeyRef"]["name"] == "hailuo", entry["name"]
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith(secret[:4]) and "ACCESS_KEY" not in name.removesuffix("SECRET_KEY"):
                assert value.startswith("${"), name


def test_a_pod_counts_once_it_could_buy_and_stays_while_it_answers() -> None:
    (_, _, script) = CONTAINER["startupProbe"]["exec"]["command"]
    compile(script, "startupProbe", "exec")
    assert "/ready" in script
    for probe in ("readinessProbe", "livenessProbe"):
        asked = CONTAINER[probe]["httpGet"]
        assert asked["path"] == "/health"
        assert {"name": "Host", "value": "localhost"} in asked["httpHeaders"]
