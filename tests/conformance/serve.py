"""The product's own app, its doors and its limits, with the suite's fixtures: python serve.py PORT."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

import uvicorn

from hailuo_mcp.server.http import create_app
from hailuo_mcp.server.http.serving import HEAD_BYTES, Connection
from hailuo_mcp.settings import Settings

_spec = importlib.util.spec_from_file_location("fixtures", Path(__file__).with_name("fixtures.py"))
assert _spec
assert _spec.loader
fixtures = importlib.util.module_from_spec(_spec)
sys.modules["fixtures"] = fixtures
_spec.loader.exec_module(fixtures)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_env(
            {
                "HAILUO_PROVIDER": "sandbox",
                "HAILUO_STATE_DIR": f"{folder}/state",
                "HAILUO_OUTPUT_DIR": f"{folder}/clips",
            }
        )
        app = create_app(settings, with_sse=True)
        fixtures.certify(app.state.house.server)
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=int(sys.argv[1]),
            http=Connection,
            h11_max_incomplete_event_size=HEAD_BYTES,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )


if __name__ == "__main__":
    main()
