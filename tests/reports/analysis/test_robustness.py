"""Verdicts asked otherwise: other tests, a seed less, missing trials, an interaction behind a main
effect."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.analysis import analyse
from reports.page.blocks import plain
from reports.stats.signflip import sign_flip_p
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.answer import lead
from tests.reports.truths import on, truth

Make = Callable[..., StudyTable]
START = (0.11, 0.13, 0.08, 0.1, 0.12, 0.09, 0.14, 0.07)
"""The outcome of each seed without any factor."""
CLEAR = [1.0 + 0.05 * seed for seed in range(8)]


def study(
    effects: Sequence[float],
    margin: float = 0.2,
    lost: Mapping[tuple[bool, int], str] | None = None,
) -> Any:
    """One factor with these effects, one per seed; `lost`: (with the factor, seed) -> how that
    trial ended."""
    return truth(
        ("a",),
        lambda levels: 0.0,
        seeds=len(effects),
        margin=margin,
        value=lambda levels, seed: START[seed] + on(levels, "a") * effects[seed],
        status=lambda levels, seed: (lost or {}).get((on(levels, "a"), seed), "finished"),
    )


def check(effects: Sequence[float], **more: Any) -> dict[str, Any]:
    """The row of the factor."""
    (row,) = analyse(study(effects, **more)).checks.to_dict("records")
    return {str(key): value for key, value in row.items()}


def test_exact_p_and_bootstrap_are_those_of_the_libraries() -> None:
    found = check(CLEAR)
    assert found["p_sign_flip"] == sign_flip_p(CLEAR) == 2 / 2**8
    rng = np.random.default_rng(int("7f3a91c2", 16))
    known = stats.bootstrap((np.asarray(CLEAR),), np.mean, n_resamples=9999, method="BCa", rng=rng)
    ends = tuple(known.confidence_interval)
    assert (found["boot_low"], found["boot_high"]) == pytest.approx(ends, rel=1e-9)
    assert found["effect_in_sds"] == pytest.approx(np.mean(CLEAR) / np.std(START, ddof=1))


def test_exact_p_of_two_factors_is_corrected() -> None:
    table = truth(("a", "b"), lambda s: 0.5 * on(s, "a"), seeds=8, noise=0.01, centred=False)
    found = analyse(table).checks.set_index("factor")
    assert found.loc["a", "p_sign_flip"] == 2 / 2**8
    assert found.loc["a", "p_sign_flip_adjusted"] == 2 * found.loc["a", "p_sign_flip"]


def test_equal_plans_give_equal_numbers() -> None:
    table = study([0.913, 1.071, 1.334, 0.852, 1.207, 1.118, 0.996, 1.045])
    pd.testing.assert_frame_equal(analyse(table).checks, analyse(table).checks)
    other = replace(table, study={**table.study, "hash": "00000001"})
    assert analyse(other).checks["boot_low"].iloc[0] != analyse(table).checks["boot_low"].iloc[0]


def test_a_seed_that_decides_is_named() -> None:
    """Seed 4 hides an effect that all others show."""
    found = check([0.5, 0.52, 0.48, 0.5, -0.4, 0.51])
    assert found["verdict"] == "not enough data"
    assert found["hangs_on_seeds"] == "4"
    assert found["robust"] == ""
    firm = check(CLEAR)
    assert (firm["hangs_on_seeds"], firm["robust"]) == ("", "firm")


def test_a_verdict_that_the_exact_test_does_not_share_is_fair() -> None:
    """Five seeds of one sign have an exact p of 0.0625, whatever they show."""
    found = check([0.5, 0.52, 0.48, 0.5, 0.51])
    assert (found["verdict"], found["hangs_on_seeds"], found["robust"]) == ("harms", "", "fair")


def test_few_seeds_have_no_bootstrap_and_none_is_left_out() -> None:
    found = check([1.0, 1.1, -3.0])
    assert math.isnan(found["boot_low"])
    assert found["hangs_on_seeds"] == ""


def test_missing_trials_bound_the_effect() -> None:
    """Those that failed lie within what was seen, from 0.07 to 1.14."""
    found = check([1.0] * 8, lost={(True, 6): "failed", (False, 7): "failed"})
    known = [*START[:7], *(START[s] + 1.0 for s in (0, 1, 2, 3, 4, 5, 7))]
    least, most = min(known), max(known)
    assert found["n_missing"] == 2
    assert found["worst_low"] == pytest.approx((6 + (least - START[6]) + (START[7] + 1 - most)) / 8)
    assert found["worst_high"] == pytest.approx(
        (6 + (most - START[6]) + (START[7] + 1 - least)) / 8
    )
    assert math.isnan(check(CLEAR)["worst_low"])


@pytest.mark.parametrize(("with_it", "open_end"), [(True, "worst_high"), (False, "worst_low")])
def test_a_diverged_trial_leaves_its_side_open(with_it: bool, open_end: str) -> None:
    """It lies beyond the worst that was seen, nobody knows how far."""
    found = check([1.0] * 8, lost={(with_it, 6): "diverged"})
    assert math.isinf(found[open_end])
    other = {"worst_high": "worst_low", "worst_low": "worst_high"}[open_end]
    assert math.isfinite(found[other])


def test_trials_that_may_still_end_are_not_missing() -> None:
    waiting = {(with_it, seed): "planned" for with_it in (True, False) for seed in (6, 7)}
    found = check([1.0] * 8, lost=waiting)
    assert found["n_missing"] == 0
    assert math.isnan(found["worst_low"])


def test_a_factor_that_acts_with_another_alone_is_told_so(make_study: Make) -> None:
    """`long_fm` does nothing without `long_recon`, and much with it."""
    table = make_study(factors=2, seeds=6)
    noise = 0.0002 * np.sin(np.arange(len(table.trials)))
    both = (table.trials["level.long_recon"] == "with") & (table.trials["level.long_fm"] == "with")
    value = 0.03 + 0.02 * (table.trials["level.long_recon"] == "with") + 0.05 * both + noise
    table = replace(table, trials=table.trials.assign(**{"metric.kid": value}))
    analysis = analyse(table)
    simple = analysis.simple.set_index(["factor", "other", "level"])["effect"]
    assert simple["long_fm", "long_recon", "without"] == pytest.approx(0.0, abs=0.001)
    assert simple["long_fm", "long_recon", "with"] == pytest.approx(0.05, abs=0.001)
    words = plain(lead(StudyView(table, analysis)))
    assert (
        "long_fm does depends on long_recon: it makes kid worse only with long_recon (+0.05"
        in words
    )
    assert "it changes kid by less than 0.010 without long_recon" in words
    assert "long_recon makes kid worse both" in words


def test_simple_effects_average_to_the_main_effect(make_study: Make) -> None:
    analysis = analyse(make_study(factors=3, seeds=5))
    for row in analysis.verdicts.to_dict("records"):
        for _, part in analysis.simple[analysis.simple["factor"] == row["factor"]].groupby("other"):
            assert part["effect"].mean() == pytest.approx(row["effect"], abs=1e-12)
