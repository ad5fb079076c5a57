"""The models, moves and clients say what their sources say."""

import pytest

from hailuo_mcp.catalog.camera_moves import find_move, is_misnomer, moves, near_move
from hailuo_mcp.catalog.mcp_clients import Signs, client_setups, wait_limit, wait_limits
from hailuo_mcp.catalog.prices import plans
from hailuo_mcp.catalog.video_models import (
    find_model,
    found_elsewhere,
    length_words,
    limits,
    models,
    nearest_model,
    sold_elsewhere,
    usual_seconds,
)
from hailuo_mcp.catalog.video_templates import templates
from hailuo_mcp.domain.remote import Api, Capabilities
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.rules.judge import Combination, Seller, default_model, judge
from hailuo_mcp.rules.nearest import legal_combinations, nearest

ANY = Capabilities(modes=frozenset(Mode))


def nearest_to(asked, capabilities=ANY):
    seller = Seller(name="here", capabilities=capabilities)
    return nearest(judge(asked, seller), [asked.mode], seller)


FROM_4 = (4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
FROM_5 = FROM_4[1:]
# Typed from the API reference by hand, not derived from the catalogue.
MATRIX = {
    ("MiniMax-Hailuo-2.3", "t2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-2.3", "i2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-2.3-Fast", "i2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-02", "t2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-02", "i2v"): {"512P": (6, 10), "768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-02", "fl2v"): {"768P": (6, 10), "1080P": (6,)},
    ("T2V-01-Director", "t2v"): {"720P": (6,)},
    ("T2V-01", "t2v"): {"720P": (6,)},
    ("I2V-01-Director", "i2v"): {"720P": (6,)},
    ("I2V-01-live", "i2v"): {"720P": (6,)},
    ("I2V-01", "i2v"): {"720P": (6,)},
    ("S2V-01", "s2v"): {},
    **{("MiniMax-H3", it): {"768P": FROM_4, "2K": FROM_4} for it in ("t2v", "i2v", "fl2v", "r2v")},
    **{
        ("MiniMax-H3-Max", it): {"480P": FROM_5, "768P": FROM_5}
        for it in ("t2v", "i2v", "fl2v", "r2v")
    },
}
RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
CAMERA = {name for name, _ in MATRIX if "Hailuo" in name or "Director" in name}


def test_the_matrix_is_that_of_the_reference():
    found = {
        (model.name, mode.value): dict(rules.sizes)
        for model in models()
        for mode, rules in model.modes.items()
    }
    assert found == MATRIX


@pytest.mark.parametrize("model", models(), ids=lambda m: m.name)
def test_defaults_are_legal_and_rules_are_those_of_the_line(model):
    for mode, rules in model.modes.items():
        if rules.sizes:
            assert rules.default_duration in rules.sizes[rules.default_resolution]
            assert rules.default_resolution == ("720P" if "-01" in model.name else "768P")
            assert rules.default_duration == 6
        else:
            assert rules.default_resolution is None
            assert rules.default_duration is None
        assert rules.camera == (model.name in CAMERA)
        assert rules.fast_pretreatment == ("Hailuo" in model.name and mode is not Mode.FL2V)
        assert rules.prompt_optimizer == (model.name != "MiniMax-H3")
        v2 = model.api is Api.V2
        assert v2 == model.payg_only == ("H3" in model.name)
        shapes = {Mode.T2V: RATIOS, Mode.R2V: ("adaptive", *RATIOS)}.get(mode, ()) if v2 else ()
        assert rules.ratios == shapes
        assert rules.default_ratio == ("16:9" if v2 and mode is Mode.T2V else "")
    assert model.upgrades == ({"768P": "2K"} if model.name == "MiniMax-H3" else {})


def test_the_limits_of_v2_are_those_of_the_reference():
    rules = limits(Api.V2)
    assert (rules.prompt_characters, rules.image_bytes) == (7000, 30_000_001)
    assert (rules.image_short_side + 1, rules.image_long_side) == (256, 5760)
    assert limits().references is None
    given = rules.references
    assert (given.images, given.videos, given.audios, given.together) == (9, 3, 3, 12)
    assert (given.shortest, given.longest, given.all_videos, given.all_audios) == (2, 15, 15, 15)
    assert (given.video_fps, given.video_bytes) == ((24, 60), 50_000_000)
    assert (given.audio_bytes, given.body_bytes) == (15_000_000, 64_000_000)


def test_every_row_has_a_source_and_a_date():
    clients = (*wait_limits(), *client_setups())
    rules = (limits(), limits(Api.V2), *sold_elsewhere())
    for row in (*models(), *plans(), *clients, *templates("cn"), *templates("global"), *rules):
        assert row.source
        assert row.checked.startswith("2026-")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3"),
        ("minimax-hailuo-2.3", "MiniMax-Hailuo-2.3"),
        ("Hailuo 2.3", "MiniMax-Hailuo-2.3"),
        (" HAILUO-2.3-FAST ", "MiniMax-Hailuo-2.3-Fast"),
        ("MiniMax Hailuo 02", "MiniMax-Hailuo-02"),
        ("hailuo02", "MiniMax-Hailuo-02"),
        ("i2v-01-LIVE", "I2V-01-live"),
        ("s2v-01", "S2V-01"),
        ("MiniMax-H3", "MiniMax-H3"),
        ("h3", "MiniMax-H3"),
        ("Hailuo 03", "MiniMax-H3"),
        ("hailuo-3", "MiniMax-H3"),
        ("MiniMax Hailuo_03", "MiniMax-H3"),
        ("海螺03", "MiniMax-H3"),
        ("H3 Max", "MiniMax-H3-Max"),
        ("minimax/h3-max", "MiniMax-H3-Max"),
        ("Hailuo 03 Max", "MiniMax-H3-Max"),
    ],
)
def test_models_are_found_without_case_spaces_or_prefix(written, meant):
    assert find_model(written).name == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MiniMax-Hailuo-2.4", "MiniMax-Hailuo-2.3"),
        ("hailuo", "MiniMax-Hailuo-2.3"),
        ("2.3-fast", "MiniMax-Hailuo-2.3-Fast"),
        ("hailo-02", "MiniMax-Hailuo-02"),
        ("T2V-01-Directer", "T2V-01-Director"),
        ("hailuo-2.3-pro", "MiniMax-Hailuo-2.3"),
        ("hailuo-2.3-professional", "MiniMax-Hailuo-2.3"),
        ("hailuo-2.3-fastt", "MiniMax-Hailuo-2.3-Fast"),
        ("S2V01x", "S2V-01"),
        ("MiniMax", "MiniMax-Hailuo-2.3"),
        ("video-01", None),
        ("h3-pro", "MiniMax-H3"),
        ("hailuo-03-ultra", "MiniMax-H3"),
        ("H3 Maxx", "MiniMax-H3-Max"),
        ("sketch3d", None),
        ("sora-2", None),
        ("x" * 10_000, None),
    ],
)
def test_a_near_miss_is_known_for_what_it_means(written, meant):
    assert find_model(written) is None
    assert nearest_model(written) == meant


