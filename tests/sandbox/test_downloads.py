"""Links and what comes through them: ranges and tags, and every way to go wrong."""

import time

import httpx
import pytest

from .conftest import Bench, Serve


def link(bench: Bench, fault: str = "") -> str:
    return bench.link(bench.create(f"a cat [sandbox:{fault}]" if fault else "a cat"))


def fresh(bench: Bench) -> str:
    (task,) = bench.account()["tasks"].values()
    found = bench.get("/v1/files/retrieve", file_id=task["file_id"]).json()
    return str(found["file"]["download_url"])


def test_a_whole_clip_comes_with_its_length_type_and_tag(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench)
    answer = bare.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.content[4:8] == b"ftyp"
    head = bare.head(url)
    assert head.headers["content-length"] == answer.headers["content-length"]
    assert head.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-50", slice(-50, None)),
    ],
)
def test_a_range_gives_exactly_that_part(
    bench: Bench, bare: httpx.Client, asked: str, part: slice
) -> None:
    url = link(bench)
    whole = bare.get(url).content
    answer = bare.get(url, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    assert answer.headers["content-range"].endswith(f"/{len(whole)}")


def test_a_range_past_the_end_is_416_and_a_changed_file_is_sent_whole(
    bench: Bench, bare: httpx.Client
) -> None:
    url = link(bench)
    assert bare.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    other = {"Range": "bytes=10-", "If-Range": '"another"'}
    assert bare.get(url, headers=other).status_code == 200


def test_a_link_ends_with_its_time_and_cannot_be_altered(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench)
    longer = url.replace("Expires=18", "Expires=19")
    assert bare.get(longer).status_code == 403
    assert bare.get(url.replace("Signature=", "Signature=é")).status_code == 403
    bench.clock.pass_by(3601)
    assert bare.get(url).status_code == 403
    assert bare.get(fresh(bench)).status_code == 200


def test_a_key_at_a_download_link_is_counted_as_leaked(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench)
    bare.get(url)
    assert bench.book()["leaked_keys"] == 0
    bench.client.get(url)
    assert bench.book()["leaked_keys"] == 1


def test_an_expired_link_is_followed_by_one_that_works(bench: Bench, bare: httpx.Client) -> None:
    assert bare.get(link(bench, "expired-link")).status_code == 403
    assert bare.get(fresh(bench)).status_code == 200


def test_a_dead_link_stays_dead_but_the_content_endpoint_works(
    bench: Bench, bare: httpx.Client
) -> None:
    assert bare.get(link(bench, "dead-link")).status_code == 404
    assert bare.get(fresh(bench)).status_code == 404
    (task,) = bench.account()["tasks"].values()
    content = bench.get("/v1/files/retrieve_content", file_id=task["file_id"])
    assert content.content[4:8] == b"ftyp"


def received(client: httpx.Client, url: str, **headers: str) -> tuple[bytes, str]:
    """Return what arrived before the connection broke, and how it ended."""
    got = bytearray()
    try:
        with client.stream("GET", url, headers=headers) as answer:
            for chunk in answer.iter_bytes():
                got += chunk
    except httpx.RemoteProtocolError:
        return bytes(got), "cut"
    except httpx.ReadTimeout:
        return bytes(got), "stalled"
    return bytes(got), "whole"


def test_a_cut_download_can_be_taken_up_where_it_broke(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench, "cut-download")
    half, how = received(bare, url)
    assert how == "cut"
    rest, how = received(bare, url, Range=f"bytes={len(half)}-")
    assert how == "whole"
    assert half + rest == bare.get(url).content


def test_a_cut_download_without_ranges_must_start_again(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench, "cut-no-range")
    half, how = received(bare, url)
    assert how == "cut"
    again = bare.get(url, headers={"Range": f"bytes={len(half)}-"})
    assert again.status_code == 200
    assert "accept-ranges" not in again.headers
    assert again.content.startswith(half)


def test_a_stalled_download_stops_in_the_middle_without_closing(
    bench: Bench, bare: httpx.Client
) -> None:
    url = link(bench, "stall-download")
    bare.head(url)  # waits for the clip to be made, as the hasty one would not
    with httpx.Client(timeout=0.4, trust_env=False) as hasty:
        half, how = received(hasty, url)
        assert how == "stalled"
        rest, how = received(hasty, url, Range=f"bytes={len(half)}-")
    assert (how, bool(half), bool(rest)) == ("whole", True, True)


def test_a_short_chunked_body_looks_complete_and_is_not(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench, "short-chunked")
    with bare.stream("GET", url) as answer:
        assert "content-length" not in answer.headers
        short = answer.read()
    assert 0 < len(short) < len(bare.get(url).content)


def test_a_corrupt_file_comes_whole_by_its_length_and_is_half_a_clip(
    bench: Bench, bare: httpx.Client
) -> None:
    url = link(bench, "corrupt-downloadx2")
    half = bare.get(url)
    assert half.headers["content-length"] == str(len(half.content))
    assert bare.get(url, headers={"Range": f"bytes={len(half.content)}-"}).status_code == 416
    whole = bare.get(url)
    assert whole.content.startswith(half.content)
    assert len(whole.content) // 2 == len(half.content)
    assert whole.headers["etag"] != half.headers["etag"]


def test_a_slow_download_takes_its_three_seconds(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench, "slow-download")
    began = time.monotonic()
    assert received(bare, url)[1] == "whole"
    assert time.monotonic() - began > 2.5


@pytest.mark.parametrize(("fault", "kind"), [("json-download", "json"), ("html-download", "html")])
def test_something_else_than_a_clip_can_come_with_200(
    bench: Bench, bare: httpx.Client, fault: str, kind: str
) -> None:
    answer = bare.get(link(bench, fault))
    assert answer.status_code == 200
    assert kind in answer.headers["content-type"]


def test_redirects_lead_to_the_clip_or_to_where_nobody_should_go(
    serve: Serve, bare: httpx.Client
) -> None:
    good = bare.get(link(serve(), "redirect-download"))
    assert good.status_code == 302
    there = httpx.URL(str(good.request.url)).join(good.headers["location"])
    assert bare.get(there).content[4:8] == b"ftyp"
    bad = bare.get(link(serve("sk-2"), "redirect-private"))
    assert bad.headers["location"].startswith("http://169.254.169.254/")


def test_links_start_with_the_public_address_and_can_be_plain_http(serve: Serve) -> None:
    bench = serve(public_url="https://videos.example/")
    assert link(bench).startswith("https://videos.example/cdn/")
    assert link(bench, "http-link").startswith("http://videos.example/cdn/")


def test_downloads_are_counted_with_their_bytes(bench: Bench, bare: httpx.Client) -> None:
    url = link(bench)
    size = len(bare.get(url).content)
    bare.get(url, headers={"Range": "bytes=0-9"})
    account = bench.account()
    assert account["download_requests"] == 2
    assert account["download_bytes"] == size + 10
