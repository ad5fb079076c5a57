"""What tasks lists, in which order and columns, and how it is watched."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.cells import cell_len
from tools.fakes import NOW, a_view, saved_view
from tools.film_fakes import a_joined_film

from hailuo_mcp.cli import task_rows
from hailuo_mcp.cli.follow import show
from hailuo_mcp.cli.follow.task_watch import Changes
from hailuo_mcp.cli.output.styles import text_of
from hailuo_mcp.cli.output.table import fitted
from hailuo_mcp.domain.task import Money, Status, Unit


def _views():
    long = "A red fox runs through deep snow, and behind it the sun goes down over the hills"
    return [
        a_view(task_id="v1", prompt=long, created_at=NOW - 12, amount=Decimal("0.5")),
        saved_view(task_id="v2", prompt="a boat", created_at=NOW - 200, amount=Decimal(3)),
        a_view(
            task_id="v3",
            status=Status.UNCONFIRMED,
            created_at=NOW - 90_000,
            provider="minimax-global",
            unit=Unit.USD,
            amount=Decimal("0.28"),
        ),
        a_view(
            task_id="v4",
            status=Status.FAILED,
            money=Money.RELEASED,
            created_at=NOW - 86_400 * 5,
            amount=Decimal(9),
        ),
    ]


@pytest.mark.parametrize("width", [60, 80, 150])
def test_columns_fit_the_width_and_ids_are_whole(width):
    laid = task_rows.layout(_views(), home="minimax-cn", width=width, paths=False)
    widths = fitted(laid.columns, laid.rows, width, wide=laid.wide)

    assert widths is not None
    assert sum(widths) + 2 * (len(widths) - 1) <= width
    for index, name in enumerate(laid.columns):
        needed = max(cell_len(text_of(row[index])) for row in laid.rows)
        assert name == "Prompt" or widths[index] >= needed
    assert {"Task", "Status", "Prompt"} <= set(laid.columns)
    assert ("File" in laid.columns) == (width == 150)


def test_a_narrow_terminal_leaves_out_what_matters_least():
    def columns(width):
        return task_rows.layout(_views(), home="minimax-cn", width=width, paths=False).columns

    assert columns(80) == ("Task", "Status", "Age", "Cost", "Provider", "Prompt")
    assert columns(55) == ("Task", "Status", "Age", "Cost", "Prompt")
    assert columns(30) == ("Task", "Status", "Prompt")


def test_paths_are_shown_when_they_are_asked_for():
    laid = task_rows.layout(_views(), home="minimax-cn", width=60, paths=True)
    assert laid.columns[-1] == "File"
    assert "File" in task_rows.lines(_views(), home="minimax-cn", paths=True).columns


def test_costs_and_ages_are_short():
    laid = task_rows.layout(_views(), home="minimax-cn", width=80, paths=False)
    of = {name: [text_of(row[i]) for row in laid.rows] for i, name in enumerate(laid.columns)}

    assert of["Cost"] == ["0.5 CNY", "3 CNY", "0.28 USD?", "-"]
    assert of["Age"] == ["12s", "3m", "25h", "5d"]
    assert task_rows.short_cost(a_view(provider="sandbox")) == "free"
    assert task_rows.short_cost(a_view(amount=None)) == "unpriced"
    assert task_rows.short_cost(saved_view(money=Money.UNKNOWN)) == "elsewhere"


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("newest", ["v1", "v2", "v3", "v4"]),
        ("age", ["v1", "v2", "v3", "v4"]),
        ("oldest", ["v4", "v3", "v2", "v1"]),
        ("cost", ["v4", "v2", "v1", "v3"]),
        ("status", ["v1", "v3", "v2", "v4"]),
        ("provider", ["v1", "v2", "v4", "v3"]),
        ("model", ["v1", "v2", "v3", "v4"]),
    ],
)
def test_a_list_can_be_ordered(sort, ids):
    assert [view.known_as for view in task_rows.in_order(_views(), sort)] == ids


def test_what_changes_from_one_look_to_the_next_is_told_once():
    changes = Changes()
    film = a_joined_film()
    queued, saved = a_view(task_id="v1"), saved_view(task_id="v1")

    assert changes.of([queued]) == []
    assert changes.of([queued]) == []
    assert changes.of([film, saved]) == [(saved, queued.state), (film, "")]
    assert changes.of([replace(film, now=NOW + 9), saved]) == []


def test_a_clip_that_is_about_to_be_saved_is_not_called_unsaved():
    saved = saved_view(task_id="v1")
    ready = replace(saved, auto_download=True, task=replace(saved.task, file="", due_at=NOW))
    assert (ready.state, task_rows.state_of(ready)) == ("unsaved", "saving")
    failed = replace(ready, task=replace(ready.task, save_error="The disk is full."))
    assert task_rows.state_of(failed) == "unsaved"
    assert task_rows.state_of(saved) == "saved"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0s"), (59, "59s"), (125, "2m 05s"), (11_400, "3h 10m"), (187_200, "2d 4h")],
)
def test_lengths_of_time_are_exact(seconds, said):
    assert show.length(seconds) == said


def test_a_list_is_narrowed_by_its_options(program):
    for prompt in ("a Red fox", "a paper boat"):
        program("generate", prompt, "--no-wait")
    program(
        "generate", "red, elsewhere", "--no-wait", "--provider", "minimax-cn", HAILUO_API_KEY="k"
    )

    def listed(*options: str) -> list[str]:
        return [row["prompt"] for row in program("tasks", "--json", *options).answer["tasks"]]

    assert listed() == ["red, elsewhere", "a paper boat", "a Red fox"]
    assert listed("--search", "RED") == ["red, elsewhere", "a Red fox"]
    assert listed("--provider", "sandbox", "--sort", "oldest") == ["a Red fox", "a paper boat"]
    assert listed("--since", "1h", "--limit", "1") == ["red, elsewhere"]
    assert listed("--until", "1h") == listed("--since", "0s") == []
    assert listed("--sort", "oldest", "--limit", "1") == ["a Red fox"]
    nothing = program("tasks", "--search", "zebra", "--since", "today")
    assert nothing.out.startswith("No task that fits --search zebra and --since.")
    assert program("tasks", "--since", "soon").code == 2


def test_the_money_is_told_by_provider_with_the_sandbox_apart(program):
    program("generate", "a fox")
    program("generate", "lost [sandbox:lost]", "--provider", "minimax-cn", HAILUO_API_KEY="k")

    lines = program("tasks").out.splitlines()

    paid = "1 task, 0 CNY spent, 2 reserved (2 of it for unconfirmed tasks)"
    assert f"minimax-cn  {paid}" in lines
    assert "sandbox     1 task, free; real ones would cost 2 CNY" in lines


def test_a_watched_list_is_told_line_by_line_in_a_pipe_until_it_is_interrupted(program):
    first = program("generate", "a lighthouse", "--json").answer
    watching = program.start("tasks", "--watch", "0.2", "--json")
    assert json.loads(watching.stdout.readline()) == first
    second = program("generate", "a paper boat", "--json").answer
    told = first
    while told["task_id"] != second["task_id"] or told["state"] != "saved":
        told = json.loads(watching.stdout.readline())
    watching.send_signal(signal.SIGINT)

    assert told == second
    assert watching.wait(60) == 0
    assert watching.stderr.read() == ""