@pytest.mark.parametrize(
    ("written", "nearest_"),
    [
        ("H3 Max Turbo", "MiniMax-H3-Max"),
        ("MiniMax-H3-Max-Turbo", "MiniMax-H3-Max"),
        ("minimax/h3-max-turbo/text-to-video", "MiniMax-H3-Max"),
        ("minimax-h3-max-camera-controls", "MiniMax-H3-Max"),
        ("hailuo 03 turbo", "MiniMax-H3"),
        ("lightx2v/Minimax-h3-Turbo", "MiniMax-H3"),
    ],
)
def test_what_others_sell_is_known_for_what_it_is(written, nearest_):
    assert find_model(written) is None
    assert found_elsewhere(written).nearest == nearest_model(written) == nearest_
    assert find_model(nearest_).name == nearest_


def test_no_published_name_is_taken_for_anothers():
    names = [name for model in models() for name in (model.name, *model.aliases)]
    assert not any(map(found_elsewhere, [*names, "h3-pro", "turbo", ""]))
    assert len({find_model(name).name for name in names}) == len(models())


@pytest.mark.parametrize(
    ("lengths_", "said"),
    [((6,), "6"), ((6, 10), "6 or 10"), ((4, 5), "4 or 5"), (FROM_4, "4-15"), ((4, 6, 7), None)],
)
def test_lengths_are_told_in_short(lengths_, said):
    assert length_words(lengths_) == (said or " or ".join(map(str, lengths_)))


