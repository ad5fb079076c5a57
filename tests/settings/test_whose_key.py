"""Which key goes to which host, by every way in which an account can be chosen, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from hailuo_mcp.bootstrap import open_client
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import Settings
from hailuo_mcp.settings.config_file import Configuration, parse
from hailuo_mcp.settings.sources import Sources
from hailuo_mcp.settings.table import sources_of

EVIL, RELAY, OTHER_RELAY = "evil.example.com", "relay.example.com", "other.example.com"
CN, GLOBAL = "api.minimaxi.com", "api.minimax.io"
HINGNET = "models.hingnet.com.cn"

TOPS = {
    "": "",
    'provider = "minimax-global"\n': "",
    'api_key = "sk-top"\n': CN,
    'provider = "minimax-global"\napi_key = "sk-top"\n': GLOBAL,
    f'base_url = "https://{RELAY}"\napi_key = "sk-top"\n': RELAY,
    f'provider = "minimax-global"\nbase_url = "https://{RELAY}"\napi_key = "sk-top"\n': RELAY,
}
"""The top of the file, and the only host that its key may be sent to."""
PROFILES = {
    "budget = 1\n": "",
    'provider = "hingnet"\napi_key = "sk-work"\n': HINGNET,
    f'base_url = "https://{OTHER_RELAY}"\napi_key = "sk-work"\n': OTHER_RELAY,
}
CHOSEN = ("", "option", "variable")
PROVIDERS = ("", "minimax-global", "hingnet", "sandbox")
ADDRESSES = ("", f"https://{EVIL}", f"https://{RELAY}", f"https://{HINGNET}")
MINIMAX = (
    {},
    {"MINIMAX_API_KEY": "sk-minimax", "MINIMAX_API_HOST": f"https://{EVIL}"},
)


class Case(NamedTuple):
    top: str
    work: str
    chosen: str
    environ: dict[str, str]
    options: dict[str, str]

    @property
    def home(self) -> str:
        """The only host of the key that is kept in the part of the file that is chosen."""
        return PROFILES[self.work] if self.chosen else TOPS[self.top]

    @property
    def kept(self) -> str:
        return ("sk-work" if self.chosen else "sk-top") if self.home else ""


def cases() -> Iterator[Case]:
    """Options and variables of the same setting are not combined: the option wins, as elsewhere."""
    files = [(top, work, how) for top in TOPS for work in PROFILES for how in CHOSEN]
    ways = [*product(PROVIDERS, ADDRESSES, MINIMAX, ("", "sk-variable"))]
    for (top, work, how), (provider, address, minimax, key) in product(files, ways):
        for provider_by_option, address_by_option in product((False, True), repeat=2):
            if (provider_by_option and not provider) or (address_by_option and not address):
                continue
            environ, options = dict(minimax), dict[str, str]()
            if how == "option":
                options["profile"] = "work"
            elif how:
                environ["HAILUO_PROFILE"] = "work"
            if provider_by_option:
                options["provider"] = provider
            elif provider:
                environ["HAILUO_PROVIDER"] = provider
            if address_by_option:
                options["base_url"] = address
            elif address:
                environ["HAILUO_BASE_URL"] = address
            if key:
                environ["HAILUO_API_KEY"] = key
            yield Case(top, work, how, environ, options)


def read(case: Case, files: dict[tuple[str, str], Configuration]) -> Sources | None:
    try:
        return sources_of(case.environ, files[case.top, case.work], case.options)
    except ConfigError:  # the sandbox, elsewhere than on this computer
        return None


@pytest.mark.anyio
async def test_no_key_of_the_file_reaches_another_host_than_the_one_it_is_kept_with():
    path = Path("/there/config.toml")
    files = {
        (top, work): Configuration(
            path=path, table=parse(path, f"{top}[profiles.work]\n{work}".encode())
        )
        for top in TOPS
        for work in PROFILES
    }
    accounts = dict[tuple[str, str, str], set[str]]()
    for case in cases():
        found = read(case, files)
        if found is None:
            continue
        key = found.texts.get("api_key", "")
        says = {**case.environ, **{f"HAILUO_{name.upper()}": it for name, it in case.options.items()}}
        if says.get("HAILUO_API_KEY") and found.texts["provider"] != "sandbox":
            assert key == "sk-variable", case
        elif case.kept and not says.keys() & {"HAILUO_PROVIDER", "HAILUO_BASE_URL"}:
            assert key == case.kept, case
        assert key in ("", "sk-variable", "sk-minimax", case.kept), case
        if key == "sk-minimax":
            assert found.texts["provider"] in ("minimax-cn", "minimax-global"), case
        account = (found.texts["provider"], found.texts["base_url"], key)
        accounts.setdefault(account, set())
        if key and key == case.kept:
            accounts[account].add(case.home)

    for (provider, base_url, key), homes in accounts.items():
        asked = list[httpx.Request]()

        def answer(request: httpx.Request, asked: list[httpx.Request] = asked) -> httpx.Response:
            asked.append(request)
            return httpx.Response(200, json={"base_resp": {"status_code": 0}})

        if not key:
            continue
        settings = Settings.model_validate(
            {"provider": provider, "base_url": base_url, "api_key": key, "proxies": {}}
        )
        client = open_client(settings, wire=httpx.MockTransport(answer))
        await client.probe()
        await client.aclose()
        for request in asked:
            assert request.headers["authorization"] == f"Bearer {key}"
            assert request.url.host == urlsplit(settings.address).hostname
            assert not homes or homes == {request.url.host}, (provider, base_url, key)
        assert asked
    assert len([homes for homes in accounts.values() if homes]) >= 5
