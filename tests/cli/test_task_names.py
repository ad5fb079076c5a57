"""Tasks by the first characters of their ids, @last and @-2, wherever a command takes an id."""

from __future__ import annotations

import pytest


@pytest.fixture
def three(program):
    """Three clips, the oldest first."""
    words = ("a lighthouse", "a paper boat", "the sea")
    return [program("generate", prompt, "--json").answer["task_id"] for prompt in words]


def _told_apart(first: str, *others: str) -> str:
    """The fewest characters that only the first has."""
    return next(
        first[:count]
        for count in range(3, len(first) + 1)
        if not any(other.startswith(first[:count]) for other in others)
    )


def test_a_task_is_meant_by_its_place_or_the_first_characters_of_its_id(program, three):
    first, second, last = three

    def shown(name: str) -> str:
        return program("show", name, "--json").answer["task_id"]

    assert [shown(name) for name in ("@last", "@-1", "@LAST", "@-2", "@-3")] == [
        *(last, last, last, second, first)
    ]
    short = _told_apart(first, second, last)
    assert shown(short) == shown(short.upper()) == shown(first) == first
    assert "There is no task @-9: there are only 3." in program("show", "@-9").err


def test_every_command_with_an_id_takes_them(program, three):
    first, second, last = three
    short = _told_apart(first, second, last)

    assert program("query", "@-2", "--json").answer["task_id"] == second
    assert program("download", short, "mine.mp4", "--json").answer["task_id"] == first
    told = program("preview", "@last", "@-3", "--compare-with", "@-2", "--json").answer
    assert len(told["clips"]) == 3
    settled = program("settle", short, "bought")
    assert first in settled.out + settled.err
    assert "Not cancelled." in program("cancel", "@last").out


def test_what_several_ids_begin_with_is_refused_with_all_of_them(program, three):
    common = three[0][:3]
    for command in (("query", common), ("cancel", common), ("settle", common, "not-bought")):
        ran = program(*command)
        assert ran.code == 2
        assert f"Several tasks begin with '{common}'" in ran.err
        for task_id, prompt in zip(three, ("a lighthouse", "a paper boat", "the sea"), strict=True):
            assert f"{task_id} (" in ran.err
            assert prompt in ran.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("v", "too short to tell a task"),
        ("@", "names no task"),
        ("@0", "names no task"),
        ("@-0", "names no task"),
        ("@first", "names no task"),
        ("@-1001", "names no task"),
        ("@last", "none was recorded so far"),
        ("vzzz", "'vzzz'"),
        ("no-such-task", "'no-such-task'"),
    ],
)
def test_what_names_no_task_is_refused(program, name, said):
    for command in ("query", "show"):
        ran = program(command, name)
        assert ran.code == 2, ran.err
        assert said in ran.err


def test_the_frame_of_the_newest_clip_starts_the_next_one(program):
    first = program("generate", "a lighthouse", "--json").answer["task_id"]
    next_ = ("generate", "the light goes on", "--first-frame-image", "task:@last#last")
    made = program(*next_)
    second = program("show", "@last", "--json").answer

    assert made.code == 0
    assert second["request"]["first_frame_image"]["from"] == f"task:{first}#last"
    # The command for another take names what was meant: @last is this clip by now.
    assert f"task:{first}#last" in made.out
    assert "@last" not in made.out


def test_a_film_is_one_of_the_newest_too(program):
    (program.cwd / "script.txt").write_text("a paper boat\nthe sea\n")
    film = program("film", "script.txt", "--yes", "--json").answer

    assert program("query", "@last", "--json").answer["film_id"] == film["film_id"]
    assert program("show", "@-2", "--json").answer["task_id"] == film["shots"][0]["task_id"]
    short = film["film_id"][:6]
    assert (
        program("film", "--film", short, "--dry-run", "--json").answer["task_id"] == film["task_id"]
    )
