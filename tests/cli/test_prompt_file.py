"""Files of requests: what a line means, and that every flaw is named with its line."""

from __future__ import annotations

import json
from argparse import Namespace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.cli import parsing
from hailuo_mcp.cli.make import prompt_file
from hailuo_mcp.cli.make.prompt_file import read_clips
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.errors import InvalidRequestError


def options(file, *argv) -> Namespace:
    given = ["generate", *argv, "--file", str(file)]
    return parsing.parser(given).parse_args(given)


@pytest.fixture
def read(tmp_path):
    def reading(data: bytes | str, *argv: str):
        file = tmp_path / "prompts.txt"
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        clips, refused = read_clips(options(file, *argv), Terminal(StringIO(), StringIO()))
        return clips, {one.line: one.error.what for one in refused}

    return reading


def test_a_line_is_a_prompt_and_the_rest_is_left_out(read):
    clips, refused = read("# shots\r\n\r\n  A fox \r\nAn owl\rA hen\u2028and a cock\n#An ox")

    assert [(it.line, it.request.prompt) for it in clips] == [
        (3, "A fox"),
        (4, "An owl"),
        (5, "A hen\u2028and a cock"),
    ]
    assert not refused


def test_a_line_of_json_has_the_options_of_the_command_line(read):
    line = {
        "Prompt": "A fox",
        "image": "first.png",
        "last": "last.png",
        "reference_images": ["a.png", "b.png"],
        "duration": 10,
        "resolution": 768,
        "prompt-optimizer": False,
        "take": 3,
        "count": 2,
        "output": "shots/",
    }

    first, second = read(json.dumps(line))[0]

    wanted = first.request
    assert (wanted.first_frame_image, wanted.last_frame_image) == ("first.png", "last.png")
    assert wanted.reference_images == ("a.png", "b.png")
    assert (wanted.duration, wanted.resolution, wanted.prompt_optimizer) == (10, "768", False)
    assert (first.take, second.take, first.output) == (3, 4, "shots/")
    assert first.request == second.request


def test_a_prompt_may_begin_with_a_move_a_dash_or_a_quotation(read):
    lines = ("[Push in] A fox", "- A fox", '"Go," says a fox', "3 foxes", "-20 degrees, snow")

    clips, refused = read("\n".join(lines))

    assert not refused
    assert [it.request.prompt for it in clips] == list(lines)


def test_numbers_may_be_text(read):
    clips, refused = read('{"prompt": "A fox", "duration": "10", "take": "2"}')

    assert not refused
    assert (clips[0].request.duration, clips[0].take) == (10, 2)


@pytest.mark.parametrize("name", ["a.csv", "a.TSV", "a.xlsx", "a.json"])
def test_a_table_and_a_json_file_are_no_prompts(tmp_path, name):
    file = tmp_path / name
    file.write_text("prompt,duration\nA fox,10\n", encoding="utf-8")

    with pytest.raises(InvalidRequestError, match="no file of prompts"):
        read_clips(options(file), Terminal(StringIO(), StringIO()))


def test_options_of_the_command_line_are_defaults_of_each_line(read):
    text = 'A fox\n{"prompt": "An owl", "duration": 10, "take": 5, "model": null, "output": ""}'

    fox, owl = read(text, "--duration", "6", "--take", "2", "--model", "02", "-o", "out/")[0]

    assert (fox.request.duration, fox.take, fox.request.model, fox.output) == (6, 2, "02", "out/")
    assert (owl.request.duration, owl.take, owl.request.model, owl.output) == (10, 5, "02", "out/")


def test_windows_writes_a_mark_before_the_first_line(read):
    assert read(b"\xef\xbb\xbfA fox\r\n")[0][0].request.prompt == "A fox"
    with pytest.raises(InvalidRequestError, match="UTF-16"):
        read("A fox".encode("utf-16"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"\xffox", "not text in UTF-8"),
        (b"a\0fox", "not text"),
        (b"x" * 1_000_000, "1,000,000 characters"),
        (b"{cinematic} a fox", "not a JSON object"),
        (b'{"prompt": "a"} b', "not a JSON object"),
        (b'{"prompt": ' + b'{"a":' * 5000, "not a JSON object"),
        (b'{"prompt": "\\ud800"}', "lone surrogate"),
        (b'{"prompt": "a", "Prompt": "b"}', "given twice"),
        (b'{"promt": "a"}', "did you mean prompt?"),
        (b'{"prompt": "a", "image_url": "b"}', "did you mean first_frame_image?"),
        (b'{"prompt": "a", "request_key": "b"}', "a request key of its own"),
        (b'{"prompt": 3}', "must be text in quotes, not the number 3"),
        (b'{"prompt": "a", "duration": "six"}', "must be a whole number from 1 to 3,600"),
        (b'["A fox", "An owl"]', "a list, and no prompt"),
        (b'"A fox",', "a text in quotes, and no prompt"),
        (b"42", "a number, and no prompt"),
        (b"],", "a bracket, and no prompt"),
        (b"-d 10 A fox", "begins like an option: -d"),
        (b"--duration=10 A fox", "begins like an option: --duration=10"),
        (b'{"prompt": "a", "duration": NaN}', "must be a whole number"),
        (b'{"prompt": "a", "duration": true}', "not true"),
        (b'{"prompt": "a", "duration": 6.5}', "not the number 6.5"),
        (b'{"prompt": "a", "count": 101}', "from 1 to 100"),
        (b'{"prompt": "a", "watermark": "yes"}', "must be true or false"),
        (b'{"prompt": "a", "model": {"name": "02"}}', "not an object"),
        (b'{"prompt": "a", "reference_images": [1]}', "a list of texts"),
        (b"{}", "no prompt and no picture"),
        (b'{"prompt": "a", "output": "-"}', "Standard output"),
        (b'{"prompt": "a", "image": "task:@last#last"}', "another clip each time"),
    ],
)
def test_each_flaw_is_named_with_its_line_and_the_others_are_read(read, line, said):
    clips, refused = read(b"A fox\n" + line + b"\nAn owl")

    assert [it.line for it in clips] == [1, 3]
    assert said in refused[2]


def test_nothing_to_make_and_too_much_are_refused(read):
    for text in ("", "# only a comment\n\n"):
        with pytest.raises(InvalidRequestError, match="no prompt in"):
            read(text)
    with pytest.raises(InvalidRequestError, match="1,100 clips"):
        read('{"prompt": "a", "count": 100}\n' * 11)


def test_lines_without_end_are_counted_before_one_is_read(read, monkeypatch):
    monkeypatch.setattr(prompt_file, "_clips_of", lambda *_: pytest.fail("it was read"))
    with pytest.raises(InvalidRequestError, match="500,000 clips; 1,000 are the most"):
        read("a\n" * 500_000)


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    return options(tmp_path_factory.mktemp("strange") / "prompts.txt")


@given(data=st.binary(max_size=200) | st.text(max_size=100).map(lambda it: ("{" + it).encode()))
def test_no_file_is_too_strange_to_be_answered(strange, data):
    Path(strange.file).write_bytes(data)
    try:
        clips, refused = read_clips(strange, Terminal(StringIO(), StringIO()))
    except InvalidRequestError:
        return
    lines = [it.line for it in (*clips, *refused)]
    assert len(lines) == len(set(lines)), "each line is a clip or refused"
    for clip in clips:
        assert clip.request.prompt.strip()
        clip.request.prompt.encode()
