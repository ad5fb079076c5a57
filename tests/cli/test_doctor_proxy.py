"""doctor says which proxy is used for what, and whether it lets the provider through."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from proxying import Proxy, host, trusted

from hailuo_mcp.cli.set_up.doctor.network import check_network
from hailuo_mcp.cli.set_up.doctor.result import Level, Result, ok
from hailuo_mcp.settings import Settings

pytestmark = pytest.mark.anyio

API = "api.minimaxi.com"
MEI = ("mei", "s3cret")


async def direct(host: str, port: int, secure: bool) -> Result:
    del port, secure
    return ok("host", f"{host} answers directly")


async def examined(**environ: str) -> list[Result]:
    """All but what is found out about looking names up, which depends on where the tests run."""
    settings = Settings.from_env({"HAILUO_API_KEY": "k", **environ})
    found = [finding async for finding in check_network(settings, direct)]
    assert "s3cret" not in str(found)
    return [finding for finding in found if finding.check != "links"]


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    return trusted(tmp_path, monkeypatch, API)


async def test_without_a_proxy_nothing_is_said_of_one():
    (finding,) = await examined()
    assert finding.message == f"{API} answers directly"


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_the_proxy_is_named_without_its_credentials_and_tried(kind, tls):
    with host(tls=tls) as api, Proxy(kind, {f"{API}:443": api.place}, MEI).running() as proxy:
        used, reached = await examined(HTTPS_PROXY=proxy.url, NO_PROXY="corp.example")
    address = f"{kind}://127.0.0.1:{proxy.port}"
    assert used.message == (
        f"{address} (HTTPS_PROXY) is used for the provider and links, but not for corp.example"
    )
    assert reached.message.startswith(f"{API} answers through the proxy (TLS, ")
    assert (used.level, reached.level) == (Level.OK, Level.OK)
    assert api.asked == []


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize(
    ("credentials", "manner", "words"),
    [
        (("mei", "another"), "open", "does not accept the user name and password in ALL_PROXY"),
        (MEI, "403", "refused the connection"),
        (MEI, "cut", "closed the connection"),
        (MEI, "nonsense", "does not answer like"),
    ],
)
async def test_a_proxy_that_does_not_let_through_is_a_problem(kind, credentials, manner, words):
    with Proxy(kind, {}, credentials, manner).running() as proxy:
        url = f"{kind}://mei:s3cret@127.0.0.1:{proxy.port}"
        _, reached = await examined(ALL_PROXY=url)
    assert (reached.check, reached.level) == ("proxy", Level.PROBLEM)
    assert words in reached.message
    assert "correct ALL_PROXY" in reached.fix


async def test_a_silent_proxy_is_a_problem(monkeypatch):
    monkeypatch.setattr("hailuo_mcp.cli.set_up.doctor.network._SECONDS", 0.3)
    with Proxy(manner="silent").running() as proxy:
        _, reached = await examined(https_proxy=proxy.url)
    assert "did not answer in time" in reached.message


async def test_a_proxy_that_reads_along_is_told_from_one_that_refuses(tls, monkeypatch, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "another.pem"))
    with host(tls=tls) as api, Proxy(routes={f"{API}:443": api.place}).running() as proxy:
        _, reached = await examined(https_proxy=proxy.url)
    assert "certificate that is not trusted" in reached.message


async def test_links_may_go_another_way_than_the_provider():
    with Proxy().running() as proxy:
        used, answers, reached = await examined(HTTPS_PROXY=proxy.url, NO_PROXY=API)
        assert "is used for links, but not for" in used.message
        assert f"{proxy.url} answers" in answers.message
        assert reached.message == f"{API} answers directly"
        used, answers = await examined(HTTPS_PROXY=proxy.url, HAILUO_PROVIDER="sandbox")
    assert "is used for links" in used.message
    assert "the provider" not in used.message
    assert proxy.asked == []
    _, gone, _ = await examined(HTTPS_PROXY=proxy.url, NO_PROXY=API)
    assert "cannot be reached" in gone.message
    assert gone.level is Level.PROBLEM


async def test_a_proxy_that_cannot_be_used_and_a_missing_extra_say_what_to_do(monkeypatch):
    (wrong,) = await examined(HTTPS_PROXY="http://mei:s3cret@")
    assert wrong.message.startswith("HTTPS_PROXY is not the address of a proxy")
    monkeypatch.setattr("hailuo_mcp.transport.proxies.find_spec", lambda _name: None)
    (lacking,) = await examined(ALL_PROXY="socks5://127.0.0.1:7891")
    assert 'pip install "hailuo-mcp[socks]"' in lacking.fix


async def test_names_that_cannot_be_looked_up_are_worth_knowing_behind_a_proxy(tls, monkeypatch):
    monkeypatch.setattr("hailuo_mcp.cli.set_up.doctor.network._is_found", lambda _host: False)
    with host(tls=tls) as api, Proxy(routes={f"{API}:443": api.place}).running() as proxy:
        settings = Settings.from_env({"https_proxy": proxy.url})
        found = [finding async for finding in check_network(settings, direct)]
    assert [finding.level for finding in found] == [Level.OK, Level.OK, Level.NOTE]
    assert "HAILUO_ALLOWED_HOSTS_PRIVATE" in found[-1].fix


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "FTP_PROXY", "NO_PROXY"])
def test_the_proxies_variables_are_taken_for_no_misspelt_settings(name):
    from hailuo_mcp.cli.set_up.doctor.settings import check_variables

    assert [*check_variables({name: "http://127.0.0.1:7890"})] == []


def test_a_proxy_with_our_prefix_is_told_its_right_name():
    from hailuo_mcp.cli.set_up.doctor.settings import check_variables

    (finding,) = [*check_variables({"HAILUO_HTTPS_PROXY": "http://127.0.0.1:7890"})]
    assert finding.fix == "Rename it to HTTPS_PROXY."
