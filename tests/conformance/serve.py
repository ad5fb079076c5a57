"""The product's own app, its doors and its limits, with the suite's fixtures: python serve.py PORT."""

from __future__ import annotations

import sys
import tempfile

import fixtures

from hailuo_mcp.server.http import create_app
from hailuo_mcp.server.http.serving import AppServer
from hailuo_mcp.settings import Settings


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
        fixtures.certify(app.state.server.mcp)
        AppServer(app, port=int(sys.argv[1])).run()


if __name__ == "__main__":
    main()
