"""Names of clips: what a pattern may say, and that any fact makes a name which any system takes."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.files.folders import odd_on_windows
from hailuo_mcp.files.name_pattern import FIELDS, NameFacts, name_pattern
from hailuo_mcp.settings import Settings

FOX = NameFacts(
    created_at=datetime(2026, 11, 21, 14, 30).timestamp(),  # noqa: DTZ001  local, as in a name
    prompt="一只 fox runs, [Push in] …",
    task_id="v1abc",
    take=2,
    model="MiniMax-Hailuo-2.3",
    mode="t2v",
    provider="minimax-cn",
    resolution="768P",
    duration=6,
)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{date}_{prompt:.24}_{task_id}", "2026-11-21_一只-fox-runs-Push-in_v1abc.mp4"),
        ("{date}_{prompt:.4}_{take}_{task_id}", "2026-11-21_一只-f_2_v1abc.mp4"),
        ("{date:%Y/%m}/{time:%H:%M} {prompt:.2}.mp4", "2026/11/14-30 一只.mp4"),
        (
            "{provider}/{model}-{resolution}-{duration}s",
            "minimax-cn/MiniMax-Hailuo-2.3-768P-6s.mp4",
        ),
        ("{take:03}-{mode}-{remote_id}", "002-t2v-unknown.mp4"),
        ("{{{prompt:.2}}}", "{一只}.mp4"),
        ("con", "clip-con.mp4"),
        ("nul.{prompt}", "clip-nul.一只-fox-runs-Push-in.mp4"),
    ],
)
def test_a_pattern_is_filled_in(pattern: str, name: str) -> None:
    assert name_pattern(pattern).fill(FOX) == name


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("{promt}", "has no field {promt}; the nearest is {prompt}. The fields are: {date} {time}"),
        ("{title}", "the nearest is {prompt}"),
        ("{prompt.__class__}", "has no field {prompt.__class__}"),
        ("{prompt[0]}", "has no field"),
        ("{}", "has no field"),
        ("{prompt!r}", "has an !"),
        ("{prompt:{date}}", "is not like {prompt:.24}"),
        ("{prompt:>99999999999}", "is not like {prompt:.24}"),
        ("{take:.2f}", "is not like {take:02}"),
        ("{date:%c}", "is not like {date:%Y-%m-%d}"),
        ("{date", "has a brace without its partner"),
        ("../{prompt}", "begins with a dot"),
        ("{date}/../{prompt}", "begins with a dot"),
        ("{date:%Y/../../%m}", "begins with a dot"),
        ("/clips/{prompt}", "below the output folder"),
        ("~/{prompt}", "below the output folder"),
        ("C:{prompt}", "has ':'"),
        ("{date}\\{prompt}", "has '\\\\'"),
        ("a//b", "without a name"),
        ("a/" * 7 + "b", "more than 6 folders"),
        ("%(title)s", "fields are written like {prompt}"),
        ("x" * 301, "more than 300"),
    ],
)
def test_what_is_no_pattern_is_refused_when_the_setting_is_read(pattern: str, why: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Settings.from_env({"HAILUO_FILENAME": pattern})
    assert refusal.value.what.startswith("The setting filename ")
    assert why in refusal.value.what
    assert refusal.value.then[0].about == "HAILUO_FILENAME"


_PIECES = st.sampled_from(
    [
        *(f"{{{field}}}" for field in FIELDS),
        "{prompt:.99}",
        "{date:%A %d}",
        "_",
        ". ",
        "aux",
        "猫/猫",
    ]
)


@given(st.lists(_PIECES, min_size=1, max_size=9), st.text(), st.text(), st.text())
def test_no_fact_leads_out_of_the_folder_or_to_a_name_that_a_system_refuses(
    pieces: list[str], prompt: str, some_id: str, other: str
) -> None:
    try:
        pattern = name_pattern("".join(pieces))
    except ValueError:
        return
    facts = NameFacts(
        created_at=FOX.created_at,
        prompt=prompt,
        task_id=some_id,
        model=other,
        provider=other,
        remote_id=other,
    )
    *folders, name = pattern.fill(facts).split("/")
    assert len(folders) == "".join(pieces).count("/")
    assert name.endswith(".mp4")
    for one in (*folders, name):
        assert one
        assert one.strip(" .") == one
        assert not odd_on_windows(one)
        assert len(one.encode()) <= 200
        assert one.isprintable()
