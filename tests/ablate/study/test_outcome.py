"""Summaries and onset against numbers worked by hand."""

import math

import pytest

from ablate.study.outcome import degraded_at_step, summarise

CURVE = [(0, 1.0), (10, 0.5), (20, 2.0), (30, 1.2)]


@pytest.mark.parametrize(
    ("summary", "better", "expected"),
    [
        ("last", "lower", 1.2),
        ("best", "lower", 0.5),
        ("best", "higher", 2.0),
        ("best", None, 1.2),
        ("mean", "lower", (0.5 + 2.0 + 1.2) / 3),
        ("auc", "lower", (7.5 + 12.5 + 16.0) / 30),
    ],
)
def test_summaries(summary: str, better: str | None, expected: float) -> None:
    assert summarise(CURVE, summary, better) == pytest.approx(expected, rel=1e-15)


def test_the_best_is_a_number_wherever_there_is_one() -> None:
    for curve in ([math.nan, 1.0, 2.0], [1.0, math.nan, 2.0], [1.0, 2.0, math.nan]):
        assert summarise(list(enumerate(curve)), "best", "lower") == 1.0
        assert summarise(list(enumerate(curve)), "best", "higher") == 2.0
    assert math.isnan(summarise([(0, math.nan)], "best", "lower"))


def rule(
    better: str = "lower", relative: float = 0.1, after_step: int = 0, patience: int = 1
) -> dict[str, object]:
    return {
        "better": better,
        "degradation": {"relative": relative, "after_step": after_step, "patience": patience},
    }


def test_onset_is_the_first_step_of_the_row() -> None:
    assert degraded_at_step(CURVE, rule()) == 20
    assert degraded_at_step(CURVE, rule(patience=2)) == 20
    assert degraded_at_step(CURVE, rule(patience=3)) is None
    assert degraded_at_step(CURVE, rule(after_step=20)) == 30
    assert degraded_at_step(CURVE, rule(better="higher")) == 10
    assert degraded_at_step(CURVE, rule(relative=2.0)) is None


def test_negative_start_and_exact_margin() -> None:
    assert degraded_at_step([(0, -1.0), (5, -0.875)], rule(relative=0.125)) is None
    assert degraded_at_step([(0, -1.0), (5, -0.8)], rule(relative=0.125)) == 5


def test_no_number_is_worse_than_any_and_no_start_gives_no_onset() -> None:
    assert degraded_at_step([(0, 1.0), (5, math.nan)], rule()) == 5
    assert degraded_at_step([(5, 1.0), (10, 9.0)], rule()) is None
    assert degraded_at_step([], rule()) is None
