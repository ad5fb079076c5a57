"""Which paths are let through, and how each escape is stopped."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.files.folders import Folders, odd_on_windows, plain_path

posix = pytest.mark.skipif(os.name == "nt", reason="links, pipes and devices of POSIX")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    for name in ("Downloads", "Desktop", "Pictures", "Videos/Hailuo"):
        (tmp_path / "home" / name).mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.png").write_bytes(b"secret")
    home = tmp_path / "home"
    return Folders(output_dir=home / "Videos" / "Hailuo", home=home)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


# ---- reading


@pytest.mark.parametrize("folder", ["Downloads", "Desktop", "Pictures", "Videos/Hailuo", "."])
def test_a_bare_name_is_found_where_people_keep_pictures(
    folders: Folders, home: Path, folder: str
) -> None:
    (home / folder / "cat.png").write_bytes(b"x")
    assert folders.readable("cat.png") == (home / folder / "cat.png").resolve()


def test_a_path_may_be_written_in_many_ways(folders: Folders, home: Path) -> None:
    picture = home / "Pictures" / "my cat 猫.png"
    picture.write_bytes(b"x")
    for text in (
        str(picture),
        f' "{picture}" ',
        f"'{picture}'",
        "~/Pictures/my cat 猫.png",
        "Pictures/my cat 猫.png",
        picture.as_uri(),
        picture.as_uri().replace("file://", "file://localhost"),
        f"file:{picture}",
    ):
        assert folders.readable(text) == picture.resolve(), text


def test_the_output_folder_stays_open_when_the_operator_names_others(
    tmp_path: Path, folders: Folders, home: Path
) -> None:
    only = Folders(output_dir=folders.output_dir, allowed=(tmp_path / "outside",), home=home)
    (folders.output_dir / "a.png").write_bytes(b"x")
    (home / "b.png").write_bytes(b"x")
    assert only.readable("a.png")
    assert only.readable(str(tmp_path / "outside" / "secret.png"))
    with pytest.raises(InvalidRequestError, match="outside the allowed folders") as refused:
        only.readable(str(home / "b.png"))
    assert Step(Do.CHECK, "HAILUO_ALLOWED_DIRS") in refused.value.then


def test_a_person_at_their_own_shell_has_no_fence(folders: Folders, tmp_path: Path) -> None:
    person = replace(folders, allowed=(tmp_path / "home",), fenced=False)
    secret = tmp_path / "outside" / "secret.png"
    assert person.readable(str(secret)) == secret.resolve()
    clip = tmp_path / "outside" / "clip.mp4"
    assert person.target(str(clip), default_name="x.mp4") == clip.resolve()


@pytest.mark.parametrize(
    "text",
    [
        "../outside/secret.png",
        "~/../outside/secret.png",
        "file://{root}/home/%2e%2e/outside/secret.png",
        "{root}/outside/secret.png",
        "{root}/home/../outside/secret.png",
        "{root}/outside/there-is-no-such.png",
        "/etc/passwd",
        "/dev/zero",
        "/proc/self/environ",
    ],
)
def test_what_is_outside_is_refused_alike_whether_it_exists_or_not(
    folders: Folders, tmp_path: Path, text: str
) -> None:
    with pytest.raises(InvalidRequestError, match="outside the allowed folders") as refused:
        folders.readable(text.format(root=tmp_path))
    assert str(folders.output_dir.resolve()) in str(refused.value)


@posix
def test_a_symlink_out_is_followed_before_it_is_judged(
    folders: Folders, home: Path, tmp_path: Path
) -> None:
    (home / "Pictures" / "cat.png").symlink_to(tmp_path / "outside" / "secret.png")
    (home / "far").symlink_to(tmp_path / "outside")
    (home / "loop.png").symlink_to(home / "loop.png")
    (home / "real.png").write_bytes(b"x")
    (home / "near.png").symlink_to(home / "real.png")
    for text in ("cat.png", "~/Pictures/cat.png", "~/far/secret.png"):
        with pytest.raises(InvalidRequestError, match="outside"):
            folders.readable(text)
    with pytest.raises(InvalidRequestError):
        folders.readable("~/loop.png")
    assert folders.readable("near.png") == (home / "real.png").resolve()


@posix
def test_only_regular_files_are_read(folders: Folders, home: Path) -> None:
    os.mkfifo(home / "pipe.png")
    (home / "folder.png").mkdir()
    everywhere = Folders(output_dir=folders.output_dir, allowed=(Path("/"),), home=home)
    for reader, text in ((folders, "pipe.png"), (folders, "folder.png"), (everywhere, "/dev/zero")):
        with pytest.raises(InvalidRequestError, match=r"is a (device|folder)"):
            reader.readable(text)
        with pytest.raises(InvalidRequestError):
            reader.read(text, limit=100)


@posix
def test_a_file_swapped_after_the_check_is_not_read(
    folders: Folders, home: Path, tmp_path: Path
) -> None:
    inner = home / "inner"
    inner.mkdir()
    (inner / "secret.png").write_bytes(b"harmless")

    class Swapped(Folders):
        def readable(self, text: str) -> Path:
            path = super().readable(text)
            inner.rename(home / "away")
            inner.symlink_to(tmp_path / "outside")
            return path

    with pytest.raises(InvalidRequestError, match="changed while"):
        Swapped(folders.output_dir, home=home).read("~/inner/secret.png", limit=100)


@posix
def test_a_pipe_put_in_after_the_check_holds_nobody(folders: Folders, home: Path) -> None:
    class Swapped(Folders):
        def readable(self, text: str) -> Path:
            path = super().readable(text)
            path.unlink()
            os.mkfifo(path)
            return path

    (home / "a.png").write_bytes(b"x")
    with pytest.raises(InvalidRequestError, match="changed while"):
        Swapped(folders.output_dir, home=home).read("a.png", limit=100)


def test_a_file_over_the_limit_is_refused_unread(folders: Folders, home: Path) -> None:
    with (home / "big.png").open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(InvalidRequestError, match=r"10737\.4 MB"):
        folders.read("big.png", limit=2**20 - 1)
    (home / "just.png").write_bytes(bytes(100))
    assert folders.read("just.png", limit=100) == bytes(100)
    with pytest.raises(InvalidRequestError, match="the limit is"):
        folders.read("just.png", limit=99)


@pytest.mark.parametrize(
    "text",
    [
        "cat\0.png",
        "cat\u202egnp.exe",
        "\u2066cat.png",
        "cat\n.png",
        "cat\u200b.png",
        "cat\u2028.png",
        "\ud800.png",
        "\\\\server\\share\\cat.png",
        "//server/share/cat.png",
        "\\\\?\\C:\\cat.png",
        "file://server/share/cat.png",
        "file:////server/share/cat.png",
        "file:///cat%00.png",
        "file:///cat%ff.png",
        "",
        "   ",
        "x" * 5000,
    ],
)
def test_odd_text_is_refused_in_reading_and_writing(folders: Folders, text: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        folders.readable(text)
    assert "\u202e" not in str(refused.value)
    assert len(str(refused.value)) < 600
    if text.strip():
        with pytest.raises(InvalidRequestError):
            folders.target(text, default_name="a.mp4")


def test_a_missing_picture_says_where_it_was_looked_for(folders: Folders) -> None:
    with pytest.raises(InvalidRequestError, match=r"no file 'cat.png' in .*\.$"):
        folders.readable("cat.png")


def test_the_working_directory_is_searched_for_a_person_and_named(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "outside")
    person = replace(folders, fenced=False)
    assert person.readable("secret.png") == (tmp_path / "outside" / "secret.png").resolve()
    with pytest.raises(InvalidRequestError) as missing:
        person.readable("nix.png")
    assert str(tmp_path / "outside") in missing.value.what
    with pytest.raises(InvalidRequestError, match="There is no file"):
        folders.readable("secret.png")


def test_paths_of_windows_are_read_as_windows_reads_them() -> None:
    read = {
        "file:///C:/Users/me/my%20cat.png": "C:/Users/me/my cat.png",
        "file://localhost/C:/cat.png": "C:/cat.png",
        "file://C:/cat.png": "C:/cat.png",
        '"C:\\Users\\me\\cat.png"': "C:\\Users\\me\\cat.png",
    }
    for text, path in read.items():
        assert plain_path(text, windows=True) == path
    for text in (
        "\\\\server\\share\\a.png",
        "//server/share/a.png",
        "\\\\?\\C:\\a.png",
        "\\\\.\\NUL",
    ):
        with pytest.raises(ValueError, match="network or device path"):
            plain_path(text, windows=True)
    with pytest.raises(ValueError, match="Windows path"):
        plain_path("C:\\Users\\me\\cat.png", windows=False)
    with pytest.raises(ValueError, match="backslash"):
        plain_path("..\\cat.png", windows=False)


# ---- writing


def test_a_clip_goes_where_it_was_asked_to_go(folders: Folders, home: Path) -> None:
    out = folders.output_dir.resolve()
    (out / "shots.old").mkdir()
    for text, place in {
        "": out / "d.mp4",
        "shots/": out / "shots" / "d.mp4",
        "shots.old": out / "shots.old" / "d.mp4",
        "one.mp4": out / "one.mp4",
        "a/b/one": out / "a" / "b" / "one.mp4",
        "Shot 1.5": out / "Shot 1.5.mp4",
        "one.MP4": out / "one.MP4",
        "~/film/x.mp4": home.resolve() / "film" / "x.mp4",
        "~": home.resolve() / "d.mp4",
        ".": out / "d.mp4",
        "..": home.resolve() / "Videos" / "d.mp4",
        str(home / "Desktop"): home.resolve() / "Desktop" / "d.mp4",
    }.items():
        assert folders.target(text, default_name="d.mp4") == place, text


@pytest.mark.parametrize(
    "text",
    [
        "../../../outside/a.mp4",
        "{root}/outside/",
        "{root}/outside/a.mp4",
        "/etc/a.mp4",
        "/dev/shm/a.mp4",
        "~/../outside/x",
    ],
)
def test_a_clip_is_not_written_outside(folders: Folders, tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRequestError, match="outside the allowed folders"):
        folders.target(text.format(root=tmp_path), default_name="d.mp4")


@posix
def test_a_clip_is_not_written_through_a_symlink_out(folders: Folders, tmp_path: Path) -> None:
    (folders.output_dir / "far").symlink_to(tmp_path / "outside")
    (folders.output_dir / "file.mp4").symlink_to(tmp_path / "outside" / "new.mp4")
    (folders.output_dir / "d.mp4").symlink_to(tmp_path / "outside" / "new.mp4")
    (folders.output_dir / "part.mp4").symlink_to(tmp_path / "outside" / "new")
    for text in ("far/a.mp4", "far/", "file.mp4", "", "file", "part"):
        with pytest.raises(InvalidRequestError, match="outside the allowed folders"):
            folders.target(text, default_name="d.mp4")


@posix
def test_a_clip_is_not_written_into_a_pipe(folders: Folders) -> None:
    os.mkfifo(folders.output_dir / "a.mp4")
    with pytest.raises(InvalidRequestError, match="is a device, pipe or socket"):
        folders.target("a.mp4", default_name="d.mp4")


@pytest.mark.parametrize("text", [".bashrc", "notes.txt", "x.mp4.exe", "photo.mov"])
def test_a_clip_takes_no_other_file_s_name(folders: Folders, text: str) -> None:
    if text == ".bashrc":
        assert folders.target(text, default_name="d.mp4").name == ".bashrc.mp4"
    else:
        with pytest.raises(InvalidRequestError, match=r"end in \.mp4"):
            folders.target(text, default_name="d.mp4")


@pytest.mark.parametrize(
    "text",
    [
        "CON.mp4",
        "nul",
        "a/NUL .mp4",
        "com1.mp4",
        "COM¹.mp4",
        "aux.tar.mp4",
        "conin$",
        "a.mp4:x",
        "a.mp4::$DATA",
        "dir./x.mp4",
        "dir /x.mp4",
        "what?.mp4",
        "a|b.mp4",
        "LPT9/x.mp4",
    ],
)
def test_names_that_windows_reads_otherwise_are_refused_for_clips(
    folders: Folders, text: str
) -> None:
    with pytest.raises(InvalidRequestError, match=r"Windows|in a name|a name that"):
        folders.target(text, default_name="d.mp4")


def test_ordinary_names_are_no_devices() -> None:
    for name in ("console.mp4", "com10.mp4", "null.png", "a.con", "..", "auxiliary"):
        assert odd_on_windows(name) == ""


@pytest.mark.skipif(os.name == "nt", reason="a colon is ordinary elsewhere only")
def test_a_picture_with_a_colon_in_its_name_is_read(folders: Folders, home: Path) -> None:
    (home / "Pictures" / "Screenshot 12:30:45.png").write_bytes(b"x")
    assert folders.readable("Screenshot 12:30:45.png")


@given(st.text(max_size=60))
def test_no_text_leaves_the_folders_or_crashes(text: str) -> None:
    root = Path("/nowhere-at-all/home")
    folders = Folders(output_dir=root / "out", home=root)
    with suppress(InvalidRequestError):
        place = folders.target(text, default_name="d.mp4")
        assert place.is_relative_to(root)
        assert place.suffix.lower() == ".mp4"
    with pytest.raises(InvalidRequestError) as refused:
        folders.readable(text)
    assert str(refused.value).isprintable()
