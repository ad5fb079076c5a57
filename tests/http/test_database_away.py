"""The journal's database goes away and comes back while the server runs."""

import time
from urllib.parse import urlsplit

import anyio
import pytest
from postgres import database_url
from relay import Relay
from until import until


@pytest.mark.anyio
@pytest.mark.slow
async def test_paid_calls_are_refused_in_time_and_all_is_well_when_it_is_back(serve, tmp_path):
    url = database_url(tmp_path)
    parts = urlsplit(url)
    with Relay((parts.hostname, parts.port)).running() as relay:
        far = url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{relay.port}")
        server = serve(HAILUO_DATABASE_URL=far)
        async with server.client() as client:
            with server.http() as http:

                async def status(path: str) -> int:
                    return (await anyio.to_thread.run_sync(http.get, path)).status_code

                assert await status("/ready") == 200
                bought = await client.call_tool("generate_video", {"prompt": "A boat"})
                assert not bought.is_error
                relay.manner = "refuse"
                relay.cut()
                assert await status("/ready") == 503
                assert await status("/health") == 200
                began = time.monotonic()
                refused = await client.call_tool("generate_video", {"prompt": "Another boat"})
                assert time.monotonic() - began < 45  # 20 are promised; the machine may be busy
                assert refused.is_error
                assert "Nothing was sent or charged" in refused.content[0].text
                relay.manner = "open"

                async def ready() -> bool:
                    return await status("/ready") == 200

                await until(ready, between=0.2)  # it takes seconds, and each look is work for it
                again = await client.call_tool("generate_video", {"prompt": "Another boat"})
        assert not again.is_error
        assert not again.structured_content.get("reused")
