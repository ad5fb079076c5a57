"""generate and template: from a sentence to a file, and every other way it can end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import warm
from PIL import Image

from hailuo_mcp.sandbox.report import read_book

FOX = "A red fox runs through fresh snow [Tracking shot]"


def bought(books: Path) -> int:
    accounts = read_book(books)["accounts"]
    return sum(len(account["tasks"]) for account in accounts.values())


def test_a_sentence_becomes_a_file_with_its_facts_and_a_next_step(program):
    ran = program("generate", FOX)

    assert ran.code == 0
    saved = next(line for line in ran.out.splitlines() if line.startswith("Saved"))
    clip = Path(saved.removeprefix("Saved").strip())
    assert clip.read_bytes()[4:8] == b"ftyp"
    assert "1366×768, 6 s" in ran.out
    assert "Cost   nothing: a real one would cost 2 CNY\n" in ran.out
    assert f'generate "{FOX}" --take 2' in ran.out
    assert "SANDBOX" in ran.out


def test_the_phases_are_told_on_stderr(program):
    ran = program("generate", FOX, "--json")

    assert "queued" in ran.err or "rendering" in ran.err or "saving" in ran.err
    assert ran.answer["status"] == "succeeded"


def test_without_a_key_or_a_server_the_sandbox_comes_along(idle):
    """The quick start: the sandbox is served from the process itself and renders a real clip."""
    ran = idle("generate", "snow", "--provider", "sandbox", "--resolution", "768P", "--json")

    assert ran.code == 0
    assert Path(ran.answer["file"]).stat().st_size > 10_000


def test_the_sandbox_ignores_whatever_stands_for_a_key(idle):
    """Also the example's words: whoever tries it has not replaced them yet."""
    given = {"HAILUO_PROVIDER": "sandbox", "HAILUO_API_KEY": "put your key here"}

    ran = idle("generate", "snow", "--json", **given)
    examined = idle("doctor", "--json", **given)
    same = idle("generate", "snow", "--json", HAILUO_PROVIDER="sandbox")

    assert ran.code == 0, ran.err
    assert Path(ran.answer["file"]).is_file()
    assert examined.code == 0, examined.out
    assert same.answer["task_id"] == ran.answer["task_id"], "one account, whatever the key"


def test_the_same_again_is_not_bought_again(program):
    first = program("generate", FOX, "--json").answer
    again = program("generate", FOX, "--json").answer
    other = program("generate", FOX, "--take", "2", "--json").answer

    assert again["reused"] is True
    assert again["task_id"] == first["task_id"] != other["task_id"]
    assert bought(program.books) == 2


def test_output_puts_a_copy_where_the_person_stands(program):
    ran = program("generate", FOX, "--output", "fox.mp4", "--json")

    assert ran.answer["file"] == str(program.cwd / "fox.mp4")
    assert (program.cwd / "fox.mp4").is_file()
    assert len(list((program.cwd.parent / "videos").glob("*.mp4"))) == 1


def test_an_output_that_is_there_is_refused_before_the_purchase(program):
    (program.cwd / "fox.mp4").write_bytes(b"mine")

    ran = program("generate", FOX, "-o", "fox.mp4")

    assert ran.code == 2
    assert "exists" in ran.err
    assert (program.cwd / "fox.mp4").read_bytes() == b"mine"
    assert bought(program.books) == 0


def test_a_folder_that_takes_no_clip_is_refused_before_the_purchase(program, tmp_path):
    (tmp_path / "in-the-way").write_text("a file")
    folder = str(tmp_path / "in-the-way" / "clips")

    refused = program("generate", FOX, "--output-dir", folder)
    kept_away = program("generate", FOX, "--no-wait", HAILUO_AUTO_DOWNLOAD="false")

    assert refused.code == 2
    assert "cannot be written" in refused.err
    assert kept_away.code == 0
    assert bought(program.books) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_that_may_not_be_written_is_refused_before_the_purchase(program):
    (program.cwd / "closed").mkdir(mode=0o500)

    ran = program("generate", FOX, "-o", "closed/new/fox.mp4")

    assert ran.code == 2
    assert "is not a folder that can be written to" in ran.err
    assert bought(program.books) == 0


