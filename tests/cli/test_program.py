"""Reading the command line, and what bad input gets: one sentence, exit code 2, nothing sent."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailuo_mcp import __version__
from hailuo_mcp.cli import arguments, exits, main, setting_sources, words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.program import COMMANDS, parser
from hailuo_mcp.cli.setting_options import SETTING_OPTIONS
from hailuo_mcp.domain.requests import Mode, TemplateRequest, VideoRequest
from hailuo_mcp.errors import (
    BudgetExceededError,
    ConfigError,
    DownloadError,
    JournalError,
    ProviderUnavailableError,
    TaskFailedError,
    TaskNotFoundError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.settings import table as settings_table


def test_the_tables_of_options_have_the_names_of_what_they_set():
    assert set(SETTING_OPTIONS) <= set(settings_table.SETTINGS)
    assert [*arguments.VIDEO_OPTIONS] == [it.name for it in fields(VideoRequest)]
    assert [*arguments.TEMPLATE_OPTIONS] == [it.name for it in fields(TemplateRequest)]


def test_each_setting_of_an_option_is_what_the_option_gave(tmp_path):
    given = {"provider": "sandbox", "plan": "basic", "budget": "12", "filename": "{task_id}"}
    folders = {"output_dir": str(tmp_path / "out"), "state_dir": str(tmp_path / "state")}
    flags = [f"{SETTING_OPTIONS[name].flag}={text}" for name, text in {**given, **folders}.items()]
    args = parser(["models"]).parse_args(["models", *flags])

    read = setting_sources.settings(args, {})

    assert {name: str(getattr(read, name)) for name in {**given, **folders}} == {**given, **folders}


SETTINGS = {"provider", "base_url", "plan", "budget", "output_dir", "state_dir"}

BAD = [
    ["nonsense"],
    ["generate", "a", "b"],
    ["generate", "x", "--duration", "six"],
    ["generate", "x", "--duration", "-1"],
    ["generate", "x", "--take", "0"],
    ["generate", "x", "--max-cost", "nan"],
    ["generate", "x", "--max-cost", "-1"],
    ["generate", "x", "--max-cost", "1_000"],
    ["generate", "x", "--max-cost", "１０００"],
    ["generate", "x", "--provider", "sandbox", "--budget", "1_000"],
    ["generate", "x", "--take", "1_0"],
    ["generate", "x", "--wait-seconds", "1_0"],
    ["generate", "x", "--api-key", "sk-secret"],
    ["generate", "x", "--aigc-watermark"],
    ["generate", "x", "--dur", "6"],
    ["generate", "bad \udcff bytes"],
    ["generate", "x", "--provider", "nobody"],
    ["generate", "x", "--plan", "gold"],
    ["generate", "x", "--budget", "much"],
    ["generate", "x", "--base-url", "http://example.com"],
    ["generate", "x", "--provider", "sandbox", "--no-wait", "-o", "x.mp4"],
    ["generate", "x", "--provider", "sandbox", "-o", f"{__file__}/x.mp4"],
    ["generate", "x", "--provider", "sandbox", "--model", "MiniMax-Hailuo-2.2"],
    ["generate", "", "--provider", "sandbox"],
    ["generate", "x [Dolly in]", "--provider", "sandbox"],
    ["generate", "x", "--provider", "sandbox", "--first-frame-image", "nowhere.png"],
    ["generate", "x", "--provider", "sandbox", "--first-frame-image", "data:image/png;base64,!"],
    ["template", "No such template", "--provider", "sandbox"],
    ["query"],
    ["query", "no-such-task", "--provider", "sandbox"],
    ["query", "x" * 5000, "--provider", "sandbox"],
    ["query", "v1", "--wait", "long"],
    ["query", "v1", "--wait", "inf"],
    ["tasks", "--status", "lost", "--provider", "sandbox"],
    ["tasks", "--limit", "0"],
    ["download", "no-such-task", "--provider", "sandbox"],
    ["cancel", "no-such-task", "--provider", "sandbox"],
    ["settle", "no-such-task", "perhaps"],
    ["settle", "no-such-task", "bought", "--provider", "sandbox"],
    ["settle", "no-such-task", "not-bought", "--remote-id", "1"],
    ["estimate", "--mode", "v2v"],
    ["estimate", "--count", "0"],
    ["estimate", "--model", "Hailuo-9"],
    ["estimate", "--plan", "gold"],
    ["serve", "--transport", "carrier-pigeon"],
    ["sandbox", "--port", "99999"],
]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """The process's environment, which is the input of a command line."""
    for name in ("HAILUO_PROVIDER", "HAILUO_API_KEY", "MINIMAX_API_KEY", "HAILUO_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HAILUO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HAILUO_OUTPUT_DIR", str(tmp_path / "videos"))


