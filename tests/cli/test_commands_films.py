"""query, tasks, download and cancel with a film's id."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from tools.fakes import NOW, a_view
from tools.film_fakes import FILM_ID, a_film_view, a_joined_film, shot_id, waiting_view

from hailuo_mcp.cli.follow.film_results import show_film
from hailuo_mcp.cli.output.progress import Lines
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.task_rows import lines
from hailuo_mcp.domain.task import Status


def film(program, *shots: str, options: tuple[str, ...] = ()) -> str:
    """A film's id; without options, one that is being made."""
    Path(program.cwd, "script.txt").write_text("\n".join(shots))
    made = options or ("--yes", "--no-wait")
    return program("film", "script.txt", "--json", *made).answer["film_id"]


def test_a_film_is_waited_for_saved_and_listed(program) -> None:
    film_id = film(program, "a paper boat", "the sea")
    followed = program("query", film_id, "--wait", "--json")
    copied = program("download", film_id, "-o", "mine.mp4")
    listed = program("tasks")

    assert (followed.code, copied.code) == (0, 0)
    copy = Path(program.cwd, "mine.mp4")
    assert copy.read_bytes() == Path(followed.answer["file"]).read_bytes()
    assert copied.out.startswith(f"Saved    {copy}")
    rows = [line.split("\t") for line in listed.out.splitlines()[1:4]]
    assert [row[-1] for row in rows] == [
        "film of 2 shots: a paper boat",
        "shot 1: a paper boat",
        "shot 2: the sea",
    ]
    assert {row[1] for row in rows} == {"saved"}
    assert [shot["prompt"] for shot in followed.answer["shots"]] == ["a paper boat", "the sea"]


@pytest.mark.anyio
async def test_progress_is_told_when_a_shot_moves() -> None:
    told: list[str] = []
    lines = Lines(told.append)
    being_made = a_film_view({3: a_view(), 4: waiting_view(), 5: waiting_view()})
    later = replace(being_made, now=NOW + 2, eta_seconds=300)
    next_one = a_film_view({4: a_view(status=Status.QUEUED), 5: waiting_view()})
    for view in (being_made, later, next_one, a_film_view(due_at=NOW)):
        await lines.show(view)
    assert told == [
        f"{FILM_ID} 2 of 5 shots saved, about 7 min left; shot 3 rendering",
        f"{FILM_ID} 3 of 5 shots saved, about 7 min left; shot 4 queued",
        f"{FILM_ID} joining the shots",
    ]


def test_a_plan_is_shown_and_withdrawn(program) -> None:
    film_id = film(program, "a paper boat", "the sea", options=("--dry-run",))
    planned, waited = program("query", film_id), program("tasks", "--wait")
    gone, again = program("cancel", film_id), program("query", film_id, "--json")

    assert (planned.code, waited.code, gone.code, again.code) == (0, 0, 0, 1)
    assert planned.out.startswith("Planned: 2 shots")
    assert f"film --film {film_id}" in planned.out
    assert f"{film_id}\tplanned" in waited.out
    assert "Waiting" not in waited.err
    assert gone.out.startswith("Withdrawn.")
    assert again.answer["status"] == "cancelled"
    assert "Cost     nothing\n" in gone.out
    assert "1\twithdrawn\tnothing" in gone.out
    made = program("film", "--film", film_id, "--yes")
    assert (made.code, made.out) == (2, "")
    assert "was withdrawn. Nothing was sent or charged. Plan it again" in made.err


def test_a_wait_ends_with_3_where_shots_wait_for_one_that_is_unconfirmed(program) -> None:
    shots = ("a paper boat [sandbox:lost]", "the sea")
    continued = ("--continuity", "last_frame", "--yes", "--no-wait")
    film_id = film(program, *shots, options=continued)

    waited, asked = program("tasks", "--wait"), program("query", film_id, "--wait", "--json")
    lost = asked.answer["shots"][0]["task_id"]
    refused, settled = program("settle", film_id, "bought"), program("settle", lost, "not-bought")
    ended = program("tasks", "--wait")

    assert (waited.code, asked.code, refused.code, settled.code, ended.code) == (3, 3, 2, 0, 1)
    assert f"settle {lost} bought" in waited.err
    assert asked.answer["status"] == "unconfirmed"
    assert "is a film" in refused.err
    assert "Waiting for 1 film" in ended.err


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_film_fits_in_60_columns_as_a_table(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    screen = Screen()

    show_film(Terminal(out=screen), a_joined_film(provider="sandbox", revision=2))

    shown = re.sub(r"\x1b\[[0-9]*m", "", screen.getvalue())
    assert "nothing: real ones would cost 10 CNY with all takes" in shown
    table = [line.rstrip() for line in shown[shown.index("Shot") :].splitlines()]
    assert table[0].split() == ["Shot", "Status", "Price", "Task", "Prompt"]
    assert table[1].startswith(f"1     saved   2 CNY  {shot_id(1)}  A paper boat is")
    assert table[2].strip() == "folded by small hands", "the prompt goes on below"


def test_a_shot_names_its_film_unless_it_stands_below_it():
    film = a_joined_film()
    first, second = (shot.view for shot in film.shots[:2])
    laid = lines([second, film, first], home="minimax-cn", paths=False)

    assert [str(row[-1])[:22] for row in laid.rows] == [
        f"shot 2 of {FILM_ID}"[:22],
        "film of 5 shots: A pap",
        "shot 1: A paper boat i",
    ]
