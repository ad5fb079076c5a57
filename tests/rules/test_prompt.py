"""Prompts: length, characters that cannot be sent, and camera commands in both languages."""

import pytest

from hailuo_mcp.rules.prompt import check_prompt, read_moves


def read(prompt, *, obeyed=True, model="MiniMax-Hailuo-2.3"):
    return read_moves(prompt, model=model, obeyed=obeyed)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a [Pan left] b", "a [Pan left] b"),
        ("[pan LEFT]", "[Pan left]"),
        ("[ pan   left ]", "[Pan left]"),
        ("[pan-left]", "[Pan left]"),
        ("[Pan left, Pedestal up]", "[Pan left,Pedestal up]"),
        ("[左摇，上升]", "[左摇,上升]"),
        ("[左摇、上升]", "[左摇,上升]"),
        ("【推进】猫", "[推进]猫"),
        ("【推进，Zoom in】", "[推进,Zoom in]"),
        ("[Push out]", "[Pull out]"),
        ("[Ｐａｎ　ｌｅｆｔ]", "[Pan left]"),
        ("[[Shake]]", "[[Shake]]"),
        ("A man picks up a book [Pedestal up], then reads [Static shot].", None),
        ("A man walks down the street [跟随], then turns around [左摇].", None),
    ],
)
def test_known_commands_get_their_documented_spelling(written, sent):
    got = read(written)
    assert got.problems == ()
    assert got.text == (written if sent is None else sent)


@pytest.mark.parametrize(
    "text",
    [
        "[sandbox:1026]",
        "[sandbox：1026]",
        "[SANDBOX: lost ]",
        "[]",
        "[ ]",
        "[,]",
        "【镜头一】",
        "【推进，然后】",
        "[left",
        "[Shakespeare reads",
        "Pan left]",
        "no brackets at all",
    ],
)
def test_what_is_evidently_no_command_is_left_alone(text):
    got = read(text)
    assert got.text == got.fixed == text
    assert got.problems == got.warnings == ()


@pytest.mark.parametrize(
    ("written", "problem", "fixed"),
    [
        (
            "[Pan lefft]",
            "unknown camera move [Pan lefft] (nearest: [Pan left])",
            "[Pan left]",
        ),
        (
            "[Dolly out]",
            "unknown camera move [Dolly out] (nearest: [Pull out])",
            "[Pull out]",
        ),
        ("[推近]", "unknown camera move [推近] (nearest: [推进])", "[推进]"),
        ("[镜头左移]", "unknown camera move [镜头左移] (nearest: [左移])", "[左移]"),
        ("[变焦推进]", "(nearest: [变焦推近])", "[变焦推近]"),
        ("[慢慢拉远]", "(nearest: [拉远])", "[拉远]"),
        ("[Pan up]", "(nearest: [Tilt up])", "[Tilt up]"),
        ("[Pan]", "(nearest: [Pan left])", "[Pan left]"),
        ("[slow push in]", "(nearest: [Push in])", "[Push in]"),
        ("[Zooms in]", "(nearest: [Zoom in])", "[Zoom in]"),
        ("[Shake, Dolly in]", "unknown camera move [Dolly in]", "[Shake,Push in]"),
        ("[OPEN, Dolly in]", "unknown camera move [Dolly in]", "[OPEN,Push in]"),
    ],
)
def test_a_near_miss_of_a_move_is_refused_with_the_right_name(written, problem, fixed):
    got = read(written)
    assert any(problem in found for found in got.problems)
    assert got.text == written
    assert got.fixed == fixed


@pytest.mark.parametrize(
    "written",
    [
        "[OPEN]",
        "[INT. HOUSE - DAY]",
        "[NIGHT]",
        "[LEFT]",
        "[establishing shot]",
        "[aerial shot]",
        "[close-up]",
        "[TITLE]",
        "[00:03]",
        "[scene 2]",
        "[Anna: pan left, please]",
        "[she slowly turns to the camera]",
        "[dramatic music]",
        "[开场]",
        "[固定资产]",
        "[一只可爱的猫咪在草地上奔跑着唱歌]",
    ],
)
@pytest.mark.parametrize("obeyed", [True, False, None])
def test_what_else_stands_in_brackets_goes_through_with_one_sentence(written, obeyed):
    got = read(f"A door {written} opens {written}", obeyed=obeyed)
    assert got.problems == ()
    assert got.text == got.fixed == f"A door {written} opens {written}"
    assert got.warnings == (f"Not a camera move, so sent as plain text: {written}.",)


