"""The judge of the soak's curves: a leak is named, and what only swings or fills is not."""

import math
import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from rig.curves import CAPPED, FLAT, GROWS, LEAK, Rule, judge, sparkline

HOURS = [number / 4 for number in range(96)]
FILES = Rule("fds", "descriptors", least=12)
MEMORY = Rule("rss", "memory", "MB", share=0.03, least=3.0)


def _noisy(values, swing, seed=1):
    dice = random.Random(seed)
    return [value + dice.uniform(-swing, swing) for value in values]


@pytest.mark.parametrize(
    ("about", "values"),
    [
        ("constant", [20.0] * 96),
        ("noise", _noisy([20.0] * 96, 10)),
        ("a cache that fills", _noisy([100 * (1 - math.exp(-hour)) for hour in HOURS], 2)),
        ("a sawtooth", [20 + 3 * (number % 12) for number in range(96)]),
        ("a long sawtooth", [20 + 2 * (number % 24) for number in range(96)]),
        ("one step early", [10.0] * 30 + [60.0] * 66),
        ("one step late", [10.0] * 70 + [60.0] * 26),
        ("an outage at the end", [20.0] * 90 + [80.0] * 6),
        ("falling", [100 - number / 2 for number in range(96)]),
    ],
)
def test_what_swings_or_fills_up_is_flat(about, values):
    assert judge(FILES, HOURS, values).word == FLAT, about


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("an_hour", [2.0, 10.0])
def test_what_rises_is_a_leak_under_any_noise(an_hour, seed):
    values = _noisy([20 + an_hour * hour for hour in HOURS], 2, seed)
    found = judge(FILES, HOURS, values)

    assert found.word == LEAK
    assert found.slope == pytest.approx(an_hour, abs=0.2)


def test_a_sawtooth_whose_low_points_rise_is_a_leak():
    values = [20 + 3 * (number % 12) + number for number in range(96)]

    assert judge(FILES, HOURS, values).is_leak


def test_stairs_are_a_leak():
    values = [20.0 + 15 * (number // 14) for number in range(96)]

    assert judge(FILES, HOURS, values).is_leak


def test_a_slow_leak_of_memory_is_seen_in_a_day():
    assert judge(MEMORY, HOURS, _noisy([250 + hour for hour in HOURS], 1.5)).is_leak
    assert not judge(MEMORY, HOURS, _noisy([250.0] * 96, 20)).is_leak


def test_what_grows_with_a_cause_may_not_cost_more_and_more_of_it():
    rule = Rule("journal", "journal", with_="tasks")
    tasks = [10.0 * number for number in range(96)]

    assert judge(rule, HOURS, [3 * count for count in tasks], tasks).word == GROWS
    assert judge(rule, HOURS, [count**2 for count in tasks], tasks).is_leak
    assert judge(rule, HOURS, [float(number) for number in range(96)], [5.0] * 96).word == GROWS


def test_of_what_comes_at_most_once_for_each_more_is_a_leak():
    rule, tasks = Rule("clips", "clips", with_="tasks", each=1), [float(n) for n in range(96)]

    assert judge(rule, HOURS, [max(0, n - 40) for n in tasks], tasks).word == GROWS
    assert judge(rule, HOURS, [max(0, n - 40) * 2 for n in tasks], tasks).is_leak


def test_what_has_a_cap_may_rise_to_it():
    rule = Rule("uploads", "uploads", most=100)

    assert judge(rule, HOURS, [float(number) for number in range(96)]).word == CAPPED
    assert judge(rule, HOURS, [2.0 * number for number in range(96)]).is_leak


def test_too_few_samples_prove_nothing():
    assert judge(FILES, [0.0, 1.0], [1.0, 900.0]).word == "too short"


def test_a_curve_in_one_line():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([0.0] * 8) == "▁" * 8
    assert len(sparkline(range(1000), 48)) == 48