@pytest.mark.parametrize(
    ("mode", "resolution", "model"),
    [
        (Mode.T2V, "2K", "MiniMax-H3"),
        (Mode.I2V, "2K", "MiniMax-H3"),
        (Mode.FL2V, "2K", "MiniMax-H3"),
        (Mode.R2V, "", "MiniMax-H3"),
        (Mode.R2V, "480P", "MiniMax-H3"),
        (Mode.S2V, "2K", "S2V-01"),
        (Mode.UPGRADE, "2K", ""),
        # H3-Max is chosen by its name only.
        (Mode.T2V, "480P", "MiniMax-Hailuo-2.3"),
        (Mode.T2V, "", "MiniMax-Hailuo-2.3"),
        (Mode.T2V, "1080P", "MiniMax-Hailuo-2.3"),
        (Mode.I2V, None, "MiniMax-Hailuo-2.3"),
        (Mode.I2V, "512P", "MiniMax-Hailuo-02"),
        (Mode.FL2V, "", "MiniMax-Hailuo-02"),
        (Mode.S2V, "", "S2V-01"),
        # No silent change to an unpriced older model: the check refuses the size.
        (Mode.T2V, "720P", "MiniMax-Hailuo-2.3"),
        (Mode.T2V, "512P", "MiniMax-Hailuo-2.3"),
    ],
)
def test_an_empty_model_is_chosen_from_mode_and_size(mode, resolution, model):
    assert default_model(mode, resolution, ANY) == model


def test_an_aspect_ratio_leads_to_a_model_that_takes_one():
    for mode in (Mode.T2V, Mode.I2V, Mode.FL2V, Mode.R2V):
        assert default_model(mode, None, ANY, aspect_ratio="9:16") == "MiniMax-H3"
    assert default_model(Mode.S2V, None, ANY, aspect_ratio="9:16") == "S2V-01"
    without = Capabilities(modes=frozenset(Mode), not_offered=frozenset({"MiniMax-H3"}))
    assert default_model(Mode.T2V, None, without, aspect_ratio="1:1") == "MiniMax-H3-Max"


def test_an_empty_model_is_one_that_the_provider_has():
    only = Capabilities(modes=frozenset({Mode.I2V}), models=frozenset({"MiniMax-Hailuo-2.3-Fast"}))
    assert default_model(Mode.I2V, "", only) == "MiniMax-Hailuo-2.3-Fast"
    assert default_model(Mode.FL2V, "", only) == ""


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        (("MiniMax-Hailuo-2.3", "t2v", "1080P", 10), ("MiniMax-Hailuo-2.3", "768P", 10)),
        (("MiniMax-Hailuo-2.3", "t2v", "720p", 7), ("MiniMax-Hailuo-2.3", "768P", 6)),
        (("MiniMax-Hailuo-02", "t2v", "512P", 6), ("MiniMax-Hailuo-02", "768P", 6)),
        (("MiniMax-Hailuo-2.3-Fast", "t2v", "", 0), ("MiniMax-Hailuo-2.3", "768P", 6)),
        (("MiniMax-Hailuo-2.3", "fl2v", "1080P", 6), ("MiniMax-Hailuo-02", "1080P", 6)),
        (("MiniMax-Hailuo-2.3", "i2v", "4K", 60), ("MiniMax-Hailuo-2.3", "768P", 10)),
        (("T2V-01", "t2v", "1080P", 10), ("T2V-01", "720P", 6)),
        (("S2V-01", "s2v", "1080P", 10), ("S2V-01", None, None)),
        (("MiniMax-H3", "t2v", "1080P", 6), ("MiniMax-H3", "2K", 6)),
        (("MiniMax-H3", "i2v", "768P", 3), ("MiniMax-H3", "768P", 4)),
        (("MiniMax-H3", "r2v", "480P", 16), ("MiniMax-H3", "768P", 15)),
        (("MiniMax-H3-Max", "t2v", "2K", 4), ("MiniMax-H3-Max", "768P", 5)),
        (("MiniMax-Hailuo-2.3", "r2v", "", 0), ("MiniMax-H3", "768P", 6)),
        (("MiniMax-H3", "s2v", "", 0), ("S2V-01", None, None)),
    ],
)
def test_the_nearest_combination_changes_least(asked, offered):
    model, mode, resolution, duration = asked
    clip = nearest_to(
        Combination(model=model, mode=Mode(mode), resolution=resolution, duration=duration)
    )
    assert (clip.model, clip.resolution, clip.duration) == offered


def test_a_legal_combination_is_its_own_nearest():
    for clip in legal_combinations(list(Mode), ANY):
        assert nearest_to(clip) == clip