def test_pictures_are_found_where_the_person_stands(program):
    Image.new("RGB", (400, 400)).save(program.cwd / "first.png")

    ran = program("generate", "it moves", "--first-frame-image", "first.png", "--json")

    assert ran.code == 0, ran.err
    assert ran.answer["mode"] == "i2v"


def test_a_persons_own_shell_reads_and_writes_outside_the_fence_for_agents(
    program, tmp_path_factory
):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Image.new("RGB", (400, 400)).save(elsewhere / "first.png")
    agents = str(program.cwd.parent / "videos")

    ran = program(
        "generate",
        "it moves",
        "--first-frame-image",
        str(elsewhere / "first.png"),
        "--output",
        str(elsewhere / "clip.mp4"),
        HAILUO_ALLOWED_DIRS=agents,
    )

    assert ran.code == 0, ran.err
    assert (elsewhere / "clip.mp4").is_file()


def test_an_unknown_marker_of_the_sandbox_is_answered_as_one(program):
    ran = program("generate", "x [sandbox:wobble]")

    assert ran.code == 2
    assert "does not know a [sandbox:…] marker" in ran.err
    assert "docs/sandbox.md lists them" in ran.err
    assert "combination" not in ran.err


def test_no_message_of_the_sandbox_names_its_random_port(program):
    port = program.environ["HAILUO_BASE_URL"].rpartition(":")[2]

    ran = [
        program("generate", f"x [sandbox:{fault}]") for fault in ("2049", "lost", "reset", "1008")
    ]

    assert [port in told.out + told.err for told in ran] == [False] * 4
    assert "The sandbox did not accept the key" in ran[0].err
    assert "was sent to the sandbox" in ran[1].out


def test_a_person_in_the_shell_hears_nothing_about_chats_and_persons(program):
    missing = program("generate", "it moves", "--first-frame-image", "nix.png")
    empty = program("generate", "x [sandbox:1008]")

    assert "there is no file 'nix.png'" in missing.err
    assert "Nearest" not in missing.err
    assert "Top up at" in empty.err
    for told in (missing.err, empty.err):
        assert not re.search(
            r"\bchat\b|\bperson\b|this server", told.replace(str(program.cwd.parent), "")
        )


def test_a_bare_number_is_a_resolution(program):
    priced = program("estimate", "--resolution", "1080", "--json")
    made = program("generate", "x", "--resolution", "768", "--no-wait", "--json")

    assert priced.answer["resolution"] == "1080P"
    assert made.answer["resolution"] == "768P"


def test_every_ending_has_its_exit_code(program):
    endings = {"fail": 1, "1027": 1, "1026": 2, "1008": 2, "lost": 3}

    ran = {fault: program("generate", f"x [sandbox:{fault}]") for fault in endings}

    assert {fault: result.code for fault, result in ran.items()} == endings
    assert "Nothing was charged" in ran["fail"].out
    assert "1026" in ran["1026"].err
    assert "settle" in ran["lost"].out


def test_how_fast_the_refusal_came_does_not_change_the_code(program):
    program("generate", "x [sandbox:1026]")
    task = program("tasks", "--json").answer["tasks"][0]

    assert program("query", task["task_id"]).code == 2


def test_an_error_is_the_tools_error_on_stdout_and_its_sentence_on_stderr(program):
    ran = program("generate", FOX, "--duration", "7", "--json")

    assert ran.code == 2
    assert ran.answer["error"] == {"code": "invalid_request", "charged": "no", "retry": False}
    assert "Nothing was sent or charged" in ran.answer["message"]
    assert "7 s" in ran.err
    assert ran.err.count("\n") <= 2


def test_no_wait_stays_until_the_provider_has_it(program):
    """What waits for its turn is sent by nobody once this process has left."""
    ran = program("generate", f"{FOX} [sandbox:1002x1]", "--no-wait", "--json")
    assert ran.code == 0
    assert ran.answer["status"] in ("queued", "running", "succeeded")


def test_no_wait_comes_back_with_the_task(program, serve):
    ran = program("generate", FOX, "--no-wait", "--json")

    assert ran.code == 0
    assert ran.answer["status"] in ("queued", "running")


