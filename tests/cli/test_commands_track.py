"""query, tasks, download, cancel and settle: what became of a purchase."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.session import Session
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.settings import Settings


@pytest.fixture
def task(program):
    return program("generate", "a lighthouse at night", "--json").answer


def not_sent(program):
    """A task that waits for its turn: the one slot a minute is taken."""
    program("generate", "first", "--no-wait", HAILUO_RPM="1")
    return program("generate", "second", "--wait-seconds", "0", "--json", HAILUO_RPM="1").answer


def test_the_providers_own_id_finds_the_task(program, task):
    assert program("query", task["remote_id"], "--json").answer["task_id"] == task["task_id"]


def test_a_query_alone_asks_the_provider(program):
    """No other process is running: without a look of its own the answer would be the old one."""
    bought = program("generate", "soon", "--no-wait", "--json").answer

    assert program("query", bought["task_id"], "--json").answer["status"] != "queued"


def test_tasks_wait_until_all_are_saved(program):
    for number in range(3):
        program("generate", f"number {number}", "--no-wait")

    ran = program("tasks", "--wait", "--json")

    assert ran.code == 0
    assert [row["status"] for row in ran.answer["tasks"]] == ["succeeded"] * 3
    assert all(row["saved"] for row in ran.answer["tasks"])
    assert len(list((program.cwd.parent / "videos").glob("*.mp4"))) == 3


def test_waiting_for_tasks_tells_the_worst_of_their_ends(program):
    program("generate", "good", "--no-wait")
    program("generate", "bad [sandbox:fail] [sandbox:seconds=9]", "--no-wait")

    assert program("tasks", "--wait").code == 1  # it has not failed before that began


def test_what_is_waited_for_is_named(program):
    sent = program("generate", "a lighthouse", "--no-wait", "--json").answer

    ran = program("tasks", "--wait")

    assert "Waiting for 1 clip:" in ran.err
    assert f"{sent['task_id']}  {sent['status']}" in ran.err
    assert "a lighthouse" in ran.err
    assert "Waiting" not in program("tasks", "--wait").err


def test_a_wait_ends_with_1_and_names_the_clip_that_cannot_be_saved(program, tmp_path):
    (tmp_path / "in-the-way").write_text("a file")
    task_id = program("generate", "a lighthouse", "--no-wait", "--json").answer["task_id"]
    blocked = ("--output-dir", str(tmp_path / "in-the-way" / "clips"))

    first = program("tasks", "--wait", "--json", *blocked)
    again = program("tasks", "--wait", *blocked)
    mended = program("tasks", "--wait")

    assert (first.code, again.code, mended.code) == (1, 1, 0)
    for ran in (first, again):
        assert f"Not saved: {task_id} (a lighthouse)" in ran.err
        assert f"download {task_id}" in ran.err
    assert not first.answer["tasks"][0].get("saved")
    assert "\tsaved\t" in mended.out


def test_a_question_about_a_clip_that_cannot_be_saved_has_an_end_too(program, tmp_path):
    (tmp_path / "in-the-way").write_text("a file")
    task_id = program("generate", "a lighthouse", "--no-wait", "--json").answer["task_id"]
    blocked = ("--output-dir", str(tmp_path / "in-the-way" / "clips"))

    waited = program("query", task_id, "--wait", *blocked)
    fetched = program("download", task_id, *blocked)
    looked = program("query", task_id, *blocked)

    assert [ran.code for ran in (waited, fetched, looked)] == [1, 1, 1]
    assert f"download {task_id}" in looked.out.splitlines()[-1]


def test_a_wait_with_a_key_that_is_refused_ends_with_1(idle, serve):
    idle.environ |= {
        "HAILUO_PROVIDER": "minimax-cn",
        "HAILUO_BASE_URL": serve(seconds_to_ready=600).base_url,
    }
    sent = idle("generate", "a lighthouse", "--no-wait", "--json", HAILUO_API_KEY="good").answer

    ran = idle("tasks", "--wait", HAILUO_API_KEY="bad")

    assert ran.code == 1
    assert f"Not fetched: {sent['task_id']} (a lighthouse)" in ran.err


def test_a_wait_ends_with_3_while_a_purchase_is_unconfirmed(program):
    lost = program("generate", "lost [sandbox:lost]", "--json").answer["task_id"]

    ran = program("tasks", "--wait")
    program("settle", lost, "not-bought")

    assert ran.code == 3
    assert f"settle {lost} bought" in ran.err
    assert program("tasks", "--wait").code == 0


def test_every_status_that_is_printed_is_taken(program):
    program("generate", "good")
    program("generate", "left", HAILUO_AUTO_DOWNLOAD="false")
    program("generate", "bad [sandbox:fail]")
    program("generate", "lost [sandbox:lost]")
    rows = [line.split("\t") for line in program("tasks").out.splitlines()[1:5]]

    assert {row[1] for row in rows} == {"saved", "unsaved", "failed", "unconfirmed"}
    for task_id, status, *_ in rows:
        listed = program("tasks", "--status", status).out.splitlines()
        assert [line.split("\t")[0] for line in listed[1:2]] == [task_id]
        assert listed[2] == ""


def test_a_clip_without_a_prompt_has_nothing_in_the_prompts_column(program):
    Image.new("RGB", (400, 400)).save(program.cwd / "first.png")
    program("generate", "--first-frame-image", "first.png", "--no-wait")

    assert program("tasks").out.splitlines()[1].split("\t")[-1] == "-"


def test_a_clip_goes_to_standard_output_and_everything_else_to_stderr(program, task):
    ran = program("download", task["task_id"], "-")
    whole = program("download", task["task_id"], "-", "--json")
    unknown = program("download", "no-such-task", "-", "--json")

    assert (ran.code, whole.code, unknown.code) == (0, 0, 2)
    assert ran.raw == whole.raw == Path(task["file"]).read_bytes()
    assert task["file"] in ran.err
    assert '"status": "saved"' in whole.err
    assert unknown.raw == b""
    assert not (program.cwd / "-.mp4").exists()


def test_a_clip_in_a_bucket_is_bought_copied_and_written_as_one_on_disk(program, s3):
    program.environ |= {**s3.variables, "HAILUO_FILES": s3.url}
    bought = program("generate", "a fox", "--json", "-o", "mine/")
    (key,) = s3.clips()
    task_id = bought.answer["task_id"]
    written = program("download", task_id, "-")
    shown = program("query", task_id)
    other = program("generate", "a hare", "-o", "-")

    assert (program.cwd / "mine" / key.rpartition("/")[2]).read_bytes() == s3.read(key)
    assert written.raw == s3.read(key)
    assert f"s3://{s3.name}/{key}" in shown.out
    assert other.raw in [s3.read(one) for one in s3.clips()]
    assert len(s3.clips()) == 2


def test_a_clip_is_not_written_to_a_terminal():
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(InvalidRequestError, match="cannot be shown as text"):
        Terminal(out=Screen(), err=io.StringIO()).reserve_stdout()


def _polled(**facts: Any) -> Task:
    row = {"status": Status.RUNNING, "tries": 3, "polled_at": 200.0, "account": "p u key"}
    words = dict.fromkeys(("task_id", "provider", "caller", "model"), "x")
    return Task(mode=Mode.T2V, created_at=1.0, updated_at=1.0, **words, **(row | facts))


@pytest.mark.parametrize(
    ("task", "in_vain"),
    [
        (_polled(error_kind="authentication"), True),
        (_polled(error_kind="authentication", tries=2), False),
        (_polled(error_kind="authentication", polled_at=50.0), False),
        (_polled(error_kind="provider_unavailable"), False),
        (_polled(error_kind="remote_task_not_found"), False),
        (_polled(error_kind="remote_task_not_found", account="p u other"), True),
        (_polled(status=Status.SUCCEEDED, save_error="The disk is full."), True),
        (_polled(status=Status.SUCCEEDED), False),
    ],
)
def test_a_wait_is_in_vain_where_only_a_person_can_help(task, in_vain):
    """What was refused before this wait began says nothing: the key may have been mended."""
    terminal = Terminal(io.StringIO(), io.StringIO())
    session = Session(
        args=Namespace(), terminal=terminal, settings=Settings.from_env({}), began=100
    )

    session.studio = SimpleNamespace(account="p u key")

    assert session.needs_person(task) is in_vain


def test_tasks_of_another_account_are_not_waited_for(program, idle):
    program("generate", "elsewhere", "--no-wait", "--provider", "minimax-cn", HAILUO_API_KEY="k")

    ran = program("tasks", "--wait")

    assert ran.code == 0
    assert "tasks --wait --provider minimax-cn" in ran.err


def test_tasks_are_lines_with_tabs_and_the_money(program, task):
    lines = program("tasks").out.splitlines()

    assert lines[0] == "Task\tStatus\tCost\tWhen\tPrompt"
    assert lines[1].split("\t")[:3] == [task["task_id"], "saved", "would cost 2 CNY"]
    assert lines[-1] == "In the sandbox, free: clips that would cost 2 CNY today."


def test_a_download_is_copied_and_never_over_something(program, task):
    (program.cwd / "taken.mp4").write_bytes(b"mine")

    copied = program("download", task["task_id"], "light.mp4", "--json")
    taken = program("download", task["task_id"], "taken.mp4")
    replaced = program("download", task["task_id"], "taken.mp4", "--overwrite")

    assert Path(copied.answer["file"]) == program.cwd / "light.mp4"
    assert copied.answer["status"] == "saved"
    assert taken.code == 2
    assert replaced.code == 0
    assert (program.cwd / "taken.mp4").read_bytes() == (program.cwd / "light.mp4").read_bytes()


def test_a_second_id_is_not_taken_for_the_name_of_a_file(program, task):
    for second in (task["task_id"], task["task_id"][:9], "@last"):
        ran = program("download", task["task_id"], second)

        assert ran.code == 2
        assert f"{second} is a task, and one clip is downloaded at a time" in ran.err
    assert program("download", task["task_id"], "fox").code == 0
    assert [it.name for it in program.cwd.glob("*.mp4")] == ["fox.mp4"]


def test_a_download_waits_for_the_clip(program):
    bought = program("generate", "later", "--no-wait", "--json").answer

    ran = program("download", bought["task_id"])

    assert ran.code == 0
    assert ran.out.startswith("Saved")


def test_a_download_of_what_failed_fails(program):
    program("generate", "bad [sandbox:fail]")
    failed = program("tasks", "--json").answer["tasks"][0]["task_id"]

    assert program("download", failed).code == 1


def test_what_was_not_sent_can_be_cancelled(program):
    waiting = not_sent(program)

    ran = program("cancel", waiting["task_id"], "--json", HAILUO_RPM="1")

    assert waiting["status"] == "pending"
    assert ran.code == 0
    assert ran.answer["status"] == "cancelled"


def test_what_was_sent_cannot_be_cancelled(program):
    sent = program("generate", "sent", "--no-wait", "--json").answer

    ran = program("cancel", sent["task_id"])

    assert ran.code == 1
    assert ran.out.startswith("Not cancelled. ")


def test_a_person_settles_what_is_unconfirmed(program):
    lost = program("generate", "lost [sandbox:lost]", "--json").answer
    other = program("generate", "also lost [sandbox:lost]", "--json").answer

    assert program("settle", lost["task_id"], "not-bought", "--json").answer["status"] == "failed"
    assert program("settle", other["task_id"], "bought").code == 0
    assert program("query", other["task_id"]).code == 1  # charged, so it was not refused
    assert program("settle", lost["task_id"], "bought").code == 0  # on second thoughts
    assert program("tasks", "--json").answer["spending"]["spent"] == "4"
    wrong = program("settle", lost["task_id"], "bought", "--remote-id", "12345")
    assert wrong.code == 2
    assert "knows no task '12345'. Nothing was changed." in wrong.err
    assert program("tasks", "--json").answer["spending"]["spent"] == "4"


def test_what_was_settled_as_bought_is_not_called_failed(program):
    lost = program("generate", "lost [sandbox:lost]", "--json").answer

    settled = program("settle", lost["task_id"], "bought").out
    looked_up = program("query", lost["task_id"]).out

    for told in (settled, looked_up):
        assert told.startswith("Bought, without a clip. Settled as bought, without the provider")
        assert "Failed" not in told
        assert "would cost 2 CNY" in told


def test_settled_with_the_providers_id_the_clip_is_fetched(program):
    from hailuo_mcp.sandbox.report import read_book

    lost = program("generate", "lost [sandbox:lost]", "--json").answer
    (account,) = read_book(program.books)["accounts"].values()
    (remote_id,) = account["tasks"]

    settled = program("settle", lost["task_id"], "bought", "--remote-id", remote_id)
    fetched = program("query", lost["task_id"], "--wait", "--json")

    assert settled.code == 0
    assert fetched.code == 0
    assert Path(fetched.answer["file"]).is_file()


def test_tasks_of_several_providers_say_whose_they_are(program):
    program("generate", "a sandbox clip", "--no-wait")

    mixed = program("tasks", HAILUO_PROVIDER="minimax-cn", HAILUO_API_KEY="k")

    assert "Provider" in mixed.out.splitlines()[0]
    assert "\twould cost 2 CNY\tsandbox\t" in mixed.out
    assert mixed.out.splitlines()[-1] == "At minimax-cn: 0 CNY spent today."
    assert "Provider" not in program("tasks").out