def test_a_provider_without_video_has_no_nearest():
    assert nearest_to(Combination(mode=Mode.T2V), Capabilities(modes=frozenset())) is None


def test_there_are_fifteen_moves_in_both_languages():
    assert len(moves()) == 15
    assert len({name for m in moves() for name in (m.english, m.chinese)}) == 30
    for move in moves():
        assert find_move(move.english.upper()) == move
        assert find_move(f" {move.chinese} ") == move


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Dolly in", "Push in"),
        ("zom in", "Zoom in"),
        ("static", "Static shot"),
        ("推近", "Push in"),
        ("跟拍", "Tracking shot"),
    ],
)
def test_a_near_miss_of_a_move_has_the_right_one(written, meant):
    assert find_move(written) is None
    assert near_move(written).english == meant


def test_push_out_is_read_as_pull_out():
    assert find_move("push OUT").english == "Pull out"
    assert is_misnomer("Push out")
    assert not is_misnomer("Pull out")


@pytest.mark.parametrize("junk", ["", " ", "💥", "q", "x" * 5000, "NIGHT", "OPEN", "跟随者"])
def test_what_is_like_no_move_has_no_right_one(junk):
    assert near_move(junk) is None


@pytest.mark.parametrize(
    ("client", "progress", "seconds"),
    [
        ("mcp", False, 4),
        ("MCP", False, 4),
        ("mcp", True, 8),
        ("mcp-inspector", False, 25),
        ("claude-ai", False, 45),
        ("Claude-AI", True, 45),
        ("claude-code", False, 45),
        ("cursor-vscode", False, 45),
        ("Visual Studio Code - Insiders", False, 45),
        ("JetBrains-IU-copilot-intellij", False, 22),
        ("codex-mcp-client", False, 45),
        ("", False, 25),
        ("somebody's own client", True, 25),
    ],
)
def test_a_client_is_made_to_wait_no_longer_than_it_bears(client, progress, seconds):
    assert wait_limit(Signs(name=client, version="0.1.0", progress=progress)) == seconds


@pytest.mark.parametrize(
    ("signs", "seconds"),
    [
        # what the frameworks with a short limit show: never more than they bear
        ({}, 4),  # OpenAI Agents SDK before 0.20, CAMEL, agent-zero
        ({"modern": True}, 4),  # OpenAI Agents SDK over stdio
        ({"modern": True, "http": True}, 4),  # … and over HTTP
        ({"declares": {"sampling"}}, 4),  # AutoGen over stdio
        ({"progress": True}, 8),  # Agno
        ({"progress": True, "http": True}, 8),
        # what none of them shows
        ({"declares": {"elicitation"}}, 25),  # the SDK with somebody to ask
        ({"declares": {"roots"}, "modern": True}, 25),
        ({"declares": {"sampling"}, "modern": True}, 25),  # Microsoft Agent Framework
        ({"declares": {"sampling"}, "http": True}, 25),  # AutoGen over HTTP
        ({"progress": True, "modern": True}, 25),  # FastMCP's own client
        ({"version": "2.4.1"}, 25),
    ],
    ids=str,
)
def test_clients_of_one_name_are_told_apart_by_what_else_they_show(signs, seconds):
    shown = {"version": "0.1.0"} | signs
    declares = frozenset(shown.pop("declares", ()))
    assert wait_limit(Signs(name="mcp", declares=declares, **shown)) == seconds


def test_google_adk_bears_more_over_http():
    assert wait_limit(Signs(name="google-adk", version="2.13")) == 4
    assert wait_limit(Signs(name="google-adk", version="2.13", http=True)) == 45


def test_nobody_waits_longer_than_45_seconds_or_than_their_limit():
    for row in wait_limits():
        assert row.wait < row.limit
        for name in row.names:
            assert wait_limit(Signs(name=name, progress=True, modern=True, http=True)) <= 45


def test_the_sdk_really_calls_itself_what_the_table_says():
    from mcp.client.session import DEFAULT_CLIENT_INFO

    info = DEFAULT_CLIENT_INFO
    assert wait_limit(Signs(name=info.name, version=info.version)) == 4


def test_render_times_are_plausible_for_every_call():
    for call in legal_combinations(list(Mode), ANY):
        assert 30 <= usual_seconds(call.model, call.resolution, call.duration) <= 300
    assert usual_seconds("MiniMax-Hailuo-2.3-Fast", "768P", 6) < usual_seconds(
        "MiniMax-Hailuo-2.3", "1080P", 6
    )