def test_ctrl_c_leaves_the_task_to_be_asked_for(idle, serve):
    idle.environ |= {
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": serve(seconds_to_ready=3.0).base_url,
    }
    process = idle.start("generate", FOX)
    for line in process.stderr:
        if "queued" in line or "rendering" in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    task_id = said.split("Task ")[1].split()[0]

    assert process.returncode == 130
    assert "Traceback" not in said
    assert f"query {task_id} --wait" in said
    assert idle("query", task_id, "--json").answer["status"] in ("queued", "running", "succeeded")
    assert idle("query", task_id, "--wait", "--json").answer["file"]
    assert bought(idle.books) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process at once")
def test_sigterm_leaves_the_task_to_be_asked_for(idle, serve):
    idle.environ |= {
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": serve(seconds_to_ready=60.0).base_url,
    }
    process = idle.start("generate", FOX)
    for line in process.stderr:
        if "queued" in line or "rendering" in line:
            break
    process.terminate()
    _, said = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Resume with" in said


def test_the_price_and_what_is_left_are_told_before_it_is_sent(program):
    ran = program("generate", FOX, "--json", HAILUO_BUDGET="10")

    told = ran.err.index(f'Clip:       "{FOX}": MiniMax-Hailuo-2.3, 768P, 6 s, from text\n')
    assert "Would cost: 2 CNY; 8 of 10 CNY left today after it.\n" in ran.err
    assert told < ran.err.index(ran.answer["task_id"]), "before the purchase"
    assert ran.answer["status"] == "succeeded"
    assert ran.out.count("\n") == 1, "nothing but the result on stdout"


def test_a_dry_run_says_the_price_and_buys_nothing(program):
    ran = program("generate", FOX, "--dry-run", "--take", "2", HAILUO_BUDGET="10")
    whole = program("generate", FOX, "--dry-run", "--json", HAILUO_BUDGET="10", LANG="C.UTF-8")

    assert (ran.code, whole.code) == (0, 0)
    assert "Would cost: 2 CNY; 8 of 10 CNY left today after it.\n" in ran.out
    assert f'generate "{FOX}" --take 2' in ran.out.splitlines()[-1]
    assert whole.answer["cost"] == {"amount": "2", "unit": "CNY", "charged": "no"}
    assert whole.answer["spending"]["left"] == "10"
    assert "Nothing was sent or charged" in whole.answer["message"]
    assert bought(program.books) == 0
    assert program("tasks", "--json").answer["tasks"] == []


def test_a_dry_run_of_a_template_says_its_name_and_buys_nothing(program):
    Image.new("RGB", (400, 400)).save(program.cwd / "pet.png")

    ran = program("template", "Diving", "--media", "pet.png", "--dry-run")

    assert ran.code == 0
    assert (
        "Clip:       template 跳水 Diving (pet.png)\nWould cost: unknown, none is published.\n"
        in ran.out
    )
    assert bought(program.books) == 0


def test_a_dry_run_is_refused_as_the_purchase_would_be(program):
    dear = program("generate", FOX, "--dry-run", "--json", "--budget", "1")
    wrong = program("generate", FOX, "--dry-run", "--duration", "7")
    keyless = program("generate", FOX, "--dry-run", HAILUO_PROVIDER="minimax-cn")

    assert dear.answer["error"]["code"] == "budget_exceeded"
    assert [ran.code for ran in (dear, wrong, keyless)] == [2, 2, 2]


def test_a_request_that_repeats_a_task_names_it_in_place_of_a_price(program):
    first = program("generate", FOX, "--no-wait", "--json").answer
    again = program("generate", FOX, HAILUO_CONFIRM_ABOVE="1")
    saved = program("generate", FOX)
    asked = program("generate", FOX, "--dry-run", "--json").answer

    assert f"the same request is task {first['task_id']}" in again.err
    assert (again.code, saved.code) == (0, 0)
    assert "Not a new clip" in saved.out
    assert "CNY" not in again.err + saved.err
    assert (asked["task_id"], asked["reused"]) == (first["task_id"], True)
    assert bought(program.books) == 1


def test_a_prompt_is_read_from_standard_input(program):
    ran = program("generate", "-", typed="A red fox\nin the snow\n")
    task = program("tasks", "--json").answer["tasks"][0]

    assert ran.code == 0, ran.err
    assert task["prompt"] == "A red fox\nin the snow"
    assert 'generate "A red fox\nin the snow" --take 2' in ran.out


