"""Which key goes to which host, by every way in which an account can be chosen, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
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
    is_left_as_kept: bool
    """Neither a provider nor an address is chosen."""

    @property
    def home(self) -> str:
        """The only host of the key that is kept in the part of the file that is chosen."""
        return PROFILES[self.work] if self.chosen else TOPS[self.top]

    @property
    def kept(self) -> str:
        return ("sk-work" if self.chosen else "sk-top") if self.home else ""


def cases() -> Iterator[Case]:
    """All of them; each setting by its option or by its variable."""
    files = product(TOPS, PROFILES, CHOSEN)
    ways = [*product(PROVIDERS, ADDRESSES, MINIMAX, ("", "sk-variable"), product("ov", repeat=2))]
    for (top, work, chosen), (provider, address, minimax, key, by) in product(files, ways):
        if (by[0] == "o" and not provider) or (by[1] == "o" and not address):
            continue  # the same case again
        given = {
            "option": {"profile": "work" if chosen == "option" else ""},
            "variable": {**minimax, "HAILUO_API_KEY": key},
        }
        given["variable"]["HAILUO_PROFILE"] = "work" if chosen == "variable" else ""
        for name, text, how in (("provider", provider, by[0]), ("base_url", address, by[1])):
            if how == "o":
                given["option"][name] = text
            else:
                given["variable"][f"HAILUO_{name.upper()}"] = text
        options = {name: text for name, text in given["option"].items() if text}
        yield Case(top, work, chosen, given["variable"], options, f"{provider}{address}" == "")


def sources() -> Iterator[tuple[Case, Sources]]:
    """What each comes to, but for the sandbox elsewhere than on this computer: that is refused."""
    path = Path("/there/config.toml")
    files = {
        (top, work): Configuration(
            path=path, table=parse(path, f"{top}[profiles.work]\n{work}".encode())
        )
        for top, work in product(TOPS, PROFILES)
    }
    for case in cases():
        with suppress(ConfigError):
            yield case, sources_of(case.environ, files[case.top, case.work], case.options)


@pytest.fixture(scope="module")
def accounts() -> dict[tuple[str, str, str], set[str]]:
    """Provider, address and key of each, and the homes of the key if it is a kept one."""
    found = dict[tuple[str, str, str], set[str]]()
    for case, it in sources():
        provider, key = it.texts["provider"], it.texts.get("api_key", "")
        assert key in ("", "sk-variable", "sk-minimax", case.kept), case
        if case.environ["HAILUO_API_KEY"] and provider != "sandbox":
            assert key == "sk-variable", case
        elif case.kept and case.is_left_as_kept:
            assert key == case.kept, case
        if key == "sk-minimax":
            assert provider in ("minimax-cn", "minimax-global"), case
        homes = found.setdefault((provider, it.texts["base_url"], key), set())
        homes |= {case.home} if key and key == case.kept else set()
    return found


@pytest.mark.anyio
async def test_no_key_of_the_file_reaches_another_host_than_the_one_it_is_kept_with(accounts):
    asked = list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"base_resp": {"status_code": 0}})

    for (provider, base_url, key), homes in accounts.items():
        if not key:
            continue
        settings = Settings.read({"provider": provider, "base_url": base_url, "api_key": key})
        client = open_client(settings, wire=httpx.MockTransport(answer))
        await client.probe()
        await client.aclose()
        request = asked.pop()
        assert request.headers["authorization"] == f"Bearer {key}"
        assert request.url.host == urlsplit(settings.address).hostname
        assert not homes or homes == {request.url.host}, (provider, base_url, key)
    assert len({host for homes in accounts.values() for host in homes}) == 5, "all were seen"
