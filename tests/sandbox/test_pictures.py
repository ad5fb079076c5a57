"""First frames behind addresses: this machine's are fetched, the world's are taken on trust."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .conftest import TEXT, Bench
from .pictures import png


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[str]:
    """Serve a portrait and a text; return the address."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "portrait.png").write_bytes(png(600, 900))
    (folder / "note.png").write_bytes(b"not a picture")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_picture_on_this_machine_gives_the_clip_its_shape(bench: Bench, shelf: str) -> None:
    bench.create(first_frame_image=f"{shelf}/portrait.png")
    (task,) = bench.account()["tasks"].values()
    assert (task["width"], task["height"]) == (768, 1152)


@pytest.mark.parametrize("name", ["note.png", "absent.png"])
def test_what_cannot_be_read_there_is_2013(bench: Bench, shelf: str, name: str) -> None:
    order = {**TEXT, "first_frame_image": f"{shelf}/{name}"}
    answer = bench.post("/v1/video_generation", order).json()
    assert answer["base_resp"]["status_code"] == 2013


def test_a_picture_in_the_world_is_never_fetched(bench: Bench) -> None:
    bench.create(first_frame_image="https://192.0.2.1/cat.png")
    (task,) = bench.account()["tasks"].values()
    assert (task["width"], task["height"]) == (1366, 768)
