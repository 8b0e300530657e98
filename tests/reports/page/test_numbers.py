import math

import pytest

from reports.page.numbers import (
    NOTHING,
    Scale,
    count,
    duration,
    fixed,
    interval,
    p_value,
    percent,
    signed,
)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0324, 3, "0.032"),
        (-0.0324, 3, "−0.032"),
        (-0.0001, 3, "−0.0001"),
        (-3e-9, 3, "−3e−9"),
        (0.0, 3, "0.000"),
        (None, 3, NOTHING),
        (math.nan, 2, NOTHING),
    ],
)
def test_fixed(value, digits, text):
    assert fixed(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.03, "+0.03"),
        (-0.03, "−0.03"),
        (0.0, "0.00"),
        (0.001, "+0.001"),
        (1e-12, "+1e−12"),
        (math.inf, NOTHING),
    ],
)
def test_signed(value, text):
    assert signed(value, 2) == text


def test_interval_needs_both_ends():
    assert interval(0.001, 0.02, 3) == "+0.001 to +0.020"
    assert interval(None, 0.02, 3) == NOTHING


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0001, "< 0.001"), (0.001, "0.001"), (1.0, "1.000"), (None, NOTHING), (math.nan, NOTHING)],
)
def test_p_value(value, text):
    assert p_value(value) == text


def test_words():
    assert (count(1, "seed"), count(5, "seed"), count(0, "seed")) == (
        "1 seed",
        "5 seeds",
        "0 seeds",
    )
    assert (duration(12), duration(600), duration(9000), duration(None)) == (
        "12 s",
        "10 min",
        "2.5 h",
        NOTHING,
    )
    assert percent(0.324) == "32%"


@pytest.mark.parametrize(
    ("sizes", "digits"),
    [((0.01,), 3), ((0.05, 2.0), 3), ((3.0,), 1), ((250.0,), 0), ((), 3), ((0.0, None), 3)],
)
def test_scale_keeps_two_significant_digits_of_the_smallest_size(sizes, digits):
    assert Scale.of(*sizes).digits == digits
