"""What the registry and Claude Desktop are told about the package agrees with the package."""

import hashlib
import json
import re
import runpy
import tomllib
from pathlib import Path

import jsonschema
import pytest

import hailuo_mcp
from hailuo_mcp.cli.set_up.doctor.settings import known_variables
from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, PROVIDERS
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.settings import Settings

ROOT = Path(__file__).parents[2]
entry = runpy.run_path(str(ROOT / "packaging/server-json"))["entry"]
REGISTRY = entry(None)
BUNDLE = json.loads((ROOT / "packaging/mcpb/manifest.json").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGE = REGISTRY["packages"][0]


def _needed(kind: str, *names: str, without: str) -> dict:
    """What a package of this kind must have, and must not."""
    return {
        "if": {"properties": {"registryType": {"const": kind}}},
        "then": {"required": [*names], "properties": {without: False}},
    }


# The registry's rules for server.json of 2025-12-11, as far as this file has what they are about.
INPUT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "default": {"type": "string"},
        "choices": {"type": "array", "items": {"type": "string"}},
        "format": {"enum": ["string", "number", "boolean", "filepath"]},
        "isRequired": {"type": "boolean"},
        "isSecret": {"type": "boolean"},
        "placeholder": {"type": "string"},
    },
    "additionalProperties": False,
}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
EXACT_VERSION = {"type": "string", "pattern": r"^\d+\.\d+\.\d+([-.+a-z0-9]*)$"}
RULES = {
    "type": "object",
    "required": ["$schema", "name", "description", "version", "packages"],
    "properties": {
        "$schema": {
            "const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
        },
        "name": {"type": "string", "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": EXACT_VERSION,
        "websiteUrl": {"type": "string", "format": "uri"},
        "repository": {
            "type": "object",
            "required": ["url", "source"],
            "properties": {"url": {"type": "string"}, "source": {"const": "github"}},
            "additionalProperties": False,
        },
        "packages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["registryType", "identifier", "transport"],
                "properties": {
                    "registryType": {"enum": ["pypi", "mcpb", "oci"]},
                    "identifier": {"type": "string"},
                    "version": EXACT_VERSION,
                    "fileSha256": SHA256,
                    "runtimeHint": {"enum": ["uvx", "docker"]},
                    "transport": {"const": {"type": "stdio"}},
                    "environmentVariables": {"type": "array", "items": INPUT},
                },
                "additionalProperties": False,
                "allOf": [
                    _needed("pypi", "version", without="fileSha256"),
                    _needed("mcpb", "fileSha256", without="version"),
                    _needed("oci", without="version"),  # it is in the identifier
                ],
            },
        },
    },
    "additionalProperties": False,
}


@pytest.fixture
def released(tmp_path: Path) -> dict:
    """The entry as a release publishes it."""
    bundle = tmp_path / "hailuo-mcp.mcpb"
    bundle.write_bytes(b"a bundle")
    return entry(bundle)


def test_the_registrys_rules_hold(released: dict):
    jsonschema.validate(REGISTRY, RULES)
    jsonschema.validate(released, RULES)


def test_a_release_offers_the_package_the_bundle_and_the_image(released: dict):
    package, bundle, image = released["packages"]
    version, home = hailuo_mcp.__version__, PROJECT["project"]["urls"]["Source"]
    assert package == PACKAGE
    assert bundle["identifier"] == f"{home}/releases/download/v{version}/hailuo-mcp.mcpb"
    assert bundle["fileSha256"] == hashlib.sha256(b"a bundle").hexdigest()
    assert image["identifier"] == f"ghcr.io/hailuo-mcp/hailuo-mcp:{version}-stdio"
    assert image["environmentVariables"] == package["environmentVariables"]
    recipe = (ROOT / "Dockerfile").read_text("utf-8")
    assert f'io.modelcontextprotocol.server.name="{released["name"]}"' in recipe


def test_the_version_stands_in_one_place():
    kept = json.loads((ROOT / "packaging/server.json").read_text("utf-8"))
    assert "version" not in {*kept, *kept["packages"][0], *BUNDLE}
    assert REGISTRY["version"] == PACKAGE["version"] == hailuo_mcp.__version__
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "hailuo_mcp/__init__.py"
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## \[(\S+)\]", changes, re.MULTILINE)[1] == hailuo_mcp.__version__


def test_the_registry_finds_its_name_in_the_readme():
    assert f"<!-- mcp-name: {REGISTRY['name']} -->" in (ROOT / "README.md").read_text("utf-8")
    assert PACKAGE["identifier"] == PROJECT["project"]["name"]
    assert PROJECT["project"]["readme"] == "README.md"
    # `uvx NAME` starts the script of the distribution's own name.
    assert PROJECT["project"]["name"] in PROJECT["project"]["scripts"]


def test_what_the_registry_asks_for_are_settings():
    variables = {each["name"]: each for each in PACKAGE["environmentVariables"]}
    assert set(variables) <= set(known_variables())
    assert variables["HAILUO_PROVIDER"]["choices"] == list(PROVIDERS)
    assert variables["HAILUO_PROVIDER"]["default"] == DEFAULT_PROVIDER
    assert variables["HAILUO_API_KEY"]["isSecret"] is True
    Settings.from_env({n: each["default"] for n, each in variables.items() if "default" in each})


def test_the_bundle_asks_for_what_it_fills_in_and_names_the_tools():
    config = BUNDLE["server"]["mcp_config"]
    asked = set(re.findall(r"\$\{user_config\.(\w+)\}", json.dumps(config)))
    assert asked == set(BUNDLE["user_config"])
    assert set(config["env"]) <= set(known_variables())
    assert BUNDLE["user_config"]["api_key"]["sensitive"] is True
    assert [tool["name"] for tool in BUNDLE["tools"]] == [tool.name for tool in all_tools()]
    assert config["args"][-1] in PROJECT["project"]["scripts"]
    assert (ROOT / BUNDLE["server"]["entry_point"]).is_file()
    oldest = BUNDLE["compatibility"]["runtimes"]["python"]
    assert oldest == PROJECT["project"]["requires-python"]


@pytest.mark.parametrize("filled", [{}, {"provider": "sandbox", "budget": "50"}])
def test_the_bundles_settings_can_be_used_however_little_the_app_fills_in(filled: dict[str, str]):
    env = dict(BUNDLE["server"]["mcp_config"]["env"])
    for name, value in filled.items():
        env = {k: v.replace(f"${{user_config.{name}}}", value) for k, v in env.items()}
    read = Settings.from_env(env)
    assert read.provider == filled.get("provider", DEFAULT_PROVIDER)
    assert read.api_key is None
