"""What every command prints with --json, against the schema that the docs publish."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hailuo_mcp.cli.output.terminal import Terminal

SCHEMA = json.loads(Path(__file__).parents[2].joinpath("docs", "cli-schema.json").read_text())
FOR_AGENTS = re.compile(
    r"generate_video|query_task|list_tasks|download_video|upgrade_video|preview_video|"
    r"generate_storyboard|generate_from_template|estimate_cost|cancel_task|the person"
)
LONG = "a lighthouse on a cliff at night, and waves that are higher than it, seen from a boat"


def fits(answer: dict[str, Any], kind: str) -> None:
    """The answer is one of these, and tells a person what to do, not an agent."""
    Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{kind}"}]}).validate(answer)
    assert not FOR_AGENTS.search(json.dumps(answer))


def test_the_schema_is_one_and_knows_every_object_that_it_names():
    Draft202012Validator.check_schema(SCHEMA)
    named = {kind for kinds in SCHEMA["x-commands"].values() for kind in kinds}
    assert named <= SCHEMA["$defs"].keys()
    assert {one["$ref"] for one in SCHEMA["anyOf"]} == {f"#/$defs/{kind}" for kind in named}


def test_no_terminal_obeys_what_json_repeats():
    out, prompt = StringIO(), "\x1b[31m \x9b31m \x7f \x85 \u2028 \u2029 猫 😀"
    Terminal(out, StringIO()).data({"prompt": prompt})
    assert json.loads(out.getvalue()) == {"prompt": prompt}
    assert len(out.getvalue().splitlines()) == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out.getvalue())
    assert "猫 😀" in out.getvalue()


def test_a_task_is_the_same_object_wherever_it_is_printed(program):
    bought = program("generate", LONG, "--json").answer
    task_id = bought["task_id"]
    asked = program("query", task_id, "--json").answer
    story = program("show", task_id, "--json").answer
    listed = program("tasks", "--json").answer
    fetched = program("download", task_id, "copy.mp4", "--json").answer

    fits(bought, "task")
    fits(story, "task_story")
    fits(listed, "tasks")
    fits(fetched, "download")
    assert bought == asked == listed["tasks"][0]
    assert story == {**bought, "history": story["history"], "request": story["request"]}
    of_file = {"status": "saved", "task_status": "succeeded", "file": fetched["file"]}
    assert fetched == {**bought, **of_file}
    assert Path(fetched["file"]) == program.cwd / "copy.mp4"


def test_a_task_has_its_whole_prompt_its_money_and_its_times(program):
    task = program("generate", LONG, "--json").answer

    assert (task["prompt"], task["provider"], task["take"]) == (LONG, "sandbox", 1)
    assert task["cost"] == {"amount": "2", "unit": "CNY", "charged": "yes"}
    assert (task["state"], task["saved"]) == ("saved", True)
    names = ("created_at", "sent_at", "submitted_at", "finished_at", "saved_at")
    times = [datetime.fromisoformat(task[name]) for name in names]
    assert times == sorted(times)
    assert all(time.tzinfo == UTC for time in times)
    assert Path(task["file"]).stat().st_size == task["bytes"]


def test_the_history_is_the_life_of_the_task_in_order(program):
    task = program("generate", "a lighthouse", "--json").answer
    told = program("show", "@last", "--json").answer["history"]

    assert [event["event"] for event in told] == ["written", "sent", "queued", "ready", "saved"]
    assert told[0]["at"] == task["created_at"]
    assert told[2]["detail"] == f"at sandbox as {task['remote_id']}"
    assert told[-1] == {"at": task["saved_at"], "event": "saved", "detail": task["file"]}


def test_what_did_not_end_well_fits_the_schema_too(program):
    failed = program("generate", "bad [sandbox:fail]", "--json").answer
    lost = program("generate", "lost [sandbox:lost]", "--json").answer
    settled = program("settle", lost["task_id"], "not-bought", "--json").answer
    story = program("show", lost["task_id"], "--json").answer
    listed = program("tasks", "--status", "failed", "--json").answer

    for answer, charged in ((failed, "no"), (lost, "maybe"), (settled, "no")):
        fits(answer, "task")
        assert answer["cost"]["charged"] == charged
    fits(story, "task_story")
    fits(listed, "tasks")
    assert [event["event"] for event in story["history"]] == ["written", "sent", "settled"]
    assert listed["tasks"] == [settled, failed]
    assert listed["sums"] == []


def test_films_and_their_shots_fit_the_schema(program):
    (program.cwd / "script.txt").write_text("a paper boat\nthe sea\n")
    planned = program("film", "script.txt", "--dry-run", "--json").answer
    made = program("film", "script.txt", "--yes", "--json").answer
    fetched = program("download", made["film_id"], "--json").answer
    story = program("show", made["film_id"], "--json").answer
    listed = program("tasks", "--json").answer

    fits(planned, "film")
    fits(made, "film")
    fits(fetched, "film_download")
    fits(story, "film_story")
    fits(listed, "tasks")
    assert [shot["status"] for shot in planned["shots"]] == ["planned"] * 2
    film, *shots = listed["tasks"]
    assert film == made
    assert shots == made["shots"]
    assert [event["event"] for event in story["history"]] == [
        *("planned", "made", "shot saved", "shot saved", "joined")
    ]


@pytest.mark.parametrize(
    ("argv", "kind"),
    [
        (("models",), "models"),
        (("moves",), "moves"),
        (("estimate", "--count", "3"), "estimate"),
        (("estimate", "--plan", "compare"), "estimate"),
        (("generate", "a fox", "--dry-run"), "quote"),
        (("template",), "templates"),
        (("tasks",), "tasks"),
        (("doctor",), "doctor"),
        (("generate", "a fox", "--count", "2"), "batch"),
        (("generate", "a fox", "--count", "2", "--dry-run"), "batch"),
        (("account",), "account"),
        (("config", "list"), "answer"),
        (("completion", "bash"), "answer"),
        (("journal", "check"), "answer"),
        (("show", "no-such-task"), "error"),
        (("cancel", "@last"), "error"),
        (("generate", "a fox", "--model", "MiniMax-Hailuo-2.2"), "error"),
        (("tasks", "--watch", "--wait"), "error"),
    ],
)
def test_every_other_command_prints_one_object_too(program, argv, kind):
    fits(program(*argv, "--json").answer, kind)
