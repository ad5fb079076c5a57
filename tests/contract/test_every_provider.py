"""One suite for every dialect of every provider, over real HTTP against the imitation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from until import until

from hailuo_mcp import HailuoClient
from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.providers import with_base_url
from hailuo_mcp.dialects.refusals import explain
from hailuo_mcp.domain.remote import Phase
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.errors import (
    AuthenticationError,
    ContentRejectedError,
    HailuoError,
    InsufficientBalanceError,
    ProviderUnavailableError,
    QuotaExceededError,
    RateLimitError,
    RejectedParametersError,
    RemoteTaskNotFoundError,
    UnconfirmedSubmitError,
    UnexpectedResponseError,
)

from .conftest import SERVED, SPEAKERS

pytestmark = pytest.mark.anyio


async def refused(client: HailuoClient, request: VideoRequest) -> HailuoError:
    with pytest.raises(HailuoError) as caught:
        await client.send(request)
    assert "sk-contract" not in str(caught.value)
    return caught.value


_OFFERED = [
    pytest.param(name, mode, id=f"{name}-{mode}")
    for name in (*SERVED, "minimax-global v2")
    for row, model in [SPEAKERS[name]]
    for mode in Mode
    if mode in dialect_of(with_base_url(row, row.base_url), model).capabilities.modes
]


@pytest.mark.parametrize(("counter", "mode"), _OFFERED, indirect=["counter"])
async def test_each_mode_that_it_offers_ends_in_a_clip(counter, mode):
    client = counter.client
    template = mode is Mode.TEMPLATE
    bought = await client.send(await counter.of_mode(mode))
    assert bought.remote_id
    status = await counter.finished(bought.remote_id, template=template)
    assert status.phase is Phase.SUCCEEDED, status
    link = await client.link(status)
    assert link.expires_at is not None
    async with client.stream(link) as answer:
        data = bytearray()
        await answer.stream_to(data.extend)
    assert answer.status == 200
    assert data[4:8] == b"ftyp"


async def test_a_second_id_finds_the_same_task(counter):
    bought = await counter.client.send(counter.plain())
    assert bool(bought.remote_alias) == bool(counter.client.provider.prefix)
    if bought.remote_alias:
        by_alias = await counter.finished(bought.remote_alias)
        assert by_alias.file_id == (await counter.query(bought.remote_id)).file_id


async def test_a_failure_is_a_status_and_no_error(counter):
    bought = await counter.client.send(counter.plain("fail"))
    status = await counter.finished(bought.remote_id)
    assert status.phase is Phase.FAILED


@pytest.mark.parametrize("fault", ["moderated", "1027", "input-moderated-late"])
async def test_moderation_at_the_end_is_a_failure_with_its_reason(counter, fault):
    bought = await counter.client.send(counter.plain(fault))
    status = await counter.finished(bought.remote_id)
    assert status.phase is Phase.FAILED
    reason = explain(status.error_code, provider=counter.client.provider)
    assert reason.error is ContentRejectedError, status


async def test_moderation_at_submit_is_free_and_says_what_to_change(counter):
    error = await refused(counter.client, counter.plain("1026"))
    assert isinstance(error, ContentRejectedError)
    assert error.charged == "no"
    assert "Change the prompt or the picture" in str(error)


async def test_a_picture_in_the_request_is_taken_or_its_refusal_asks_for_a_link(counter):
    request = counter.with_data_url()
    if counter.client.provider.dialect.startswith("compat"):
        error = await refused(counter.client, request)
        assert isinstance(error, RejectedParametersError)
        assert "an https URL may work" in str(error)
    else:
        assert (await counter.client.send(request)).remote_id


_FREE = {
    "1002": RateLimitError,
    "1004": AuthenticationError,
    "1008": InsufficientBalanceError,
    "1026": ContentRejectedError,
    "1039": RateLimitError,
    "1041": RateLimitError,
    "2013": RejectedParametersError,
    "2045": RateLimitError,
    "2049": AuthenticationError,
    "2056": (QuotaExceededError, InsufficientBalanceError),
    "http401": AuthenticationError,
    "http429": RateLimitError,
}


@pytest.mark.parametrize("fault", list(_FREE))
async def test_a_documented_refusal_is_free(counter, fault):
    error = await refused(counter.client, counter.plain(fault))
    assert isinstance(error, _FREE[fault]), repr(error)
    assert error.charged == "no"
    assert "Nothing was charged" in str(error)


@pytest.mark.parametrize("fault", ["1000", "1001", "1013", "1024", "1033"])
async def test_a_fault_of_the_provider_may_have_been_a_purchase(counter, fault):
    error = await refused(counter.client, counter.plain(fault))
    assert isinstance(error, UnconfirmedSubmitError), repr(error)
    assert error.charged == "maybe"


@pytest.mark.parametrize("fault", ["1028", "1030", "1042", "2061"])
async def test_an_undocumented_code_is_only_free_where_http_says_so(counter, fault):
    error = await refused(counter.client, counter.plain(fault))
    speaks_http = bool(counter.model) or counter.client.provider.dialect != "minimax"
    assert isinstance(error, UnconfirmedSubmitError) != speaks_http, repr(error)


async def test_a_rate_refusal_says_how_long_to_wait_where_it_is_told(counter):
    error = await refused(counter.client, counter.plain("http429"))
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 2


@pytest.mark.parametrize("fault", ["http500", "http502", "http503", "http500-after"])
async def test_a_server_error_is_unconfirmed_and_never_repeated(counter, fault):
    request = counter.plain(fault)
    error = await refused(counter.client, request)
    assert isinstance(error, UnconfirmedSubmitError), repr(error)
    assert len(counter.received(request.prompt)) == 1


@pytest.mark.parametrize("fault", ["garbage", "cutjson", "noid"])
async def test_an_unreadable_answer_is_unconfirmed_and_never_repeated(counter, fault):
    request = counter.plain(fault)
    error = await refused(counter.client, request)
    assert isinstance(error, UnconfirmedSubmitError), repr(error)
    assert len(counter.received(request.prompt)) == 1


@pytest.mark.parametrize("fault", ["lost", "reset"])
async def test_a_lost_answer_is_unconfirmed_and_never_repeated(counter, fault):
    request = counter.plain(fault)
    error = await refused(counter.client, request)
    assert isinstance(error, UnconfirmedSubmitError), repr(error)
    assert len(counter.received(request.prompt)) == 1


async def test_an_unknown_status_word_is_polled_on_and_told(counter):
    bought = await counter.client.send(counter.plain("weird-status"))
    seen: dict[Phase, str] = {}

    async def succeeded() -> bool:
        status = await counter.query(bought.remote_id)
        seen[status.phase] = status.word
        return status.phase is Phase.SUCCEEDED

    await until(succeeded)
    assert seen[Phase.UNKNOWN].lower() == "rendering"


@pytest.mark.parametrize("fault", ["poll-500", "poll-1002", "poll-html", "poll-reset"])
async def test_trouble_with_a_poll_does_not_end_the_task(counter, fault):
    bought = await counter.client.send(counter.plain(fault))
    status = await counter.finished(bought.remote_id)
    assert status.phase is Phase.SUCCEEDED


async def test_an_expired_link_is_asked_for_again(counter, tmp_path):
    bought = await counter.client.send(counter.plain("expired-link"))
    await counter.finished(bought.remote_id)
    saved = await counter.client.download(
        bought.remote_id, tmp_path / "clip.mp4", model=counter.model
    )
    assert saved.path.read_bytes()[4:8] == b"ftyp"


async def test_a_task_that_does_not_exist_is_said_not_to_be_known(counter):
    with pytest.raises(RemoteTaskNotFoundError) as caught:
        await counter.query("99999999999999")
    assert "Nothing was charged" in str(caught.value)


async def test_a_task_that_the_provider_lost_is_an_error_and_no_failure(counter):
    bought = await counter.client.send(counter.plain("lost-task"))
    with pytest.raises(RemoteTaskNotFoundError):
        await counter.query(bought.remote_id)


async def test_a_good_key_passes_the_check_and_spends_nothing(counter):
    await counter.client.check_key()


async def test_the_key_goes_to_no_download_host(counter):
    bought = await counter.client.send(counter.plain())
    status = await counter.finished(bought.remote_id)
    link = await counter.client.link(status)
    async with counter.client.stream(link) as answer:
        assert answer.status == 200
    assert counter.book()["leaked_keys"] == 0


_READS = (
    ProviderUnavailableError,
    RateLimitError,
    UnexpectedResponseError,
)


@pytest.mark.parametrize("fault", ["poll-500", "poll-1002", "poll-html"])
async def test_each_trouble_with_a_poll_has_a_readable_error(counter, fault):
    bought = await counter.client.send(counter.plain(fault))
    with pytest.raises(_READS) as caught:
        await counter.query(bought.remote_id)
    assert str(caught.value).count(". ") >= 1


async def test_what_it_cannot_carry_is_refused_before_anything_is_sent(counter):
    client, capable = counter.client, counter.dialect.capabilities
    # The model of a request may choose the other dialect; a template has none.
    able = capable.modes | {Mode.TEMPLATE} if counter.model else client.capabilities.modes
    for mode in [mode for mode in Mode if mode not in able]:
        with pytest.raises(HailuoError, match="Nothing was sent"):
            await client.send(await counter.of_mode(mode))
    if not capable.aspect_ratio:
        with pytest.raises(HailuoError, match="aspect_ratio"):
            await client.send(replace(counter.plain(), aspect_ratio="16:9"))
