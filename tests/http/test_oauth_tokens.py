"""Which access tokens are accepted, by keys that the issuer publishes, rotates or cannot give."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from hailuo_mcp.bootstrap import open_documents
from hailuo_mcp.server.http.auth import Grant, RefusedTokenError
from hailuo_mcp.server.http.oauth import keys as oauth_keys
from hailuo_mcp.server.http.oauth.keys import FRESH_SECONDS, KEPT_SECONDS, PAUSE_SECONDS
from hailuo_mcp.server.http.oauth.resource_server import access_tokens
from hailuo_mcp.server.http.oauth.tokens import LEEWAY_SECONDS, AccessTokens, caller_of
from hailuo_mcp.settings import Settings

from .issuer import AUDIENCE, BOTH, Issuer, new_key

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer():
    with Issuer() as one:
        yield one


def tokens_of(issuer: Issuer, clock=time.time, **environ: str) -> AccessTokens:
    settings = Settings.from_env(
        {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_OAUTH_ISSUER": issuer.url,
            "HAILUO_OAUTH_AUDIENCE": AUDIENCE,
            **environ,
        }
    )
    read = open_documents(settings, named=[issuer.url]).read
    return access_tokens(settings, read, clock=clock, knows_tenant={"north", "south"}.__contains__)


async def refusal(check: AccessTokens, token: str) -> tuple[int, str]:
    with pytest.raises(RefusedTokenError) as refused:
        await check(token)
    return refused.value.status, str(refused.value)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "Ed25519"])
async def test_a_token_of_the_issuer_says_who_calls_and_what_they_may_do(alg):
    with Issuer(keys=[new_key(alg=alg)]) as issuer:
        check = tokens_of(issuer)
        granted = await check(issuer.token("carol", alg=alg))
        again = await check(issuer.token("dave", "hailuo:read", alg=alg))

    expected = Grant(
        caller="oauth:carol",
        issuer=issuer.url,
        subject="carol",
        scopes=("hailuo:read", "hailuo:buy"),
    )
    assert granted == expected
    assert again == replace(expected, caller="oauth:dave", subject="dave", scopes=("hailuo:read",))
    assert issuer.asked == ["/.well-known/oauth-authorization-server", "/jwks"]


async def test_the_usual_types_are_accepted(issuer):
    check = tokens_of(issuer)
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt", "JWT", None):
        assert (await check(issuer.token(typ=typ))).caller, typ


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": None, "scp": "hailuo:read hailuo:buy"},
        {"scope": None, "scp": ["hailuo:read", "hailuo:buy"]},
        {"scope": "openid hailuo:read", "scp": ["hailuo:buy", 7]},
    ],
    ids=str,
)
async def test_scopes_are_read_as_the_large_issuers_write_them(issuer, claims):
    granted = await tokens_of(issuer)(issuer.token(**claims))
    assert {"hailuo:read", "hailuo:buy"} <= set(granted.scopes)


async def test_a_token_for_several_audiences_is_for_this_server_too(issuer):
    check = tokens_of(issuer)
    assert await check(issuer.token(aud=["https://other.example", AUDIENCE]))
    assert await check(issuer.token(aud=AUDIENCE + "/"))


async def test_the_issuers_clock_may_differ_a_little(issuer, clock):
    check, now = tokens_of(issuer, clock), clock.now
    assert await check(issuer.token(exp=int(now) - LEEWAY_SECONDS + 2))
    assert await check(issuer.token(nbf=int(now) + LEEWAY_SECONDS - 2))


def _wrong_claims(now: int) -> dict[str, dict[str, object]]:
    return {
        "another issuer": {"iss": "https://evil.example"},
        "no issuer": {"iss": None},
        "the issuer with a slash": {"iss": "http://127.0.0.1/"},
        "another audience": {"aud": "https://other.example/mcp"},
        "a longer audience": {"aud": AUDIENCE + "/x"},
        "no audience": {"aud": None},
        "an audience that is no text": {"aud": [{}, 7]},
        "expired": {"exp": now - 60},
        "no end": {"exp": None},
        "an end that is no number": {"exp": "never"},
        "an end that is not finite": {"exp": float("nan")},
        "not yet": {"nbf": now + 3600},
        "made in the future": {"iat": now + 3600},
        "no subject": {"sub": None},
        "an empty subject": {"sub": ""},
        "a subject that is no text": {"sub": 7},
        "a subject with a line break": {"sub": "a\nb"},
        "a subject without end": {"sub": "a" * 300},
        "an id token": {"typ": "id+jwt"},
        "a logout token": {"typ": "logout+jwt"},
    }


async def test_what_the_issuer_has_signed_for_something_else_opens_nothing(issuer):
    check = tokens_of(issuer)
    for name, wrong in _wrong_claims(int(time.time())).items():
        status, about = await refusal(check, issuer.token(**wrong))
        assert status == 401, name
        assert about.endswith("."), name
        assert "evil" not in about


def _part(facts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("=")


def _with_a_shared_secret(public: bytes, header: dict[str, str], claims: object) -> str:
    """HS256 with the public key as the secret: who checks by the header alone accepts it."""
    text = f"{_part({'alg': 'HS256', **header})}.{_part(claims)}"
    digest = hmac.digest(public, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


async def test_what_the_issuer_has_not_signed_opens_nothing():
    with Issuer(keys=[new_key(alg="RS256")]) as issuer:
        check = tokens_of(issuer)
        good = issuer.token()
        head, body, signature = good.split(".")
        public = issuer.keys[0].as_dict(private=False)
        pem = issuer.keys[0].as_pem(private=False)
        header = {"kid": "first"}
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        mine = new_key("first", "RS256")
        assert await check(good)
        for forged in (
            _part({"alg": "none", **header}) + f".{body}.",
            _part({"alg": "none"}) + f".{body}.{signature}",
            _part({"alg": "None", **header}) + f".{body}.",
            _with_a_shared_secret(pem, header, claims),
            _with_a_shared_secret(json.dumps(public).encode(), header, claims),
            issuer.token(key=mine),
            issuer.token(key=mine, header={"jwk": mine.as_dict(private=False)}),
            issuer.token(key=mine, header={"jku": "http://127.0.0.1:1/jwks"}),
            issuer.token(key=mine, header={"kid": None}),
            issuer.token(key=new_key("unknown", "RS256")),
            issuer.token(key=new_key("first", "ES256")),
            f"{_part({'alg': 'RS256', 'crit': ['x'], 'x': 1, **header})}.{body}.{signature}",
            f"{head}.{_part({**claims, 'sub': 'mallory'})}.{signature}",
            f"{head}.{body}.",
            f"{head}.{body}.{'A' * len(signature)}",
            f"{head}.{body}",
            f"{head}..{signature}",
            f"{good}.{good}",
            good[:-8],
            "a.b.c",
            "...",
            "ü.ü.ü",
            json.dumps(public),
        ):
            status, _ = await refusal(check, forged)
            assert status == 401, forged


@given(st.lists(st.text("AaZz09-_=.é \x00{}", max_size=30), min_size=1, max_size=6))
async def test_no_text_makes_it_fail(parts):
    async def nothing(url: str, *, seconds: float) -> bytes:
        raise AssertionError(url)

    settings = Settings.from_env(
        {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_OAUTH_ISSUER": "https://x.example",
            "HAILUO_OAUTH_AUDIENCE": "a",
        }
    )
    check = access_tokens(settings, nothing, clock=time.time, knows_tenant=bool)
    assert (await refusal(check, ".".join(parts)))[0] == 401


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
async def test_no_header_and_no_claim_makes_it_fail(odd):
    key = new_key()
    keys = {"keys": [key.as_dict(private=False)]}

    async def read(url: str, *, seconds: float) -> bytes:
        return json.dumps(keys).encode()

    issuer = Issuer(keys=[key])
    check = tokens_of(issuer, HAILUO_OAUTH_JWKS_URL="https://x.example/jwks")
    check = replace(
        check, keys=oauth_keys.IssuerKeys(issuer.url, "https://x/jwks", read, time.time)
    )
    good = issuer.token()
    assert await check(good)
    _, body, signature = good.split(".")
    for name in ("alg", "kid", "typ", "crit", "b64", "jwk"):
        odd_head = _part({"alg": "ES256", "kid": "first", name: odd})
        with pytest.raises(RefusedTokenError):
            await check(f"{odd_head}.{body}.{signature}")
    for name in ("iss", "aud", "exp", "nbf", "iat", "sub", "scope", "scp", "tenant", "jti"):
        try:
            granted = await check(issuer.token(**{name: odd}))
        except RefusedTokenError:
            continue
        assert granted.caller.startswith("oauth:") or name == "tenant"


async def test_a_new_key_is_fetched_once_and_not_for_every_token_that_names_one(issuer, clock):
    check = tokens_of(issuer, clock)
    await check(issuer.token())
    issuer.keys.append(new_key("second"))
    new = issuer.token(key=issuer.keys[1])
    assert (await refusal(check, new))[0] == 401  # just asked

    clock.now += PAUSE_SECONDS
    assert await check(new)
    assert issuer.asked.count("/jwks") == 2
    for kid in ("x", "y", "z"):
        assert (await refusal(check, issuer.token(key=new_key(kid))))[0] == 401
    assert issuer.asked.count("/jwks") == 2
    clock.now += PAUSE_SECONDS
    for kid in ("x", "y", "z"):
        await refusal(check, issuer.token(key=new_key(kid)))
    assert issuer.asked.count("/jwks") == 3


async def test_many_at_once_ask_the_issuer_once(issuer, clock):
    check = tokens_of(issuer, clock)
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(check, issuer.token(f"c{number}"))
    assert issuer.asked.count("/jwks") == 1


async def test_a_key_that_the_issuer_withdraws_opens_nothing_ten_minutes_later(issuer, clock):
    check, old = tokens_of(issuer, clock), issuer.keys[0]
    await check(issuer.token())
    issuer.keys[:] = [new_key("second")]
    clock.now += FRESH_SECONDS
    assert (await refusal(check, issuer.token(key=old, now=clock.now)))[0] == 401
    assert await check(issuer.token(now=clock.now))


async def test_an_issuer_with_one_key_without_a_name_may_change_it(issuer, clock):
    def nameless() -> Response:
        key = issuer.keys[0].as_dict(private=False)
        return JSONResponse({"keys": [{n: v for n, v in key.items() if n != "kid"}]})

    issuer.answers["/jwks"] = nameless
    check = tokens_of(issuer, clock)
    assert await check(issuer.token(header={"kid": None}))
    issuer.keys[:] = [new_key("second")]
    clock.now += PAUSE_SECONDS
    assert await check(issuer.token(header={"kid": None}))


async def test_keys_are_kept_for_a_day_while_the_issuer_is_away(issuer, clock):
    check = tokens_of(issuer, clock)
    await check(issuer.token())
    issuer.stop()
    clock.now += FRESH_SECONDS * 3
    assert await check(issuer.token(now=clock.now))
    clock.now += KEPT_SECONDS
    status, about = await refusal(check, issuer.token(now=clock.now))
    assert (status, "issuer does not answer" in about) == (503, True)


async def test_an_issuer_that_comes_back_is_asked_again(issuer, clock):
    check = tokens_of(issuer, clock)
    issuer.stop()
    assert (await refusal(check, issuer.token()))[0] == 503
    issuer.start()
    assert (await refusal(check, issuer.token()))[0] == 503  # just asked
    clock.now += PAUSE_SECONDS
    assert await check(issuer.token())


async def test_a_clock_that_is_set_back_does_not_keep_old_keys(issuer, clock):
    check = tokens_of(issuer, clock)
    await check(issuer.token())
    clock.now -= 5000
    await check(issuer.token(now=clock.now))
    assert issuer.asked.count("/jwks") == 2


def _endless() -> Response:
    def pieces():
        while True:
            yield b" " * 65536

    return StreamingResponse(pieces())


ODD = {
    "huge": lambda: JSONResponse({"keys": [{"kty": "EC", "x": "A" * 1_000_000}]}),
    "endless": _endless,
    "a redirect": lambda: RedirectResponse("/elsewhere"),
    "no JSON": lambda: Response("<html>"),
    "deep": lambda: Response("[" * 100_000),
    "a list": lambda: JSONResponse([]),
    "no keys": lambda: JSONResponse({"keys": []}),
    "null": lambda: JSONResponse({"keys": None}),
    "a secret": lambda: JSONResponse({"keys": [{"kty": "oct", "k": "AAAA", "kid": "first"}]}),
    "a short key": lambda: JSONResponse({"keys": [{"kty": "RSA", "n": "u" * 171, "e": "AQAB"}]}),
    "not understood": lambda: JSONResponse({"keys": [{"kty": "EC", "crv": "P-256"}, 7, None, "x"]}),
    "a failure": lambda: Response("a traceback of the issuer's", 500),
}


@pytest.mark.parametrize("path", ["/jwks", "/.well-known/oauth-authorization-server"])
async def test_an_issuer_that_answers_something_else_is_as_one_that_is_away(issuer, path, caplog):
    issuer.answers["/elsewhere"] = lambda: JSONResponse({"keys": []})
    for name, odd in ODD.items():
        issuer.answers[path] = odd
        caplog.clear()
        status, about = await refusal(tokens_of(issuer), issuer.token())
        assert status == 503, name
        assert "traceback" not in about + caplog.text
        assert "the issuer's keys could not be read" in caplog.text, name
    assert "/elsewhere" not in issuer.asked


async def test_a_key_that_is_not_understood_does_not_hide_the_others(issuer):
    good = issuer.keys[0].as_dict(private=False)
    odd = [{"kty": "AKP", "kid": "pq"}, {"kty": "EC"}, 7, {**good, "use": "enc", "kid": "first"}]
    issuer.answers["/jwks"] = lambda: JSONResponse({"keys": [*odd, good]})
    assert await tokens_of(issuer)(issuer.token())


async def test_an_issuer_that_does_not_end_its_answer_holds_nobody_up(monkeypatch, clock):
    monkeypatch.setattr(oauth_keys, "READ_SECONDS", 0.05)

    async def never(url: str, *, seconds: float) -> bytes:
        await anyio.sleep_forever()
        return b""

    issuer = Issuer(port=1)
    check = replace(
        tokens_of(issuer, clock), keys=oauth_keys.IssuerKeys(issuer.url, "", never, clock)
    )
    with anyio.fail_after(60):
        assert (await refusal(check, issuer.token()))[0] == 503


@pytest.mark.parametrize(
    "place",
    [
        "/.well-known/oauth-authorization-server/realms/video",
        "/.well-known/openid-configuration/realms/video",
        "/realms/video/.well-known/openid-configuration",
    ],
)
async def test_metadata_is_found_wherever_an_issuer_with_a_path_has_it(place):
    with Issuer(path="/realms/video") as issuer:
        issuer.answers["/.well-known/oauth-authorization-server/realms/video"] = lambda: Response(
            "", 404
        )
        issuer.answers[place] = lambda: JSONResponse(issuer.metadata())
        assert await tokens_of(issuer)(issuer.token())


async def test_metadata_of_another_issuer_is_not_believed(issuer):
    said = {**issuer.metadata(), "issuer": "https://evil.example"}
    issuer.answers["/.well-known/oauth-authorization-server"] = lambda: JSONResponse(said)
    assert (await refusal(tokens_of(issuer), issuer.token()))[0] == 503
    assert "/jwks" not in issuer.asked


@pytest.mark.parametrize("place", ["http://10.1.2.3/jwks", "http://127.0.0.1:9/jwks", "file:///x"])
async def test_metadata_does_not_lead_into_the_private_network(issuer, place):
    said = {**issuer.metadata(), "jwks_uri": place}
    issuer.answers["/.well-known/oauth-authorization-server"] = lambda: JSONResponse(said)
    assert (await refusal(tokens_of(issuer), issuer.token()))[0] == 503


async def test_given_keys_need_no_metadata(issuer):
    check = tokens_of(issuer, HAILUO_OAUTH_JWKS_URL=f"{issuer.url}/jwks")
    assert await check(issuer.token())
    assert issuer.asked == ["/jwks"]


async def test_a_claim_names_the_tenant(issuer):
    check = tokens_of(issuer)
    assert (await check(issuer.token(tenant="north"))).caller == "tenant:north"
    assert (await check(issuer.token(tenant=""))).caller == "oauth:carol"
    for odd in ("west", "north ", "North", ["north"], 7, {"north": 1}, True):
        status, about = await refusal(check, issuer.token(tenant=odd))
        assert (status, "tenant" in about) == (403, True), odd

    other = tokens_of(issuer, HAILUO_OAUTH_TENANT_CLAIM="https://hailuo.example/tenant")
    named = issuer.token(tenant="west", **{"https://hailuo.example/tenant": "south"})
    assert (await other(named)).caller == "tenant:south"


def test_no_claim_makes_a_caller_of_the_operators():
    for claims in ({"sub": "alice"}, {"sub": "http"}, {"sub": "tenant:north"}):
        assert caller_of(claims, "tenant", lambda _name: True) == f"oauth:{claims['sub']}"


def test_both_scopes_are_what_a_buyer_needs():
    assert BOTH.split() == ["hailuo:read", "hailuo:buy"]
