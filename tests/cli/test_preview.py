"""preview: the picture in the terminal, in a viewer or in a file, and the line of facts."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from media.numbered import make_clip
from PIL import Image

from hailuo_mcp.cli.output import pictures
from hailuo_mcp.cli.output.pictures import encoder, viewer
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.media import terminal_picture

ASK = """
import os
os.open(os.ttyname(0), os.O_RDWR)  # a session's first terminal is the one that controls it
from hailuo_mcp.cli.output.pictures import _abilities
print("answer", _abilities())
"""


@pytest.fixture
def clip(program: Any, tmp_path: Path) -> dict[str, Any]:
    """A saved clip, replaced by one that takes no time to look through."""
    task: dict[str, Any] = program("generate", "a lighthouse at night", "--json").answer
    make_clip(Path(task["file"]))
    return task


def is_jpeg(path: Path) -> bool:
    with Image.open(path) as picture:
        return picture.format == "JPEG"


def test_a_pipe_gets_the_facts_and_a_file_beside_the_clip(program: Any, clip: Any) -> None:
    first = program("preview", clip["task_id"])
    picture = Path(clip["file"].removesuffix(".mp4") + "-preview.jpg")
    assert first.out.startswith(f"{clip['task_id']} 96×64, 2.0 s, 24 fps, silent: ")
    assert "\x1b" not in first.out
    assert str(picture) in first.out
    assert is_jpeg(picture)
    again = program("preview", clip["task_id"], "--at", "1", "--json", TERM="xterm-kitty").answer
    assert again["file"] == str(picture).replace(".jpg", "-1s.jpg"), "the sheet stays"
    assert again["clips"][0]["width"] == 96
    assert again["message"].startswith("SANDBOX: ")


def test_output_is_a_file_a_folder_or_standard_output(program: Any, clip: Any) -> None:
    known = clip["task_id"]
    assert program("preview", known, "-o", "new/sheet").code == 0
    assert is_jpeg(program.cwd / "new" / "sheet.jpg")
    refused = program("preview", known, "-o", "new/sheet.jpg", "--at", "0")
    assert (refused.code, "sheet.jpg exists" in refused.err) == (2, True)
    assert program("preview", known, "-o", "new/sheet.jpg", "--overwrite").code == 0
    assert program("preview", known, "-o", "new/").code == 0
    assert sorted(path.suffix for path in (program.cwd / "new").iterdir()) == [".jpg", ".jpg"]
    assert program("preview", known, "-o", "sheet.png").code == 2
    both = program("preview", known, "--at", "1", "--frames", "4")
    assert (both.code, "--frames cannot be combined with --at" in both.err) == (2, True)
    assert "between 1 and 16" in program("preview", known, "--frames", "0").err
    assert "required: ID\n" in program("preview").err
    assert program("preview", known, "-o", "-").raw.startswith(b"\xff\xd8\xff")


def test_a_clip_is_named_once_and_is_saved(program: Any, clip: Any) -> None:
    twice = program("preview", clip["task_id"], clip["task_id"])
    assert (twice.code, "named twice" in twice.err) == (2, True)
    Path(clip["file"]).unlink()
    gone = program("preview", clip["task_id"])
    assert gone.code == 2
    assert f"download {clip['task_id']}" in gone.err


@pytest.mark.parametrize(
    ("environ", "abilities", "expected"),
    [
        ({"TERM": "xterm-kitty"}, "", terminal_picture.kitty),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "", terminal_picture.kitty),
        ({"TERM_PROGRAM": "vscode", "KITTY_WINDOW_ID": "1"}, "", None),
        ({"TERM_PROGRAM": "iTerm.app"}, "", terminal_picture.iterm),
        ({"TERM": "xterm", "LC_TERMINAL": "iTerm2"}, "", terminal_picture.iterm),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, "1;2", None),
        ({"TERM": "tmux-256color", "LC_TERMINAL": "iTerm2"}, "1;2;4", terminal_picture.sixel),
        ({"TERM": "foot"}, "62;4;22", terminal_picture.sixel),
        ({"TERM": "xterm"}, "64;14", None),
        ({"TERM": "dumb"}, "4", None),
    ],
)
def test_a_terminal_gets_what_it_can_show(
    environ: dict[str, str], abilities: str, expected: Any
) -> None:
    assert encoder(environ, lambda: abilities) is expected


@pytest.mark.skipif(os.name == "nt", reason="has no such terminals")
@pytest.mark.parametrize(
    ("reply", "answer"), [(b"\x1b[?62;4;22c", b"answer 62;4;22\r\n"), (b"", b"answer \r\n")]
)
def test_a_terminal_is_asked_for_its_abilities(reply: bytes, answer: bytes) -> None:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=theirs, stdout=theirs, start_new_session=True
    ):
        seen = b""
        while not seen.endswith(b"\n"):
            seen += os.read(ours, 100)
            if seen.endswith(b"\x1b[c"):
                os.write(ours, reply)
    os.close(ours)
    os.close(theirs)
    assert seen.endswith(answer), "and the reply is not echoed"
    assert b"62" not in seen.replace(answer, b"")


@pytest.mark.parametrize(
    ("environ", "platform", "seen"),
    [
        ({}, "darwin", True),
        ({}, "win32", True),
        ({}, "linux", False),
        ({"SSH_CONNECTION": "1"}, "darwin", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "w"}, "linux", True),
    ],
)
def test_a_viewer_is_opened_where_a_person_sees_it(
    environ: dict[str, str], platform: str, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert bool(viewer(environ, platform)) is seen


def test_only_a_terminal_is_sent_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-kitty")
    for name in ("TMUX", "ZELLIJ"):
        monkeypatch.delenv(name, raising=False)
    data = io.BytesIO()
    Image.new("RGB", (9, 9)).save(data, "JPEG")
    screen, pipe = Screen(), io.StringIO()
    assert Terminal(screen, io.StringIO()).shows(data.getvalue())
    assert screen.getvalue().startswith("\x1b_G")
    assert not Terminal(pipe, io.StringIO()).shows(data.getvalue())
    assert pipe.getvalue() == ""
