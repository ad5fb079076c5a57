"""--name and --no-keep: what a clip is called, and that it is where it was wanted, once."""

from __future__ import annotations

from pathlib import Path


def _clips(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.mp4"))


def test_clips_are_named_as_the_option_says_and_equal_names_are_numbered(program, tmp_path):
    for take in ("1", "2"):
        given = ("generate", "a red fox", "--take", take, "--name", "{mode}/{prompt}")
        assert program(*given).code == 0
    assert _clips(tmp_path / "videos") == ["t2v/a-red-fox-2.mp4", "t2v/a-red-fox.mp4"]


def test_a_wrong_pattern_is_refused_by_the_option_that_was_typed(program, tmp_path):
    ran = program("generate", "a red fox", "--name", "{promt}")
    assert ran.code == 2
    assert "the nearest is {prompt}" in ran.err
    assert "Check --name" in ran.err
    assert not _clips(tmp_path)


def test_a_clip_that_is_moved_is_there_alone_and_found_there(program):
    mine = program.cwd / "mine.mp4"
    made = program("generate", "a red fox", "-o", "mine.mp4", "--no-keep", "--json").answer
    assert made["file"] == str(mine)
    assert _clips(Path(program.environ["HAILUO_OUTPUT_DIR"])) == []
    assert mine.with_suffix(".json").exists()
    moved = program("download", made["task_id"], "again.mp4", "--no-keep", "--json").answer
    assert moved["file"] == str(program.cwd / "again.mp4")
    assert _clips(program.cwd) == ["again.mp4"]
    (row,) = program("tasks", "--json").answer["tasks"]
    assert row["file"] == moved["file"]


def test_a_film_is_moved_with_its_poster_and_its_shots_stay(program):
    (program.cwd / "script.txt").write_text("a fox\na hare\n")
    ran = program("film", "script.txt", "--yes", "-o", "film.mp4", "--no-keep")
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in program.cwd.glob("film.*")) == [
        *("film.jpg", "film.json", "film.mp4"),
    ]
    assert len(_clips(Path(program.environ["HAILUO_OUTPUT_DIR"]))) == 2


def test_moving_to_nowhere_is_refused_before_anything_is_bought(program, tmp_path):
    for given in ((), ("-o", "-")):
        ran = program("generate", "a red fox", "--no-keep", *given)
        assert ran.code == 2
        assert "--no-keep moves the clip" in ran.err
    shared = str(tmp_path / "shared")
    ran = program("generate", "a red fox", "-o", "a.mp4", "--no-keep", HAILUO_FILES=shared)
    assert ran.code == 2
    assert "other computers" in ran.err
    assert program("tasks", "--json").answer["tasks"] == []