@pytest.mark.parametrize(
    ("written", "move"),
    [
        ("a door [push in", "Push in"),
        ("[Pan left slowly. A cat [Shake]", "Pan left"),
        ("猫 [推进，然后", "推进"),
    ],
)
def test_a_move_whose_bracket_is_not_closed_is_a_warning(written, move):
    got = read(written)
    assert got.problems == ()
    assert got.text == written
    assert "has no closing bracket, so it is sent as plain text" in got.warnings[0]
    assert got.warnings[0].endswith(f"the camera move is [{move}].")


def test_one_sentence_names_all_that_is_no_move():
    got = read("[OPEN] a door [INT. HOUSE] [Push in, gently] [BEAT] [THE END]")
    assert got.text == "[OPEN] a door [INT. HOUSE] [Push in,gently] [BEAT] [THE END]"
    assert got.warnings == (
        "Not a camera move, so sent as plain text: [OPEN], [INT. HOUSE], [gently] and 2 more.",
    )


def test_more_than_three_together_are_a_warning():
    assert read("[Pan left,Pedestal up,Zoom in]").warnings == ()
    got = read("[Pan left,Pedestal up,Zoom in,Shake]")
    assert got.problems == ()
    assert "recommends at most 3 together" in got.warnings[0]


def test_push_out_is_a_warning():
    assert "was read as [Pull out]" in read("[push out]").warnings[0]


def test_a_model_without_documented_moves_takes_them_with_a_warning():
    got = read("[pan left]", obeyed=False, model="T2V-01")
    assert got.text == "[Pan left]"
    assert "not documented for T2V-01" in got.warnings[0]


def test_a_near_miss_is_one_for_every_model():
    for obeyed in (True, False, None):
        assert read("[Pan lefft]", obeyed=obeyed).problems


def test_an_unknown_model_is_not_accused_of_ignoring_moves():
    assert read("[pan left]", obeyed=None).warnings == ()


def judge(prompt, *, needed_by=""):
    return check_prompt(prompt, needed_by=needed_by, model="MiniMax-Hailuo-2.3", camera=True)


@pytest.mark.parametrize("prompt", ["x" * 2000, "猫" * 2000, "🐈" * 2000])
def test_two_thousand_characters_pass_whatever_their_bytes(prompt):
    assert judge(prompt).problems == ()
    assert judge(prompt + "!").problems == ("the prompt has 2,001 characters; the limit is 2,000",)


@pytest.mark.parametrize("prompt", ["", " ", "\n\t　"])
def test_white_space_is_an_empty_prompt(prompt):
    assert judge(prompt).text == ""
    assert judge(prompt).problems == ()
    assert judge(prompt, needed_by="text-to-video").problems == (
        "the prompt is empty, and text-to-video needs one",
    )


@pytest.mark.parametrize(
    "junk", ["\u200b", "\u0000", "\u202e", "\ufeff", "\ue000", "\uffff", "\ufdd0", "\u0007"]
)
def test_more_than_a_tenth_invisible_is_refused(junk):
    assert judge("visible ab" * 9 + junk * 10).problems == ()
    found = judge("visible ab" * 8 + junk * 10)
    assert "10 of the prompt's 90 characters are invisible or illegal" in found.problems[0]
    assert "(1042)" in found.problems[0]
    assert found.fixed == "visible ab" * 8


@pytest.mark.parametrize(
    "prompt", ["👨\u200d👩\u200d👧", "می\u200cخواهم", "line\nline\r\nline\tline", "क्\u200dष"]
)
def test_joiners_and_line_breaks_are_part_of_writing(prompt):
    assert judge(prompt).problems == ()


def test_joiners_that_join_nothing_are_invisible():
    assert judge("ab" + "\u200d" * 5000).problems
    assert judge("\u200d" * 5).problems


@pytest.mark.parametrize("prompt", ["a cat \ud83d", "\udc00" + "x" * 50])
def test_lone_surrogates_are_refused(prompt):
    found = judge(prompt)
    assert "unpaired surrogate" in found.problems[0]
    found.fixed.encode()


def test_text_without_problems_is_sent_as_it_was_written():
    assert judge("  A cat.  ").text == "  A cat.  "