@pytest.mark.parametrize("typed", ["", " \n"])
def test_an_empty_standard_input_buys_no_clip_of_a_dash(program, typed):
    ran = program("generate", "-", typed=typed)

    assert ran.code == 2
    assert "no prompt on standard input" in ran.err
    assert bought(program.books) == 0


def test_a_new_clip_goes_to_standard_output_and_everything_else_to_stderr(program):
    ran = program("generate", FOX, "-o", "-", "--json")
    failed = program("generate", "x [sandbox:fail]", "-o", "-")

    answer = json.loads(ran.err.splitlines()[-1])
    assert ran.raw == Path(answer["file"]).read_bytes()
    assert (failed.code, failed.raw) == (1, b"")
    assert not list(program.cwd.iterdir()), "no file of that name"


def test_a_clip_that_was_not_waited_for_is_delivered_by_the_suggested_command(idle, serve):
    idle.environ |= {
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": serve(seconds_to_ready=3.0).base_url,
    }

    ran = idle("generate", FOX, "-o", "fox.mp4", "--wait-seconds", "0.1")
    _, _, suggested = ran.out.splitlines()[-1].partition(" -m hailuo_mcp ")
    name, _, output = words = suggested.split()

    assert (name, output) == ("download", "fox.mp4")
    assert idle(*words).code == 0
    assert (idle.cwd / "fox.mp4").is_file()


def test_a_request_for_trouble_is_not_suggested_to_a_real_provider(program):
    assert "--provider minimax-cn" in program("generate", "snow").out
    assert "--provider minimax-cn" not in program("generate", "snow [sandbox:seconds=0.1]").out


def test_consent_is_refused_where_nobody_can_be_asked(program):
    ran = program("generate", FOX, HAILUO_CONFIRM_ABOVE="1")

    assert ran.code == 2
    code = ran.err.split("--confirm ")[1].split(",")[0]
    assert bought(program.books) == 0
    again = program("generate", FOX, "--confirm", code, HAILUO_CONFIRM_ABOVE="1")
    assert again.code == 0
    assert bought(program.books) == 1


def test_yes_is_a_yes(program):
    assert program("generate", FOX, "--yes", HAILUO_CONFIRM_ABOVE="1").code == 0


def test_a_yes_after_a_failure_is_a_new_one(program):
    refused = ["generate", "a fox [sandbox:1026]", "--yes"]
    for _ in range(2):
        ran = program(*refused, HAILUO_CONFIRM_ABOVE="1")
        assert "1026" in ran.out + ran.err
        assert "--yes" not in ran.err


@pytest.mark.parametrize(("answer", "code", "clips"), [(b"n\n", 2, 0), (b"y\n", 0, 1)])
def test_a_person_at_a_terminal_is_asked(program, answer, code, clips):
    ended, seen = program.at_a_terminal("generate", FOX, types=answer, HAILUO_CONFIRM_ABOVE="1")

    assert ended == code
    assert seen.index(b"2 CNY.") < seen.index(b"Buy this clip? [y/N]")
    assert (b"\xe2\x94\x81" in seen) == bool(clips), "the bar"
    assert bought(program.books) == clips


def test_a_template_is_made_by_its_name_and_shown_by_it(program):
    Image.new("RGB", (400, 400)).save(program.cwd / "pet.png")

    shown = program("template", "Diving", "--media", "pet.png")
    listed = program("tasks").out.splitlines()[1]
    ran = program("template", "Diving", "--media", "pet.png", "--json")

    assert "template 跳水 Diving" in shown.out
    assert listed.split("\t")[-1] == "跳水 Diving"

    assert ran.code == 0, ran.err
    assert ran.answer["mode"] == "template"
    assert Path(ran.answer["file"]).is_file()


def test_templates_are_listed_free(program):
    ran = program("template")
    answer = program("template", "--json").answer

    assert ran.code == 0
    assert "392753057216684038\t跳水 Diving\t1 image" in ran.out
    assert "392753057216684038" in answer["message"]
    assert bought(program.books) == 0


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_a_terminal_that_cannot_show_chinese_still_gets_its_clip(program, variables):
    ran = program("generate", "一只狐狸在雪地里奔跑", "--take", "2", **variables)
    again = program("generate", "一只狐狸在雪地里奔跑", "--take", "2", "--json", **variables)

    assert ran.code == 0
    assert Path(json.loads(again.out)["file"]).is_file()