@pytest.mark.parametrize(
    "argv", BAD, ids=lambda argv: " ".join(argv)[:60].encode("ascii", "replace").decode()
)
def test_bad_input_is_refused_in_a_few_words(alone, capsys, argv):
    code = main(argv)
    out, err = capsys.readouterr()

    assert code == exits.REFUSED
    assert out == ""
    assert err.strip()
    assert "Traceback" not in err
    assert len(err) < 1200
    assert "sk-secret" not in err or "--api-key" in err


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_help_fits_a_terminal(monkeypatch, capsys, command):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, "--help"]) == exits.DONE
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 80


WORDS = st.one_of(
    st.sampled_from(
        ["--take", "--wait", "--duration", "--max-cost", "--json", "--plan", "-o", "--"]
    ),
    st.sampled_from(["0", "-1", "6", "1e999", "NaN", "", "sandbox", "bought", "v1"]),
    st.text(max_size=12),
)


@given(st.sampled_from([command.name for command in COMMANDS]), st.lists(WORDS, max_size=6))
@settings(max_examples=250)
def test_any_words_are_read_or_refused(command, argv):
    """argparse ends a program by SystemExit, and by nothing else."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = parser([command, *argv]).parse_args([command, *argv]) and exits.DONE
        except SystemExit as ended:
            code = ended.code
    assert code in (exits.DONE, exits.REFUSED)


def test_a_length_has_its_unit_and_a_negative_number_its_range(capsys):
    assert parser().parse_args(["generate", "x", "-d", "6s"]).duration == 6
    assert main(["tasks", "--limit", "-1"]) == exits.REFUSED
    assert "must be between 1 and" in capsys.readouterr().err


@pytest.mark.parametrize("typed", [["version", "--json"], ["--json", "-V"]])
def test_the_version_is_json_where_that_is_asked_for(capsys, typed):
    assert main(typed) == exits.DONE
    assert json.loads(capsys.readouterr().out)["version"] == __version__


def test_no_command_is_refused_with_the_way_to_the_help(capsys):
    assert main(["--json"]) == exits.REFUSED
    assert "--help" in capsys.readouterr().err


def test_an_option_that_is_nearly_right_is_named(capsys):
    assert main(["generate", "a fox", "--durations", "6"]) == exits.REFUSED
    assert "did you mean --duration?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "typed", "meant"),
    [
        ("generate", "--image-url", "--first-frame-image"),
        ("generate", "--end-frame", "--last-frame-image"),
        ("generate", "--aigc-watermark", "--watermark"),
        ("generate", "--dur", "--duration"),
        ("generate", "--ratio", "--aspect-ratio"),
        ("generate", "--ref-images", "--reference-images"),
        ("generate", "--audio", "--reference-audios"),
        ("template", "--image", "--media-inputs"),
    ],
)
def test_another_programs_option_is_corrected_to_ours(command, typed, meant, capsys):
    assert main([command, "a fox", typed, "x"]) == exits.REFUSED
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_an_option_that_is_nothing_like_ours_is_not_corrected(capsys):
    assert main(["generate", "a fox", "--api-key", "sk"]) == exits.REFUSED
    assert "did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize(("word", "shown"), [("help", "usage:"), ("version", __version__)])
def test_words_that_other_programs_take_are_taken(capsys, word, shown):
    assert main([word]) == exits.DONE
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(("command", "known"), [("models", "S2V-01"), ("moves", "推进")])
def test_what_may_be_asked_for_can_be_listed(capsys, command, known):
    assert main([command]) == exits.DONE
    assert known in capsys.readouterr().out
    assert main([command, "--json"]) == exits.DONE
    assert known in json.dumps(json.loads(capsys.readouterr().out), ensure_ascii=False)


def test_a_variable_is_called_by_the_option_that_was_typed_in_its_place(alone, capsys):
    assert main(["tasks", "--budget", "50 CNY"]) == exits.REFUSED
    told = capsys.readouterr().err
    assert "budget is not an amount" in told
    assert "--budget" in told
    assert "HAILUO_BUDGET" not in told


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_narrow_terminal_gets_lines_and_no_id_is_cut(monkeypatch):
    columns = ("Task", "Status", "Cost", "Provider", "When", "Prompt")
    row = ("v1m7yh09akcjy1x2", "saved", "2 CNY", "minimax-cn", "07:44", "a long prompt " * 9)
    shown = {}
    for width in ("100", "50"):
        monkeypatch.setenv("COLUMNS", width)
        screen = Screen()
        Terminal(screen, io.StringIO()).table(columns, [row, row], wide=5)
        shown[width] = screen.getvalue()

    assert shown["100"].count("\n") == 3
    assert shown["50"].count("\n") == 19
    assert all("v1m7yh09akcjy1x2" in text for text in shown.values())


def test_a_narrow_terminal_keeps_paths_and_words_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    path = "/home/mei/Videos/Hailuo/2026-11-22_a_red_fox_v1m7yh09akcjy1x2.mp4"
    screen = Screen()
    terminal = Terminal(screen, io.StringIO())
    terminal.table(("Setting", "Value"), [("output_dir", path)], wide=1, wraps=True)
    sentence = "12 clips, free; real ones would cost 24 CNY"
    terminal.facts([("sandbox", sentence), ("File", f"{path} 2")])
    shown = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert shown.count(path) == 2
    assert sentence in " ".join(shown.split())
    assert max(len(line) for line in shown.splitlines() if path not in line) <= 40


def test_a_near_miss_is_named(capsys):
    main(["genrate"])

    assert "generate" in capsys.readouterr().err


def test_every_command_of_the_contract_is_there():
    helped = parser().format_help()

    for name in ("serve", "generate", "template", "query", "tasks", "download", "cancel"):
        assert re.search(rf"^    {name} ", helped, re.MULTILINE)
    for name in ("settle", "estimate", "sandbox", "upgrade"):
        assert re.search(rf"^    {name} ", helped, re.MULTILINE)


TOOLS = {
    "generate": "generate_video",
    "template": "generate_from_template",
    "query": "query_task",
    "tasks": "list_tasks",
    "estimate": "estimate_cost",
    "download": "download_video",
    "preview": "preview_video",
    "cancel": "cancel_task",
    "upgrade": "upgrade_video",
}
NEED_ID = ("query", "download", "cancel", "preview", "upgrade")
SNAPSHOTS = Path(__file__).parents[1] / "surface" / "snapshots"
ARGUMENTS = [
    pytest.param(command, name, id=f"{command}-{name}")
    for command, tool in TOOLS.items()
    for name in json.loads((SNAPSHOTS / f"{tool}.json").read_text("utf-8"))["inputSchema"][
        "properties"
    ]
]


@pytest.mark.parametrize(("command", "name"), ARGUMENTS)
def test_every_argument_of_a_tool_is_an_option_of_that_name(command, name):
    needs_id = command in NEED_ID and name != "task_id"
    flag = name in ("prompt_optimizer", "fast_pretreatment", "watermark", "overwrite")
    values = [] if flag else ["6"]
    argv = [command, *(["v1"] if needs_id else []), f"--{name.replace('_', '-')}", *values]

    options = vars(parser(argv).parse_args(argv))

    without = [command, *(["v1"] if command in NEED_ID else [])]
    untouched = vars(parser(without).parse_args(without))
    changed = {key for key in options if options[key] != untouched[key]} - {"argv", "parser"}
    assert len(changed) == 1
    assert SETTINGS | {"json"} <= options.keys()


@pytest.mark.parametrize(
    "words",
    [["x.mp4"], ["-o", "x.mp4"], ["-ox.mp4"], ["--output=x.mp4"], ["--output-path", "x.mp4"]],
)
def test_the_place_of_a_copy_can_be_said_in_any_way(words):
    argv = ["download", "v1", *words]
    assert parser(argv).parse_args(argv).output == "x.mp4"


def test_what_a_command_is_about_is_said_once(capsys):
    assert main(["generate", "a fox", "--prompt", "a cat"]) == exits.REFUSED
    assert "a fox" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (BudgetExceededError("x"), 2),
        (TaskNotFoundError("x"), 2),
        (TaskFailedError("x", code="content_rejected", retry=False, task_id="v"), 2),
        (TaskFailedError("x", code="rate_limited", retry=True, task_id="v"), 1),
        (TaskFailedError("x", code="unconfirmed", retry=False, task_id="v"), 3),
        (ProviderUnavailableError("x"), 1),
        (UnconfirmedSubmitError("x"), 3),
        (DownloadError("x"), 1),
        (JournalError("x"), 1),
    ],
)
def test_what_went_wrong_decides_the_exit_code(error, code):
    assert exits.of_error(error) == code


def test_control_characters_never_reach_the_terminal():
    out = io.StringIO()

    Terminal(out, io.StringIO()).say("a\x1b[2Jb\rc\x07d")

    assert out.getvalue() == "a [2Jb c d\n"


def test_lines_stay_whole_where_nobody_looks():
    err = io.StringIO()

    Terminal(io.StringIO(), err).paragraph("Refused:", "word " * 60)

    assert err.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("environ", "options", "expected"),
    [
        ({"HAILUO_BASE_URL": "https://api.minimax.io"}, ["--provider", "sandbox"], ""),
        ({"HAILUO_BASE_URL": "https://relay.example.com"}, ["--provider", "sandbox"], ""),
        (
            {"HAILUO_PROVIDER": "hingnet", "HAILUO_BASE_URL": "https://relay.example.com"},
            ["--provider", "hingnet"],
            "https://relay.example.com",
        ),
        (
            {"HAILUO_BASE_URL": "http://127.0.0.1:8700"},
            ["--provider", "xcompute"],
            "http://127.0.0.1:8700",
        ),
        (
            {"HAILUO_BASE_URL": "https://relay.example.com"},
            ["--provider", "xcompute", "--base-url", "https://other.example.com"],
            "https://other.example.com",
        ),
        ({"HAILUO_BASE_URL": "https://relay.example.com"}, [], "https://relay.example.com"),
    ],
)
def test_a_provider_given_here_does_not_get_another_ones_address(environ, options, expected):
    args = parser().parse_args(["tasks", *options])

    assert setting_sources.settings(args, environ).base_url == expected


def test_what_changes_while_a_person_thinks_changes_nothing(tmp_path):
    """What is bought after the question is what was shown before it, at the same provider."""
    args = parser().parse_args(["generate", "A boat"])
    shown = setting_sources.settings(args, {"HAILUO_PROVIDER": "minimax-global"})

    bought = setting_sources.settings(args, {"HAILUO_PROVIDER": "minimax-cn"})

    assert bought is shown


def test_a_server_that_is_started_in_a_folder_does_not_open_it_to_agents():
    args = parser().parse_args(["serve"])
    settings = setting_sources.settings(args, {})

    assert settings.allowed_dirs == (settings.output_dir, Path.home())


def test_references_are_repeated_and_found_where_the_person_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "walk.mp4"):
        (tmp_path / name).touch()
    argv = ["generate", "a fox", "--aspect-ratio", "9:16", "--reference-image", "a.png"]
    argv += [
        "--reference-images",
        "b.png",
        "--reference-image",
        "",
        "--reference-video",
        "walk.mp4",
    ]
    argv += ["--reference-video", "task:v1", "--reference-audio", "https://e.com/voice.mp3"]

    wanted = arguments.request(parser(argv).parse_args(argv), VideoRequest)

    assert wanted.aspect_ratio == "9:16"
    assert wanted.reference_images == (str(tmp_path / "a.png"), str(tmp_path / "b.png"))
    assert wanted.reference_videos == (str(tmp_path / "walk.mp4"), "task:v1")
    assert wanted.reference_audios == ("https://e.com/voice.mp3",)
    assert wanted.mode is Mode.R2V


def test_the_command_that_was_typed_is_repeated_with_all_its_references():
    argv = ["generate", "a fox", "--reference-image", "a.png", "--reference-image", "b.png"]
    argv += ["--aspect-ratio", "9:16"]

    again = words.retyped(parser(argv).parse_args(argv))

    assert parser(argv).parse_args(argv).reference_images == ["a.png", "b.png"]
    assert again.endswith(
        'generate "a fox" --reference-image a.png --reference-image b.png --aspect-ratio 9:16'
    )


def test_lengths_that_follow_each_other_are_listed_as_a_range(capsys):
    assert main(["models"]) == exits.DONE
    said = capsys.readouterr().out
    assert "768P\t4-15\t" in said
    assert "768P\t6 or 10\t2 or 4" in said


def test_folders_given_here_are_relative_to_here():
    args = parser().parse_args(["tasks", "--output-dir", "clips"])

    assert setting_sources.settings(args, {}).output_dir == Path.cwd() / "clips"


@pytest.mark.parametrize(
    "argv",
    [
        ("tasks", "--state-dir", "~no-such-user/x"),
        ("config", "set", "state_dir", "~no-such-user/x"),
        ("journal", "copy", "~no-such-user/x", "~no-such-user/y"),
        ("film", "~no-such-user/x"),
        ("generate", "--file", "~no-such-user/x"),
    ],
)
def test_the_home_of_nobody_is_refused_and_not_searched_for(argv, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(list(argv)) == exits.REFUSED
    assert "unexpected" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
