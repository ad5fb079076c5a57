"""MCP Apps: the page and its tools are there for hosts that show pages, and for nobody else."""

from __future__ import annotations

import pytest
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID

from hailuo_mcp.server.gallery.extension import (
    APP_ONLY,
    BUYING,
    URI,
    WITH_PAGE,
    origin_of,
    page_meta,
)
from hailuo_mcp.server.gallery.page import gallery_page
from hailuo_mcp.server.gallery.tools import app_tools
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.server.tools.registration import SPENDS

pytestmark = pytest.mark.anyio

HOST = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]
OTHERS = [
    pytest.param([], id="nothing declared"),
    pytest.param([advertise(EXTENSION_ID)], id="no mime types"),
    pytest.param([advertise(EXTENSION_ID, {"mimeTypes": ["text/html"]})], id="another mime type"),
    pytest.param([advertise("com.example/ui", {"mimeTypes": [APP_MIME_TYPE]})], id="another one"),
]


def _described(tools):
    return [(it.name, it.title, it.description, it.input_schema, it.output_schema) for it in tools]


@pytest.mark.parametrize("declared", OTHERS)
async def test_who_shows_no_pages_gets_the_list_as_ever(connect, declared):
    async with connect(extensions=HOST) as host:
        await host.list_tools()
    async with connect(extensions=declared) as client:
        tools = (await client.list_tools()).tools
        resources = (await client.list_resources()).resources
        unknown = await client.call_tool("show_card", {})

    built = [(it.name, it.title, it.description, it.parameters) for it in all_tools()]
    assert [row[:4] for row in _described(tools)] == built
    assert not [it for it in resources if str(it.uri).startswith("ui:")]
    assert not [name for name in APP_ONLY if name in unknown.content[0].text]


async def test_a_host_that_shows_pages_gets_the_tools_of_the_page_too(connect):
    async with connect() as client:
        ordinary = (await client.list_tools()).tools
    async with connect(extensions=HOST) as host:
        tools = (await host.list_tools()).tools
        again = (await host.list_tools()).tools
        resources = {str(it.uri): it for it in (await host.list_resources()).resources}

    assert _described(tools[: len(ordinary)]) == _described(ordinary)
    assert again == tools
    assert {it.name for it in tools[len(ordinary) :]} == APP_ONLY
    for tool in tools:
        ui = (tool.meta or {}).get("ui", {})
        shown = tool.name in WITH_PAGE | APP_ONLY
        assert ui.get("resourceUri") == (URI if shown else None), tool.name
        assert (tool.meta or {}).get("ui/resourceUri") == (URI if shown else None), tool.name
        assert ui.get("visibility") == (["app"] if tool.name in APP_ONLY else None), tool.name
    assert resources[URI].mime_type == APP_MIME_TYPE


async def test_over_stdio_the_page_loads_from_nowhere(connect):
    async with connect() as client:
        page = (await client.read_resource(URI)).contents
    async with connect(extensions=HOST) as host:
        listed = {str(it.uri): it for it in (await host.list_resources()).resources}

    assert [(it.mime_type, it.text) for it in page] == [(APP_MIME_TYPE, gallery_page().html)]
    assert page[0].meta["ui"]["csp"] == listed[URI].meta["ui"]["csp"] == {}
    assert page[0].meta["ui"]["permissions"] == {"clipboardWrite": {}}


async def test_what_is_listed_may_be_kept_by_its_client_alone(connect, mode):
    async with connect() as client:
        lists = [await client.list_tools(), await client.list_resources()]
        same_for_all = await client.list_prompts()
    if mode == "auto":
        assert [it.cache_scope for it in lists] == ["private", "private"]
        assert same_for_all.cache_scope == "public"


async def test_the_names_that_are_known_before_the_tools_are_loaded_are_theirs():
    tools = app_tools()
    assert {tool.name for tool in tools} == APP_ONLY
    assert {tool.name for tool in tools if tool.annotations is SPENDS} == BUYING


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://mcp.example.com/video", "https://mcp.example.com"),
        ("https://MCP.example.com", "https://mcp.example.com"),
        ("http://[::1]:8000", ""),  # no policy can name it
        ("https://a b.example.com; script-src *", ""),
        ("https://a.example.com;script-src", ""),
        ("https://a.example.com'", ""),
        ("", ""),
    ],
)
async def test_only_a_plain_origin_is_named(base_url, origin):
    assert origin_of(base_url) == origin
    named = page_meta(base_url)["ui"]["csp"].get("resourceDomains", [])
    assert named == ([origin] if origin else [])