def test_the_key_is_in_nothing_that_is_written(program):
    key = "sk-very-secret-key-0123456789"

    ran = program("generate", FOX, "--debug", HAILUO_PROVIDER="minimax-cn", HAILUO_API_KEY=key)

    assert ran.code == 0
    assert key not in ran.out + ran.err
    state = program.cwd.parent / "state"
    assert all(key.encode() not in path.read_bytes() for path in state.rglob("*") if path.is_file())


def test_quiet_prints_the_path_and_nothing_else(program):
    made = program("generate", FOX, "-q")
    sent = program("generate", FOX, "--take", "2", "-q", "--no-wait")
    refused = program("generate", f"{FOX} [sandbox:1026]", "-q")

    assert (made.code, made.err) == (0, "")
    assert Path(made.out.removesuffix("\n")).read_bytes()[4:8] == b"ftyp"
    assert program("query", sent.out.strip(), "-q", "--wait").out.endswith(".mp4\n")
    assert (refused.code, refused.out) == (2, "")
    assert "Nothing was charged" in refused.err


def test_quiet_is_quiet_where_no_question_is_asked(program):
    one = program("generate", FOX, "-q", "-y", HAILUO_CONFIRM_ABOVE="1")
    two = program("generate", FOX, "-n", "2", "-q", "-y", HAILUO_CONFIRM_ABOVE="1")

    assert (one.code, one.err) == (two.code, two.err) == (0, "")


def test_a_person_is_asked_before_a_clip_without_a_published_price(program):
    unknown = {"HAILUO_PROVIDER": "minimax-cn", "HAILUO_API_KEY": "a-key-of-nobody-01"}
    ended, seen = program.at_a_terminal("generate", FOX, "-m", "brand-new", types=b"n\n", **unknown)

    assert ended == 2, seen
    assert b"Its price is not published. Buy this clip?" in seen
    assert bought(program.books) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
def test_a_standard_output_that_is_full_is_told_with_where_the_clip_is(program):
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [*warm.program(), "generate", FOX, "-o", "-"],
            env=program.environ,
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert ran.returncode == 1
    assert "Standard output cannot be written to (no space left on device)" in ran.stderr
    assert str(program.cwd.parent / "videos") in ran.stderr


def test_a_clip_that_was_saved_before_keeps_its_name_and_that_is_said(program):
    new = program("generate", FOX, "--name", "fox")
    again = program("generate", FOX, "--name", "vixen")
    program("generate", FOX, "-n", "2", "--take", "2")
    many = program("generate", FOX, "-n", "3", "--name", "vixen")

    assert "keeps its name" not in new.err
    assert "it was saved before, and keeps its name" in again.err
    assert "3 clips were saved before, and keep their names" in many.err


def test_follow_prints_a_record_at_each_change_and_the_result_last(program):
    ran = program("generate", FOX, "--json", "--follow")
    plain = program("generate", FOX, "--json").answer
    *changes, result = [json.loads(line) for line in ran.out.splitlines()]

    assert changes
    assert {it["task_id"] for it in changes} == {result["task_id"]}
    assert all(not it.get("saved") for it in changes)
    assert result["file"] == plain["file"]
    assert result.keys() >= {"message", "status", "cost", "prompt"}


def test_what_is_asked_for_when_it_is_done_never_fails_the_command(program):
    ran = program("generate", FOX, "--open", "--preview", "--notify")

    assert ran.code == 0
    assert "no screen" in ran.err
    picture = next(line for line in ran.out.splitlines() if line.startswith("Picture"))
    assert Path(picture.split()[-1]).read_bytes().startswith(b"\xff\xd8")


@pytest.mark.skipif(os.name == "nt", reason="no pseudo terminal")
@pytest.mark.parametrize("pressed", [b"\x03", b"\x03\x03\x03"])
def test_ctrl_c_at_a_terminal_leaves_it_as_it_was(program, pressed):
    """At the question, where nothing is bought yet; the cursor is visible, and nothing is traced."""
    code, seen = program.at_a_terminal(
        "generate", FOX, types=pressed, HAILUO_CONFIRM_ABOVE="1", HAILUO_BUDGET="9"
    )

    assert code == 130
    assert b"Not bought, nothing was charged." in seen
    assert b"Traceback" not in seen
    assert seen.rfind(b"\x1b[?25h") > seen.rfind(b"\x1b[?25l")
