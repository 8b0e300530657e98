"""Levels and decisions for a stream of proposals."""

import itertools
import math

import numpy as np
import pytest

from reports.stats.stream import ERROR, LOOKS, SHARES, decide, flip_p, stream_level


def test_the_levels_of_an_endless_stream_add_up_to_the_error() -> None:
    total = math.fsum(stream_level(number, []) for number in range(1, 20_001))
    assert ERROR * 0.999 < total <= ERROR
    assert math.isclose(sum(SHARES), 1)


def test_keeps_earn_levels_from_the_second_on() -> None:
    assert stream_level(30, [7]) == stream_level(30, [])
    assert stream_level(30, [7, 29]) == pytest.approx(stream_level(30, []) + stream_level(1, []))
    # A stream in which everything is kept has at most the level of a single test
    assert stream_level(500, list(range(1, 500))) <= ERROR


@pytest.mark.parametrize("n", [1, 2, 5, 8, 11])
def test_the_exact_p_counts_sign_patterns(n: int) -> None:
    data = np.random.default_rng(n).normal(0.4, 1, n)
    signs = itertools.product((1, -1), repeat=n)
    by_hand = np.mean([np.dot(s, np.abs(data)) >= data.sum() - 1e-12 for s in signs])
    assert flip_p(data) == pytest.approx(by_hand)


def test_ties_and_equal_values_are_no_evidence_beyond_their_signs() -> None:
    assert flip_p([0.01] * 8) == pytest.approx(1 / 2**8)
    assert flip_p([0.0] * 8) == 1
    assert decide([0.0] * 20, 0.05).decision == "drop"


def test_a_decision_of_an_earlier_look_stays() -> None:
    good = [1.0, 1.2, 0.9, 1.1, 1.3, 0.8, 1.0, 1.1]
    kept = decide(good, 0.05)
    assert (kept.decision, kept.seeds, kept.missing) == ("keep", 8, 0)
    assert decide([*good, *[-9.0] * 12], 0.05) == kept
    assert (
        decide([-1.0, -0.9, -1.1, -1, -1.2, -1, -0.8, -1, *[9.0] * 12], 0.05).reason == "hopeless"
    )


def test_seeds_are_asked_for_until_the_next_look() -> None:
    few = decide([0.5, 0.4, 0.6], 0.05)
    assert (few.decision, few.missing) == ("more", 5)
    assert math.isnan(few.p)
    assert few.low < few.effect < few.high
    # At a strict level, eight seeds can't be enough
    assert decide([0.5, 0.4, 0.6, 0.5, 0.5, 0.4, 0.6, 0.5], 0.003).missing == LOOKS[1] - 8
    assert decide([], 0.05).missing == LOOKS[0]


def test_an_improvement_below_the_margin_is_dropped() -> None:
    tiny = [0.010, 0.011, 0.009, 0.010, 0.012, 0.008, 0.010, 0.011]
    assert decide(tiny, 0.05).decision == "keep"
    assert decide(tiny, 0.05, margin=0.1).reason == "too small"


def test_streams_without_effect_keep_nothing_and_one_sd_is_found() -> None:
    """The table of the documentation has many more; see `benchmarks/gate.py`."""
    random = np.random.default_rng(5)
    kept = [
        number
        for number in range(1, 301)
        if decide(random.normal(0, 1, 20), stream_level(number, [])).decision == "keep"
    ]
    assert len(kept) <= 1
    found = [decide(random.normal(1, 1, 20), stream_level(10, [])).decision for _ in range(150)]
    assert found.count("keep") >= 0.76 * 150
